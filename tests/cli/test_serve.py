"""What `gazette serve` gives out: the site's files, to this machine, and nothing else."""

from __future__ import annotations

import http.client
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from gazette.cli import _serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Of a server of a small site, which stands beside a file that is no part of it."""
    site = tmp_path / "site"
    for name in ("index.html", "models/a.html", ".gazette-site.json", ".git/config", "data/rows.csv"):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(f"this is {name}")
    (tmp_path / "secret").write_text("outside")
    (site / "link").symlink_to(tmp_path / "secret")
    (site / "folder").symlink_to(tmp_path)
    (site / "dots").symlink_to(site / ".git")
    (site / "same.html").symlink_to(site / "index.html")
    monkeypatch.setattr(_serve._Handler, "timeout", 0.3)
    with _serve.server_of(site, 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def ask(port: int, path: str, host: str = "127.0.0.1", method: str = "GET") -> tuple[int, dict[str, str], str]:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        link.putrequest(method, path, skip_host=True)
        if host:
            link.putheader("Host", host)
        link.endheaders()
        answer = link.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()
    finally:
        link.close()


def test_who_is_lost_sees_the_site_s_own_page(port: int, tmp_path: Path) -> None:
    assert "page of ours" not in ask(port, "/nowhere/at/all")[2]
    (tmp_path / "site" / "404.html").write_text("page of ours")
    for path in ("/nowhere/at/all", "/data/", "/link"):
        status, headers, text = ask(port, path)
        assert (status, text) == (404, "page of ours")
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert ask(port, "/nowhere", method="HEAD")[::2] == (404, "")
    assert ask(port, "/nowhere", host="example.com")[0] == 421


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/models/a.html?x=1", 200),
        ("/same.html", 200),
        ("/data/", 404),
        ("/data", 301),
        ("/.gazette-site.json", 404),
        ("/.git/config", 404),
        ("/%2egit/config", 404),
        ("/dots/config", 404),
        ("/link", 404),
        ("/folder/secret", 404),
        ("/../secret", 404),
        ("/models/../../secret", 404),
        ("/%00", 404),
        ("//example.com/%2e%2e", 301),
    ],
)
def test_only_files_of_the_site_are_given_out(port: int, path: str, status: int) -> None:
    found, headers, text = ask(port, path)
    assert found == status
    assert "outside" not in text
    assert "rows.csv" not in text
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
    assert "://" not in headers.get("Location", "/")
    assert not headers.get("Location", "/").startswith("//")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:1234", 200),
        ("[::1]:80", 200),
        ("127.0.0.1", 200),
        ("evil.example", 421),
        ("localhost.evil.example:80", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
    ],
)
def test_only_who_asks_for_this_machine_is_answered(port: int, host: str, status: int) -> None:
    assert ask(port, "/", host)[0] == status
    assert ask(port, "/", host, "HEAD")[0] == status


def test_nothing_can_be_changed(port: int) -> None:
    assert ask(port, "/index.html", method="PUT")[0] == 501


def test_who_says_nothing_is_not_waited_for(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
        link.sendall(b"GET / HT")
        assert link.recv(1) == b"", "the server hangs up"

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING

import pytest

from gazette.cli import main
from program import gazette
from small import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from small import SmallProject

COMMANDS = (
    "demo",
    "check",
    "schemas",
    "build",
    "learn",
    "serve",
    "verify",
    "replay",
    "diff",
    "replay",
    "restatements",
    "log",
    "decide",
    "sign-off",
    "score",
    "annotate",
    "new",
    "fork",
    "challenge",
    "accept",
    "pack",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_what_it_does_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert f"example:\n  gazette {command}" in text
    assert "Exit code: 0" in text
    assert "--project" in text


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    for command in COMMANDS:
        assert re.search(rf"^    {command}\s+\w", text, re.MULTILINE), command


@pytest.mark.parametrize("arguments", [[], ["bild"], ["build", "--engine", "word"], ["serve", "--port", "x"]])
def test_wrong_use_ends_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["build", "2026-W99"], "not an ISO week"),
        (["build", "2026-W47..2026-W45"], "write 2026-W45..2026-W47"),
        (["build", "1990-W01..2026-W45"], "more than 520 weeks"),
        (["build", "2026-W47", "--last", "2"], "exclude each other"),
        (["build", "--last", "0"], "--last takes 1 to 520"),
        (["serve", "--port", "70000"], "does not exist"),
    ],
)
def test_wrong_weeks_and_ports_say_how_to_mend(small: SmallProject, arguments: list[str], says: str) -> None:
    (small.root / "_site").mkdir()
    (small.root / "_site" / "index.html").write_text("")
    assert says in gazette(*arguments, project=small.root, code=2).stderr


@pytest.mark.parametrize("command", ["check", "build", "demo", "serve"])
def test_a_folder_that_is_no_project(tmp_path: Path, command: str) -> None:
    done = gazette(command, project=tmp_path, code=1 if command == "check" else 2)
    assert "params" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_check_reports_all_problems_at_once_for_people_and_programs(small: SmallProject) -> None:
    small.metric["owner"] = ""
    small.experiment["primary"] = "ctrr"
    small.experiment["end"] = "2026-10-22"
    small.experiment["variants"][0]["weight"] = 0.7
    small.write()
    text = gazette("check", project=small.root, code=1).stdout
    for says in ("params/metrics.yml:", "ctrr", "did you mean 'ctr'", "weight"):
        assert says in text
    rows = json.loads(gazette("check", "--json", project=small.root, code=1).stdout)["problems"]
    assert len(rows) >= 4
    assert all(set(r) == {"file", "line", "key", "what", "mend"} and r["line"] > 0 for r in rows)
    assert f"{len(rows)} problems" in text


def test_check_of_sound_parameters(small: SmallProject) -> None:
    assert "No problem" in gazette("check", project=small.root).stdout


def test_schemas_are_written_and_match_the_repository(small: SmallProject) -> None:
    gazette("schemas", project=small.root)

    for path in (REPOSITORY / "params" / "schemas").iterdir():
        assert (small.root / "params" / "schemas" / path.name).read_text() == path.read_text(), "run make schemas"


def test_errors_as_json(small: SmallProject) -> None:
    (small.root / "warehouse.duckdb").unlink()
    error = json.loads(gazette("build", "2026-W47", "--json", project=small.root, code=1).stdout)["error"]
    assert set(error) == {"what", "where", "mend"}
    assert "no warehouse file" in error["what"]


@pytest.mark.integration
def test_progress_goes_to_standard_error_one_line_an_event(small: SmallProject) -> None:
    small.forget()
    done = gazette("build", "2026-W47", project=small.root)
    assert re.search(r"2026-W47: button: ok, \d+\.\d s, \d+ MB", done.stderr)
    assert "Freezing the data" in done.stderr
    assert done.stdout.startswith("2026-W47: built in ")


def test_progress_on_a_terminal_is_live(small: SmallProject) -> None:
    small.forget()
    import pty  # noqa: PLC0415  not on every system

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "gazette", "build", "2026-W47", "--project", str(small.root)],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"},
    )
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 4096):
            seen += chunk
    except OSError:
        pass  # the terminal closes with the last writer
    finally:
        os.close(ours)
    assert process.wait() == 0
    text = seen.decode(errors="replace")
    assert "Green button" in text
    assert "\x1b[" in text, "bars are redrawn in place"


@pytest.mark.parametrize(("said", "threads"), [(None, 1), ("2", 2)])
def test_models_are_asked_on_one_thread_unless_somebody_says_otherwise(
    small: SmallProject, said: str | None, threads: int
) -> None:
    """By what the library of threads itself says, in a process where a command has run."""
    code = (
        "import sys, gazette.cli; assert gazette.cli.main(sys.argv[1:]) == 0\n"
        "import sklearn.ensemble, threadpoolctl\n"
        "print(*{p['num_threads'] for p in threadpoolctl.threadpool_info() if p['user_api'] == 'openmp'})"
    )
    environment = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", code, "check", "--project", str(small.root)],
        env=environment | ({"OMP_NUM_THREADS": said} if said else {}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == str(threads)


class TestServe:
    @pytest.fixture
    def served(self, small: SmallProject) -> Iterator[str]:
        (small.root / "_site").mkdir()
        (small.root / "_site" / "index.html").write_text("hello")
        process = subprocess.Popen(
            [sys.executable, "-m", "gazette", "serve", "--port", "0", "--json", "--project", str(small.root)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["address"]
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 0

    def test_it_serves_on_loopback_alone(self, served: str) -> None:
        assert served.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(served, timeout=10) as answer:  # noqa: S310  loopback
            assert answer.read() == b"hello"

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_it_stops_when_told_to_though_its_parent_ignores_the_signal(
        self, small: SmallProject, number: signal.Signals
    ) -> None:
        """A shell has what it starts in the background ignore SIGINT."""
        (small.root / "_site").mkdir()
        (small.root / "_site" / "index.html").write_text("hello")
        ignoring = f"import os, signal, sys; signal.signal({number.value}, signal.SIG_IGN); os.execv(sys.executable, sys.argv[1:])"
        serve = [sys.executable, "-m", "gazette", "serve", "--port", "0", "--json", "--project", str(small.root)]
        with subprocess.Popen([sys.executable, "-c", ignoring, *serve], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["address"]
            process.send_signal(number)
            try:
                assert process.wait(timeout=30) == 0
            finally:
                process.kill()

    def test_a_taken_port_is_said(self, small: SmallProject) -> None:
        (small.root / "_site").mkdir()
        (small.root / "_site" / "index.html").write_text("")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            assert f"port {port} cannot be had" in gazette("serve", "--port", port, project=small.root, code=2).stderr

    def test_nothing_to_serve_is_said(self, small: SmallProject) -> None:
        assert "there is no site yet" in gazette("serve", project=small.root, code=2).stderr

"""What is sealed, published, packed, forked or exported is searched for secrets, which are named and not shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from gazette.build import build, open_project
from gazette.cli import main
from gazette.editions import Store, Week, refuse_leaks
from gazette.errors import EditionError
from gazette.forks import fork
from gazette.secrets import leaks_in, own_values
from small import NOW, SmallProject

if TYPE_CHECKING:
    from pathlib import Path

WEEK = Week.parse("2026-W47")
SECRET = "m0th!wing-1987"  # noqa: S105  planted
DRAWN = "x7Jq2Lw9Zt4Bv8Rk1Np6"
EXAMPLES = {  # forms as the providers' own documentation shows them, in two parts lest other scanners take this file for a leak
    "a private key": "-----BEGIN " + "OPENSSH PRIVATE KEY-----",
    "a key of AWS": "AKIA" + "IOSFODNN7EXAMPLE",
    "a token of GitHub": "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a",
    "a token of GitLab": "glpat-" + "9koXpg98eAheJpvBs5tK",
    "a token of Slack": "xoxb-" + "17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy",
    "a web hook of Slack": "https://hooks.slack.com/" + "services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
    "a key of Google": "AIza" + "SyDaGmWKa4JsXZ-HjGw7ISLn_3namBGewQe",
    "a key of Stripe": "sk_test_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "a token of npm": "npm_" + "1234567890abcdefghijABCDEFGHIJ123456",
    "a key of SendGrid": "SG." + "ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf-09kqeF8tAmbihYzrnopKc-1s5cr",
    "a token of Databricks": "dapi" + "1234567890ab1cde2f3ab456c7d89efa",
    "a JSON web token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "a password in an address": f"https://ada:{SECRET}@example.com/",
}
BESIDE = "a value as keys are, beside a name that says so"


@pytest.mark.parametrize("what", EXAMPLES)
def test_each_form_is_found_by_its_line(what: str) -> None:
    (leak,) = leaks_in(f"one\ntwo {EXAMPLES[what]}\n".encode(), {})
    assert (leak.line, leak.what) == (2, what)
    assert EXAMPLES[what] not in str(leak)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f'token: "{DRAWN}"', True),
        (json.dumps({"source": [f'API_KEY = "{DRAWN}"']}), True),
        (f"&quot;client_secret&quot;: &quot;{DRAWN}&quot;", True),
        (f"Authorization: Bearer {DRAWN}", True),
        (f"digest: {DRAWN}", False),
        ("token: the-name-of-a-column-2", False),
        ("password = read_password_from_vault_1()", False),
        ("postgres://ada:${SHOP_PASSWORD}@host and https://ada:•••@host and sha256:0c59@2", False),
        (f"key: {DRAWN}", False),
    ],
    ids=range(9),
)
def test_what_stands_beside_a_telling_name_is_one_where_it_looks_drawn(text: str, *, found: bool) -> None:
    assert [leak.what for leak in leaks_in(text.encode(), {})] == ([BESIDE] if found else [])


def test_what_only_looks_like_one_can_be_allowed_but_no_value_of_a_variable() -> None:
    text = f"token: {DRAWN}".encode()
    (leak,) = leaks_in(text, {})
    assert leak.fingerprint in leak.hint
    assert leaks_in(text, {}, [leak.fingerprint]) == []
    (own,) = leaks_in(text, own_values({"SHOP_TOKEN": DRAWN}), [leak.fingerprint])
    assert own.what == "the value of the variable SHOP_TOKEN"
    assert leaks_in(b"postgres is a database", own_values({"PG_PASSWORD": "postgres"})) == []


def test_nothing_is_sealed_that_holds_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", SECRET)
    store = Store(tmp_path)
    staging = store.staging(WEEK)
    (staging / "notebook.ipynb").write_text(json.dumps({"text": ["one", f"two {SECRET}"]}, indent=0))
    (staging / "page.html").write_text(f"<p>\n<b>{EXAMPLES['a key of AWS']}</b>")
    pd.DataFrame({"n": [1, 2], "said": ["one", json.dumps({"token": DRAWN})]}).to_parquet(staging / "rows.parquet")
    (staging / "good.csv").write_text("a,b\n1,2\n")
    with pytest.raises(EditionError) as caught:
        store.seal(staging, WEEK, versions={}, facts={})
    told = str(caught.value)
    assert "nothing was sealed" in told
    for place in (
        "notebook.ipynb:4 holds the value of the variable SHOP_TOKEN",
        "page.html:2 holds a key of AWS; if it is none",
        f"rows.parquet holds {BESIDE}",
    ):
        assert place in told
    assert "good.csv" not in told
    assert not [s for s in (SECRET, DRAWN, EXAMPLES["a key of AWS"]) if s in told]
    assert store.weeks() == []


def test_nothing_is_published_forked_or_exported_that_holds_a_secret(
    published: SmallProject, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = open_project(published.root)
    page = published.root / "reports" / "index.qmd"
    page.write_text(f"{page.read_text()}\n<!-- another page -->\n")
    before = (project.output / "index.html").read_bytes()
    monkeypatch.setenv("SHOP_TOKEN", "Green button")  # of the shelf, of the notebooks and of the metrics
    with pytest.raises(EditionError, match=r"nothing was forked(?s:.*)holds the value of the variable SHOP_TOKEN"):
        fork(project, "button")
    assert not list((published.root / "forks").iterdir())
    with pytest.raises(EditionError, match=r"nothing was published(?s:.*)holds the value of the variable SHOP_TOKEN"):
        build(project, [WEEK], now=NOW)
    assert (project.output / "index.html").read_bytes() == before
    monkeypatch.setenv("SHOP_TOKEN", "gazette_edition_timestamp_seconds")
    assert main(["export", "metrics", "--project", str(published.root)]) == 1
    assert "nothing was exported" in capsys.readouterr().err
    assert not (published.root / "exports").exists()


def test_files_that_hold_none_pass() -> None:
    refuse_leaks([("a.html", b"<p>nothing</p>"), ("font.woff", EXAMPLES["a key of AWS"].encode())], "sealed")

"""Addresses never show what is secret in them, and files of a project hold none."""

from __future__ import annotations

import base64
import copy
import json
from pathlib import Path

import pytest

from gazette.build import check
from gazette.cli import main
from gazette.diff._params import changed_definitions
from gazette.errors import SourceError
from gazette.params import SiteParams, load
from gazette.secrets import Address, own_values, redact
from gazette.sources import Warehouse
from small import SmallProject

SECRET = "m0th!wing-1987"  # noqa: S105  planted
WRITTEN = f"postgres://ada:{SECRET}@127.0.0.1:1/shop"
NAMED = "postgres://ada:${SHOP_PASSWORD}@127.0.0.1:1/shop"
AWS = "AKIA" + "Q3EGRIEXAMPLE7ZB"
DRAWN = "x7Jq2Lw9Zt4Bv8Rk1Np6"


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process has read for addresses it keeps; each test is a process of its own in this."""
    monkeypatch.setattr("gazette.secrets._own._Kept.values", {})


def site(small: SmallProject, warehouse: str) -> Path:
    small.site["warehouse"] = warehouse
    small.write()
    return small.root / "params" / "site.yml"


@pytest.mark.parametrize(
    "address",
    [
        WRITTEN,
        f"https://tracking.example.com?token={SECRET}",
        f"mssql://h/d?UID=ada;PWD={SECRET}",
        f"postgres://ada:{SECRET}@2@127.0.0.1/shop",
        f"postgres://ada:{SECRET}/with?signs@127.0.0.1/shop",
    ],
    ids=["login", "token", "option", "at", "slash"],
)
def test_an_address_is_shown_without_its_secret_however_it_is_shown(address: str, small: SmallProject) -> None:
    site(small, address)
    params = load(small.root / "params")
    held = params.site.warehouse
    assert held == Address(address)
    assert held.holds_secret
    shown = [str(held), repr(held), f"{held}", repr(params.site), str(params), params.site.model_dump_json()]
    shown += [str(params.site.model_dump()), json.dumps(params.site.model_dump(mode="json")), repr(copy.deepcopy(held))]
    assert not [text for text in shown if SECRET in text]
    assert "•••" in repr(params.site)


def test_an_address_names_variables_and_is_filled_with_their_quoted_values() -> None:
    address = Address(NAMED)
    assert address.names == ("SHOP_PASSWORD",)
    assert not address.holds_secret
    assert str(address) == NAMED
    assert (
        address.filled({"SHOP_PASSWORD": "p@ss/w:rd"}.__getitem__) == "postgres://ada:p%40ss%2Fw%3Ard@127.0.0.1:1/shop"
    )
    assert Address("https://h?token=${T}").filled(lambda _: "a:b") == "https://h?token=a%3Ab"
    assert Address("${ALL}").filled(lambda _: WRITTEN) == WRITTEN


def test_a_written_password_is_refused_by_line_and_never_shown(
    small: SmallProject, capsys: pytest.CaptureFixture[str]
) -> None:
    path = site(small, WRITTEN)
    line = next(i for i, text in enumerate(path.read_text().splitlines(), 1) if "warehouse:" in text)
    assert main(["check", "--json", "--project", str(small.root)]) == 1
    told = capsys.readouterr()
    problems = json.loads(told.out)["problems"]
    assert {(p["file"], p["line"], p["what"]) for p in problems} == {
        ("site.yml", line, "holds a password in an address")
    }
    assert SECRET not in told.out + told.err
    with pytest.raises(SourceError, match="a password is written") as caught, Warehouse(WRITTEN, project=small.root):
        pass
    assert SECRET not in str(caught.value)


@pytest.mark.integration
def test_nothing_is_built_of_a_file_that_holds_a_secret(
    small: SmallProject, capsys: pytest.CaptureFixture[str]
) -> None:
    site(small, WRITTEN)
    assert main(["build", "2026-W47", "--json", "--project", str(small.root)]) == 1
    told = capsys.readouterr()
    assert "secrets are written" in told.err
    assert SECRET not in told.out + told.err
    assert not list((small.root / "editions").glob("2026*"))


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("params/metrics.yml", f"# {AWS}\n", "a key of AWS"),
        ("params/metrics.yml", f'# shop_token: "{DRAWN}"\n', "beside a name that says so"),
        ("params/metrics.yml", "# -----BEGIN PRIVATE KEY-----\n", "a private key"),
        ("reports/more.md", f"see https://ada:{SECRET}@example.com/\n", "a password in an address"),
        ("notebooks/own.ipynb", json.dumps({"cells": [{"source": [f'api_key = "{DRAWN}"\n']}]}), "beside a name"),
    ],
    ids=["aws", "drawn", "private", "page", "notebook"],  # pytest puts ids into a variable of this process
)
def test_keys_in_files_are_named_and_not_shown(small: SmallProject, name: str, text: str, what: str) -> None:
    assert check(small.root) == []
    path = small.root / name
    path.parent.mkdir(exist_ok=True)
    before = path.read_text() if path.exists() else ""
    path.write_text(before + text)
    found = check(small.root)
    assert len(found) == 1, [str(p) for p in found]
    (problem,) = found
    assert problem.file == name.removeprefix("params/")
    assert problem.line == before.count("\n") + 1
    assert what in problem.what
    assert not [s for s in (SECRET, AWS, DRAWN) if s in str(problem)]


def test_an_error_of_a_driver_holds_no_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match="the variable SHOP_PASSWORD is not set"), Warehouse(NAMED, project=tmp_path):
        pass
    monkeypatch.setenv("SHOP_PASSWORD", SECRET)
    with pytest.raises(SourceError, match="cannot be opened") as caught, Warehouse(NAMED, project=tmp_path):
        pass
    assert SECRET not in str(caught.value)
    assert SECRET not in str(SourceError(f"refused: {SECRET}", where=WRITTEN, mend=f"not {SECRET}"))
    monkeypatch.delenv("SHOP_PASSWORD")
    inside, outside = tmp_path / "secret", tmp_path_factory.mktemp("outside") / "secret"
    for path, says in ((inside, "a file of the project"), (outside, "cannot be opened")):
        path.write_text(f"{SECRET}\n")
        monkeypatch.setenv("SHOP_PASSWORD_FILE", str(path))
        with pytest.raises(SourceError, match=says), Warehouse(NAMED, project=tmp_path):
            pass


def test_values_of_secret_variables_are_known_in_every_form() -> None:
    environment = {"SHOP_TOKEN": 'a"b/c@d123', "HOME": "/srv/ada", "DATABASE_URL": WRITTEN, "PIN_TOKEN": "12345"}
    known = own_values(environment)
    text = json.dumps('a"b/c@d123') + " a%22b%2Fc%40d123 a&quot;b/c@d123 /srv/ada 12345 " + SECRET
    assert redact(text, known) == '"${SHOP_TOKEN}" ${SHOP_TOKEN} ${SHOP_TOKEN} /srv/ada 12345 ${DATABASE_URL}'
    for login in ("a:", "ab:", "abc:"):
        header = base64.b64encode(f"{login}{environment['SHOP_TOKEN']}".encode()).decode()
        assert "${SHOP_TOKEN}" in redact(f"Authorization: Basic {header}", known)


def test_the_page_of_changes_shows_no_password_that_an_earlier_edition_sealed() -> None:
    (change,) = changed_definitions({"site.yml": {"warehouse": WRITTEN}}, {"site.yml": {"warehouse": NAMED}})
    assert (change.old, change.new) == ("postgres://ada:•••@127.0.0.1:1/shop", NAMED)


def test_a_file_of_a_token_lies_outside_of_the_project(small: SmallProject) -> None:
    small.site["operations"] = {"owner": "o", "prometheus": "http://127.0.0.1:1", "token_file": "token"}
    small.write()
    small.add_metrics("alerts", "serving")
    assert [p.what for p in check(small.root)] == ["the file of the token lies in the project"]
    assert SiteParams.model_validate(small.site).operations is not None

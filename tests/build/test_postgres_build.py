"""Whole editions from a PostgreSQL server: every published number is that of DuckDB, and they replay and restate."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest

from gazette.record import NotPublished, Record
from postgres import READER, copy_tables, run
from program import gazette

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("postgres")]
PASSWORD = "uV7-moth-Quarry-91x"  # noqa: S105  of the tests' own server
WEEKS = ("2026-W46", "2026-W47")


def same(one: float | None, other: float | None) -> bool:
    return one is other or other == pytest.approx(one, rel=1e-9, abs=1e-12)


def test_editions_of_a_model_tests_and_compared_systems_are_those_of_duckdb(
    audited: Path, tmp_path: Path, postgres_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read by a role that has to give a password, which is nowhere afterwards."""
    place = tmp_path / "project"
    shutil.copytree(audited, place, ignore=shutil.ignore_patterns("editions", "_site", "decisions", ".gazette"))
    address = f"{postgres_server}/audited"
    copy_tables(place / "warehouse.duckdb", address)
    (place / "warehouse.duckdb").unlink()
    run(address, f"CREATE ROLE {READER} LOGIN PASSWORD '{PASSWORD}'", f"GRANT pg_read_all_data TO {READER}")
    run(address, f"GRANT TEMPORARY ON DATABASE audited TO {READER}")
    path = place / "params" / "site.yml"
    named = address.replace("gazette@", f"{READER}:${{READER_PASSWORD}}@")
    text = re.sub(r"warehouse: .*", f"warehouse: {named}", path.read_text())
    monkeypatch.setenv("READER_PASSWORD", f"not-{PASSWORD}")
    path.write_text(re.sub(r"(restatements:\n +editions:) 0", r"\1 1", text))
    refused = gazette("build", WEEKS[0], "--engine", "embedded", project=place, code=1)
    assert "password authentication failed" in refused.stderr
    assert PASSWORD not in refused.stdout + refused.stderr
    monkeypatch.setenv("READER_PASSWORD", PASSWORD)
    said = gazette("build", WEEKS[0], "--engine", "embedded", project=place)
    late = "INSERT INTO events (unit_id, happened_at, loaded_at) VALUES ('green-1', '2026-11-10', '2026-11-17')"
    run(address, late)  # it happened in the week before, and came too late for its edition
    gazette("build", WEEKS[1], "--engine", "embedded", project=place)
    numbers = 0
    for page in ("button", "fresh", "risk", "reconciliation"):
        mine, theirs = (
            Record.from_json((p / "editions" / WEEKS[0] / "records" / f"{page}.json").read_bytes())
            for p in (audited, place)
        )
        assert [n.id for n in theirs.numbers] == [n.id for n in mine.numbers]
        for a, b in zip(mine.numbers, theirs.numbers, strict=True):
            if isinstance(a.value, NotPublished) or isinstance(b.value, NotPublished):
                assert a.value == b.value, a.id
                continue
            assert same(a.value, b.value), a.id
            assert (a.interval is None) == (b.interval is None), a.id
            if a.interval is not None and b.interval is not None:
                assert same(a.interval.low, b.interval.low), a.id
                assert same(a.interval.high, b.interval.high), a.id
            numbers += 1
        assert [v.state for v in theirs.verdicts] == [v.state for v in mine.verdicts]
    assert numbers > 80
    assert '"failed": []' in (place / "editions" / WEEKS[1] / "recomputed.json").read_text()
    assert PASSWORD not in said.stdout + said.stderr
    gazette("fork", "button", "--edition", WEEKS[1], project=place)
    holds = [p for p in place.rglob("*") if p.is_file() and PASSWORD.encode() in p.read_bytes()]
    assert not holds, "the password is in no file"
    told = gazette("restatements", "--json", project=place).stdout
    ids = {n["id"]: n["published"].get("value") for n in json.loads(told)["numbers"]}
    assert "button.ctr.treatment" in ids, ids
    assert gazette("replay", WEEKS[1], "--here", project=place).returncode == 0

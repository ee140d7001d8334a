"""A whole edition of a test with a segment of three people: neither the segment nor a person is in any file of it, nor in what is made of it."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import duckdb
import pyarrow.parquet as pq
import pytest

from program import gazette
from small import SmallProject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration
WEEK = "2026-W46"
KEPT = {"warehouse.duckdb", "mlflow.db"}  # where people are


def texts(path: Path, content: bytes) -> Iterator[bytes]:
    """What a file says, and what is in it that it says otherwise: tables, archives."""
    yield path.name.encode()
    yield content
    if path.suffix == ".parquet":
        table = pq.read_table(io.BytesIO(content))
        yield repr(table.to_pydict()).encode()
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield from texts(path.with_name(name.rpartition("/")[2] or "folder"), archive.read(name))


@pytest.mark.parametrize("numbers", [False, True])
def test_neither_a_small_segment_nor_anybody_is_in_a_file(
    small: SmallProject, tmp_path: Path, *, numbers: bool
) -> None:
    with duckdb.connect(str(small.root / "warehouse.duckdb")) as db:
        if numbers:  # people who have numbers, long enough to be nobody else's
            for table in ("experiment_assignments", "events"):
                db.execute(f"UPDATE {table} SET unit_id = (7700000000 + hash(unit_id) % 1000000000)::VARCHAR")
        db.execute("""
            CREATE TABLE people AS SELECT unit_id, CASE WHEN k <= 3 THEN 'qzkiosk' WHEN k <= 20 THEN 'qztablet' WHEN k <= 50 THEN 'phone' ELSE 'desktop' END AS device
            FROM (SELECT unit_id, row_number() OVER (PARTITION BY variant ORDER BY assigned_at, unit_id) AS k FROM experiment_assignments)""")
        ids = [str(i).encode() for (i,) in db.execute("SELECT DISTINCT unit_id FROM experiment_assignments").fetchall()]
    small.experiment["segments"] = [{"title": "Device", "table": "people", "unit": "unit_id", "column": "device"}]
    small.write()
    gazette("build", WEEK, project=small.root)
    gazette("decide", "button", "continue", "--by", "Ada", "--because", "Not yet.", project=small.root)
    gazette("pack", "button-2026-W46", "--to", str(tmp_path / "pack.zip"), project=small.root)
    gazette("fork", "button", project=small.root)
    page = (small.root / "_site" / "editions" / WEEK / "experiments" / "button.html").read_text()
    assert "Not shown, because fewer than 10 users are in them or could be worked out with them: 2 of Device" in page
    assert "phone" in page
    looked = 0
    files = [p for p in (*small.root.rglob("*"), tmp_path / "pack.zip") if p.is_file() and p.name not in KEPT]
    for path in files:
        for text in texts(path, path.read_bytes()):
            looked += 1
            assert b"qzkiosk" not in text, path
            assert b"qztablet" not in text, f"{path}: with it the small one could be worked out"
            assert not [i for i in ids if i in text], path
    assert looked > 100
    for name in ("button/segments", "recomputed/button--segment.0"):
        (table,) = (small.root / "editions" / WEEK / "snapshot").glob(f"{name}.parquet")
        assert min(pq.read_table(table).column("n").to_pylist()) >= 10, "computed twice, left out twice"


def test_an_arm_of_few_is_not_published_and_a_project_may_say_otherwise(small: SmallProject) -> None:
    with duckdb.connect(str(small.root / "warehouse.duckdb")) as db:
        db.execute(
            "DELETE FROM experiment_assignments WHERE variant = 'green' AND split_part(unit_id, '-', 2)::INT > 6"
        )
        (n,) = db.execute(
            "SELECT count(DISTINCT unit_id) FROM experiment_assignments WHERE variant = 'green'"
        ).fetchall()[0]
    assert 0 < n < 10
    said = gazette("build", WEEK, project=small.root, code=1).stderr
    assert "an arm has fewer users than may be shown, 10: green\n" in said, "not how many"
    assert "smallest_cell" in said
    small.site["smallest_cell"] = 0
    small.write()
    gazette("build", WEEK, project=small.root)


def test_a_stretch_of_few_is_not_published(small: SmallProject) -> None:
    """Its aggregates would be those of three people."""
    with duckdb.connect(str(small.root / "warehouse.duckdb")) as db:
        db.execute("""
            DELETE FROM experiment_assignments WHERE variant = 'green' AND assigned_at < TIMESTAMP '2026-11-10'
            AND unit_id NOT IN (SELECT unit_id FROM experiment_assignments WHERE variant = 'green' ORDER BY assigned_at LIMIT 3)""")
    small.experiment["reallocations"] = [{"since": "2026-11-10", "weights": {"blue": 0.5, "green": 0.5}}]
    small.write()
    said = gazette("build", WEEK, project=small.root, code=1).stderr
    assert "an arm in days of one allocation has fewer users than may be shown, 10: green" in said


def test_a_fact_of_nobody_is_told_without_anybody_s_id(small: SmallProject) -> None:
    with duckdb.connect(str(small.root / "warehouse.duckdb")) as db:
        db.execute("UPDATE events SET unit_id = 'mary.somerville@example.com' || unit_id")
    gazette("build", WEEK, project=small.root)
    page = (small.root / "_site" / "editions" / WEEK / "experiments" / "button.html").read_text()
    assert "unit_id is 'a.a@a.a-9' there, and unit_id is 'a-9'" in page.replace("&#x27;", "'").replace("&#39;", "'")
    assert "a prefix of one of them" in page
    files = [p for p in small.root.rglob("*") if p.is_file() and p.name not in KEPT]
    assert not [p for p in files for text in texts(p, p.read_bytes()) if b"somerville" in text]

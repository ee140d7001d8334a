"""What the doctor finds in a file, each kind with its count, against what was put there."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gazette.cli import main
from gazette.sources import Examination, FileQuestion, examine_file, parse_metric

HEAD = "uid,arm,x\n"


def lines(n: int = 100) -> str:
    return "".join(f"u{i},{'AB'[i % 2]},{i % 7}\n" for i in range(n))


def examine(path: Path, content: str | bytes, **asked: Any) -> Examination:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return examine_file(FileQuestion(path=path, **asked))


def kinds(found: Examination, *, but: str = "note") -> dict[str, int]:
    return {f.kind: f.count for f in found.findings if f.weight != but}


def of(found: Examination, kind: str, column: str = "") -> Any:
    return next(f for f in found.findings if f.kind == kind and (not column or f.column == column))


def test_a_sound_file_has_no_fault(tmp_path: Path) -> None:
    found = examine(tmp_path / "x.csv", HEAD + lines(), variant="arm", unit="uid")
    assert kinds(found) == {}
    assert found.rows == 100
    assert [(c.name, c.kind, c.missing, c.different) for c in found.columns] == [
        ("uid", "text", 0, 100), ("arm", "text", 0, 2), ("x", "whole numbers", 0, 7),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "kind", "count"),
    [
        (HEAD.encode() + b"u1,A,1\nu\xe9,B,2\nu\xe8,A,3\n", "encoding", 2),
        (HEAD.encode() + "ué,A,1\n".encode() + b"u\xe8,A,3\n", "encoding", 1),
        ((HEAD + lines(3)).encode("utf-16"), "bom", 1),
        (HEAD + "u1,A,1\r\nu2,B,2\nu3,B,2\n", "line-ends", 1),
        (HEAD + "u1,A\nu2,B,2\nu3\nu4,A,4\n", "lines", 2),
        (HEAD + "u1,A,1,9\nu2,B,2\n", "lines", 1),
        ("1,2,3\n4,5,6\n7,8,9\n", "no-header", 1),
        ("x,arm,x\n1,A,2\n", "doubled", 2),
    ],
)
def test_bytes_and_lines(tmp_path: Path, content: str | bytes, kind: str, count: int) -> None:
    asked = {"metrics": (parse_metric("x:mean"),)} if kind == "doubled" else {}
    found = examine(tmp_path / "x.csv", content, **asked)
    assert kinds(found)[kind] == count
    assert of(found, kind).mend


def test_a_mark_is_skipped_and_compressed_files_are_read(tmp_path: Path) -> None:
    marked = examine(tmp_path / "x.csv", ("\ufeff" + HEAD + lines()).encode())
    assert kinds(marked) == {}
    assert of(marked, "bom").count == 1
    assert [c.name for c in marked.columns] == ["uid", "arm", "x"]
    packed = examine(tmp_path / "x.csv.gz", gzip.compress((HEAD + lines(50) + "u\n").encode()))
    assert (packed.rows, kinds(packed)) == (50, {"lines": 1})


def test_columns_over_the_whole_file(tmp_path: Path) -> None:
    n = 30000
    frame = pd.DataFrame({"uid": [f"{i:05d}" for i in range(n)], "arm": ["A", "B"] * (n // 2)})
    frame["whole"], frame["late"], frame["one"], frame["at"] = range(n), 1, "same", "2026-11-30 09:15:00"
    frame["late"] = frame.late.astype(object)
    frame.loc[n - 3 :, "late"] = "NA"
    frame["comma"] = [f"{i},5" for i in range(n)]
    frame["inf"] = [1.5] * (n - 2) + [float("inf"), float("-inf")]
    frame["gone"] = [None if i % 3 == 0 else i for i in range(n)]
    frame["truth"] = [i % 2 == 0 for i in range(n)]
    frame["short"] = ["1.23E+19"] * 4 + ["x"] * (n - 4)
    path = tmp_path / "x.csv"
    frame.to_csv(path, index=False)
    found = examine_file(FileQuestion(path=path, unit="uid"))
    seen = {c.name: (c.kind, c.missing, c.different) for c in found.columns}
    read = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert {name: (m, d) for name, (_, m, d) in seen.items()} == {
        c: (int((read[c] == "").sum()), read.loc[read[c] != "", c].nunique()) for c in read
    }
    assert {name: kind for name, (kind, *_) in seen.items()} == {
        "uid": "text", "arm": "text", "whole": "whole numbers", "late": "numbers and text", "one": "text", "at": "times",
        "comma": "text", "inf": "numbers", "gone": "numbers", "truth": "true or false", "short": "text",
    } | {"gone": seen["gone"][0]}  # fmt: skip
    assert (of(found, "text", "late").count, of(found, "text", "late").mend.startswith("--missing 'NA'")) == (3, True)
    assert of(found, "decimal-comma", "comma").count == n
    assert of(found, "infinite", "inf").count == 2
    assert of(found, "missing", "gone").count == n // 3
    assert of(found, "shortened", "short").count == 4
    assert {f.column for f in found.findings if f.kind == "constant"} == {"one", "at"}


def test_ids_and_arms(tmp_path: Path) -> None:
    rows = "".join(f"{i},{'AB'[i % 2]},{i % 7}\n" for i in range(1, 1001))
    rows += "007,A,1\n7.0,A,1\n" + "null,A,1\nnull,B,1\n" * 20 + "2,A,1\n" * 2 + "2,b,1\n3,,2\n"
    found = examine(tmp_path / "x.csv", HEAD + rows, unit="uid", variant="arm")
    assert of(found, "alike-ids").count == 1, "007 beside 7, not 7.0"
    assert (of(found, "frequent-id").count, of(found, "frequent-id").mend) == (40, "--missing 'null' if it does")
    assert (of(found, "spelling").count, of(found, "no-arm").count, of(found, "several-arms").count) == (1, 1, 1)
    frame = pd.read_csv(tmp_path / "x.csv", dtype=str, keep_default_na=False)
    assert of(found, "repeated").count == int(frame.duplicated().sum())
    known = frame[frame.arm.isin(["A", "B"])]
    per_unit = known.groupby("uid").arm.agg(["size", "nunique"])
    assert of(found, "several-arms").count == int((per_unit["nunique"] > 1).sum())
    assert of(found, "several-rows").count == int(((per_unit["nunique"] == 1) & (per_unit["size"] > 1)).sum())


def test_columns_that_could_hold_the_arms_are_named(tmp_path: Path) -> None:
    found = examine(tmp_path / "x.csv", HEAD + lines())
    assert "could hold the arms: arm, x" in of(found, "arms").what


def test_the_command_lists_and_concludes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.csv"
    path.write_text(HEAD + lines() + "u1,B,2\nu2,Blue,3\nu3,blue,4\n")
    asked = ["analyse", str(path), "--doctor", "--unit", "uid", "--variant", "arm"]
    assert main([*asked, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {"rows", "columns", "findings"}
    assert main(asked) == 1
    text = capsys.readouterr().out
    assert "BENEFIT" not in text
    assert "stops an analysis" in text
    for finding in told["findings"]:
        assert finding["what"].split()[0] in text
    path.write_text(HEAD + lines())
    assert main(asked) == 0


def test_parquet_is_examined_too(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"uid": [2.0**60 + i for i in range(100)], "arm": ["A", "B"] * 50, "x": [1.0, float("nan")] * 50}
    )
    frame.to_parquet(tmp_path / "x.parquet")
    found = examine_file(FileQuestion(path=tmp_path / "x.parquet", unit="uid", variant="arm"))
    assert of(found, "inexact").count == 100
    gone = [f.count for f in found.findings if f.column == "x" and f.kind in {"missing", "infinite"}]
    assert 50 in gone


def test_digits_that_a_number_would_lose_are_text_and_named(tmp_path: Path) -> None:
    """Read as numbers 007 is 7, 1.10 is 1.1, and ids of 20 digits that differ in the last one are one."""
    rows = "".join(f"{i:06d},{10**19 + i},{i}.10,{'AB'[i % 2]},{i % 7},00{i % 3}\n" for i in range(100))
    path = tmp_path / "x.csv"
    path.write_text("padded,long,dotted,arm,x,y\n" + rows)
    read = pd.read_csv(path, dtype=str)
    numbers = {c: read[c].astype(float).nunique() for c in ("padded", "long", "dotted")}
    assert (numbers["long"], read.long.nunique()) == (1, 100), "pandas, as numbers and as text"
    for unit, says in {
        "padded": ("leading zeros", "'000000'"),
        "long": ("more digits", f"'{10**19}'"),
        "dotted": ("a zero at its end", "'0.10'"),
    }.items():
        found = examine_file(FileQuestion(path=path, unit=unit, variant="arm", metrics=(parse_metric("y:mean"),)))
        (column,) = (c for c in found.columns if c.name == unit)
        assert (column.kind, column.different) == ("text", read[unit].nunique())
        assert (column.low, column.high) == (read[unit].min(), read[unit].max())
        kept = of(found, "kept", unit)
        assert kept.count == int(read[unit].str.fullmatch(r"0\d+|\d{16,}|\d+\.\d*0").sum())
        assert all(words in kept.what for words in (*says, "text", "as written"))
        assert kinds(found) == {}
    seen = {c.name: (c.kind, c.low, c.high) for c in examine_file(FileQuestion(path=path)).columns}
    assert seen["padded"] == ("text", "000000", "000099"), "whether or not it is named as the id"
    assert seen["long"] == ("text", str(10**19), str(10**19 + 99))
    assert seen["dotted"] == ("numbers", "0.1", "99.1"), "prices are written so"
    asked = examine_file(FileQuestion(path=path, metrics=(parse_metric("y:mean"),)))
    assert next((c.kind, c.low, c.high) for c in asked.columns if c.name == "y") == ("whole numbers", "0", "2")

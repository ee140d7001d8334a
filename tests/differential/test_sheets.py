"""``gazette analyse FILE --json`` on generated files: each number as pandas, scipy and statsmodels have it, or a stated refusal."""

from __future__ import annotations

import io
import json
import math
import re
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import sheets_right as right
import textbook as book
from hypothesis import example, given
from places import cases
from sheets import Sheet, cases_of_sheets, declared, frame_of, options, write

from gazette.cli import main

Number = dict[str, Any]


def analyse(*words: str) -> tuple[int, Any]:
    """Exit code and JSON of the command in this process."""
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        code = main(["analyse", "--json", *words])
    return code, json.loads(out.getvalue())


def same(found: Number, wanted: book.Answer, where: str) -> None:
    """A number of the record with its range, or the reason why there is none."""
    value = found["value"]
    if isinstance(wanted, book.Withheld):
        assert isinstance(value, dict), f"{where}: {value} is published, but {wanted.reason}"
        assert re.search(wanted.reason, value["reason"]), f"{where}: {value['reason']!r} instead of {wanted.reason!r}"
        return
    if isinstance(value, dict) and not wanted.sure:
        return
    assert not isinstance(value, dict), f"{where}: {value} instead of {wanted}"
    room = 1e-9 * max(1.0, wanted.error or 0.0)
    assert value == pytest.approx(wanted.value, rel=1e-8, abs=room), where
    if wanted.low is not None and wanted.high is not None and found["interval"]:
        ends = [found["interval"]["low"], found["interval"]["high"]]
        assert ends == pytest.approx([wanted.low, wanted.high], rel=1e-7, abs=1e-8 * max(1.0, abs(wanted.value))), where


def level(found: Number) -> float:
    return 1 - float(found["interval"]["level"]) if found["interval"] else 0.05


def check(sheet: Sheet) -> None:
    frame = frame_of(sheet)
    told = right.accounted(sheet, frame)
    with TemporaryDirectory() as folder:
        path = write(sheet, frame, Path(folder))
        code, found = analyse(str(path), *options(sheet), *declared(sheet, frame))
    if told.refused:
        assert code == 1, f"not refused, though {told.refused}"
        for reason in told.refused:
            assert re.search(reason, found["error"]["what"]), f"{found['error']['what']!r} does not say {reason!r}"
        assert found["error"]["mend"]
        return
    assert code == 0, f"refused: {found.get('error')}"
    numbers = {n["id"].removeprefix("analysis."): n for n in found["record"]["numbers"]}
    arms = [sheet.arms[0], *sorted(set(told.rows.arm) - {sheet.arms[0]})]
    check_people(sheet, told, found, numbers, arms)
    for measure in sheet.measures:
        name = right.parts(measure)[0]
        rows = right.prepared(sheet, told, measure)
        sides = {arm: rows[rows.arm == arm] for arm in arms}
        same(
            numbers[f"{name}.control"],
            right.of_arm(sheet, measure, sides[arms[0]], 0.05, sides.values()),
            f"{name}.control",
        )
        for i, arm in enumerate(arms[1:], 1):
            one = f"arm{i}.{name}" if len(arms) > 2 else name
            same(
                numbers[f"{one}.treatment"],
                right.of_arm(sheet, measure, sides[arm], 0.05, sides.values()),
                f"{one}.treatment",
            )
            for k, word in enumerate(("difference", "relative")):
                number = numbers[f"{one}.{word}"]
                alpha = level(number if number["interval"] else numbers[f"{one}.difference"])
                same(number, right.between(sheet, measure, sides[arms[0]], sides[arm], alpha)[k], f"{one}.{word}")
            check_p(sheet, measure, numbers, one, sides[arms[0]], sides[arm])
        check_missing(sheet, told, measure, found, numbers)
    if sheet.segment:
        check_segments(sheet, told, found, arms)


def check_p(sheet: Sheet, measure: str, numbers: dict[str, Number], one: str, a: Any, b: Any) -> None:
    number, p = numbers[f"{one}.difference"], numbers[f"{one}.p"]["value"]
    gap, _ = right.between(sheet, measure, a, b, level(number))
    if isinstance(gap, book.Right) and gap.p is not None:
        assert p == pytest.approx(gap.p, rel=1e-6, abs=1e-12), f"{one}.p"


def check_people(sheet: Sheet, told: right.Told, found: Any, numbers: dict[str, Number], arms: list[str]) -> None:
    units = told.rows.groupby("arm").store.nunique() if sheet.cluster else told.rows.arm.value_counts()
    assert [(a["arm"], a["users"]) for a in found["arms"]] == [(arm, int(units.get(arm, 0))) for arm in arms]
    counts = [int(units.get(arm, 0)) for arm in arms]
    assert numbers["split"]["value"] == pytest.approx(book.split(counts, [1 / len(arms)] * len(arms)), rel=1e-9)
    assert numbers["unaccounted"]["value"] == told.unknown
    checks = {(c["check"], c["of"]): c["passed"] for c in found["checks"]}
    assert checks["accounted", None] is (told.unknown == 0)
    if told.crossed is not None:
        assert numbers["crossed"]["value"] == told.crossed


def check_missing(sheet: Sheet, told: right.Told, measure: str, found: Any, numbers: dict[str, Number]) -> None:
    name = right.parts(measure)[0]
    counts = right.missing(told, measure)
    listed = {m["arm"]: (m["rows"], m["missing"]) for m in found["missing"] if m["metric"] == name}
    if not sum(k for _, k in counts.values()):
        assert not listed
        return
    assert listed == counts
    if not sheet.cluster:
        p = numbers[f"missing.{name}"]["value"]
        wanted = right.unlike(counts)
        assert isinstance(p, dict) if math.isnan(wanted) else p == pytest.approx(wanted, rel=1e-9)


def check_segments(sheet: Sheet, told: right.Told, found: Any, arms: list[str]) -> None:
    """The primary metric within each value; values for which nothing can be compared are left out."""
    measure = sheet.measures[0]
    if sheet.cluster:
        return  # how clusters of several values are named is for tests/cli
    rows = right.prepared(sheet, told, measure)
    rows = rows.assign(seg=rows.seg.fillna("no value"))
    wanted = {}
    several = told.rows.seg.fillna("no value").nunique()
    for value, part in rows.groupby("seg"):
        a, b = (part[part.arm == arm] for arm in arms)
        gap, _ = right.between(sheet, measure, a, b, 0.05 / several, adjust=False)
        if isinstance(gap, book.Right):
            wanted[value] = gap
    listed = {s["value"]: s for s in found["segments"]}
    name = right.parts(measure)[0]
    if any(c["passed"] is False and c["metric"] in {None, "", name} for c in found["checks"]):
        assert not listed, "a check failed, so nothing is compared"
        return
    assert listed.keys() == wanted.keys(), f"{listed}, {wanted}"
    for value, gap in wanted.items():
        assert listed[value]["difference"] == pytest.approx(gap.value, rel=1e-8, abs=1e-9), value
        assert listed[value]["standard_error"] == pytest.approx(gap.error, rel=1e-7, abs=1e-9), value


# of one arm all clusters were seen in another one too; one cluster alone has no spread of what it lacks
EMPTIED = Sheet(
    seed=55556,
    rows=16,
    arms=("A", "B", "C"),
    numbers="whole",
    ties=True,
    rare=True,
    missing=0.2,
    nothing=("inf",),
    crossed=0.2,
    spelt=0.02,
    cluster=True,
    unit=False,
)
ONE_CLUSTER = Sheet(seed=10, rows=10, parquet=True, arms=("A", "B", "C"), ids="real", ties=True, missing=0.2, nothing=(" ",), crossed=0.2, no_id=0.2, left_out=True, cluster=True, unit=False, measures=("bought:proportion", "spend:mean"))  # fmt: skip


@cases(25)
@given(cases_of_sheets())
@example(Sheet(covariate=True))
@example(EMPTIED)
@example(ONE_CLUSTER)
def test_analyse(sheet: Sheet) -> None:
    check(sheet)

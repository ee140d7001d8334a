"""Models in a warehouse, from generated tables to the page's numbers: what scikit-learn, scipy and pandas say, or a stated reason."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any, cast

import pytest
import scored_right as right
import textbook as book
from hypothesis import example, given
from places import cases, filled
from scored import ITEMS, LABELS, PERIOD, REFUSED, VERSIONS, Case, cases_of_models, model_of, tables_of

from gazette.errors import SourceError
from gazette.params import Metric
from gazette.recompute import ask
from gazette.recompute._ask import query_of
from gazette.recompute._model import seconds
from gazette.record import NotPublished
from gazette.sources import model_answers
from gazette.workbench._inputs import ModelInputs

if TYPE_CHECKING:
    import pandas as pd

    from gazette.params import Model, Params
    from gazette.recompute._arithmetic import Second
    from gazette.record import Number
    from gazette.sources._engine import Engine


class Frames:
    """Answers as a snapshot gives them."""

    def __init__(self, frames: dict[str, pd.DataFrame]) -> None:
        self.frames = frames
        self.table = frames.__getitem__
        self.has = frames.__contains__


class Page(ModelInputs):
    """A model's page whose answers were not frozen."""

    def __init__(self, plan: Model, frames: dict[str, pd.DataFrame], versions: dict[str, str]) -> None:
        self.plan, self.snapshot = plan, Frames(frames)  # type: ignore[assignment]
        self.versions = {role: {"version": v, "trained_at": "2026-11-01"} for role, v in versions.items()}
        self.subject, self.edition, self.snapshot_digest, self.currency = "m", "2026-W47", "0" * 64, "USD"
        self.week_start, self.cutoff = PERIOD.start.date(), PERIOD.cutoff
        self._numbers: dict[str, Number] = {}
        self._since: dict[str, date] = {}
        changelog = [{"version": 1, "date": date(2026, 1, 5), "author": "o", "change": "First."}]
        base = {"title": "T", "owner": "o", "definition": "d", "direction": "higher", "changelog": changelog}
        known = ("quality-drop", "calibration-error", "label-completeness", "model-age")
        made = {m: Metric.model_validate({**base, "unit": "score"}) for m in (*plan.measures, *known)}
        self.params = cast("Params", type("Known", (), {"metrics": made, "models": {"m": plan}})())


def read(engine: Engine, case: Case, tables: Any) -> tuple[Page, dict[str, Second | None]]:
    subject, versions = model_of(case), VERSIONS[case.versions]
    with filled(engine, tables) as warehouse:
        first = {
            a.name: a.table.to_pandas(date_as_object=False) for a in model_answers(warehouse, subject, PERIOD, versions)
        }
        second = ask(warehouse, [subject], {}, PERIOD, {"m": versions})
    assert second[-1].table.num_rows == 0, second[-1].table.to_pylist()
    answers = {a.name.removeprefix(query_of("m", "")): a.table.to_pylist() for a in second}
    page = Page(subject, first, versions)
    page.measured  # noqa: B018  as the notebook does
    levels = {n.removeprefix("m."): number.interval.level for n, number in page._numbers.items() if number.interval}
    return page, seconds(subject, answers, versions, levels)


def refusals(case: Case, frames: dict[str, pd.DataFrame]) -> list[str]:
    """What has to be refused, with the reason."""
    if case.kind == "ranker":
        asked = right.with_gains(case, frames)[["id", "version"]]
        shown = frames["items"].merge(asked, left_on=["request", "version"], right_on=["id", "version"])
        bad = {"nought": shown["rank"] < 1, "negative": shown.relevance < 0, "between": shown["rank"] % 1 > 0}
        return [ITEMS[case.broken_items]] if case.broken_items and bad[case.broken_items].any() else []
    if case.kind != "classifier":
        return []
    rows = right.scored(case, frames["p"])
    found = ["probabilities from 0 to 1"] if (rows.score > 1).any() else []
    known = right.written_labels(case, frames)
    no, yes = LABELS[case.label][1]
    two = {no, yes} if case.label not in REFUSED else {"0", "1"}
    if LABELS[case.label][2] is None and known - two:
        found.append("labels are not 0 and 1")
    if LABELS[case.label][2] is not None and len(known) > 2:
        found.append("more than two values")
    if LABELS[case.label][2] is not None and len(known) == 2 and (yes not in known or case.label == "said wrongly"):
        found.append("no label is")
    return found


def same(found: Number, wanted: book.Answer, where: str) -> None:
    value = found.value
    if isinstance(wanted, book.Withheld):
        assert isinstance(value, NotPublished), f"{where}: {value} is published, but {wanted.reason}"
        assert re.search(wanted.reason, value.reason), f"{where}: {value.reason!r} instead of {wanted.reason!r}"
        return
    assert not isinstance(value, NotPublished), f"{where}: {value} instead of {wanted}"
    assert value == pytest.approx(wanted.value, rel=1e-8, abs=1e-10), where
    if wanted.low is not None and wanted.high is not None:
        assert found.interval is not None
        ends = [found.interval.low, found.interval.high]
        assert ends == pytest.approx([wanted.low, wanted.high], rel=1e-7, abs=1e-9), where


def check(engine: Engine, case: Case) -> None:
    tables, frames = tables_of(case)
    if refused := refusals(case, frames):
        with pytest.raises(SourceError, match="|".join(refused)) as error:
            read(engine, case, tables)
        assert error.value.mend
        return
    page, second = read(engine, case, tables)
    rows = (right.with_gains if case.kind == "ranker" else right.with_outcomes)(case, frames)
    live = rows[rows.version == VERSIONS[case.versions]["live"]]
    days = (rows if case.kind != "ranker" else live)[lambda r: r.week == 0]["at"].dt.date.nunique()
    now, before = (right.measures_of(case, live[live.week == k]) for k in (0, 1))
    ours, theirs = right.pairs(case, rows)
    numbers = {n.removeprefix("m."): number for n, number in page._numbers.items()}
    for measure in page.plan.measures:
        stop = book.Withheld("partial week|no rows this week") if days < 7 else None
        same(numbers[measure], stop or now[measure], measure)
        agree(second.get(measure), now[measure], measure)
        one, other = now[measure], before[measure]
        if isinstance(one, book.Right) and isinstance(other, book.Right) and not stop:
            number = numbers[f"{measure}.change"]
            if not isinstance(number.value, NotPublished):
                assert number.value == pytest.approx(one.value - other.value, rel=1e-7, abs=1e-9), f"{measure}.change"
            agree(second[f"{measure}.change"], book.Right(one.value - other.value), f"{measure}.change")
        check_pair(case, measure, (ours, theirs), numbers[f"{measure}.vs-baseline"], second)
    check_counts(case, frames, page, rows)
    check_segments(case, page, rows)


def check_pair(case: Case, measure: str, both: Any, found: Number, second: dict[str, Second | None]) -> None:
    """Live less baseline on the rows that both scored."""
    wanted = right.gap_of(case, measure, *both)
    if isinstance(found.value, NotPublished) or isinstance(wanted, book.Withheld):
        return
    assert found.value == pytest.approx(wanted.value, rel=1e-7, abs=1e-9), f"{measure}.vs-baseline"
    agree(second[f"{measure}.vs-baseline"], wanted, f"{measure}.vs-baseline")


def check_segments(case: Case, page: Page, rows: pd.DataFrame) -> None:
    """Every value of the property on the first measure, those who have none too."""
    found = {s.of: s for s in page.segments_read}
    if page.stop is not None:
        assert found == {}
        return
    wanted = right.by_segment(case, rows)
    assert found.keys() == wanted.keys()
    for value, (n, now, before, gap) in wanted.items():
        segment = found[value]
        assert segment.n == n, value
        same_level(segment.level, now, f"segment {value}")
        sides = [now, before] if isinstance(now, book.Right) and isinstance(before, book.Right) else []
        for difference, right_one in ((segment.change.estimate, sides and sides[0].value - sides[1].value), (segment.against.estimate, getattr(gap, "value", None))):  # fmt: skip
            if not isinstance(difference, NotPublished):
                assert difference.value == pytest.approx(right_one, rel=1e-7, abs=1e-9), f"segment {value}"
                assert difference.low < difference.value < difference.high


def same_level(found: Any, wanted: book.Answer, where: str) -> None:
    if isinstance(wanted, book.Withheld):
        assert isinstance(found, NotPublished), f"{where}: {found} is published, but {wanted.reason}"
        return
    assert not isinstance(found, NotPublished), f"{where}: {found} instead of {wanted}"
    assert found.value == pytest.approx(wanted.value, rel=1e-8, abs=1e-10), where
    if wanted.low is not None:
        assert [found.low, found.high] == pytest.approx([wanted.low, wanted.high], rel=1e-7, abs=1e-9), where


def agree(second: Second | None, wanted: book.Answer, where: str) -> None:
    if isinstance(wanted, book.Right):
        assert second is not None, f"{where}: nothing the second time"
        # it reads a score of single precision as it is written
        assert second.value == pytest.approx(wanted.value, rel=1e-6, abs=1e-6), f"{where}, second"


def check_counts(case: Case, frames: dict[str, pd.DataFrame], page: Page, rows: pd.DataFrame) -> None:
    """What was left out is counted: rows of nobody, rows twice, rows without a score, outcomes that are not known."""
    p = frames["p"]
    version = VERSIONS[case.versions]["live"]
    week = p[(p["at"] >= right.START) & (p["at"] < right.END) & (p.loaded < right.CUTOFF)]
    strays = week.id.isna() | week.version.isna()
    assert page.snapshot.table("strays").to_dict("records")[0]["n"] == len(week)
    assert int(page.snapshot.table("strays")["strays"].fillna(0).iloc[0]) == int(strays.sum())
    mine = week[week.id.notna() & (week.version == version)]
    checks = {c.id: c.value for c in page.checks}
    if len(mine):
        assert checks["duplicates"] == pytest.approx(1 - mine.id.nunique() / len(mine))
    live = rows[(rows.version == version) & (rows.week == 0)]
    row = page.snapshot.table("unscored").to_dict("records")[0]
    assert row["n"] == len(live)
    for column in ("score",) if case.kind != "ranker" else ("ready", "ndcg-5", "precision-3"):
        assert int(row[column.replace("-", "_")] or 0) == int(live[column].isna().sum()), column
    if case.kind != "ranker" and len(live):
        known = page._numbers["m.label-completeness"].value
        assert known == pytest.approx(live.label.notna().mean())


@cases(8)
@given(cases_of_models())
@example(
    Case(seed=80, rows=73, digits=1, label="small ones", third=True, one_class=True)
)  # scores that were sure and wrong
@example(Case(kind="regressor", times="TIMESTAMPTZ"))  # times with a zone
@example(
    Case(seed=1, rows=60, late=60.0, hidden=0.3, taken_back=0.3, corrected=0.3)
)  # labels that say nothing, first or last
@example(
    Case(seed=3628799, rows=9, third=True, again=0.3, corrected=0.05, hidden=0.05, taken_back=0.05)
)  # a third class of a row
@example(Case(kind="ranker", ids=("BIGINT", "VARCHAR")))  # requests and their items by ids of two types
@example(Case(kind="regressor", score="VARCHAR", unscored=0.3))  # blanks where a score should be
@example(Case(kind="regressor", seed=3, rows=160, traits="BOOLEAN", apart=20.0))  # a pair by other moments and segments
def test_duckdb(duck: Engine, case: Case) -> None:
    check(duck, case)


@pytest.mark.xdist_group("postgres")
@cases(2, share=0.25)
@given(cases_of_models())
def test_postgres(elephant: Engine, case: Case) -> None:
    check(elephant, case)

"""The demo's record read as a whole: one event has one number, and a number's passport leads to the rows that it counts."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from gazette.display import format_number
from gazette.params import load
from gazette.record import OWN, NotPublished, Number, Record
from gazette.snapshot import reopen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gazette.params import Params
    from gazette.snapshot import Snapshot

WEEKS = ("2026-W45", "2026-W46", "2026-W47")
NEWEST = WEEKS[-1]
MODELS = ("flight-delay", "recommender")


def record(place: Path, week: str, page: str) -> Record:
    return Record.from_json((place / "editions" / week / "records" / f"{page}.json").read_bytes())


def value(number: Number) -> float:
    assert not isinstance(number.value, NotPublished), number.id
    return number.value


@pytest.mark.parametrize("model", MODELS)
def test_a_change_on_last_week_is_what_lies_between_two_editions(built: Path, model: str) -> None:
    params, checked = load(built / "params"), 0
    for before, now in pairwise(WEEKS):
        old, new = record(built, before, model), record(built, now, model)
        for metric in params.models[model].measures:
            change = new.number(f"{model}.{metric}.change")
            gap = value(new.number(f"{model}.{metric}")) - value(old.number(f"{model}.{metric}"))
            assert value(change) == pytest.approx(gap, abs=1e-12), change.id
            assert not change.provisional
            checked += 1
    assert checked == 2 * len(params.models[model].measures)


def text_of(page: Path) -> str:
    bare = re.sub(r"<script.*?</script>|<[^>]+>", " ", page.read_text(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", bare)


def test_the_fall_of_the_week_is_one_number_in_finding_table_summary_changes_alert_and_restatements(
    built: Path,
) -> None:
    page = record(built, NEWEST, "flight-delay")
    level, change = page.number("flight-delay.auc"), page.number("flight-delay.auc.change")
    before = record(built, WEEKS[1], "flight-delay").number("flight-delay.auc")
    assert value(change) == pytest.approx(-0.0769, abs=5e-5)
    (said,) = [f for f in page.findings if f.id == f"{change.id}.finding"]
    assert set(said.references) == {level.id, change.id}
    site = built / "editions" / NEWEST / "site"
    signed, size = format_number(change, "signed"), format_number(change, "abs")
    assert text_of(site / "models" / "flight-delay.html").count(signed) >= 2, "the sentence and the table"
    summary = record(built, NEWEST, "executive")
    told = [f for f in summary.findings if change.id in f.references]
    assert told, "the summary tells it by the same number"
    assert summary.number(change.id).model_dump() == change.model_dump()
    assert f"by {size}" in text_of(site / "index.html")
    changes = text_of(site / "changes.html")
    assert f"{format_number(before)} (" in changes
    assert f"{format_number(level)} (" in changes
    drop = page.number("flight-delay.quality-drop")
    assert "against the four weeks before" in drop.label, "another comparison has a name of its own"
    assert f"{format_number(drop)} above" in text_of(site / "operations.html"), "the alert fires on that one"
    weekly = reopen(built / "editions" / NEWEST / "snapshot" / "flight-delay").table("weekly")
    live = weekly[weekly["version"] == "2"].set_index("week")["auc"].sort_index()
    assert value(drop) == pytest.approx(1 - live.iloc[-1] / live.iloc[-5:-1].mean(), rel=1e-9)
    assert live.iloc[-2] == pytest.approx(value(before), rel=1e-12), "the series is what editions published"
    log = json.loads((built / "editions" / NEWEST / "restatements.json").read_text())["restatements"]
    rows = [r for r in log if (r["edition"], r["before"]["id"]) == (WEEKS[1], level.id)]
    assert [r["before"]["value"] for r in rows] == [pytest.approx(value(before), rel=1e-12)]
    assert {r["cause"] for r in rows} == {"late data"}


# ---- passports


def slug(*parts: Any) -> str:
    return re.sub(r"[^a-z0-9]+", "-", "-".join(map(str, parts)).lower()).strip("-")


def rows_of_model(number: Number, params: Params, frozen: Snapshot, start: pd.Timestamp) -> int:
    """Rows behind a number of a model, counted in the answer that its passport names."""
    model, _, rest = number.id.partition(".")
    table = frozen.table(str(number.query))
    registry = frozen.table("registry").set_index("role")["version"]
    weeks = [start - timedelta(days=7 * k) for k in range(5)]
    if number.query in {"weekly", "completeness"}:
        metric = rest.split(".")[0]
        counted = {"precision": "flagged", "recall": "positive", "label-completeness": "scored"}.get(metric, "n")
        own = f"{metric.replace('-', '_')}_n"
        live = table[table["version"] == registry["live"]].set_index("week")[own if own in table else counted]
        return int(live[weeks[0]] + (live[weeks[1]] if rest.endswith(".change") else 0))
    if number.query == "paired":
        return int(table.set_index("week")["n"][weeks[0]])
    if number.query == "telemetry":
        asked = table.set_index("week")["requests"]
        return int(asked[weeks[0]] + (asked[weeks[4]] if rest.endswith("month-change") else 0))
    if number.query == "drift":
        this = table[table["part"] == "week"].groupby("feature")["n"].sum()
        if rest == "drift-distance":
            return int(this[re.search(r"Feature (\w+)\.", number.note)[1]])  # type: ignore[index]
        return int(next(n for name, n in this.items() if slug(name) == rest.removeprefix("drift.")))
    assert number.query in {"segments", "segments_paired"}, number.id
    name = rest.removeprefix("segment.").rpartition(".")[0]
    mine = table[[slug(s, o) == name for s, o in zip(table["segment"], table["of"], strict=True)]]
    if number.query == "segments":
        mine = mine[(mine["version"] == registry["live"]) & mine["week"].isin(weeks[:2])]
    assert model in params.models
    own = f"{number.metric.replace('-', '_')}_n"
    return int(mine[own if own in mine else "n"].sum())


def rows_of_business(number: Number, frozen: Snapshot, start: pd.Timestamp) -> int:
    """Users, answers or days behind a business figure: four weeks, and those it is compared with."""
    table = frozen.table("business")
    what, _, compared = number.id.partition(".")[2].partition(".")
    back = {"month-change": 28, "year-change": 364, "month-before": 28, "year-before": 364}.get(compared, 0)

    def four(days_back: int, cohort: str) -> pd.DataFrame:
        end = start + timedelta(days=7 - days_back)
        days = pd.to_datetime(table["day"])
        return table[(days >= end - timedelta(days=28)) & (days < end) & (table["cohort"] == cohort)]

    def size(days_back: int, cohort: str = "new") -> int:
        rows = four(days_back, cohort)
        return len(rows) if what == "retention" else int(rows["nps_responses" if what == "nps" else "users"].sum())

    if compared.endswith("before"):
        return size(back)
    return size(0) + (size(back) if back else size(0, "baseline") if (what, compared) == ("nps", "vs-baseline") else 0)


def counted(built: Path) -> Iterator[tuple[Number, Snapshot]]:
    """Every number of models and tests in the newest edition that names a query, with the snapshot that it names."""
    folder = built / "editions" / NEWEST
    frozen = {s.digest: s for s in map(reopen, (p.parent for p in sorted(folder.glob("snapshot/*/snapshot.json"))))}
    for path in sorted((folder / "records").glob("*.json")):
        for number in Record.from_json(path.read_bytes()).numbers:
            if number.query:
                assert number.snapshot in frozen, number.id
                assert frozen[number.snapshot].has(number.query), number.id
                yield number, frozen[number.snapshot]


def test_every_number_leads_to_its_query_and_counts_its_rows(built: Path) -> None:
    params, checked = load(built / "params"), dict.fromkeys(("model", "business", "test"), 0)
    start = pd.Timestamp("2026-11-16")
    for number, frozen in counted(built):
        subject = number.id.partition(".")[0]
        assert number.n != 0 or not number.published, f"{number.id} rests on no rows"
        if number.n is None or not number.published:
            continue
        if subject in params.models and number.query == "business":
            expected = {rows_of_business(number, frozen, start)}
            checked["business"] += 1
        elif subject in params.models:
            expected = {rows_of_model(number, params, frozen, start)}
            checked["model"] += 1
        elif subject in params.experiments:
            arms = frozen.table("arms").set_index("variant")["n"]
            last = number.id.rpartition(".")[2]
            own = {"control": params.experiments[subject].control}.get(last, last)
            expected = {int(arms[own])} if last in {"control", "treatment"} and own in arms else {int(arms.sum())}
            checked["test"] += 1
        else:
            continue
        assert {number.n} == expected, f"{number.id} by {number.query}"
    assert checked["model"] > 40
    assert checked["business"] > 10
    assert checked["test"] > 100


def test_counts_and_days_name_a_definition_of_their_own(built: Path) -> None:
    params, seen = load(built / "params"), set()
    first = next(iter(params.metrics))
    for page in sorted((built / "editions" / NEWEST / "records").glob("*.json")):
        for number in Record.from_json(page.read_bytes()).numbers:
            assert number.metric in params.metrics or number.metric in OWN, number.id
            if "days until its review" in number.label or number.label.startswith(
                ("Tests: ", "Users in ", "Users seen ", "Other ways ")
            ):
                assert number.metric in OWN, number.id
            if number.metric == first:
                assert number.unit not in {"days", "count"} or "until" in number.label, f"{number.id} is of no metric"
            seen.add(number.metric)
    assert {"gazette.count", "gazette.days"} <= seen


def test_a_passport_opens_with_what_its_text_shows(built: Path) -> None:
    page = (built / "editions" / NEWEST / "site" / "index.html").read_text()
    spans = re.findall(r'data-passport="([^"]*)">([^<]*)</span>', page)
    ends = [(p, text) for p, text in spans if "its range that is nearest to zero" in p]
    assert ends
    assert all(p.startswith(f"{{&quot;shown&quot;: &quot;{text}, ") for p, text in ends)

"""The page of the translation matrix and gazette learn, on an edition with a history that has a known slope."""

from __future__ import annotations

import json
import shutil
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
import yaml

from gazette import build, params
from gazette.build import open_project
from gazette.build._matrix import translation_answers
from gazette.display import Table, plain_sentence
from gazette.editions import Week
from gazette.errors import EditionError, ParamsError, WrongUseError
from gazette.record import Interval, NotPublished, Number, Record
from gazette.snapshot import freeze
from gazette.sources import Answer
from gazette.workbench import TranslationBench, open_translation
from program import copy_project, gazette

if TYPE_CHECKING:
    from collections.abc import Callable

    from gazette.build import Project

WEEK = Week.parse("2026-W47")
CUTOFF = datetime(2026, 11, 23)  # noqa: DTZ001  the clock of editions is UTC without zone
ROW = "ndcg-to-session-length"


def number(suffix: str, value: float | NotPublished, spread: float, unit: Any) -> Number:
    known = isinstance(value, float)
    interval = Interval(low=value - spread, high=value + spread, level=0.95, method="test") if known else None
    return Number(
        id=f"recommender.{suffix}",
        label=suffix,
        value=value,
        unit=unit,
        interval=interval,
        metric="ndcg-5",
        metric_version=1,
        cell="quality",
        query=None,
        snapshot="",
        as_of=CUTOFF,
    )


def past_tests(n: int, *, spoilt: int = 0) -> pa.Table:
    """Tests in which a point of NDCG@5 brings 1.5 % of session length, half of what is stated."""
    rng = np.random.default_rng(8)
    rows = []
    for i in range(n + spoilt):
        true = float(rng.normal(0.01, 0.008))
        rows.append(
            {
                "test": f"test-{i}",
                "title": f"Test {i} <script>alert(1)</script>",
                "ended": date(2026, 1 + i % 9, 5),
                "decision": "ship",
                "metric": "session-length",
                "effect": 1.5 * true + 0.003 * float(rng.standard_normal()),
                "effect_error": 0.003 if i < n else None,
                "technical": "ndcg-5",
                "technical_change": true + 0.001 * float(rng.standard_normal()),
                "technical_error": 0.001,
            }
        )
    names = ["test", "title", "decision", "metric", "technical"]
    floats = ["effect", "effect_error", "technical_change", "technical_error"]
    schema = pa.schema(
        [*((k, pa.string()) for k in names), ("ended", pa.date32()), *((k, pa.float64()) for k in floats)]
    )
    return pa.Table.from_pylist(rows, schema)


def seal(
    project: Project, week: Week = WEEK, *, tests: int = 12, spoilt: int = 0, numbers: tuple[Number, ...] = ()
) -> Path:
    """An edition with what the page reads, made by the real parts."""
    staging = project.store.staging(week)
    shutil.copytree(project.root / "params", staging / "params")
    clock = {"edition": str(week), "week_start": week.start.isoformat(), "cutoff": CUTOFF.isoformat()}
    (staging / "edition.json").write_text(json.dumps(clock))
    (staging / "records").mkdir()
    record = Record(
        subject="recommender",
        kind="model",
        title="Recommender",
        owner="science",
        edition=str(week),
        week_start=week.start,
        as_of=CUTOFF,
        snapshot="",
        facts={"live": f"v{week}"},
        numbers=numbers
        or (
            number("ndcg-5", 0.64, 0.01, "score"),
            number("ndcg-5.vs-baseline", 0.0108, 0.002, "score"),
            number("precision-10", 0.7, 0.01, "fraction"),
            number("precision-10.vs-baseline", 0.001, 0.004, "points"),
            number("nps.vs-baseline", 0.002, 0.004, "points"),
        ),
    )
    (staging / "records" / "recommender.json").write_text(record.to_json())
    freeze("translation", translation_answers(project, week), staging / "snapshot" / "translation")
    if tests:
        freeze(
            "history",
            [Answer("past_tests", "SELECT", past_tests(tests, spoilt=spoilt))],
            staging / "snapshot" / "history",
        )
    project.store.seal(staging, week, versions={}, facts={})
    return project.store.path(week)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return open_project(copy_project(tmp_path / "project"))


def said(bench: TranslationBench) -> dict[str, list[str]]:
    """Rule to sentences."""
    record = bench.emit().record
    numbers = {n.id: n for n in record.numbers}
    found: dict[str, list[str]] = {}
    for finding in record.findings:
        found.setdefault(finding.rule, []).append(plain_sentence(finding, numbers))
    return found


def change(project: Project, edit: Callable[[dict[str, Any]], None]) -> Project:
    path = project.root / "params" / "translations.yml"
    content = yaml.safe_load(path.read_text())
    edit(content)
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return open_project(project.root)


def row_of(content: dict[str, Any], row: str = ROW) -> dict[str, Any]:
    return next(r for r in content["translations"] if r["id"] == row)


def opened(project: Project, **more: Any) -> TranslationBench:
    return open_translation(edition=str(more.get("week", WEEK)), root=seal(project, **more))


def test_the_matrix_has_every_column_and_every_row_of_the_article(project: Project) -> None:
    table = opened(project).matrix()
    assert isinstance(table, Table)
    titles = [c.title for c in table.columns.values()]
    assert titles == [
        "Technical metric",
        "Business figure",
        "Sensitivity",
        "Notes",
        "Last updated",
    ]
    html = table.to_html()
    for folded in ("Definition", "How we measure", "Source and range"):
        assert f'<details class="gz-more"><summary>{folded}</summary>' in html
    plain = table._repr_mimebundle_()[0]["text/csv"]
    assert "definition" in plain
    assert "<span" not in plain
    rows = table.frame.set_index("row")
    wanted = {"auc-to-ctr", ROW, "precision-to-nps", "latency-to-page-load", "drift-to-reliability"}
    pairs = {"ndcg-10-to-order-value", "cold-start-to-retention", "drift-alert-to-reliability"}
    assert wanted | pairs <= set(rows.index)
    assert "triggers a review" in rows.loc["drift-to-reliability", "sensitivity"]
    assert "larger baskets" in rows.loc["ndcg-10-to-order-value", "sensitivity"]
    assert rows.loc[ROW, "updated"] == "2026-11-23 (as it is since edition 2026-W47)"
    assert (rows["notes"] != "").all()


def test_this_week_s_changes_are_worth_money_with_shares_of_doubt(project: Project) -> None:
    bench = opened(project)
    record = bench.emit().record
    money = record.number("translation.recommender.ndcg-5.revenue-per-unit.a-month")
    assert money.value == pytest.approx(0.0108 * 3 * 0.3 * 7.3e6, rel=0.05)
    assert money.interval is not None
    assert money.interval.level == 0.8
    shares = [n.value for n in record.numbers if n.id.startswith(f"{money.id}.doubt.")]
    assert sum(float(v) for v in shares if isinstance(v, float)) == pytest.approx(1)
    table = bench.worth()
    assert isinstance(table, Table)
    assert "No figures this week: Flight delay" in table.caption
    assert any("it may bring nothing" in s and "Net promoter" in s for s in said(bench)["forward"])


def test_the_two_statements_of_the_article_are_said_to_contradict(project: Project) -> None:
    sentences = said(opened(project))["contradiction"]
    assert any("ndcg-to-revenue-target says 11.1 to 16.7 times as much as ndcg-to-revenue." in s for s in sentences)


def test_a_target_says_what_it_needs_its_chance_and_the_levers(project: Project) -> None:
    bench = opened(project)
    (sentence,) = said(bench)["backward"]
    assert "+15 % needs +0.17" in sentence
    assert "too far beyond" in sentence
    table = bench.targets()
    assert isinstance(table, Table)
    (row,) = table.frame.to_dict("records")
    assert row["reached"].startswith("No.")
    assert "Test " in row["levers"]
    assert "<script>" not in table.to_html()


@pytest.mark.parametrize(
    ("value", "says"),
    [(0.05, "extrapolated"), (0.2, "too far beyond"), (NotPublished(reason="partial week"), "partial week")],
)
def test_extrapolation_refusal_and_a_missing_figure_are_said_in_words(
    project: Project, value: float | NotPublished, says: str
) -> None:
    numbers = (number("ndcg-5", 0.64, 0.01, "score"), number("ndcg-5.vs-baseline", value, 0.002, "score"))
    bench = opened(project, numbers=numbers)
    assert says in " ".join(said(bench)["forward"])
    shown = bench.worth()
    assert isinstance(shown, Table)
    assert ("not published" in shown.to_html()) == (says != "extrapolated")


def test_a_base_in_another_currency_is_not_added_up(project: Project) -> None:
    project = change(project, lambda c: c["bases"][0].update(currency="EUR"))
    number_ = opened(project).emit().record.number("translation.recommender.ndcg-5.revenue-per-unit.a-month")
    assert isinstance(number_.value, NotPublished)
    assert "stated in EUR, the edition is in USD" in number_.value.reason


def test_a_learnt_sensitivity_stands_beside_the_stated_one(project: Project) -> None:
    bench = opened(project, spoilt=1)
    learnt = bench.emit().record.number(f"translation.{ROW}.learnt")
    assert learnt.value == pytest.approx(0.02 * 1.5, rel=0.25)
    assert learnt.n == 12
    assert any("they disagree, and somebody should decide" in s for s in said(bench)["learnt-sensitivity"])
    spec = bench.learnt_chart(ROW).spec
    assert len(spec["layer"][-1]["data"]["values"]) == 12
    assert {v["line"] for v in spec["data"]["values"]} == {"stated", "learnt"}
    table = bench.learnt_table()
    assert isinstance(table, Table)
    assert "1 left out" in table.frame.set_index("row").loc[ROW, "note"]


@pytest.mark.parametrize("tests", [0, 4])
def test_too_short_a_history_is_said_in_words(project: Project, tests: int) -> None:
    bench = opened(project, tests=tests)
    assert "No sensitivity could be learnt" in said(bench)["history-too-short"][0]
    assert "history of tests and versions is too short" in bench.learnt_charts().html


def test_a_row_changed_without_a_word_is_reported_and_its_edition_dated(project: Project) -> None:
    seal(project, WEEK.next(-2))
    seal(project, WEEK.next(-1))
    project = change(project, lambda c: row_of(c).update(high=0.09))
    bench = opened(project)
    assert ROW in said(bench)["unexplained-change"][0]
    table = bench.matrix()
    assert isinstance(table, Table)
    updated = table.frame.set_index("row")["updated"]
    assert "since edition 2026-W47" in updated[ROW]
    assert "since edition 2026-W45" in updated["auc-to-ctr"]


def test_a_row_changed_with_an_entry_is_not_reported(project: Project) -> None:
    seal(project, WEEK.next(-1))

    def edit(content: dict[str, Any]) -> None:
        row = row_of(content)
        entry = {"version": 2, "date": date(2026, 11, 24), "author": "a", "change": "Wider."}
        row.update(high=0.09, changelog=[*row["changelog"], entry])

    bench = opened(change(project, edit))
    assert "unexplained-change" not in said(bench)
    changes = bench.changes()
    assert isinstance(changes, Table)
    assert changes.frame.iloc[0]["change"] == "Wider."


def test_versions_of_earlier_editions_are_past_changes_carried_on(project: Project) -> None:
    for i in range(6, 0, -1):
        seal(project, WEEK.next(-i), tests=0)
    past, _ = opened(project, tests=0).past.past(project.params.translations[3])
    assert project.params.translations[3].id == "precision-to-nps"
    assert [p.id for p in past] == [f"recommender v2026-W{w}" for w in range(41, 47)]
    assert past[0].business == 0.002


def test_learn_writes_a_proposal_and_a_person_accepts_it(project: Project) -> None:
    seal(project)
    path = project.root / "params" / "translations.yml"
    before = path.read_text()
    done = json.loads(gazette("learn", "--json", project=project.root).stdout)
    proposal = yaml.safe_load(Path(done["file"]).read_text())
    mine = row_of(proposal)
    assert len(mine["chart"]) == 12
    assert mine["stated"]["low"] == pytest.approx(0.04)
    assert path.read_text() == before
    gazette("learn", "--accept", ROW, "--by", "Ada", "--because", "Twelve tests say so.", project=project.root)
    text = path.read_text()
    kept = [line for line in before.splitlines() if line.strip().startswith("#")]
    assert all(line in text for line in kept)
    assert "# the AUC of flight delays says nothing of clicks in the shop" in text
    loaded, problems = params.problems(project.root / "params")
    assert not problems
    assert loaded is not None
    row = next(r for r in loaded.translations if r.id == ROW)
    assert row.low is None
    assert row.estimate == pytest.approx(mine["learnt"]["effect"])
    last = row.changelog[-1]
    assert (last.version, last.author) == (2, "Ada")
    assert "in place of 0.04 to 0.08" in last.change
    assert "Twelve tests say so." in last.change
    others = [line for line in before.splitlines() if line not in text.splitlines()]
    assert len(others) <= 6


def test_accepting_needs_a_name_a_reason_a_row_and_something_learnt(project: Project) -> None:
    today = date(2026, 11, 24)
    with pytest.raises(EditionError, match="no edition to learn from"):
        build.propose(project)
    seal(project)
    path = project.root / "params" / "translations.yml"
    before = path.read_text()
    with pytest.raises(WrongUseError, match="who accepts it and why"):
        build.accept(project, ROW, by="", because="x", today=today)
    with pytest.raises(WrongUseError, match="no row 'nought'"):
        build.accept(project, "nought", by="a", because="x", today=today)
    with pytest.raises(EditionError, match="nothing was learnt of 'auc-to-ctr'"):
        build.accept(project, "auc-to-ctr", by="a", because="x", today=today)
    assert path.read_text() == before
    assert "--by and --because belong to --accept" in gazette("learn", "--by", "a", project=project.root, code=2).stderr


def test_accepting_dated_before_the_last_entry_writes_nothing(project: Project) -> None:
    seal(project)
    path = project.root / "params" / "translations.yml"
    before = path.read_text()
    with pytest.raises(ParamsError, match="run backwards"):
        build.accept(project, ROW, by="a", because="x", today=date(2020, 1, 1))
    assert path.read_text() == before


def test_the_rows_and_pairs_of_the_article_say_what_it_says(project: Project) -> None:
    rows = {r.id: r for r in project.params.translations}
    metrics = project.params.metrics
    stated = {
        "auc-to-ctr": ("auc", "ctr", 0.01, "points", (0.003, 0.005), "relative", "traffic volume"),
        ROW: ("ndcg-5", "session-length", 0.02, "points", (0.04, 0.08), "relative", "segment"),
        "precision-to-nps": ("precision-10", "nps", 0.05, "points", 0.01, "points", "linear"),
        "latency-to-page-load": ("latency-p-99", "page-load-time", 50.0, "ms", 200.0, "ms", "overhead varies"),
    }
    for name, (technical, business, change_, unit, effect, business_unit, note) in stated.items():
        row = rows[name]
        assert (row.technical, row.business, row.technical_change, row.technical_unit, row.business_unit) == (
            technical,
            business,
            change_,
            unit,
            business_unit,
        )
        assert row.low is not None
        assert row.high is not None
        if isinstance(effect, tuple):
            assert (row.low, row.high) == effect
        else:
            assert (row.low + row.high) / 2 == pytest.approx(effect)
        assert note in row.notes
        assert row.measured
        assert metrics[row.technical].definition
    assert "triggers a review" in rows["drift-to-reliability"].stated
    assert "silent failures" in rows["drift-to-reliability"].notes
    pairs = {
        "ndcg-10-to-order-value": ("ndcg-10", "order-value", "larger baskets"),
        "latency-to-page-load": ("latency-p-99", "page-load-time", "faster"),
        "cold-start-to-retention": ("recall-cold-start", "new-user-retention", "new users"),
        "drift-alert-to-reliability": ("drift-alert", "reliability", "prevents losses"),
    }
    for name, (technical, business, words) in pairs.items():
        assert (rows[name].technical, rows[name].business) == (technical, business)
        assert words in rows[name].sentence


SEGMENT = "device mobile"


def with_segment_row(project: Project) -> Project:
    def edit(content: dict[str, Any]) -> None:
        content["translations"].append(
            {**row_of(content), "id": "phones", "segment": SEGMENT, "low": 0.1, "high": 0.2, "sentence": ""}
        )

    return change(project, edit)


def test_a_segment_s_row_is_used_for_that_segment_s_change_alone(project: Project) -> None:
    whole = opened(project).emit().record.number("translation.recommender.ndcg-5.session-length")
    shutil.rmtree(project.store.path(WEEK))
    project = with_segment_row(project)
    numbers = (
        number("ndcg-5", 0.64, 0.01, "score"),
        number("ndcg-5.vs-baseline", 0.0108, 0.002, "score"),
        number("segment.device-mobile.vs-baseline", 0.02, 0.002, "score"),
        number("segment.device-tablet.vs-baseline", 0.01, 0.002, "score"),
    )
    bench = opened(project, numbers=numbers)
    record = bench.emit().record
    mine = record.number("translation.recommender.segment.device-mobile.ndcg-5.session-length")
    assert mine.value == pytest.approx(0.15, rel=0.02)
    assert record.number("translation.recommender.ndcg-5.session-length").value == whole.value
    onwards = record.number("translation.recommender.segment.device-mobile.ndcg-5.revenue-per-unit")
    assert isinstance(onwards.value, NotPublished) or onwards.value == pytest.approx(0.15 * 0.3, rel=0.05)
    assert not [n.id for n in record.numbers if "segment" in n.id and "a-month" in n.id]
    assert not [n.id for n in record.numbers if "tablet" in n.id and n.id.startswith("translation.")]
    assert any(f"{SEGMENT} alone" in s for s in said(bench)["forward"])
    table = bench.worth()
    assert isinstance(table, Table)
    rows = table.frame[table.frame["metric"].str.contains("alone")]
    assert len(rows) == 2
    assert rows["note"].str.contains("says nothing of the whole").all()


def test_a_segment_whose_change_was_not_published_is_said_and_changes_nothing(project: Project) -> None:
    bench = opened(with_segment_row(project))
    table = bench.worth()
    assert isinstance(table, Table)
    assert f"no change of {SEGMENT} was published" in table.caption
    assert not [n.id for n in bench.emit().record.numbers if ".segment." in n.id]

"""The flip map on the page: of a planted fragile test, and of tests that are not ready to be read."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pytest

from gazette.conclusions import RULES
from gazette.display import Block
from gazette.record import Record
from gazette.sources import FileMetric
from gazette.workbench import AdHoc, AdHocBench, counts_table, open_experiment
from program import gazette
from small import WEEK, SmallProject

if TYPE_CHECKING:
    from pathlib import Path

UNREADY = {
    "uneven": "a check of the test failed",
    "short": "it is too early: the test has not run for as long as it must",
    "once": "it is too early: the test is read once, when it ends",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Spending that a user's past nearly explains, and an effect that only shows when it does; four tests of it."""
    small = SmallProject(tmp_path_factory.mktemp("flips") / "project")
    rng = np.random.default_rng(3)
    with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
        users = warehouse.execute("SELECT unit_id, variant, assigned_at FROM experiment_assignments").df()
        users["past"] = rng.gamma(2, 10, len(users))
        users["value"] = users.past + rng.normal(5, 2, len(users)) + 0.9 * (users.variant == "green")
        warehouse.execute("CREATE TABLE orders AS SELECT unit_id, assigned_at AS happened_at, value FROM users")
        warehouse.execute("CREATE TABLE history AS SELECT unit_id, past FROM users")
    fact = {"table": "orders", "unit": "unit_id", "time": "happened_at", "value": "value", "aggregation": "sum"}
    past = {"table": "history", "unit": "unit_id", "column": "past"}
    small.metric |= {"title": "Spend", "fact": fact, "unit": "number", "covariate": past}
    small.experiment["minimum_effect"] = 0.001
    small.write()
    arms = [{"id": "blue", "title": "Blue", "weight": 0.7}, {"id": "green", "title": "Green", "weight": 0.3}]
    small.add_experiment("uneven", variants=arms)
    small.add_experiment("short", end="2027-01-31", minimum_days=60)
    small.add_experiment("once", end="2026-12-06", method="fixed")
    gazette("build", WEEK, project=small.root)
    return small.root


def record(project: Path, name: str) -> Record:
    return Record.from_json((project / "editions" / WEEK / "records" / f"{name}.json").read_bytes())


def page(project: Path, name: str) -> str:
    return (project / "editions" / WEEK / "site" / "experiments" / f"{name}.html").read_text()


@pytest.mark.integration
def test_the_page_of_a_fragile_test_shows_what_flips_it(project: Path) -> None:
    found = record(project, "button")
    assert found.verdicts[0].state == "benefit shown"
    (said,) = [f for f in found.findings if f.rule.startswith("flips-")]
    assert said.rule == "flips-single"
    covariate = "leaving out what was known of users before the test (CUPED) would give “not resolved”"
    assert covariate in said.terms["choices"].split("; ")
    ways, agree, share = (found.number(f"button.flips.{n}").value for n in ("ways", "agree", "share"))
    assert isinstance(ways, float)
    assert isinstance(agree, float)
    assert 0 < agree < ways
    assert share == agree / ways
    plain, planned = found.number("button.flips.covariate-without.difference"), found.number("button.ctr.difference")
    assert plain.interval is not None
    assert planned.interval is not None
    assert plain.interval.low < 0 < planned.interval.low
    text = page(project, "button")
    assert "it follows the plan that was fixed beforehand" in text
    assert "it is not for choosing another one" in text
    assert "capping large values (only uncapped ones were frozen)" in text
    rows = re.findall(r"<tr>.*?</tr>", text[text.index('data-name="choices"') :].split("</table>")[0])
    assert "As planned" in rows[1]
    assert "Benefit shown (published)" in rows[1]
    assert "✓ agrees" in rows[1]
    differ = [r for r in rows if "✗ differs" in r]
    assert len(differ) == said.terms["choices"].count("would give")
    assert "Leaving out what was known" in differ[0]
    assert text.count("Written by rule: flips-single") == 1, "the sentence stands with its map alone"


@pytest.mark.integration
@pytest.mark.parametrize(("name", "why"), UNREADY.items())
def test_a_test_that_is_not_ready_shows_no_would_be_verdict_and_says_why(project: Path, name: str, why: str) -> None:
    found = record(project, name)
    assert [n.id for n in found.numbers if ".flips." in n.id] == []
    assert [f for f in found.findings if f.rule.startswith("flips-")] == []
    text = page(project, name)
    assert f"would have said is not shown: {why}" in text
    assert "Verdict would be" not in text
    bench = open_experiment(name, edition=WEEK, root=project / "editions" / WEEK)
    assert bench.flip_map is None
    assert all(isinstance(b, Block) and not b.html for b in (bench.choices(), bench.combinations()))


@pytest.mark.integration
def test_the_plan_in_the_map_is_the_published_verdict_and_counts_are_of_the_table(project: Path) -> None:
    bench = open_experiment("button", edition=WEEK, root=project / "editions" / WEEK)
    found = bench.flip_map
    assert found is not None
    assert found.plan.state == found.published == bench.verdicts[bench.arm][0].state
    assert found.plan.specification.comparison == bench.reading.compare("ctr", "green")
    frame: Any = bench.combinations().frame  # type: ignore[union-attr]
    assert (frame.agrees == "✓").sum() - 1 == found.agree
    assert len(frame) - 1 == len(found.others)


def adhoc(green: int, *, method: str = "fixed", arms: tuple[str, ...] = ("green",), lower: bool = False) -> AdHocBench:
    """A bench on counts of 10,000 users an arm, asked for its map although nothing was fixed beforehand."""
    counts = {"blue": (1000, 10000), **dict.fromkeys(arms, (green, 10000))}
    ask = AdHoc(
        title="Counts",
        control="blue",
        metrics=(FileMetric("rate", "proportion", ""),),
        now=datetime(2026, 11, 23),  # noqa: DTZ001
        shares={},
        guardrails={},
        lower=frozenset({"rate"} if lower else ()),
        minimum=0.01,
        method=method,
        planned=20000,
    )
    bench = AdHocBench(ask, {"arms": counts_table("rate", counts)})
    assert bench.record().findings == tuple(f for f in bench.record().findings if not f.rule.startswith("flips-"))
    for name in ("flip_map", "flip_findings"):
        bench.__dict__.pop(name, None)
    return bench


@pytest.mark.parametrize("method", ["fixed", "confidence-sequence", "group-sequential"])
@pytest.mark.parametrize("green", [700, 940, 1000, 1075, 1081, 1090, 1300])
@pytest.mark.parametrize("lower", [False, True])
def test_whatever_the_data_the_plan_gives_the_published_state(green: int, method: str, lower: bool) -> None:
    bench = adhoc(green, method=method, lower=lower)
    found = bench.flip_map
    assert found is not None
    assert found.plan.agrees
    assert {f.rule for f in bench.flip_findings} <= {r.id for r in RULES}
    if green in {700, 1300}:
        assert found.flipping == ()


def test_only_one_sided_is_shown_and_only_that() -> None:
    found = adhoc(1075).flip_map
    assert found is not None
    assert found.published == "not resolved"
    assert [f.id for f in found.flipping] == ["level-90"]
    assert found.flipping[0].words.endswith("or asking for a gain and a loss apart (one-sided)")


def test_of_several_variants_the_map_is_of_the_one_that_the_page_speaks_of() -> None:
    bench = adhoc(1300, arms=("green", "red"))
    assert bench.flip_map is not None
    assert bench.flip_map.plan.specification.options["variants"] == "shared"
    (said,) = bench.flip_findings
    assert said.id == f"analysis.{bench.arm}.flips"
    bench.choices()
    assert f"analysis.{bench.arm}.flips.ways" in bench._numbers


def test_a_plan_that_was_changed_is_not_called_fixed_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "the plan that was fixed beforehand" in adhoc(1300).flips().html
    bench = adhoc(1300)
    monkeypatch.setattr(bench.reading, "deviations", lambda: [("alpha", "0.1", "0.05")])
    for name in ("looks_by_arm", "verdicts", "flip_map", "flip_findings"):
        bench.__dict__.pop(name, None)
    assert "which was changed after the first look" in bench.flips().html
    assert "fixed beforehand" not in bench.flips().html


def test_without_a_plan_there_is_no_map() -> None:
    bench = adhoc(1300)
    bench.flip_map = None  # as `gazette analyse` leaves it
    assert bench.flip_findings == ()
    assert not [n for n in bench.record().numbers if ".flips." in n.id]

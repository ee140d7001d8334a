"""A/A replays of a small project: rates, a planted fault, what is kept and sealed, and that both ways of reading agree."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import numpy as np
import pytest
import yaml
from scipy import stats as scipy_stats

from gazette.build import _aa, open_project, replay_aa
from gazette.cli._main import main
from gazette.editions import Week
from gazette.errors import EditionError, SourceError, WrongUseError
from gazette.record import AAReplays, read_aa
from small import SmallProject

WEEK = Week.parse("2026-W47")
VISITS = 600


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    """The usual test of 200 users an arm, and one that counts visits though ten of a user are assigned as one."""
    made = SmallProject(tmp_path_factory.mktemp("aa") / "project")
    made.add_metric(
        "spend",
        title="Spend",
        unit="number",
        fact={**made.metric["fact"], "table": "orders", "value": "amount", "aggregation": "sum"},
        cap_quantile=0.99,
    )
    made.add_metric("wait", title="Wait", unit="number", quantile=0.5, fact={**made.metric["fact"], "table": "orders", "value": "amount", "aggregation": "sum"})  # fmt: skip
    with duckdb.connect(str(made.root / "warehouse.duckdb")) as warehouse:
        warehouse.execute("ALTER TABLE experiment_assignments ADD COLUMN person INTEGER")
        warehouse.execute(
            "INSERT INTO experiment_assignments SELECT 'visits', 'v' || i, if(hash(i // 10) % 2 = 0, 'blue', 'green'), "
            f"TIMESTAMP '2026-11-09' + to_minutes(i), i // 10 FROM range({VISITS}) t(i)"
        )
        warehouse.execute(
            "INSERT INTO events SELECT 'v' || i, TIMESTAMP '2026-11-09' + to_minutes(i + 1), TIMESTAMP '2026-11-09' + to_minutes(i + 2) "
            f"FROM range({VISITS}) t(i) WHERE hash(i // 10 + 7) % 10 < 4"
        )
        warehouse.execute(
            "CREATE TABLE orders AS SELECT unit_id, assigned_at + INTERVAL 2 HOUR AS happened_at, assigned_at + INTERVAL 3 HOUR AS loaded_at, "
            "-20 * ln((hash(unit_id) % 10007 + 1) / 10008.0) AS amount FROM experiment_assignments WHERE experiment = 'button'"
        )
    for name, changes in (
        ("button", {"secondary": ["spend", "wait"]}),
        ("visits", {"id": "visits", "title": "Visits", "planned_units": VISITS}),
    ):
        content = {**made.experiment, **changes}
        (made.root / "params" / "experiments" / f"{name}.yml").write_text(yaml.safe_dump(content, sort_keys=False))
    return made


def run(project: SmallProject, **more: Any) -> dict[str, AAReplays]:
    return {one.test: one for _, one in replay_aa(open_project(project.root), WEEK, **more)}


def test_metrics_that_are_read_rightly_err_as_stated_and_repeated_users_are_flagged(project: SmallProject) -> None:
    told: list[tuple[str, int, int]] = []
    found = run(project, replays=40, say=lambda *one: told.append(one))
    button, visits = found["button"], found["visits"]
    assert (button.units, button.looks, button.assigned_by, button.whole_path) == (400, 2, "unit_id", 2)
    assert [(r.metric, r.design, r.looks) for r in button.metrics] == [
        (m, d, n) for m in ("ctr", "spend", "wait") for d, n in (("group-sequential", 2), ("fixed", 1))
    ]
    assert {r.flag for r in button.metrics} == {""}
    assert all(r.published == 40 for r in button.metrics)
    assert (visits.assigned_by, visits.groups) == ("person", VISITS // 10)
    assert {r.flag for r in visits.metrics} == {"too often"}
    assert min(r.rate or 0 for r in visits.metrics) > 0.3
    assert told[0] == ("button", 0, 40)
    assert told[-1] == ("visits", 40, 40)


def test_a_rate_is_that_of_a_test_by_scipy_on_the_same_draws(project: SmallProject) -> None:
    """Read once, the chi-square test without correction decides as the score test does for arms this large, nearly always."""
    opened = open_project(project.root)
    plan = opened.params.experiments["button"].model_copy(update={"segments": []})
    with _aa.Warehouse(opened.params.site.warehouse, project=opened.root) as warehouse:
        units = _aa._read(opened, warehouse, plan, {m: opened.params.metrics[m] for m in plan.metrics}, WEEK, "")
    turns = range(40)
    arms = _aa._draws(plan, units, 1, turns)
    _, where, rows = units.looks[-1]
    did = np.array(rows["m_ctr"].to_pylist())
    again = []
    for turn in turns:
        own = arms[turn][where]
        table = [[did[own == i].sum(), (1 - did[own == i]).sum()] for i in (0, 1)]
        again.append(scipy_stats.chi2_contingency(table, correction=False).pvalue < 0.05)
    rate = next(r for r in run(project, tests=["button"], replays=40)["button"].metrics if r.design == "fixed")
    assert abs(rate.wrong - sum(again)) <= 1
    assert 0.4 < arms.mean() < 0.6


def test_a_run_that_was_stopped_goes_on_where_it_was(project: SmallProject, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run(project, tests=["button"], replays=20, seed=5)["button"]
    kept = project.root / ".gazette" / "aa" / "button.jsonl"
    lines = kept.read_text().splitlines(keepends=True)
    kept.write_text("".join(lines[:12]) + lines[12][:20])  # stopped within a line
    drawn: list[int] = []
    plain = _aa._draws
    monkeypatch.setattr(_aa, "_draws", lambda p, u, s, turns: drawn.extend(turns) or plain(p, u, s, turns))
    assert run(project, tests=["button"], replays=20, seed=5)["button"] == whole
    assert drawn == [*range(11, 20)]
    drawn.clear()
    run(project, tests=["button"], replays=20, seed=6)
    assert drawn == [*range(20)]  # another seed begins anew


def test_reading_that_differs_from_a_build_is_refused(project: SmallProject, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = _aa.drawn_arms

    def wrong(*of: Any) -> Any:
        for row in plain(*of):
            yield {v: {**r, "m_ctr_mean": r["m_ctr_mean"] * 1.1} for v, r in row.items()}

    monkeypatch.setattr(_aa, "drawn_arms", wrong)
    with pytest.raises(EditionError, match="ctr of green is read otherwise"):
        run(project, tests=["button"], replays=2)


def test_what_is_asked_wrongly_is_said(project: SmallProject) -> None:
    with pytest.raises(WrongUseError, match="no test 'other'"):
        run(project, tests=["other"])
    with pytest.raises(WrongUseError, match="has no column 'colour'"):
        run(project, tests=["visits"], by="colour", replays=2)
    with pytest.raises(WrongUseError, match="no users up to"):
        replay_aa(open_project(project.root), Week.parse("2026-W40"), tests=["button"], replays=2)
    with pytest.raises(SourceError, match="2 of 2 tests cannot be replayed"):
        replay_aa(open_project(project.root), Week.parse("2026-W40"), tests=["button", "visits"], replays=2)
    with pytest.raises(EditionError, match="cannot be read"):
        read_aa(b'{"test": 1}', "bad.json")


@pytest.mark.integration
def test_the_command_writes_what_the_next_edition_seals_and_prints(
    project: SmallProject, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["aa", "--project", str(project.root), "--week", "2026-W47", "--replays", "40", "--json"]) == 0
    printed, progress = capsys.readouterr()
    found = {one["test"]: one for one in json.loads(printed)}
    assert found["visits"]["metrics"][0]["flag"] == "too often"
    assert "visits: 40 of 40" in progress
    assert main(["build", "2026-W47", "--project", str(project.root)]) == 0
    edition = project.root / "editions" / "2026-W47"
    assert read_aa((edition / "aa" / "visits.json").read_bytes(), "").model_dump(mode="json") == found["visits"]
    assert "aa/visits.json" in (edition / "manifest.json").read_text()
    page = (edition / "site" / "provenance.html").read_text()
    assert "Of 40 A/A replays of Visits among 60 values of <code>person</code> (600 rows), each assigned as one" in page
    assert "too often" in page
    assert "stated: 5 %" in page

"""Faults planted in reading, one at a time, on generated tables: the second computation has to disagree, or an edition would be published."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import ibis
import people
import pytest
import test_experiments
import test_models
from people import Case, World, world
from scored import Case as Scored
from scored import tables_of

from gazette.record import NotPublished
from gazette.sources import _classifier, _experiment, _features, _measured, _measures, _ranker, _units
from gazette.stats import Estimate

if TYPE_CHECKING:
    from gazette.sources._engine import Engine

LATER = timedelta(days=30)
EVENTS, LABEL, ONCE, END, ASSIGNED = (getattr(_units, n) for n in ("events", "label", "once", "end_of", "assigned"))
OUTCOMES, FIRST, ALIKE, WITHIN, LATEST = (
    getattr(_measures, n) for n in ("outcomes", "first_of_each", "alike", "within", "_latest")
)

PLANTED: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "what was done at the moment of assignment is left out": (
        "events",
        lambda *a, **k: EVENTS(*a, **k).filter(lambda t: t.happened > t.assigned_at),
        {},
    ),
    "what came after the cut-off counts": (
        "events",
        lambda w, f, u, e, p, **k: EVENTS(w, f, u, e, replace(p, cutoff=p.cutoff + LATER), **k),
        {},
    ),
    "what was done after the end counts": (
        "events",
        lambda w, f, u, e, p, **k: EVENTS(w, f, u, e + LATER, p, **k),
        {"ended": True},
    ),
    "a condition is ignored": (
        "events",
        lambda w, f, u, e, p, **k: EVENTS(w, f.model_copy(update={"where": []}), u, e, p, **k),
        {"primary": "bought"},
    ),
    "what was done before assignment counts": (
        "events",
        lambda w, f, u, e, p, **k: EVENTS(w, f, u.mutate(assigned_at=u.assigned_at - LATER), e, p, **k),
        {},
    ),
    "days are read as midnights": ("by_day", lambda *_, **__: False, {"primary": "minutes"}),
    "an alias is ignored": (
        "label",
        lambda v, plan: LABEL(v, plan.model_copy(update={"variants": [x.model_copy(update={"aliases": []}) for x in plan.variants]})),
        {"spelt": 0.15, "aliases": True},
    ),
    "units in several arms count in one": (
        "once",
        lambda units, plan: ONCE(units.mutate(arms=units.arms * 0 + 1), plan),
        {"several": 0.15},
    ),
    "text ids are cast to numbers": (
        "same",
        lambda a, b: a.cast("float64") == b.cast("float64"),
        {"ids": "noughts", "id_types": ("VARCHAR",) * 3},
    ),
    "a row without a variant is of another one": (
        "label",
        lambda v, plan: LABEL(v, plan).replace("no variant", "none"),
        {"armless": 0.15},
    ),
    "a value that is not there is one": (
        "number",
        lambda v: v.cast("float64").fill_null(1.0),
        {"null_values": 0.15},
    ),
    "zones are taken off": (
        "moment",
        lambda table, column, **_: table[column].cast("timestamp") + ibis.interval(hours=2),
        {},
    ),
}  # fmt: skip


def _published(made: World, reading: Any) -> dict[str, float]:
    """Numbers that the second computation has too, as the page would give them."""
    found: dict[str, float] = {f"n.{v.id}": float(reading.count(v.id)) for v in made.plan.variants}
    found |= {"units": float(reading.units), "unaccounted": float(reading.accounted.unknown())}
    for metric in made.metrics:
        for name, one in (
            ("control", reading.value(metric, "blue")),
            ("treatment", reading.value(metric, "green")),
            ("difference", reading.compare(metric, "green").difference),
        ):
            if isinstance(one, Estimate):
                found[f"{metric}.{name}"] = one.value
    return found


def unlike(first: dict[str, float], second: dict[str, Any]) -> list[str]:
    """Numbers on which the two computations disagree, as a build compares them."""
    return [
        name
        for name, value in first.items()
        if name in second and (second[name] is None or second[name].value != pytest.approx(value, rel=1e-6, abs=1e-9))
    ]


@pytest.mark.parametrize("fault", PLANTED)
def test_a_fault_in_reading_an_experiment(duck: Engine, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    where, planted, more = PLANTED[fault]
    monkeypatch.setattr(people, "OTHERS", 0)
    made = world(Case(**{"seed": 5, "users": 120, **more}))
    for module in (_units, _experiment):
        if hasattr(module, where):
            monkeypatch.setattr(module, where, planted)
    reading, second = test_experiments.read(duck, made)
    assert unlike(_published(made, reading), second), "an edition with this fault would be published"


ONE_EACH, MEASURED, RANKS = (getattr(_experiment, n) for n in ("_one_each", "measured", "ranks"))
THIRDS = _measured.thirds
PLANTED_IN_SEGMENTS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "of several values the least is taken": (
        "_one_each",
        lambda v: ONE_EACH(v).drop("value").inner_join(v.group_by("unit_id").aggregate(value=v.value.min()), "unit_id"),
        {"before_twice": True},
    ),
    "those without a value are in the segment of an empty one": (
        "_one_each",
        lambda v: ONE_EACH(v.mutate(value=v.value.fill_null(""))),
        {"segments": 4},
    ),
    "a quantile is that of all": (
        "ranks",
        lambda joined, column, q, by: RANKS(joined.mutate(**{column: joined[column].max().over(ibis.window())}), column, q, by),
        {"primary": "middle"},
    ),
    "a cap is forgotten": (
        "measured",
        lambda joined, metrics, by: MEASURED(joined, {n: m.model_copy(update={"cap": None}) for n, m in metrics.items()}, by),
        {"primary": "capped"},
    ),
    "a tail that points the other way": (
        "thirds",
        lambda rows, columns: {name: -third for name, third in THIRDS(rows, columns).items()},
        {"primary": "spend"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", PLANTED_IN_SEGMENTS)
def test_a_fault_in_segments(duck: Engine, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    where, planted, more = PLANTED_IN_SEGMENTS[fault]
    monkeypatch.setattr(people, "OTHERS", 0)
    made = world(Case(**{"seed": 5, "users": 120, "segments": 3, **more}))
    assert test_experiments.read_parts(duck, made)[2] == []
    monkeypatch.setattr(_measured if where == "thirds" else _experiment, where, planted)
    assert test_experiments.read_parts(duck, made)[2], "an edition with this fault would be published"


REPEATED = _experiment.repeated
PLANTED_IN_REPEATS: dict[str, Any] = {
    "rows that were loaded twice are overlooked": lambda *a: ((n, t.mutate(again=t.again * 0)) for n, t in REPEATED(*a)),
    "rows of the days before count": lambda w, u, m, e, p: REPEATED(w, u, m, e, replace(p, start=p.start - LATER)),
    "what came after the cut-off counts": lambda w, u, m, e, p: REPEATED(w, u, m, e, replace(p, cutoff=p.cutoff + LATER)),
    "nothing was asked": lambda w, u, m, e, p: REPEATED(w, u.filter(u.variant == "none"), m, e, p),
}  # fmt: skip


@pytest.mark.parametrize("fault", PLANTED_IN_REPEATS)
def test_a_fault_in_rows_that_were_loaded_twice(duck: Engine, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    monkeypatch.setattr(people, "OTHERS", 0)
    made = world(Case(seed=5, users=120, twice=0.15, null_values=0.15, arrived=True))
    assert test_experiments.read_parts(duck, made)[2] == []
    monkeypatch.setattr(_experiment, "repeated", PLANTED_IN_REPEATS[fault])
    assert test_experiments.read_parts(duck, made)[2], "an edition with this fault would be published"


def _late_outcomes(w: Any, m: Any, p: Any, v: Any, **k: Any) -> Any:
    """Those that came later than an edition may know are said to have come in time."""
    rows = OUTCOMES(w, m, replace(p, cutoff=p.cutoff + LATER), v, **k)
    return rows.mutate(known=rows.known - ibis.interval(days=30))


PLANTED_IN_MODELS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "weeks are of unequal age": (
        "at_one_age",
        lambda rows, _, **__: rows.mutate(aged=rows.row_id.notnull()),
        {"late": 60.0},
    ),
    "outcomes that came after the cut-off count": ("outcomes", _late_outcomes, {"late": 60.0}),
    "a row scored twice counts twice": ("first_of_each", lambda rows, *_: rows, {"again": 0.3}),
    "the first label stays": (
        "_latest",
        lambda rows, p: LATEST(
            rows.filter(ibis.row_number().over(ibis.window(group_by=["row_id", "version"], order_by="known")) == 0), p
        ),
        {"corrected": 0.3},
    ),
    "a missing score is nought": (
        "number",
        lambda c: c.cast("float64").fill_null(0.0),
        {"unscored": 0.3, "score": "DECIMAL(9,6)"},
    ),
    "noughts in front of ids are lost": (
        "alike",
        lambda a, b, **_: (a, b.cast("int64").cast("string")),
        {"ids": ("VARCHAR", "VARCHAR"), "noughts": True},
    ),
    "a no counts as a yes": (
        "class_of",
        lambda c, _, **__: (ibis.cases((c != 0, 1), else_=0), c.cast("string")),
        {"label": "signs"},
    ),
    "rows of the week before count": (
        "within",
        lambda t, s, p: WITHIN(t.mutate(**{s.time: t[s.time] + ibis.interval(days=1)}), s, p),
        {},
    ),
}


@pytest.mark.parametrize("fault", PLANTED_IN_MODELS)
def test_a_fault_in_reading_a_model(duck: Engine, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    where, planted, more = PLANTED_IN_MODELS[fault]
    case = Scored(**{"seed": 3, "rows": 150, **more})

    for module in (_measures, _classifier, _features, _ranker):
        if hasattr(module, where):
            monkeypatch.setattr(module, where, planted)
    page, second = test_models.read(duck, case, tables_of(case)[0])
    values = {n.removeprefix("m."): x.value for n, x in page._numbers.items()}
    known = {n: v for n, v in values.items() if not isinstance(v, NotPublished)}
    assert unlike(known, second), "an edition with this fault would be published"

"""Tables of an A/B test as companies have them: ids of every type, times with and without zone, spellings, duplicates, rows too early and too late."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from places import Table

from gazette.params import Experiment, Metric
from gazette.sources import Period

MONDAY = datetime(2026, 11, 16)  # noqa: DTZ001  the clock of editions is UTC without zone
NUMBERS = ("BIGINT", "INTEGER", "VARCHAR", "DOUBLE", "HUGEINT", "DECIMAL(18,0)")
IDS = {
    "whole": NUMBERS,
    "long": ("VARCHAR", "HUGEINT"),
    "noughts": ("VARCHAR",),
    "versions": ("VARCHAR",),
    "words": ("VARCHAR",),
}
TIMES = ("TIMESTAMP", "TIMESTAMPTZ")
VALUES = ("BIGINT", "DECIMAL(9,2)", "DOUBLE", "FLOAT", "BOOLEAN", "VARCHAR")
ZONES = (0, 2, -5, 9)
WEIGHTS = ((0.5, 0.5), (0.9, 0.1), (0.4, 0.3, 0.3))


@dataclass(frozen=True)
class Case:
    """What is wrong with the tables, and how much of it; the rows themselves follow from the seed."""

    seed: int = 0
    users: int = 60
    weights: tuple[float, ...] = (0.5, 0.5)
    ids: str = "whole"
    id_types: tuple[str, str, str] = (
        "BIGINT",
        "BIGINT",
        "BIGINT",
    )  # of assignments, of facts, of what was known before
    assigned_type: str = "TIMESTAMP"
    time_type: str = "TIMESTAMP"
    arrived: bool = True
    value_type: str = "DOUBLE"
    before_type: str = "DOUBLE"
    negative: bool = False
    ties: bool = False
    rare: bool = False
    several: float = 0.0
    repeated: float = 0.0
    spelt: float = 0.0
    aliases: bool = False
    strange: float = 0.0
    armless: float = 0.0  # units with a further row that has no variant
    keyless: bool = False  # facts whose ids have a prefix that assignments have not
    lost_in_one_arm: float = 0.0  # values that are NULL in one arm alone
    twice: float = 0.0  # facts that were loaded twice
    exclude: bool = False
    nobody: float = 0.0
    null_values: float = 0.0
    broken: tuple[str, ...] = ()
    known_before: float = 1.0
    before_twice: bool = False
    segments: int = 3
    quantile: float = 0.5
    primary: str = "spend"
    ended: bool = False
    method: str = "fixed"


METRICS = (
    "spend",
    "bought",
    "clicks",
    "capped",
    "trimmed",
    "adjusted",
    "adjusted-share",
    "per-click",
    "adjusted-rate",
    "middle",
    "minutes",
)
shares = st.sampled_from((0.0, 0.0, 0.03, 0.15))


@st.composite
def cases_of_people(draw: st.DrawFn) -> Case:
    ids = draw(st.sampled_from([*IDS]))
    kinds = st.sampled_from(IDS[ids])
    value = draw(st.sampled_from(VALUES))
    broken = (
        draw(st.lists(st.sampled_from(("NaN", "Infinity", "-Infinity")), max_size=2))
        if value in {"DOUBLE", "FLOAT"}
        else []
    )
    return Case(
        seed=draw(st.integers(0, 2**31)),
        users=draw(st.integers(2, 160)),
        weights=draw(st.sampled_from(WEIGHTS)),
        ids=ids,
        id_types=(draw(kinds), draw(kinds), draw(kinds)),
        assigned_type=draw(st.sampled_from(TIMES)),
        time_type=draw(st.sampled_from(TIMES)),
        arrived=draw(st.booleans()),
        value_type=value,
        before_type=draw(st.sampled_from(VALUES)),
        negative=draw(st.booleans()) and value != "BOOLEAN",
        ties=draw(st.booleans()),
        rare=draw(st.booleans()),
        several=draw(shares),
        repeated=draw(shares),
        spelt=draw(shares),
        aliases=draw(st.booleans()),
        strange=draw(shares),
        armless=draw(shares),
        keyless=ids == "words" and draw(st.integers(0, 9)) == 0,
        lost_in_one_arm=draw(shares),
        twice=draw(shares),
        exclude=draw(st.booleans()),
        nobody=draw(shares),
        null_values=draw(shares),
        broken=tuple(broken),
        known_before=draw(st.sampled_from((1.0, 0.6))),
        before_twice=draw(st.booleans()),
        segments=draw(st.integers(0, 6)),
        quantile=draw(st.sampled_from((0.25, 0.5, 0.9))),
        primary=draw(st.sampled_from(METRICS)),
        ended=draw(st.booleans()),
        method=draw(st.sampled_from(("fixed", "fixed", "group-sequential", "confidence-sequence"))),
    )


@dataclass(frozen=True)
class World:
    """Tables for a warehouse, and the same rows as a data frame has them: ids as text, times as UTC, values as numbers."""

    case: Case
    plan: Experiment
    metrics: dict[str, Metric]
    period: Period
    tables: list[Table]
    frames: dict[str, pd.DataFrame] = field(default_factory=dict)


def _names(case: Case, n: int) -> list[str]:
    """Different ids, of which some differ only as texts do."""
    made = {
        "whole": lambda i: str(7 * i + 1),
        "long": lambda i: str(12345678901234567890 + i),
        "noughts": lambda i: "0" * (i % 4) + str(i // 4 + 1),
        "versions": lambda i: f"1.{2 * (i // 3) + 1}" + "0" * (i % 3),
        "words": lambda i: f"Ü-{i}'\"" if i % 5 else f"u {i}",
    }[case.ids]
    return [made(i) for i in range(n)]


def _written_id(name: Any, kind: str) -> str | None:
    if name is None or name != name:  # noqa: PLR0124  pandas makes NaN of nothing
        return None
    return f"{name}.0" if kind == "DOUBLE" else str(name)


def _written_time(at: pd.Timestamp | None, kind: str, i: int) -> str | None:
    if at is None or pd.isna(at):
        return None
    if kind == "TIMESTAMP":
        return f"{at:%Y-%m-%d %H:%M:%S}"
    hours = ZONES[i % len(ZONES)]
    return f"{at + pd.Timedelta(hours=hours):%Y-%m-%d %H:%M:%S}{hours:+03d}:00"


def _ids(name: str, names: list[Any], kind: str) -> dict[str, tuple[str, list[str | None]]]:
    return {name: (kind, [_written_id(n, kind) for n in names])}


def _times(name: str, times: pd.Series, kind: str) -> dict[str, tuple[str, list[str | None]]]:
    return {name: (kind, [_written_time(t, kind, i) for i, t in enumerate(times)])}


def _texts(name: str, values: pd.Series, kind: str = "VARCHAR") -> dict[str, tuple[str, list[str | None]]]:
    return {name: (kind, [None if v is None or v != v else str(v) for v in values])}  # noqa: PLR0124  NaN


def world(case: Case) -> World:
    """The tables and frames of a case."""
    rng = np.random.default_rng(case.seed)
    start, end = date(2026, 11, 5), date(2026, 11, 19) if case.ended else date(2026, 11, 25)
    period = Period(MONDAY, MONDAY + timedelta(days=7, hours=6), 3)
    assigned = _assigned(case, rng, start)
    moments = assigned.dropna(subset=["unit"]).groupby("unit").at.min()
    events = _events(case, rng, moments, period)
    if case.lost_in_one_arm and len(events):
        green = events.unit.isin(assigned.unit[assigned.variant == "green"]).to_numpy()
        gone = green & (rng.random(len(events)) < case.lost_in_one_arm)
        events.loc[gone, "value"], events.loc[gone, "written"] = np.nan, None
    if case.keyless:
        events["unit"] = ["x-" + u if isinstance(u, str) else None for u in events.unit]
    events = pd.concat([events, events[rng.random(len(events)) < case.twice]], ignore_index=True)
    daily = _daily(rng, moments)
    past = pd.DataFrame({"unit": [u for u in moments.index if rng.random() < case.known_before]})
    past["before"], past["written"] = _values(
        replace(case, value_type=case.before_type, null_values=0.0, broken=()), rng, len(past)
    )
    if case.before_twice:
        again = past.iloc[::3].copy()
        again["before"], again["written"] = again.before.to_numpy()[::-1], again.written.to_numpy()[::-1]
        past = pd.concat([past, again], ignore_index=True)
    traits = pd.DataFrame({"unit": [u for u in moments.index if rng.random() < 0.9]})
    kinds = np.array(["x", "y", "Z", None, "", "no value"], dtype=object)[: case.segments]
    traits["trait"] = rng.choice(kinds, len(traits)) if case.segments else None
    more = traits.iloc[::4].copy()
    more["trait"] = rng.choice(kinds, len(more)) if case.segments else None
    traits = pd.concat([traits, more], ignore_index=True) if case.before_twice else traits
    mine, theirs, before = case.id_types
    tables = [
        Table("assigned", _texts("experiment", assigned.experiment) | _ids("unit_id", [*assigned.unit], mine)
              | _texts("variant", assigned.variant) | _times("assigned_at", assigned["at"], case.assigned_type)),
        Table("events", _ids("who", [*events.unit], theirs) | _texts("kind", events.kind) | _times("at", events["at"], case.time_type)
              | _times("loaded", events.loaded, case.time_type) | _texts("value", events.written, case.value_type)),
        Table("daily", _ids("who", [*daily.unit], theirs) | _texts("day", daily.day, "DATE") | _texts("minutes", daily.minutes, "BIGINT")),
        Table("past", _ids("who", [*past.unit], before) | _texts("before", past.written, case.before_type)),
        Table("traits", _ids("who", [*traits.unit], before) | _texts("trait", traits.trait)),
    ]  # fmt: skip
    metrics = _metrics(case)
    frames = {"assigned": assigned, "events": events, "daily": daily, "past": past, "traits": traits}
    return World(case, _plan(case, start, end, [*metrics]), metrics, period, tables, frames)


def arms_of(case: Case) -> list[str]:
    return ["blue", "green", "red"][: len(case.weights)]


def _assigned(case: Case, rng: np.random.Generator, start: date) -> pd.DataFrame:
    """Rows of who was assigned to what, when; also to another test, before the start, twice, to several arms, to nobody known."""
    n = case.users
    frame = pd.DataFrame(
        {"unit": _names(case, n), "experiment": "test", "variant": rng.choice(arms_of(case), n, p=case.weights)}
    )
    seconds = rng.integers(-86400, 19 * 86400, n)
    seconds[rng.random(n) < 0.1] //= 86400
    seconds = np.where(rng.random(n) < 0.1, seconds // 86400 * 86400, seconds)
    frame["at"] = pd.Timestamp(start) + pd.to_timedelta(seconds, unit="s")
    more = [frame]
    again = frame.sample(frac=case.repeated, random_state=case.seed)
    more.append(again.assign(at=again["at"] + pd.to_timedelta(rng.integers(-9, 9, len(again)), unit="h")))
    other = frame.sample(frac=case.several, random_state=case.seed + 1)
    more.append(
        other.assign(
            variant=rng.choice([*arms_of(case), "holdout"], len(other)), at=other["at"] + pd.Timedelta(hours=1)
        )
    )
    more.append(frame.sample(frac=0.2, random_state=1).assign(experiment="another", variant="green"))
    found = pd.concat(more, ignore_index=True)
    found["variant"] = found.variant.astype(object)
    found["unit"] = found.unit.astype(object)
    spelt = rng.random(len(found)) < case.spelt
    found.loc[spelt, "variant"] = [v.capitalize() if i % 2 else f" {v}" for i, v in enumerate(found.variant[spelt])]
    strange = rng.random(len(found)) < case.strange
    found.loc[strange, "variant"] = rng.choice(
        np.array([None, "", "holdout", "purple"], dtype=object), int(strange.sum())
    )
    bare = frame.sample(frac=case.armless, random_state=case.seed + 2)
    bare = bare.assign(variant=[None, ""][case.seed % 2], at=bare["at"] - pd.Timedelta(hours=2))
    found = pd.concat([found, bare], ignore_index=True).astype({"unit": object, "variant": object})
    found.loc[rng.random(len(found)) < case.nobody / 2, "unit"] = None
    found.loc[rng.random(len(found)) < case.nobody / 2, "at"] = pd.NaT
    return found


def _events(case: Case, rng: np.random.Generator, moments: pd.Series, period: Period) -> pd.DataFrame:
    """What people did, some of it before they were assigned, after the end, or told too late; and what strangers did."""
    n = len(moments) * (1 if case.rare else 4)
    who = rng.integers(0, max(1, len(moments)), n) if len(moments) else np.zeros(0, int)
    strangers = _names(case, case.users + 10)
    frame = pd.DataFrame({"unit": moments.index.to_numpy()[who] if n else []}, dtype=object)
    offset = np.where(rng.random(n) < 0.15, 0, rng.integers(-2 * 86400, 12 * 86400, n))
    frame["at"] = (
        moments.to_numpy()[who] + pd.to_timedelta(offset, unit="s") if n else pd.Series([], dtype="datetime64[ns]")
    )
    frame["at"] = frame["at"].where(rng.random(n) > 0.03, pd.Timestamp(period.end)).fillna(pd.Timestamp(period.start))
    late = rng.exponential(86400 / 2, n).round()
    frame["loaded"] = frame["at"] + pd.to_timedelta(late, unit="s")
    frame.loc[rng.random(n) < 0.05, "loaded"] = pd.Timestamp(period.cutoff)
    unknown = rng.random(n) < 0.05
    frame.loc[unknown, "unit"] = rng.choice(np.array([*strangers[-10:], None], dtype=object), int(unknown.sum()))
    kinds = np.array(["buy", "look", "Buy", None], dtype=object)
    frame["kind"] = rng.choice(kinds, n, p=[0.1, 0.85, 0.03, 0.02] if case.rare else [0.4, 0.5, 0.05, 0.05])
    frame["value"], frame["written"] = _values(case, rng, n)
    return frame


def _values(case: Case, rng: np.random.Generator, n: int) -> tuple[np.ndarray, list[str | None]]:
    """Numbers, and how they stand in the column; NaN where nothing or no number stands."""
    value = rng.gamma(1.5, 12, n).round(2) - (20 if case.negative else 0)
    value = value.round(-1) if case.ties else value
    if case.value_type in {"BIGINT", "BOOLEAN"}:
        value = value.round() if case.value_type == "BIGINT" else (value > 10).astype(float)
    if case.value_type == "FLOAT":
        value = value.astype(np.float32).astype(float)
    written: list[str | None] = [repr(float(v)) for v in value]
    if case.value_type == "BIGINT":
        written = [str(int(v)) for v in value]
    if case.value_type == "BOOLEAN":
        written = ["true" if v else "false" for v in value]
    gone = rng.random(n) < case.null_values
    for i in np.flatnonzero(gone):
        written[i] = "" if case.value_type == "VARCHAR" and i % 2 else None
    value = np.where(gone, np.nan, value)
    for word, i in zip(case.broken, rng.permutation(n), strict=False):
        written[i], value[i] = word, float(word)
    return value, written


def _daily(rng: np.random.Generator, moments: pd.Series) -> pd.DataFrame:
    """Minutes a day; days have no time."""
    known = moments.dropna()
    rows = [
        (u, t.normalize() + pd.Timedelta(days=k)) for u, t in known.items() for k in range(-1, 3) if rng.random() < 0.7
    ]
    frame = pd.DataFrame(rows, columns=["unit", "at"])
    frame["day"] = [f"{t:%Y-%m-%d}" for t in frame["at"]]
    frame["minutes"] = rng.integers(0, 30, len(frame))
    return frame


OTHERS = 3  # metrics beside the primary one: making SQL of them is what a case costs
FACT = {"table": "events", "unit": "who", "time": "at"}


def _metrics(case: Case) -> dict[str, Metric]:
    """The case's primary metric, and some of all the other kinds."""
    fact = FACT | ({"arrived": "loaded"} if case.arrived else {})
    total = {**fact, "value": "value", "aggregation": "sum"}
    buy = {**fact, "aggregation": "any", "where": [{"column": "kind", "equals": "buy"}]}
    before = {"table": "past", "unit": "who", "column": "before"}
    made: dict[str, dict[str, Any]] = {
        "spend": {"fact": total},
        "bought": {"unit": "fraction", "fact": buy},
        "clicks": {"fact": {**fact, "aggregation": "count"}},
        "capped": {"fact": total, "cap": 40.0},
        "trimmed": {"fact": total, "cap_quantile": 0.8},
        "adjusted": {"fact": total, "covariate": before},
        "adjusted-share": {"unit": "fraction", "fact": buy, "covariate": before},
        "per-click": {"fact": total, "denominator": {**fact, "aggregation": "count"}},
        "adjusted-rate": {
            "fact": total,
            "denominator": {**fact, "aggregation": "count"},
            "covariate": before,
        },
        "middle": {"fact": total, "quantile": case.quantile},
        "minutes": {"fact": {"table": "daily", "unit": "who", "time": "day", "value": "minutes", "aggregation": "sum"}},
    }
    changelog = [{"version": 1, "date": date(2026, 1, 5), "author": "o", "change": "First."}]
    base = {
        "title": "T",
        "owner": "o",
        "definition": "d",
        "unit": "number",
        "direction": "higher",
        "changelog": changelog,
    }
    others = np.random.default_rng(case.seed).permutation([m for m in METRICS if m != case.primary])
    names = [case.primary, *others[:OTHERS]]
    return {name: Metric.model_validate({**base, **made[name]}) for name in names}


SPELLINGS = {"blue": ["Blue", " blue"], "green": ["Green", " green"], "red": ["Red", " red"]}
EXCLUDED = ["holdout", "no variant", "no id", "no time"]


def _plan(case: Case, start: date, end: date, names: list[str]) -> Experiment:
    variants = [
        {"id": a, "title": a, "weight": w, "aliases": SPELLINGS[a] if case.aliases else []}
        for a, w in zip(arms_of(case), case.weights, strict=True)
    ]
    return Experiment.model_validate(
        {
            **dict.fromkeys(("title", "owner", "description", "hypothesis"), "t"),
            "id": "test",
            "start": start,
            "end": end,
            "assignments": "assigned",
            "control": "blue",
            "variants": variants,
            "exclude": EXCLUDED if case.exclude else [],
            "primary": names[0],
            "secondary": names[1:],
            "planned_units": 300,
            "method": case.method,
            "minimum_effect": 0.1,
            "segments": [{"title": "Trait", "table": "traits", "unit": "who", "column": "trait"}]
            if case.segments
            else [],
        }
    )

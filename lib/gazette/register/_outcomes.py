"""What came of what was promised: measured later, read in later editions, or in the history of tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from gazette.editions import Week
from gazette.errors import WrongUseError
from gazette.params import Score
from gazette.record import Record
from gazette.register._bound import prefix_at
from gazette.register._files import FOLDER, create, load_register, one_line, sheet_text
from gazette.stats import Prediction, z_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gazette.editions import Store
    from gazette.params import Decision, Effect
    from gazette.record import Direction
    from gazette.register._files import Entry, Register

__all__ = ["Outcome", "add_score", "outcomes"]

SHIPPED = ("ship", "ship-with-monitoring")
NEW_SHARE = 0.9  # a later look must have lost a tenth of the error, or it is the same data again


@dataclass(frozen=True)
class Outcome:
    """A prediction with what came of it, read in the good direction.

    Attributes:
        name: Id of the decision, or of the past test.
        test, title: Id and name of the test.
        metric: Id of the metric.
        direction: Its good direction; figures of a lower one are turned round in ``prediction``.
        shipped: Whether it was shipped: a winner's curse can strike only these.
        source: Where the outcome comes from.
        prediction: Promised and realised.
    """

    name: str
    test: str
    title: str
    metric: str
    direction: Direction
    shipped: bool
    source: str
    prediction: Prediction

    @property
    def realised(self) -> float:
        """What came, as it was measured."""
        return _sign(self.direction) * self.prediction.realised


def outcomes(
    register: Register, store: Store, directions: Mapping[str, str], *, before: Week | None = None
) -> list[Outcome]:
    """Every prediction that has an outcome; a measurement goes before a later look.

    Args:
        register: All decisions.
        store: Sealed editions.
        directions: Good direction of each metric; a past test whose metric has none, or is not known, is not scored.
        before: Only editions before this one are read.
    """
    found, taken = [], set()
    weeks = [w for w in store.weeks() if before is None or w < before]
    past = _history(store, weeks)
    held = _Held(store, weeks)
    for entry in register.entries:
        effect = entry.decision.primary
        if entry.superseded_by or effect is None or effect.relative is None or effect.standard_error is None:
            continue
        outcome = (
            _measured(entry, effect) or _past(entry.decision, effect, past) or _later(entry.decision, effect, held)
        )
        if outcome:
            found.append(outcome)
        taken.add((entry.decision.experiment, effect.metric))
    found += [
        o for key, o in ((_key(r), _of_history(r, directions)) for r in past) if o is not None and key not in taken
    ]
    return found


class _Held:
    """Which editions have a record of an experiment, from the newest on, as far as asked."""

    def __init__(self, store: Store, weeks: list[Week]) -> None:
        self.store = store
        self.weeks = weeks[::-1]

    def later(self, experiment: str, edition: str) -> Iterator[tuple[Week, Record]]:
        """Records of editions after this one, newest first."""
        for week in self.weeks:
            if str(week) <= edition:
                return
            if record := self.store.open(week).record(experiment):
                yield week, record


def _sign(direction: str) -> float:
    return -1.0 if direction == "lower" else 1.0


def _make(
    decision: Decision, effect: Effect, value: float, error: float, source: str, *, nested: bool = False
) -> Outcome:
    assert effect.relative is not None  # noqa: S101  asked by the caller
    assert effect.standard_error is not None  # noqa: S101
    sign = _sign(effect.direction)
    prediction = Prediction(sign * effect.relative.value, effect.standard_error, sign * value, error, nested)
    shipped = decision.decision in SHIPPED
    return Outcome(
        decision.id,
        decision.experiment,
        decision.title,
        effect.metric,
        effect.direction,
        shipped,
        source,
        prediction,
    )


def _measured(entry: Entry, effect: Effect) -> Outcome | None:
    rows = [r for r in entry.score.realised if r.metric == effect.metric] if entry.score else []
    if not rows:
        return None
    last = max(rows, key=lambda r: r.measured)
    return _make(entry.decision, effect, last.value, last.standard_error, f"{last.source}, {last.measured}")


def _later(decision: Decision, effect: Effect, held: _Held) -> Outcome | None:
    """The newest later edition's figure, where it rests on more data than the decision did."""
    prefix = ""
    for week, record in held.later(decision.experiment, decision.edition):
        verdict = next((v for v in record.verdicts if v.primary), None)
        if verdict is None or verdict.state in {"not trustworthy", "not published"}:
            continue
        prefix = prefix or prefix_at(decision, held.store)
        number = {n.id: n for n in record.numbers}.get(f"{prefix}.{effect.metric}.relative")
        if number is None or not isinstance(number.value, float) or number.interval is None:
            continue
        critical = record.looks[-1].critical if record.looks else None
        reach = critical or z_of(number.interval.level)
        error = (number.interval.high - number.interval.low) / 2 / reach
        if effect.standard_error is None or not 0 < error < NEW_SHARE * effect.standard_error:
            return None
        return _make(decision, effect, number.value, error, f"the same test in {week}", nested=True)
    return None


def _history(store: Store, weeks: list[Week]) -> list[dict[str, Any]]:
    """The table of past tests, as the newest edition that has it froze it."""
    for week in reversed(weeks):
        snapshot = store.open(week).snapshot("history")
        if snapshot is not None:
            rows: list[Any] = snapshot.table("past_tests").to_dict("records") if snapshot.has("past_tests") else []
            needed = ("effect", "effect_error", "realised", "realised_error")
            return [r for r in rows if all(r.get(k) is not None and r[k] == r[k] for k in needed)]
    return []


def _key(row: dict[str, Any]) -> tuple[str, str]:
    return str(row["test"]), str(row["metric"])


def _past(decision: Decision, effect: Effect, past: list[dict[str, Any]]) -> Outcome | None:
    for row in past:
        if _key(row) == (decision.experiment, effect.metric) and row["realised_error"] > 0:
            return _make(decision, effect, row["realised"], row["realised_error"], "history of tests")
    return None


def _of_history(row: dict[str, Any], directions: Mapping[str, str]) -> Outcome | None:
    """A past test without a decision file; its effects stand in the table as measured, so the metric says which way is good."""
    known = directions.get(str(row["metric"]))
    if known not in {"higher", "lower"} or not (row["effect_error"] > 0 and row["realised_error"] > 0):
        return None
    direction: Direction = "lower" if known == "lower" else "higher"
    sign = _sign(direction)
    prediction = Prediction(sign * row["effect"], row["effect_error"], sign * row["realised"], row["realised_error"])
    title = str(row.get("title") or row["test"])
    shipped = str(row.get("decision", "")).strip().lower().startswith("ship")
    test = str(row["test"])
    return Outcome(test, test, title, str(row["metric"]), direction, shipped, "history of tests", prediction)


def add_score(
    root: Path, decision: str, *, value: float, error: float, source: str, by: str, on: date, metric: str | None = None
) -> tuple[Score, Path]:
    """Write what was measured after a decision.

    Args:
        root: The project.
        decision: Its id.
        value: The realised effect, relative.
        error: Its standard error.
        source: Where it comes from.
        by: Who says so.
        on: When it was measured.
        metric: By default the primary metric.

    Raises:
        WrongUseError: No such decision, it promised nothing on the metric, or it is scored already.
    """
    entry = load_register(root).entry(decision)
    known = [e.metric for e in entry.decision.expected]
    chosen = metric or (entry.decision.primary.metric if entry.decision.primary else "")
    if chosen not in known:
        mend = f"it promised: {', '.join(known) or 'nothing, for no effect could be read then'}"
        raise WrongUseError(f"the decision promised nothing on {chosen or 'a primary metric'!r}", mend=mend)
    if not (error > 0 and abs(value) < float("inf") and error < float("inf")):
        raise WrongUseError("the standard error must be above zero, and both must be numbers", mend="give --error")
    if on < Week.parse(entry.decision.edition).start:
        raise WrongUseError(f"{on} lies before the edition that was decided on", mend="give the day of the measurement")
    row = {
        "metric": chosen,
        "value": value,
        "standard_error": error,
        "measured": on,
        "source": one_line(source, "--source"),
    }
    content: dict[str, Any] = {"decision": decision, "by": one_line(by, "--by"), "realised": [row]}
    score = Score.model_validate(content)
    path = root / FOLDER / "scores" / f"{decision}.yml"
    mend = "add a row under 'realised:' by hand, so that both measurements stay"
    create(path, sheet_text(content, "score", "../../../"), taken=f"{decision} is scored already", mend=mend)
    return score, path

"""What came of what was promised: measured later, read in later editions, or in the history of tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from gazette.editions import Week
from gazette.errors import WrongUseError
from gazette.params import Score
from gazette.record import Record
from gazette.register._decide import prefix_of
from gazette.register._files import FOLDER, create, load_register, one_line, sheet_text
from gazette.snapshot import reopen
from gazette.stats import Prediction, z_of

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.editions import Store
    from gazette.params import Decision, Effect
    from gazette.register._files import Entry, Register

__all__ = ["Outcome", "add_score", "outcomes"]

SHIPPED = ("ship", "ship-with-monitoring")
NEW_SHARE = 0.9  # a later look must have lost a tenth of the error, or it is the same data again


@dataclass(frozen=True)
class Outcome:
    """A prediction with what came of it, in the good direction; ``shipped`` are those that a winner's curse can strike."""

    name: str
    title: str
    metric: str
    shipped: bool
    source: str
    prediction: Prediction


def outcomes(register: Register, store: Store) -> list[Outcome]:
    """Every prediction that has an outcome; a measurement goes before a later look."""
    found, taken = [], set()
    past = _history(store)
    for entry in register.entries:
        effect = entry.decision.primary
        if entry.superseded_by or effect is None or effect.relative is None or effect.standard_error is None:
            continue
        outcome = (
            _measured(entry, effect) or _past(entry.decision, effect, past) or _later(entry.decision, effect, store)
        )
        if outcome:
            found.append(outcome)
        taken.add((entry.decision.experiment, effect.metric))
    found += [o for key, o in ((_key(r), _of_history(r)) for r in past) if o is not None and key not in taken]
    return found


def _make(
    decision: Decision, effect: Effect, value: float, error: float, source: str, *, nested: bool = False
) -> Outcome:
    assert effect.relative is not None  # noqa: S101  asked by the caller
    assert effect.standard_error is not None  # noqa: S101
    sign = 1.0 if effect.direction == "higher" else -1.0
    prediction = Prediction(sign * effect.relative.value, effect.standard_error, sign * value, error, nested)
    return Outcome(decision.id, decision.title, effect.title, decision.decision in SHIPPED, source, prediction)


def _measured(entry: Entry, effect: Effect) -> Outcome | None:
    rows = [r for r in entry.score.realised if r.metric == effect.metric] if entry.score else []
    if not rows:
        return None
    last = max(rows, key=lambda r: r.measured)
    return _make(entry.decision, effect, last.value, last.standard_error, f"{last.source}, {last.measured}")


def _later(decision: Decision, effect: Effect, store: Store) -> Outcome | None:
    """The newest later edition's figure, where it rests on more data than the decision did."""
    for week in reversed(store.weeks()):
        if str(week) <= decision.edition:
            return None
        path = store.path(week) / "records" / f"{decision.experiment}.json"
        if not path.is_file():
            continue
        record = Record.from_json(path.read_bytes())
        verdict = next((v for v in record.verdicts if v.primary), None)
        if verdict is None or verdict.state in {"not trustworthy", "not published"}:
            continue
        number = {n.id: n for n in record.numbers}.get(f"{prefix_of(verdict)}.{effect.metric}.relative")
        if number is None or not isinstance(number.value, float) or number.interval is None:
            continue
        critical = record.looks[-1].critical if record.looks else None
        reach = critical or z_of(number.interval.level)
        error = (number.interval.high - number.interval.low) / 2 / reach
        if effect.standard_error is None or not 0 < error < NEW_SHARE * effect.standard_error:
            return None
        return _make(decision, effect, number.value, error, f"the same test in {week}", nested=True)
    return None


def _history(store: Store) -> list[dict[str, Any]]:
    """The table of past tests, as the newest edition that has it froze it."""
    for week in reversed(store.weeks()):
        folder = store.path(week) / "snapshot" / "history"
        if folder.is_dir():
            snapshot = reopen(folder)
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


def _of_history(row: dict[str, Any]) -> Outcome | None:
    """A past test without a decision file; effects in the table are read as they are: above zero is better."""
    if not (row["effect_error"] > 0 and row["realised_error"] > 0):
        return None
    prediction = Prediction(row["effect"], row["effect_error"], row["realised"], row["realised_error"])
    title = str(row.get("title") or row["test"])
    shipped = str(row.get("decision", "")).replace(" ", "-") in SHIPPED
    return Outcome(str(row["test"]), title, str(row["metric"]), shipped, "history of tests", prediction)


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

"""Past tests of the history table, as the edition froze them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from gazette.snapshot import reopen
from gazette.workbench._bench import slug

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gazette.params import Metric

LONGEST = 200  # of a name or a word from the table; more would push all else off the page

__all__ = ["History", "PastTest", "read_history"]


@dataclass(frozen=True, kw_only=True)
class PastTest:
    """One test of the history.

    Attributes:
        test, title: Its id and name, in the table's words.
        ended: Its last day.
        decision: In the table's words; empty where none is recorded.
        metric: Id of the metric, known to metrics.yml or not.
        effect, error: Relative, with its standard error; None where they cannot be used.
        realised, realised_error, realised_on: Measured again later, the same.
        problem: Why it counts nowhere; empty where it does.
    """

    test: str
    title: str
    ended: date
    decision: str
    metric: str
    effect: float | None
    error: float | None
    realised: float | None = None
    realised_error: float | None = None
    realised_on: date | None = None
    problem: str = ""


@dataclass(frozen=True)
class History:
    """The tests, newest first, and why a source was not read."""

    tests: tuple[PastTest, ...] = ()
    unread: tuple[str, ...] = ()
    digest: str = ""
    there: bool = field(default=False)


def read_history(root: Path, metrics: Mapping[str, Metric]) -> History:
    """The history of an edition's folder; empty where the edition froze none."""
    folder = root / "snapshot" / "history"
    if not folder.is_dir():
        return History()
    snapshot = reopen(folder)
    unread = tuple(f"{r['what']} ({r['reason']})" for r in snapshot.table("unread").to_dict("records"))
    seen: set[str] = set()
    tests = []
    for row in reversed(snapshot.table("past_tests").to_dict("records")):
        found = _read({str(k): v for k, v in row.items()}, metrics, seen)
        tests.append(found)
        seen.add(slug(found.test))
    return History(tuple(tests), unread, snapshot.digest, there=True)


def _read(row: Mapping[str, Any], metrics: Mapping[str, Metric], seen: set[str]) -> PastTest:
    test, metric = _text(row["test"]), _text(row["metric"])
    effect, error = _pair(row["effect"], row["effect_error"])
    realised, again = _pair(row["realised"], row["realised_error"])
    known = metrics.get(metric)
    problem = ""
    if not slug(test):
        problem = "it has no id"
    elif slug(test) in seen:
        problem = "it is recorded twice, and the newer row counts"
    elif known is None:
        problem = f"metric {metric!r} has no definition"
    elif known.direction == "zero":
        problem = f"metric {metric!r} has no good direction"
    elif effect is None:
        problem = "its effect or standard error is missing or no number above zero"
    return PastTest(
        test=test,
        title=_text(row["title"]) or test or "without a name",
        ended=row["ended"].date(),
        decision=_text(row["decision"]),
        metric=metric,
        effect=effect,
        error=error,
        realised=realised,
        realised_error=again,
        realised_on=None if realised is None else row["realised_on"].date(),
        problem=problem,
    )


def _text(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def _pair(value: Any, error: Any) -> tuple[float, float] | tuple[None, None]:
    """A value with its standard error, both finite and the error above zero, or neither."""
    if value is None or error is None or not (math.isfinite(value) and math.isfinite(error)) or error <= 0:
        return None, None
    return float(value), float(error)

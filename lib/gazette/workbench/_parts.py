"""The effect on the primary metric in parts: by days since exposure, by segment.

Nothing is given where the allocation was moved while the test ran: parts are not compared within days of one allocation.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gazette import stats
from gazette.record import NotPublished
from gazette.workbench._answers import number, records

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from gazette.workbench._reading import Reading

__all__ = ["NO_VALUE", "by_day", "by_segment", "few_left_out", "not_compared", "shown_value"]

NO_VALUE = "no value"  # a segment of those who have none


def by_day(reading: Reading, arm: str) -> list[dict[str, Any]]:
    """Effect on the primary metric by days since exposure, over units that were there for so long."""
    frame = reading.table("effect_by_day")
    if reading.plan.reallocations or frame is None or frame.empty or reading.broken(reading.plan.primary) is not None:
        return []
    rows = {(int(r["day"]), str(r["variant"])): r for r in records(frame)}
    found = []
    for day in range(max(k for k, _ in rows) + 1):
        sides = []
        for name in (reading.plan.control, arm):
            n = sum(v.get(name, 0) for d, v in reading.met if d + timedelta(days=day) <= reading.last)
            if reading.plan.window_days is not None:  # of those who count all have had their days, and no more
                n = reading.count(name) if day < reading.plan.window_days else 0
            row = rows.get((day, name))
            if row is None or n < 100 or int(row["n"]) > n:  # noqa: PLR2004  too few to draw
                break
            k, mean, var = int(row["n"]), float(row["mean"]), number(row["var"])
            spread = ((k - 1) * var + k * mean**2 * (1 - k / n)) / (n - 1)  # the others have 0
            sides.append(stats.Moments(n, k * mean / n, spread))
        if len(sides) == 2:  # noqa: PLR2004  both arms
            difference = stats.difference_of_means(sides[0], sides[1])
            if isinstance(difference, stats.Estimate):
                found.append({"day": day, "effect": difference, "n": sides[0].n + sides[1].n})
    return found


def by_segment(reading: Reading, arm: str) -> list[dict[str, Any]]:
    """Effect on the primary metric in each segment, corrected over the values of a segment (Bonferroni); those that can be compared."""
    return [one for one in _by_segment(reading, arm) if "comparison" in one]


def not_compared(reading: Reading, arm: str) -> list[tuple[str, str, str]]:
    """Segments that `by_segment` leaves out: property, value and why."""
    return [(one["segment"], one["value"], one["why"]) for one in _by_segment(reading, arm) if "why" in one]


def few_left_out(frame: pd.DataFrame | None, query: str, what: str) -> str:
    """Which cells of few are not shown, in words; empty where none was left out.

    Args:
        frame: The frozen answer ``small_cells``, None where there is none.
        query: Whose cells.
        what: Of what they are fewer: users, rows.
    """
    rows = [r for r in records(frame) if r["query"] == query] if frame is not None else []
    if not rows:
        return ""
    counted = ", ".join(f"{int(r['cells'])} of {r['of']}" for r in rows)
    return f"Not shown, because fewer than {int(rows[0]['fewest'])} {what} are in them or could be worked out with them: {counted}"


def shown_value(value: Any) -> str:
    """The value of a segment for readers: none is another than an empty text, and than any text that says so."""
    if value is None or value != value:  # noqa: PLR0124  pandas makes NaN of nothing
        return NO_VALUE
    text = str(value)
    return f"'{text}'" if text != text.strip() or text in {"", NO_VALUE} else text


def _by_segment(reading: Reading, arm: str) -> Iterator[dict[str, Any]]:
    frame = reading.table("segments")
    if reading.plan.reallocations or frame is None or frame.empty:
        return
    primary, control = reading.plan.primary, reading.plan.control
    for (segment, value), part in frame.groupby(["segment", "value"], sort=True, dropna=False):
        one: dict[str, Any] = {"segment": str(segment), "value": shown_value(value)}
        rows = {str(r["variant"]): r for r in records(part)}
        if gone := [reading.title(a) for a in (control, arm) if a not in rows]:
            yield {**one, "why": f"nobody in {' and '.join(gone)}"}
            continue
        sides = [reading.moments(rows[a], primary) for a in (control, arm)]
        if lost := [s for s in sides if isinstance(s, NotPublished)]:
            yield {**one, "why": lost[0].reason}
            continue
        left, right = (s for s in sides if not isinstance(s, NotPublished))
        several = frame.loc[frame["segment"] == segment, "value"].nunique(dropna=False)
        proportion, alpha = reading.metrics[primary].proportion, reading.design.alpha / several
        compared = reading.between(left, right, primary, proportion=proportion, alpha=alpha)
        if isinstance(compared.difference, NotPublished):
            yield {**one, "why": compared.difference.reason}
        else:
            yield {**one, "comparison": compared, "n": left.n + right.n}

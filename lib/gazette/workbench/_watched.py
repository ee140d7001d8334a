"""Watch lists of decisions on an experiment's page: what was agreed to be watched, and how it stands."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gazette import conclusions, display
from gazette.conclusions import Watched
from gazette.display import Block, Column, Table
from gazette.snapshot import reopen
from gazette.workbench._detail import ExperimentDetail
from gazette.workbench._numbers import day_of

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.record import Finding

__all__ = ["WatchLists", "watch_id", "watch_rows"]


def watch_rows(folder: Path) -> list[dict[str, Any]]:
    """Open watches as a subject's snapshot holds them; none where it holds no such answer."""
    if not (folder / "snapshot.json").is_file():
        return []
    snapshot = reopen(folder)
    if not snapshot.has("watches"):
        return []
    return [{str(k): v for k, v in row.items()} for row in snapshot.table("watches").to_dict("records")]


def watch_id(row: dict[str, Any]) -> str:
    """Id of the sentence on a watch; a metric may be watched by two decisions.

    >>> watch_id({"test": "button", "edition": "2026-W47", "metric": "ctr"})
    'button.watch.2026-w47.ctr'
    """
    return f"{row['test']}.watch.{str(row['edition']).lower()}.{row['metric']}"


class WatchLists(ExperimentDetail):
    """Steps on what a decision asked to be watched."""

    @cached_property
    def watch_list(self) -> list[tuple[dict[str, Any], Watched]]:
        """Each open watch with its figure of this edition."""
        rows = watch_rows(self.root / "snapshot" / self.subject)
        _ = self.verdicts  # makes the numbers that are read here
        return [(row, self._watched(row)) for row in rows]

    def _watched(self, row: dict[str, Any]) -> Watched:
        metric = str(row["metric"])
        number = self._numbers.get(f"{row['prefix']}.{metric}.relative")
        margin, why, size = None, "", None
        result = next((r for look in self.looks_by_arm.values() for r in look.results if r.relative is number), None)
        if result is not None and not result.relative.published and result.difference.published:
            number, size = result.difference, result.size
        if metric in self.params.metrics:
            margin = self.add(
                f"watch.{str(row['edition']).lower()}.{metric}.margin",
                f"{row['metric_title']}, loss agreed when it was shipped",
                float(row["margin"]),
                unit="relative",
                metric=metric,
                cell="watches",
                query="watches",
            )
        last, known = self.reading.last, _day(row["known"])
        if not self.trusted:
            number, why = None, "a check of the test failed, so no effect may be read"
        elif number is None:
            why = "the test does not measure it any more"
        elif number.interval is None or not number.published:
            why = "its figure is not published"
        elif last <= known:
            why = (
                f"the arms were last compared on {day_of(last)}, before it was shipped; "
                "keep some users on the old version and move the test's last day"
            )
        return Watched(
            id=watch_id(row),
            title=self.plan.title,
            metric=str(row["metric_title"]),
            margin=margin,
            number=number,
            until=day_of(_day(row["until"])),
            why=why,
            size=size,
        )

    @cached_property
    def watch_findings(self) -> tuple[Finding, ...]:
        """A sentence on each watch."""
        return tuple(conclusions.watched(item) for _, item in self.watch_list)

    def watches(self) -> Block | Table:
        """What was agreed to be watched when the test was shipped; nothing where nothing is."""
        import pandas as pd  # noqa: PLC0415

        if not self.watch_list:
            return Block("")
        rows = []
        for row, item in self.watch_list:
            number, margin, state = item.number, item.margin, item.state
            there = number is not None and number.published and number.interval is not None
            rows.append(
                {
                    "metric": row["metric_title"],
                    "state": display.chip(state),
                    "margin": display.number_span(margin) if margin else "–",
                    "now": display.ranged(number) if number is not None and there else "no figure",
                    "until": item.until,
                    "owner": row["owner"],
                    "decided": row["edition"],
                    "why": item.why or "–",
                    "state_word": state,
                    "value": number.value if number is not None and there else None,
                }
            )
        columns = {
            "metric": Column("Metric"),
            "state": Column("State", html=True),
            "margin": Column("Agreed loss", html=True),
            "now": Column("Relative change now, and its range", html=True),
            "until": Column("Watched until"),
            "owner": Column("Owner"),
            "decided": Column("Decided on edition"),
            "why": Column("Why there is no data"),
        }
        if all(not item.why for _, item in self.watch_list):
            del columns["why"]
        last = day_of(min(self.reading.last, self.week_start + timedelta(days=6)))
        caption = f"Watch list: what may not get worse by more than was agreed when this was shipped. Data until {last}"
        return display.table(pd.DataFrame(rows), "watches", caption, columns, currency=self.currency)


def _day(value: Any) -> date:
    return value.date() if hasattr(value, "date") else value  # type: ignore[no-any-return]

"""What the three benches share: the edition's clock, the numbers so far, the record at the end."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazette.display import Column, Table, format_number, table
from gazette.errors import EditionError, ParamsError
from gazette.params import load
from gazette.record import OWN, RECORD_MIME, Interval, Kind, NotPublished, Number, Record
from gazette.stats import Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazette.record import Alert, Direction, Finding, TakenLook, Unit, Verdict

__all__ = ["Bench", "Emitted", "slug"]


def slug(text: str) -> str:
    """Text from outside as a part of a number's id.

    >>> slug("carrier US_2"), slug("p99 (ms)")
    ('carrier-us-2', 'p99-ms')
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


class Emitted:
    """A record as a notebook shows it: data for programs, one line for people."""

    def __init__(self, record: Record) -> None:
        self.record = record

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        text = f"Record of {self.record.subject} in {self.record.edition}: {len(self.record.numbers)} numbers"
        return {RECORD_MIME: json.loads(self.record.to_json()), "text/plain": text}


class Bench:
    """Base of a subject's bench; everything it computes comes from the edition's folder."""

    kind: Kind

    def __init__(self, subject: str, *, edition: str, root: str | Path) -> None:
        self.root = Path(root)
        self.params = load(self.root / "params")
        path = self.root / "edition.json"
        try:
            clock = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise EditionError(
                f"the edition's clock cannot be read: {error}",
                where=str(path),
                mend="set root to the folder of an edition",
            ) from error
        if clock["edition"] != edition:
            raise EditionError(
                f"the folder holds edition {clock['edition']}, not {edition}",
                where=str(self.root),
                mend="set edition and root to match",
            )
        self.subject = subject
        self.edition = edition
        self.week_start = date.fromisoformat(clock["week_start"])
        self.cutoff = datetime.fromisoformat(clock["cutoff"])
        self.currency = self.params.site.currency
        self.snapshot_digest = ""
        self._numbers: dict[str, Number] = {}

    def add(
        self,
        suffix: str,
        label: str,
        value: Estimate | NotPublished | float,
        *,
        unit: Unit,
        metric: str,
        cell: str,
        query: str | None,
        direction: Direction | None = None,
        n: int | None = None,
        note: str = "",
        snapshot: str = "",
        provisional: bool = False,
    ) -> Number:
        """Keep a number with its passport; the same id always gives the same number."""
        number_id = f"{self.subject}.{suffix}"
        interval = None
        if isinstance(value, Estimate):
            interval = Interval(low=value.low, high=value.high, level=value.level, method=value.method)
            n = (
                (value.n or None) if n is None else n
            )  # what was stated or learnt elsewhere rests on no rows that we know
        known = self.params.metrics.get(metric)
        if known is None and metric not in OWN:
            raise ParamsError(
                f"metric {metric!r} has no definition",
                where="params/metrics.yml",
                mend="define it there: a page may only show what has an owner and a definition",
            )
        self._numbers[number_id] = Number(
            id=number_id,
            label=label,
            value=value.value
            if isinstance(value, Estimate)
            else value
            if isinstance(value, NotPublished)
            else float(value),
            unit=unit,
            interval=interval,
            n=n,
            direction=direction,
            metric=metric,
            metric_version=known.version if known else 1,
            cell=cell,
            query=query,
            snapshot=snapshot or self.snapshot_digest,
            as_of=self.cutoff,
            note=note,
            provisional=provisional,
        )
        return self._numbers[number_id]

    def numbers(self) -> Table:
        """Every number so far with its passport."""
        import pandas as pd  # noqa: PLC0415

        rows = [
            {
                "id": n.id,
                "label": n.label,
                "shown": format_number(n, currency=self.currency),
                "value": None if isinstance(n.value, NotPublished) else n.value,
                "low": n.interval.low if n.interval else None,
                "high": n.interval.high if n.interval else None,
                "level": n.interval.level if n.interval else None,
                "n": n.n,
                "unit": n.unit,
                "metric": f"{n.metric} v{n.metric_version}",
                "cell": n.cell,
                "query": n.query or "",
            }
            for n in self._numbers.values()
        ]
        columns = {
            "id": Column("Number"),
            "label": Column("What it is"),
            "shown": Column("Value"),
            "n": Column("n", "count"),
            "metric": Column("Definition"),
            "cell": Column("Cell"),
            "query": Column("Query"),
        }
        frame = pd.DataFrame(rows, columns=list(rows[0]) if rows else ["id"])
        return table(
            frame,
            "numbers",
            "Every number on this page, with where it comes from",
            columns,
            currency=self.currency,
            folded=True,
        )

    def _record(
        self,
        *,
        title: str,
        owner: str,
        findings: Sequence[Finding],
        verdicts: Sequence[Verdict] = (),
        facts: dict[str, str] | None = None,
        looks: Sequence[TakenLook] = (),
        alerts: Sequence[Alert] = (),
    ) -> Record:
        return Record(
            subject=self.subject,
            kind=self.kind,
            title=title,
            owner=owner,
            edition=self.edition,
            week_start=self.week_start,
            as_of=self.cutoff,
            snapshot=self.snapshot_digest,
            facts=facts or {},
            numbers=tuple(self._numbers.values()),
            findings=tuple(findings),
            verdicts=tuple(verdicts),
            looks=tuple(looks),
            alerts=tuple(alerts),
        )

"""The register of decisions on the summary: which tests are decided already, and what is watched since."""

from __future__ import annotations

from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from gazette import conclusions, display, stats
from gazette.conclusions import Watched
from gazette.workbench._cards import Cards
from gazette.workbench._numbers import day_of
from gazette.workbench._watched import watch_id, watch_rows

if TYPE_CHECKING:
    from gazette.record import Finding, Record, Verdict

__all__ = ["Registered"]


class Registered(Cards):
    """What the edition froze of the register."""

    @cached_property
    def decided(self) -> dict[str, dict[str, Any]]:
        """Newest decision on each test, taken on an earlier edition."""
        if self.frozen is None or not self.frozen.has("decided"):
            return {}
        return {r["test"]: {str(k): v for k, v in r.items()} for r in self.frozen.table("decided").to_dict("records")}

    def settled(self, record: Record, verdict: Verdict) -> Finding | None:
        """The sentence that a test is decided; None where nobody has decided, or the advice has changed since."""
        subject = record.subject
        row = self.decided.get(subject)
        if row is None or not conclusions.is_decided(row, verdict.action):
            return None
        more: dict[str, str] = {}
        rests = conclusions.basis(self.metric_words(verdict), *self.rests_on(record, verdict), more)
        return conclusions.taken(
            subject,
            title=record.title,
            decision=row["decision"],
            edition=row["edition"],
            by=row["by"],
            rests=rests,
            more=more,
        )

    @cached_property
    def watched(self) -> list[tuple[str, Finding]]:
        """Address and sentence of each watch that is breached or has no data."""
        found = []
        for row in watch_rows(self.root / "snapshot" / self.subject):
            record = next((r for r in self.records if r.subject == row["test"]), None)
            said = next((f for f in record.findings if f.id == watch_id(row)), None) if record else None
            if said is None:
                failed = any(f["page"] == row["test"] for f in self.failures)
                why = "its analysis failed this week" if failed else "this edition does not report on the test"
                why = "its page does not report on watch lists" if record else why
                said = self._unreported(row, why)
            if said.rule in {"watch-breached", "watch-no-data"}:
                there = record is not None or any(f["page"] == row["test"] for f in self.failures)
                found.append((f"experiments/{row['test']}.html" if there else "", self.keep(said)))
        return found

    @cached_property
    def replayed(self) -> list[Finding]:
        """How many past editions came out the same when they were run again; nothing where no replay was kept."""
        if self.frozen is None or not self.frozen.has("replayed"):
            return []
        outcomes = [bool(row["same"]) for row in self.frozen.table("replayed").to_dict("records")]
        same = sum(outcomes)
        shared: dict[str, Any] = {
            "metric": "gazette.count",
            "cell": "failed",
            "query": "replayed",
            "note": "Newest whole replay of each edition that was kept; one that did not run counts as not the same.",
        }
        every = self.add("replays", "Past editions that were run again", float(len(outcomes)), unit="count", **shared)
        again = self.add("replays-same", "Of these, the same as published", float(same), unit="count", **shared)
        rate = stats.proportion(same, len(outcomes))
        share = self.add(
            "replays-rate",
            "Share that came out the same",
            rate,
            unit="fraction",
            direction="higher",
            **{**shared, "metric": "gazette.share"},
        )
        return [self.keep(conclusions.replays(every, again, share))]

    def _unreported(self, row: dict[str, Any], why: str) -> Finding:
        until = row["until"].date() if hasattr(row["until"], "date") else row["until"]
        left = self.add(
            f"{watch_id(row)}.days-left",
            f"{row['title']}, days for which it is still watched",
            float(max(0, (until - self.cutoff.date()).days + 1)),
            unit="days",
            metric="gazette.days",
            cell="risks",
            query="watches",
        )
        said = conclusions.watched(
            Watched(
                id=watch_id(row),
                title=str(row["title"]),
                metric=str(row["metric_title"]),
                margin=None,
                number=None,
                until=day_of(until),
                why=why,
            )
        )
        text = said.text.removesuffix(".") + f"; {{{left.id}}} are left."
        return said.model_copy(update={"text": text})

    def watch_risks(self) -> list[dict[str, Any]]:
        """Rows of the table of risks."""
        rows = []
        for place, said in self.watched:
            title = escape(said.terms["title"])
            state = "breached" if said.rule == "watch-breached" else "no data"
            text = display.sentence(said, self._numbers, currency=self.currency)
            rows.append(
                {
                    "model": f'<a href="{escape(place)}">{title}</a>' if place else title,
                    "subject": said.id.partition(".watch.")[0],
                    "age": "–",
                    "quality": f"{display.chip(state)} {text}",
                    "checks": "–",
                    "alerts": "–",
                }
            )
        return rows

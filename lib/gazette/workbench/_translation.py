"""The page of the translation matrix: what is stated, what follows this week, what contradicts, what the past says."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from gazette import display, stats
from gazette.display import Block, Chart, Column, Table
from gazette.record import NotPublished
from gazette.translation import Learnt, misfits
from gazette.workbench._bench import Emitted
from gazette.workbench._matrix import Needed, Valued
from gazette.workbench._told import Told
from gazette.workbench._worth import LEVEL, links_of, segments_of, slope_of

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.params import Translation
    from gazette.record import Number

__all__ = ["TranslationBench", "open_translation"]

MOST_LEVERS = 4


def open_translation(subject: str = "translation", *, edition: str, root: str | Path = ".") -> TranslationBench:
    """Open the translation matrix of an edition whose model notebooks have run."""
    return TranslationBench(subject, edition=edition, root=root)


class TranslationBench(Told):
    """Steps of the page."""

    def findings(self) -> Block:
        """What the reader must know first."""
        record = self.made
        return display.findings(record, currency=self.currency)

    def matrix(self) -> Table | Block:
        """Every row with all columns."""
        import pandas as pd  # noqa: PLC0415

        rows = []
        for row in self.params.translations:
            own, other = self.params.metrics[row.technical], self.params.metrics[row.business]
            words = [row.notes, "" if row.in_use else "Not used for translations, only compared."]
            words += [f"Only for {row.segment}." if row.segment else ""]
            words += [f"Speaks of: {', '.join(row.models)}." if row.models else ""]
            short, more = self._sensitivity(row)
            rows.append(
                {
                    "row": row.id,
                    "technical": own.title,
                    "definition": own.definition,
                    "business": other.title,
                    "measured": row.measured,
                    "sensitivity": _folded(short, "Source and range", more),
                    "notes": " ".join(w for w in words if w),
                    "updated": self._updated(row),
                    "metric": _folded(escape(own.title), "Definition", escape(own.definition)),
                    "figure": _folded(escape(other.title), "How we measure", escape(row.measured)),
                }
            )
        columns = {
            "metric": Column("Technical metric", html=True),
            "figure": Column("Business figure", html=True),
            "sensitivity": Column("Sensitivity", html=True),
            "notes": Column("Notes"),
            "updated": Column("Last updated"),
        }
        if not rows:
            return Block("<p>The matrix has no rows yet; they are written in translations.yml.</p>")
        frame = pd.DataFrame(rows)[["row", *columns, "technical", "definition", "business", "measured"]]
        caption = "The translation matrix; a row's definition, measurement, source and range open below it"
        return display.table(frame, "matrix", caption, columns)

    def _sensitivity(self, row: Translation) -> tuple[str, str]:
        """What the row states, in short; and its sentence, the range in which it was observed and its source."""
        sentence = f"{escape(row.sentence)} " if row.sentence else ""
        if row.id not in self.stated:
            known = f"{sentence}{escape(row.stated)}".strip()
            return (known, "") if row.stated else (f"{sentence}No sensitivity is known.", "")
        change, effect = self.stated[row.id]
        form = "interval" if effect.interval else "signed"
        told = display.number_span(effect, form, currency=self.currency)
        level = (
            f"The range holds {effect.interval.level:.0%} of what is believed."
            if effect.interval
            else "Given without a range."
        )
        assert row.observed is not None  # noqa: S101  quantified rows have it
        seen = [display.format_value(v, change.unit, signed=True) for v in row.observed]
        short = f"{display.number_span(change, '')} more moves it by {told}"
        more = f"{sentence}{level} Observed for changes of {escape(seen[0])} to {escape(seen[1])}. {escape(row.source)}"
        return short, more

    def _updated(self, row: Translation) -> str:
        known = self.past.rows.get(row.id)
        since = f" (as it is since edition {known['edition']})" if known else ""
        return f"{row.changelog[-1].date:%Y-%m-%d}{since}"

    def changes(self) -> Table | Block:
        """Every dated change of a row, newest first."""
        import pandas as pd  # noqa: PLC0415

        rows = [
            {"date": f"{entry.date:%Y-%m-%d}", "row": row.id, "author": entry.author, "change": entry.change}
            for row in self.params.translations
            for entry in row.changelog
        ]
        rows.sort(key=lambda r: (r["date"], r["row"]), reverse=True)
        columns = {
            "date": Column("Date"),
            "row": Column("Row"),
            "author": Column("By"),
            "change": Column("What and why"),
        }
        if not rows:
            return Block("")
        return display.table(pd.DataFrame(rows), "changes", "Changes of the matrix, newest first", columns, folded=True)

    def worth(self) -> Table | Block:
        """What this week's technical changes are worth, with the share of doubt of each link."""
        import pandas as pd  # noqa: PLC0415

        rows = [self._worth_row(v) for v in self.valued]
        silent = self._untranslated()
        if not rows:
            return Block(f"<p>No technical change of this week can be translated. {silent}</p>")
        columns = {
            "model": Column("Model", html=True),
            "metric": Column("Technical metric"),
            "change": Column("Against the baseline", html=True),
            "business": Column("Business figure"),
            "effect": Column("Worth: median and range", html=True),
            "doubt": Column("Where the doubt comes from", html=True),
            "note": Column("Note"),
        }
        caption = f"What this week's technical changes are worth, if the stated sensitivities hold. {silent}"
        return display.table(pd.DataFrame(rows), "worth", caption, columns, currency=self.currency)

    def _worth_row(self, valued: Valued) -> dict[str, Any]:
        worth, title = valued.worth, self.params.metrics[valued.worth.business].title
        shares = sorted(worth.doubt.items(), key=lambda item: -item[1])
        told = [f"{escape(_factor(k))} {self._span(self._numbers[f'{valued.number.id}.doubt.{k}'])}" for k, _ in shares]
        return {
            "model": f'<a href="models/{valued.record.subject}.html">{escape(valued.record.title)}</a>',
            "subject": valued.record.subject,
            "metric": self.params.metrics[valued.metric].title
            + (f", {valued.segment} alone" if valued.segment else ""),
            "change": display.ranged(valued.change, currency=self.currency),
            "business": f"{title}, money a month" if worth.money else title,
            "effect": display.ranged(valued.number, currency=self.currency),
            "doubt": "; ".join(told) or "–",
            "note": worth.note,
        }

    def _untranslated(self) -> str:
        """Measures that the matrix does not know, in words."""
        known = {(v.record.subject, v.metric) for v in self.valued if not v.segment}
        told = []
        for record in self.models:
            measures = self.params.models[record.subject].measures
            left = [self.params.metrics[m].title for m in measures if (record.subject, m) not in known]
            told += [f"{record.title}: no row leads on from {'; '.join(left)}."] if left else []
            said = {v.segment for v in self.valued if v.record.subject == record.subject}
            quiet = [s for s in segments_of(self.params, record.subject) if s not in said]
            told += (
                [f"{record.title}: no change of {'; '.join(quiet)} was published, so its rows say nothing."]
                if quiet
                else []
            )
        missing = [self.params.models[m].title for m in self.params.models if m not in {r.subject for r in self.models}]
        told += [f"No figures this week: {', '.join(missing)}."] if missing else []
        return " ".join(told)

    def targets(self) -> Table | Block:
        """Business targets read backward."""
        import pandas as pd  # noqa: PLC0415

        if not self.needed:
            return Block("<p>No target is set in translations.yml.</p>")
        rows = []
        for one in self.needed:
            shown = {
                k: self._span(n, "signed" if k in {"needed", "safe", "largest"} else "") for k, n in one.numbers.items()
            }
            unknown = escape(one.found.reason) if isinstance(one.found, NotPublished) else "–"
            rows.append(
                {
                    "target": f"{one.target.title} ({self.params.metrics[one.target.business].title})",
                    "wanted": self._span(one.wanted, "signed"),
                    "metric": self.params.metrics[one.target.technical].title,
                    "needed": shown.get("needed", f"not published ({unknown})"),
                    "safe": shown.get("safe", "–"),
                    "chance": shown.get("chance", "–"),
                    "reached": self._reached(one),
                    "levers": self._levers(one),
                }
            )
        columns = {
            "target": Column("Target"),
            "wanted": Column("Wanted", html=True),
            "metric": Column("By way of"),
            "needed": Column("Needed (one chance in two)", html=True),
            "safe": Column("Needed (four in five)", html=True),
            "chance": Column("Chance with the largest change observed", html=True),
            "reached": Column("Ever reached?"),
            "levers": Column("What moved it before"),
        }
        return display.table(pd.DataFrame(rows), "targets", "Targets, read backward", columns, currency=self.currency)

    def _reached(self, one: Needed) -> str:
        if isinstance(one.found, NotPublished) or one.found.needed is None:
            return "cannot be said"
        told = {"observed": "", "extrapolated": " Extrapolated.", "refused": " Too far beyond it to be believed."}
        levers = self.past.levers(one.target.technical, one.found.unit)
        way = 1 if one.found.needed > 0 else -1
        by = next((x.name for x in levers if way * x.change >= abs(one.found.needed)), "")
        if by:
            return f"Yes, by {by}."
        within = (
            "It lies within what the rows have seen."
            if one.found.reached
            else "It lies beyond what the rows have seen."
        )
        return f"No. {within}{'' if one.found.reached else told[one.found.standing]}"

    def _levers(self, one: Needed) -> str:
        if isinstance(one.found, NotPublished):
            return "–"
        unit, metric = one.found.unit, self.params.metrics[one.target.technical].unit
        told = []
        for lever in self.past.levers(one.target.technical, unit)[:MOST_LEVERS]:
            shown: Any = "score" if (unit, metric) == ("points", "score") else unit
            size = display.format_value(lever.change, shown, signed=True, spread=2 * lever.error)
            told.append(f"{lever.name} ({size}; {lever.when})")
        return "; ".join(told) or "No past test or version is known to have moved it."

    def contradictions(self) -> Table | Block:
        """Statements that cannot both hold, and rows that cannot be joined."""
        import pandas as pd  # noqa: PLC0415

        rows = []
        for one, low, high in self.contradicting:
            start, end = (self.params.metrics[m].title for m in (one.start, one.end))
            times = "they point in different directions, or one holds no change at all"
            if low is not None and high is not None:
                times = f"{self._span(low)} to {self._span(high)} times as much"
            elif one.units:
                times = f"in different units ({escape(one.units)}), so they cannot be compared"
            rows.append(
                {"from": start, "to": end, "one": " → ".join(one.one), "other": " → ".join(one.other), "says": times}
            )
        for pair in misfits(links_of(self.params, used=False)):
            says = f"cannot be joined: one gives {pair.one.effect_unit}, the other speaks of {pair.two.unit}"
            start, end = (self.params.metrics[m].title for m in (pair.one.technical, pair.two.business))
            rows.append({"from": start, "to": end, "one": pair.one.id, "other": pair.two.id, "says": escape(says)})
        columns = {
            "from": Column("From"),
            "to": Column("To"),
            "one": Column("One statement"),
            "other": Column("The other"),
            "says": Column("The other says", html=True),
        }
        if not rows:
            return Block("<p>No two statements of the matrix contradict each other.</p>")
        return display.table(pd.DataFrame(rows), "contradictions", "Statements that cannot both hold", columns)

    def learnt_table(self) -> Table | Block:
        """The stated sensitivity beside the learnt one."""
        import pandas as pd  # noqa: PLC0415

        rows = []
        for row_id, learnt in self.learnt.items():
            past, left = self.past.past(self.rows[row_id])
            words = f"{left} left out: no change or standard error." if left else ""
            known = isinstance(learnt, Learnt)
            rows.append(
                {
                    "row": row_id,
                    "per": self._span(self.stated[row_id][0]),
                    "stated": display.ranged(self.stated[row_id][1], currency=self.currency),
                    "learnt": display.ranged(self._numbers[f"{self.subject}.{row_id}.learnt"], currency=self.currency)
                    if known
                    else "–",
                    "past": len(past),
                    "note": words if known else f"Too little is known: {getattr(learnt, 'reason', '')}. {words}",
                }
            )
        columns = {
            "row": Column("Row"),
            "per": Column("For a change of", html=True),
            "stated": Column("Stated", html=True),
            "learnt": Column("Learnt from the past", html=True),
            "past": Column("Past changes", "count"),
            "note": Column("Note"),
        }
        if not rows:
            return Block("<p>No row has a sensitivity that the past could speak of.</p>")
        return display.table(
            pd.DataFrame(rows), "learnt", "Sensitivities: stated, and learnt from past tests and versions", columns
        )

    def learnt_charts(self) -> Block:
        """One chart per row of which enough is known: past changes as points, stated and learnt as lines."""
        charts = []
        for row_id, learnt in self.learnt.items():
            if isinstance(learnt, Learnt):
                charts.append(self.learnt_chart(row_id)._repr_html_())
        if not charts:
            return Block(
                "<p>No sensitivity could be learnt: the history of tests and versions is too short, or does not measure both sides.</p>"
            )
        return Block("".join(charts))

    def learnt_chart(self, row_id: str) -> Chart:
        """Past changes with both errors, the stated line and the learnt one with their 80 % bands."""
        row, learnt = self.rows[row_id], self.learnt[row_id]
        assert isinstance(learnt, Learnt)  # noqa: S101  the caller chose rows of which enough is known
        own, other = self.params.metrics[row.technical], self.params.metrics[row.business]
        past = self.past.past(row)[0]
        points = [
            {
                "name": p.id,
                "x": p.technical,
                "y": p.business,
                "x1": p.technical - p.technical_error,
                "x2": p.technical + p.technical_error,
                "y1": p.business - p.business_error,
                "y2": p.business + p.business_error,
            }
            for p in past
        ]
        xs = [0.0, *(v for p in past for v in (p.technical - p.technical_error, p.technical + p.technical_error))]
        mean, sd = slope_of(row)
        half = stats.z_of(LEVEL) * sd
        lines = {"stated": (mean - half, mean, mean + half), "learnt": (learnt.low, learnt.slope, learnt.high)}
        caption = f"{own.title} and {other.title}: past changes (points, with one standard error), the stated sensitivity and the learnt one (lines with 80 % ranges)."
        picture = display.slopes(points, lines, sorted({min(xs), 0.0, max(xs)}), x=own.title, y=other.title)
        return display.chart(picture, f"learnt-{row_id}", caption)

    def emit(self) -> Emitted:
        """The record of this page."""
        return Emitted(self.made)

    def _span(self, number: Number, form: str = "") -> str:
        if not number.published:
            return escape(display.format_number(number))
        return display.number_span(number, form, currency=self.currency)


def _folded(short: str, title: str, more: str) -> str:
    """A cell of which the longer part opens on demand."""
    if not more:
        return short
    return f'{short}<details class="gz-more"><summary>{title}</summary><div>{more}</div></details>'


def _factor(name: str) -> str:
    return {"change": "the measured change", "base": "the base"}.get(name, name)

"""The flip map on an experiment's page: what its verdict would have been under other ways to analyse it."""

from __future__ import annotations

from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from gazette import conclusions, display, stats
from gazette.display import Block, Column, Table
from gazette.workbench._watched import WatchLists

if TYPE_CHECKING:
    from gazette.conclusions import FlipMap
    from gazette.record import Finding, Number
    from gazette.stats import Choice

__all__ = ["FlipSteps"]

BY_PLAN = "The verdict is the one above: it follows the plan that was fixed beforehand (recorded at the first look, and unchanged since)."
CHANGED = "The verdict is the one above: it follows the test's plan, which was changed after the first look."
USE = (
    "This map only shows how much the verdict depends on that plan; it is not for choosing another one. "
    "All ways read the same data, so the share of those that agree is not a chance of being right."
)
HEADS: dict[Choice, str] = {
    "covariate": "CUPED",
    "level": "Confidence level (%)",
    "sides": "Sides",
    "variants": "Error of variants",
    "looks": "Looks",
}
SHORT = {
    "group-sequential-obrien-fleming": "planned, O'Brien-Fleming",
    "group-sequential-pocock": "planned, Pocock",
    "confidence-sequence": "any time",
    "fixed": "once",
    "each": "not shared",
}


class FlipSteps(WatchLists):
    """Steps on how firm the verdict is; each says why there is nothing where the test may not be read."""

    @property
    def flips_closed(self) -> str:
        """Why no map is shown, empty where one is."""
        verdict, _ = self.verdicts[self.arm]
        if verdict.state == "not trustworthy":
            return "a check of the test failed, so no effect may be read in any way"
        if verdict.state == "not published":
            return "it is too early: the test has not run for as long as it must, or its main figure has no value yet"
        if verdict.rule in {"crossed-at-earlier-look", "final-look-is-over"}:
            return "the verdict is that of an earlier look, which the data of today do not re-open"
        if verdict.rule == "fixed-horizon-not-over":
            return "it is too early: the test is read once, when it ends"
        return ""

    @cached_property
    def flip_map(self) -> FlipMap | None:
        """The verdict of the treatment that the page speaks of first under every specification; None where it may not be read."""
        if self.flips_closed:
            return None
        reading, primary, arm = self.reading, self.plan.primary, self.arm
        known = self.params.metrics[primary]
        pairs = {}
        for name in ("with", "without") if self._adjustable else ("without",):
            control, treatment, _, proportion = reading.pair(primary, arm, adjust=name == "with")
            if isinstance(control, stats.Moments) and isinstance(treatment, stats.Moments):
                pairs[name] = control, treatment, proportion
        found = stats.specifications(pairs, reading.design, alpha=self.plan.alpha, treatments=len(self.plan.treatments))
        return conclusions.flip_map(
            found,
            self.verdicts[arm][0].state,
            higher_is_better=known.direction == "higher",
            minimum=self.look.primary.minimum,
            size=self.look.primary.size,
        )

    @property
    def _adjustable(self) -> bool:
        """Whether the primary metric is adjusted by a covariate."""
        return self.reading.adjusts(self.plan.primary)

    @property
    def _flip_prefix(self) -> str:
        return f"{self._prefix(self.arm)}flips"

    @cached_property
    def _flip_numbers(self) -> dict[str, Number]:
        """The effect under the plan (id empty) and under each way that differs in one choice, by the way's id."""
        if self.flip_map is None:
            return {}
        primary = self.look.primary
        made = {"": primary.difference}
        for flip in self.flip_map.single:
            made[flip.id] = self.add(
                f"{self._flip_prefix}.{flip.id}.difference",
                f"{primary.title}, difference: {flip.words}",
                flip.specification.comparison.difference,
                unit=primary.difference.unit,
                metric=primary.metric,
                cell="choices",
                query="arms",
                direction=primary.difference.direction,
                note=f"not the plan's; would be: {flip.state}",
            )
        return made

    @cached_property
    def flip_findings(self) -> tuple[Finding, ...]:
        """The sentence on the map; none where it is not shown."""
        found = self.flip_map
        if found is None or not found.others:
            return ()
        _ = self._flip_numbers
        count: dict[str, Any] = {"unit": "count", "metric": "gazette.count", "cell": "flips", "query": "arms"}
        part: dict[str, Any] = {**count, "unit": "fraction", "metric": "gazette.share"}
        ways, agree = len(found.others), found.agree
        prefix = self._flip_prefix
        said = conclusions.flips_said(
            found,
            prefix=self.look.prefix,
            metric=self.look.primary.title,
            ways=self.add(f"{prefix}.ways", "Other ways to analyse the test", ways, **count),
            agree=self.add(f"{prefix}.agree", "Of these, with the same verdict", agree, **count),
            share=self.add(f"{prefix}.share", "Share of them", agree / ways, **part),
        )
        return (said,)

    def flips(self) -> Block:
        """How many other ways agree with the verdict and what changes it, or why that is not shown; what the map is not for."""
        if not self.flip_findings:
            why = self.flips_closed or "the data allow no other way to analyse this test"
            return Block(f"<p>What other ways of analysing this test would have said is not shown: {escape(why)}.</p>")
        made = self._record(title=self.plan.title, owner=self.plan.owner, findings=self.flip_findings)
        said = display.findings(made, currency=self.currency).html
        plan = CHANGED if self.look.deviations else BY_PLAN
        return Block(f"{said}<p>{plan} {USE}</p><p>Not tried: {escape('; '.join(self._not_tried()))}.</p>")

    def _not_tried(self) -> list[str]:
        """Choices that people also make and that the frozen aggregates cannot answer, each with the reason."""
        known, plan = self.params.metrics[self.plan.primary], self.plan
        found = []
        if not self._adjustable:
            found.append(
                "narrowing the range by what users did before the test (nothing of it is used for this metric)"
            )
        if known.cap is not None or known.cap_quantile is not None:
            found.append("counting large values in full (only capped ones were frozen)")
        elif known.fact is not None and known.fact.aggregation == "sum":
            found.append("capping large values (only uncapped ones were frozen)")
        if not plan.planned_units:
            found.append("planned looks (no number of users was planned)")
        if not self.reading.ended:
            found.append("one reading at the end (the test still runs)")
        found.append("leaving out the first days (what was frozen by day cannot be added up user by user)")
        return found

    def choices(self) -> Block | Table:
        """The effect with its range and the would-be state for each choice that differs from the plan alone; the plan first."""
        import pandas as pd  # noqa: PLC0415

        found, numbers = self.flip_map, self._flip_numbers
        if found is None or not self.flip_findings:
            return Block("")
        rows = []
        for flip in (found.plan, *found.single):
            number = numbers[flip.id]
            planned = f"As planned{f' (in this test the same as {flip.words})' if flip.words else ''}"
            rows.append(
                {
                    "choice": flip.words[:1].upper() + flip.words[1:] if flip.id else planned,
                    "effect": display.ranged(number, currency=self.currency),
                    "state": f"{flip.state[:1].upper()}{flip.state[1:]}{'' if flip.id else ' (published)'}",
                    "agrees": "✓ agrees" if flip.agrees else "✗ differs",
                    "id": flip.id,
                    "difference": number.value,
                    "low": number.interval.low if number.interval else None,
                    "high": number.interval.high if number.interval else None,
                    "level": number.interval.level if number.interval else None,
                }
            )
        columns = {
            "choice": Column("The one choice that differs"),
            "effect": Column("Difference and the range that fits the data", html=True),
            "state": Column("Verdict would be"),
            "agrees": Column("As published?"),
        }
        caption = f"{self.look.primary.title}: the verdict if one choice had been made otherwise"
        return display.table(pd.DataFrame(rows), "choices", caption, columns, currency=self.currency)

    def combinations(self) -> Block | Table:
        """Every other way that was counted, folded: its choices, difference, range and would-be state."""
        import pandas as pd  # noqa: PLC0415

        found = self.flip_map
        if found is None or not self.flip_findings:
            return Block("")
        unit = self.look.primary.difference.unit
        also = {
            (c, flip.specification.options[c]): [_named(*other) for other in flip.specification.same]
            for flip in found.single
            for c in flip.specification.changed
        }
        rows: list[dict[str, Any]] = []
        for flip in (found.plan, *found.others):
            spec, difference = flip.specification, flip.specification.comparison.difference
            if not isinstance(difference, stats.Estimate):
                continue
            chosen: dict[str, str] = {
                c: ", or ".join([_named(c, option), *also.get((c, option), ())]) for c, option in spec.options.items()
            }
            rows.append(
                {
                    **chosen,
                    "changes": len(spec.changed),
                    "difference": difference.value,
                    "low": difference.low,
                    "high": difference.high,
                    "state": flip.state,
                    "agrees": "✓" if flip.agrees else "✗",
                }
            )
        columns: dict[str, Column] = {
            c: Column(HEADS[c]) for c in found.plan.specification.options if len({r[c] for r in rows}) > 1
        }
        columns |= {
            "changes": Column("Changes", "count"),
            "difference": Column("Difference", unit, signed=True, ends=("low", "high")),
            "low": Column("Range from", unit, signed=True, ends=("low", "high")),
            "high": Column("to", unit, signed=True, ends=("low", "high")),
            "state": Column("Verdict would be"),
            "agrees": Column("As published?"),
        }
        caption = "Every way that was counted, the plan first; ways that ask for the same evidence count once"
        return display.table(pd.DataFrame(rows), "combinations", caption, columns, currency=self.currency, folded=True)


def _named(choice: Choice, option: str) -> str:
    """An option in few words, for a column that has the choice's name."""
    return f"{option}-sided" if choice == "sides" else SHORT.get(option, option)

"""Rows of the translation matrix as links, and what a published technical change is worth by them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gazette import stats, translation
from gazette.record import NotPublished

if TYPE_CHECKING:
    from gazette.params import MoneyBase, Params, Translation
    from gazette.record import Number

__all__ = ["SEED", "Worth", "base_of", "change_of", "link_of", "links_of", "segments_of", "slope_of", "worths"]

SEED = 31
LEVEL = 0.8


@dataclass(frozen=True)
class Worth:
    """What a technical change is worth in one business metric.

    Attributes:
        business: Its id.
        chain: The way that leads to it.
        found: The effect, or why there is none.
        doubt: Share of doubt that each link brings.
        note: What the reader must know: extrapolated, and of which base.
    """

    business: str
    chain: translation.Chain
    found: stats.Estimate | NotPublished
    doubt: dict[str, float]
    note: str

    @property
    def money(self) -> bool:
        """Whether it is money a month."""
        return self.chain.base is not None

    @property
    def extrapolated(self) -> bool:
        """Whether the change lies outside what was observed, but near enough to be translated."""
        return self.note.startswith("Extrapolated")


def slope_of(row: Translation) -> tuple[float, float]:
    """Mean and standard deviation of the stated slope."""
    assert row.technical_change is not None  # noqa: S101  the caller chose quantified rows
    if row.estimate is not None and row.standard_error is not None:
        return row.estimate / row.technical_change, row.standard_error / row.technical_change
    assert row.low is not None and row.high is not None and row.coverage is not None  # noqa: S101, PT018
    return translation.slope_of_range(row.low, row.high, row.coverage, row.technical_change)


def link_of(row: Translation) -> translation.Link | None:
    """The row's sensitivity, None where it is a sentence."""
    if row.technical_unit is None or row.business_unit is None or row.observed is None:
        return None
    mean, sd = slope_of(row)
    return translation.Link(
        id=row.id,
        technical=row.technical,
        business=row.business,
        mean=mean,
        sd=sd,
        unit=row.technical_unit,
        effect_unit=row.business_unit,
        observed=(row.observed[0], row.observed[1]),
        segment=row.segment,
    )


def links_of(params: Params, model: str = "", *, used: bool = True) -> list[translation.Link]:
    """Sensitivities that speak of a model (of any, without one); ``used`` leaves out those that are only compared."""
    rows = [
        r for r in params.translations if (r.in_use or not used) and (not model or not r.models or model in r.models)
    ]
    return [link for r in rows if (link := link_of(r)) is not None]


def base_of(params: Params, metric: str, model: str) -> MoneyBase | None:
    """What a relative change of the metric is taken of for this model."""
    return next((b for b in params.bases if b.metric == metric and (not b.models or model in b.models)), None)


def change_of(number: Number) -> translation.Change | None:
    """A published change with its standard error, from its interval; None where it was not published."""
    if isinstance(number.value, NotPublished):
        return None
    error = 0.0
    if number.interval is not None:
        error = (number.interval.high - number.interval.low) / 2 / stats.z_of(number.interval.level)
    return translation.Change(number.value, translation.change_unit(number.unit), error)


def segments_of(params: Params, model: str) -> list[str]:
    """Segments that rows in use speak of for a model."""
    return sorted({link.segment for link in links_of(params, model) if link.segment})


def worths(
    params: Params, model: str, metric: str, change: Number, before: float | None, *, segment: str = ""
) -> list[Worth]:
    """What a change of a model's metric is worth in every business metric that the matrix leads to, and in money a month.

    A row of a segment is read for that segment's own change alone, never for the whole; and a segment's change is never
    taken of a base, which counts everybody.

    Args:
        params: The edition's.
        model: Id of the model.
        metric: The technical metric.
        change: Of it, as published.
        before: Its level before the change, for links that speak of per cent.
        segment: Whose change it is; empty for the whole.
    """
    links = [link for link in links_of(params, model) if link.segment in {"", segment}]
    found = []
    for business in sorted({link.business for link in links} - {metric}):
        ways = translation.chains(links, metric, business, segment=segment)
        if segment:
            ways = [way for way in ways if any(link.segment for link in way.links)]
        if not ways:
            continue
        way = ways[0]
        if segment:
            found.append(_worth(way, change, before, f"For {segment} alone; it says nothing of the whole."))
            continue
        found.append(_worth(way, change, before))
        base = base_of(params, business, model)
        if base is None or way.unit != "relative":
            continue
        money = translation.Chain(way.links, translation.Base(business, base.a_month, base.standard_error))
        if base.currency != params.site.currency:
            reason = f"the base is stated in {base.currency}, the edition is in {params.site.currency}"
            found.append(Worth(business, money, NotPublished(reason=reason), {}, ""))
        else:
            found.append(_worth(money, change, before, f"A month, on {base.id}: {base.source}"))
    return found


def _worth(chain: translation.Chain, change: Number, before: float | None, basis: str = "") -> Worth:
    business = chain.links[-1].business
    known = change_of(change)
    if known is None:
        reason = change.value.reason if isinstance(change.value, NotPublished) else "not measured"
        return Worth(business, chain, NotPublished(reason=reason), {}, basis)
    try:
        known = translation.converted(known, chain.links[0].unit, before)
        result = translation.forward(chain, known, seed=SEED)
    except translation.UnitError as error:
        return Worth(business, chain, NotPublished(reason=error.what), {}, basis)
    way = " → ".join(link.id for link in chain.links)
    value = stats.Estimate(result.median, result.low, result.high, LEVEL, 0.0, None, 0, f"translation: {way}")
    beyond = f"Extrapolated: {result.beyond} has not seen so large a change." if result.standing != "observed" else ""
    return Worth(business, chain, value, result.doubt, " ".join(p for p in (beyond, basis) if p))

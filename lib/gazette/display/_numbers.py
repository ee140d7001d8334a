"""Numbers as people read them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gazette.record import NotPublished

if TYPE_CHECKING:
    from gazette.record import Number, Unit

__all__ = ["format_number", "format_value", "with_range"]

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}
SUFFIX: dict[str, str] = {
    "fraction": " %",
    "relative": " %",
    "points": " points",
    "days": " days",
    "hours": " hours",
    "minutes": " minutes",
    "ms": " ms",
}
MAX_DECIMALS = 4
PLAIN_DECIMALS = 2  # of a percentage, which people take in
TEN, HUNDRED, THOUSAND, MILLION, BILLION = 10, 100, 1e3, 1e6, 1e9


def _decimals(size: float, spread: float | None) -> int:
    """Decimals that the interval supports: two digits of its half-width; without one three significant digits, none for a whole number."""
    if not spread and size == round(size):
        return 0
    reference = spread or abs(size) / 10
    if not reference or not math.isfinite(reference):
        return 0
    digits = 1 - math.floor(math.log10(reference))
    return max(0, min(MAX_DECIMALS, digits))


def _supported(size: float, spread: float | None) -> float:
    """The size rounded to what a wide interval supports: two digits of its half-width, also left of the point."""
    if not spread or not math.isfinite(spread) or spread < HUNDRED:
        return size
    return float(round(size, 1 - math.floor(math.log10(spread))))


def format_value(
    value: float, unit: Unit, *, currency: str = "USD", signed: bool = False, spread: float | None = None
) -> str:
    """A value with its unit.

    Args:
        value: In the unit; fractions as fractions.
        unit: Decides scale and suffix: 0.0234 ``fraction`` is 2.34 %.
        currency: ISO code, for ``money``.
        signed: Whether to write a plus.
        spread: Half-width of the interval, in the unit; decides how many digits are worth showing.

    >>> format_value(0.0017, "points", signed=True, spread=0.0017)
    '+0.17 points'
    >>> format_value(-1234567, "money", spread=100000)
    '−$1.23 million'
    >>> format_value(0.9999, "fraction")
    '99.99 %'
    >>> format_value(62500, "count")
    '62,500'
    >>> format_value(45.0, "days", spread=4)
    '45 days'
    """
    if unit == "count":
        number = f"{_supported(abs(value), spread):,.0f}"
    elif unit == "money":
        number = _money(abs(value), spread, currency)
    else:
        scale = 100.0 if unit in {"fraction", "points", "relative"} else 1.0
        shown = abs(value) * scale
        whole = unit == "days" and value == round(value)  # counted in days, so a tenth would be false precision
        decimals = 0 if whole else _decimals(shown, None if spread is None else spread * scale)
        if unit == "fraction" and decimals > PLAIN_DECIMALS and spread:
            decimals -= 1  # a third decimal of a per cent is for one digit of the half-width, not for its second
        while unit == "fraction" and abs(value) < 1 and decimals < MAX_DECIMALS and round(shown, decimals) >= scale:
            decimals += 1  # what is not certain is not shown as 100 %
        number = f"{_supported(shown, None if spread is None else spread * scale):,.{decimals}f}"
        if value and not spread and not any(c in "123456789" for c in number):
            number = f"less than {10**-MAX_DECIMALS:.{MAX_DECIMALS}f}"
        number += SUFFIX.get(unit, "")
    zero = not any(c in "123456789" for c in number)
    sign = "" if zero else "−" if value < 0 else "+" if signed else ""
    return sign + number


def _two_digits(value: float) -> float:
    """The value to two significant digits."""
    if not value:
        return 0.0
    return round(value, 1 - math.floor(math.log10(abs(value))))


def _money(size: float, spread: float | None, currency: str) -> str:
    symbol = SYMBOLS.get(currency, f"{currency} ")
    for limit, word in ((BILLION, " billion"), (MILLION, " million")):
        if size >= limit:
            decimals = _decimals(size / limit, None if spread is None else spread / limit)
            return f"{symbol}{size / limit:,.{min(2, decimals)}f}{word}"
    decimals = 0 if size >= THOUSAND or (spread or 0) >= TEN else 2
    return f"{symbol}{_supported(size, spread):,.{decimals}f}"


def _finer(low: float, high: float, spread: float | None) -> float | None:
    """The spread to round an interval's ends by: finer where one end would else be shown as zero, which it is not."""
    if not spread:
        return spread
    near = [abs(v) for v in (low, high) if v and abs(v) < spread / 40]
    return max(10 * min(near), spread / 100) if near else spread


def format_number(number: Number, form: str = "", *, currency: str = "USD") -> str:
    """A number's value as text, in one of the forms that sentences use.

    Args:
        number: The number.
        form: Empty, ``signed``, ``abs``, ``interval``, ``low`` or ``high`` (the ends of the interval),
            ``nearest`` or ``farthest`` (the size of the end
            nearest to zero or farthest from it), or ``rough`` (two significant digits, for what is only about so much).
        currency: ISO code.

    Raises:
        ValueError: The form is unknown, or an interval is asked of a number without one.
    """
    if isinstance(number.value, NotPublished):
        return f"not published ({number.value.reason})"
    spread = (number.interval.high - number.interval.low) / 2 if number.interval else None
    if form in {"nearest", "farthest"} and number.interval is not None:
        chosen = min if form == "nearest" else max
        end = chosen(abs(number.interval.low), abs(number.interval.high))
        return format_value(end, number.unit, currency=currency, spread=spread)
    if form == "rough":
        rough = _two_digits(number.value)
        return format_value(rough, number.unit, currency=currency, spread=abs(rough) / TEN if rough else None)
    if form in {"interval", "low", "high", "nearest", "farthest"}:
        if number.interval is None:
            msg = f"number {number.id!r} has no interval"
            raise ValueError(msg)
        signed = number.interval.low < 0 or number.id.endswith((".difference", ".relative"))
        ends = number.interval.low, number.interval.high
        low, high = (
            format_value(v, number.unit, currency=currency, signed=signed, spread=_finer(*ends, spread)) for v in ends
        )
        return {"low": low, "high": high}.get(form) or f"{low.removesuffix(SUFFIX.get(number.unit, ''))} to {high}"
    if form not in {"", "signed", "abs"}:
        msg = f"unknown form {form!r}; forms are signed, abs, interval, low, high, nearest, farthest and rough"
        raise ValueError(msg)
    value = abs(number.value) if form == "abs" else number.value
    return format_value(value, number.unit, currency=currency, signed=form == "signed", spread=spread)


def with_range(number: Number, *, currency: str = "USD") -> str:
    """A number's value as text, with its interval behind it where it has one."""
    span = f" ({format_number(number, 'interval', currency=currency)})" if number.published and number.interval else ""
    return f"{format_number(number, currency=currency)}{span}"

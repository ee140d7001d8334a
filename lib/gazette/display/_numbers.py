"""Numbers as people read them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gazette.record import NotPublished

if TYPE_CHECKING:
    from gazette.record import Number, Unit

__all__ = ["format_ends", "format_number", "format_ranged", "format_value", "with_range"]

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
PER_CENT = {"fraction", "points", "relative"}
MAX_DECIMALS = 4  # without a range
MOST_DECIMALS = 9  # where a range asks for them
PLAIN_DECIMALS = 2  # of a percentage and of money, which people take in
TEN, HUNDRED, THOUSAND, MILLION, BILLION = 10, 100, 1e3, 1e6, 1e9
CENT = 0.01


def _decimals(size: float, spread: float | None) -> int:
    """Decimals that the interval supports: two digits of its half-width; without one three significant digits, none for a whole number."""
    if not spread and size == round(size):
        return 0
    reference = spread or abs(size) / 10
    if not reference or not math.isfinite(reference):
        return 0
    digits = 1 - math.floor(math.log10(reference))
    return max(0, min(MOST_DECIMALS if spread else MAX_DECIMALS, digits))


def _supported(size: float, spread: float | None) -> float:
    """The size rounded to what a wide interval supports: two digits of its half-width, also left of the point."""
    if not spread or not math.isfinite(spread) or spread < HUNDRED:
        return size
    return float(round(size, 1 - math.floor(math.log10(spread))))


def format_value(
    value: float,
    unit: Unit,
    *,
    currency: str = "USD",
    signed: bool = False,
    spread: float | None = None,
    apart: bool = False,
) -> str:
    """A value with its unit.

    Args:
        value: In the unit; fractions as fractions.
        unit: Decides scale and suffix: 0.0234 ``fraction`` is 2.34 %.
        currency: ISO code, for ``money``.
        signed: Whether to write a plus.
        spread: Half-width of the interval, in the unit; decides how many digits are worth showing.
        apart: Whether a value that is not 0 may not be shown as 0 either: an end of a range, or a value whose range excludes 0. Without
            a spread it never is.

    >>> format_value(0.0017, "points", signed=True, spread=0.0017)
    '+0.17 points'
    >>> format_value(-1234567, "money", spread=100000)
    '−$1.23 million'
    >>> format_value(0.9999, "fraction")
    '99.99 %'
    >>> format_value(62500, "count"), format_value(0.2, "count", spread=0.009)
    ('62,500', '0.2000')
    >>> format_value(45.0, "days", spread=4)
    '45 days'
    """
    scale = 100.0 if unit in PER_CENT else 1.0
    size, wide = abs(value) * scale, None if spread is None else spread * scale
    words, symbol, suffix = "", SYMBOLS.get(currency, f"{currency} ") if unit == "money" else "", SUFFIX.get(unit, "")
    if unit == "money":
        number, suffix = _money(size, wide)
    else:
        number = f"{_supported(size, wide):,.{_places(value, size, unit, wide)}f}"
        if unit == "count" and not wide and "." in number:
            number = number.rstrip("0").removesuffix(".")
        if (
            unit == "fraction" and abs(value) < 1 and number.startswith("100")
        ):  # what is not certain is not shown as 100 %
            number, words = f"99.{'9' * MAX_DECIMALS}", "more than "
    if value and not _shows(number) and (apart or not wide):
        number, words, suffix = *_tiny(size, symbol), suffix if unit != "money" else ""
    if words == "less than " and value < 0:
        return f"{words}{symbol}{number}{suffix} below 0"
    sign = "" if words or not _shows(number) else "−" if value < 0 else "+" if signed else ""
    return f"{sign}{words}{symbol}{number}{suffix}"


def _shows(number: str) -> bool:
    """Whether the digits are more than noughts."""
    return any(c in "123456789" for c in number)


def _places(value: float, size: float, unit: Unit, wide: float | None) -> int:
    """Decimals of a value that is no amount of money."""
    if unit in {"days", "count"} and value == round(value) and (unit == "days" or not wide or wide >= 1):
        return 0  # counted, so a tenth would be false precision
    decimals = _decimals(size, wide)
    if unit == "fraction" and decimals > PLAIN_DECIMALS and wide:
        decimals -= 1  # a third decimal of a per cent is for one digit of the half-width, not for its second
    while unit == "fraction" and abs(value) < 1 and decimals < MAX_DECIMALS and round(size, decimals) >= HUNDRED:
        decimals += 1
    return decimals


def _tiny(size: float, symbol: str) -> tuple[str, str]:
    """A size that its range would show as 0: to one digit of its own, or what it is less than."""
    places = -math.floor(math.log10(size))
    if places > MAX_DECIMALS:
        return f"{10**-MAX_DECIMALS:.{MAX_DECIMALS}f}", "less than "
    return f"{round(size, places):,.{max(places, PLAIN_DECIMALS if symbol and size < 1 else 0)}f}", ""


def _two_digits(value: float) -> float:
    """The value to two significant digits."""
    if not value:
        return 0.0
    return round(value, 1 - math.floor(math.log10(abs(value))))


def _money(size: float, spread: float | None) -> tuple[str, str]:
    """An amount and the word behind it."""
    for limit, word in ((BILLION, " billion"), (MILLION, " million")):
        if size >= limit and not (spread and spread < limit * CENT):  # a narrow range needs the digits behind
            return f"{size / limit:,.{min(PLAIN_DECIMALS, _decimals(size / limit, spread and spread / limit))}f}", word
    if spread:
        decimals = 0 if spread >= TEN else PLAIN_DECIMALS if spread >= CENT else _decimals(size, spread)
    else:
        decimals = 0 if size >= THOUSAND else max(PLAIN_DECIMALS, _decimals(size, None) if size < TEN * CENT else 0)
    return f"{_supported(size, spread):,.{decimals}f}", ""


def format_ends(low: float, high: float, unit: Unit, *, currency: str = "USD", signed: bool = False) -> tuple[str, str]:
    """Both ends of a range, with as many digits as it supports; an end that is not 0 is never shown as 0, nor on its other side.

    Args:
        low: The lower end, in the unit.
        high: The upper end.
        unit: As for `format_value`.
        currency: ISO code.
        signed: Whether to write a plus.

    >>> format_ends(-0.000004, 0.0034, "points", signed=True)
    ('−0.0004 points', '+0.34 points')
    """
    more: dict[str, Any] = {"currency": currency, "signed": signed, "spread": (high - low) / 2 or None, "apart": True}
    return format_value(low, unit, **more), format_value(high, unit, **more)


def format_ranged(
    value: float, low: float, high: float, unit: Unit, *, currency: str = "USD", signed: bool = False
) -> tuple[str, str, str]:
    """A value and the ends of its range, as `format_ends` shows them; a value whose range excludes 0 is not shown as 0."""
    more: dict[str, Any] = {"currency": currency, "signed": signed}
    shown = format_value(value, unit, spread=(high - low) / 2 or None, apart=not low <= 0 <= high, **more)
    return shown, *format_ends(low, high, unit, **more)


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
        return format_value(end, number.unit, currency=currency, spread=spread, apart=True)
    if form == "rough":
        rough = _two_digits(number.value)
        return format_value(rough, number.unit, currency=currency, spread=abs(rough) / TEN if rough else None)
    if form in {"interval", "low", "high", "nearest", "farthest"}:
        if number.interval is None:
            msg = f"number {number.id!r} has no interval"
            raise ValueError(msg)
        signed = number.interval.low < 0 or number.id.endswith((".difference", ".relative"))
        low, high = format_ends(
            number.interval.low, number.interval.high, number.unit, currency=currency, signed=signed
        )
        return {"low": low, "high": high}.get(form) or f"{low.removesuffix(SUFFIX.get(number.unit, ''))} to {high}"
    if form not in {"", "signed", "abs"}:
        msg = f"unknown form {form!r}; forms are signed, abs, interval, low, high, nearest, farthest and rough"
        raise ValueError(msg)
    value = abs(number.value) if form == "abs" else number.value
    apart = number.interval is not None and not number.interval.low <= 0 <= number.interval.high
    return format_value(value, number.unit, currency=currency, signed=form == "signed", spread=spread, apart=apart)


def with_range(number: Number, *, currency: str = "USD") -> str:
    """A number's value as text, with its interval behind it where it has one."""
    span = f" ({format_number(number, 'interval', currency=currency)})" if number.published and number.interval else ""
    return f"{format_number(number, currency=currency)}{span}"

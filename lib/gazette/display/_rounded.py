"""Whether a difference is that of the figures beside it as they are printed: each is rounded by its own range."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import permutations
from typing import TYPE_CHECKING

from gazette.display._numbers import format_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazette.record import Number

__all__ = ["ROUNDED", "apart_in_print", "range_apart_in_print"]

ROUNDED = "figures rounded"
WORDS = {"million": 6, "billion": 9}
SAME = 1e-9  # of the figures: what a subtraction of floats may lose


def apart_in_print(gap: Number, figures: Sequence[Number], *, currency: str = "USD") -> bool:
    """Whether a number is the difference of two others, and a reader who subtracts these as printed gets another.

    An adjusted difference is not that of the figures beside it, so nothing is said of it here.

    Args:
        gap: The difference.
        figures: What is printed beside it.
        currency: ISO code.
    """
    shown = _printed(gap, currency)
    values = [(f, f.value) for f in figures if isinstance(f.value, float) and f.id != gap.id]
    if shown is None or not isinstance(gap.value, float):
        return False
    for (a, start), (b, end) in permutations(values, 2):
        if not math.isclose(end - start, gap.value, rel_tol=0, abs_tol=SAME * max(abs(start), abs(end))):
            continue
        first, last = _printed(a, currency), _printed(b, currency)
        if first is None or last is None:
            continue
        left = abs(abs(last - first) - abs(shown))
        if 2 * left > Decimal(1).scaleb(_place(shown)):
            return True
    return False


def range_apart_in_print(gap: Number, whole: Number, part: Number, *, currency: str = "USD") -> bool:
    """The same of a range less a figure, of which the ends are printed.

    Args:
        gap: Whose range is that of ``whole``, moved by ``part``.
        whole: From which is taken.
        part: What is taken, a figure alone.
        currency: ISO code.
    """
    less = _printed(part, currency)
    ends = [tuple(_printed(n, currency, form) for n in (whole, gap)) for form in ("low", "high")]
    return less is not None and any(
        start is not None and shown is not None and 2 * abs(start - less - shown) > Decimal(1).scaleb(_place(shown))
        for start, shown in ends
    )


def _printed(number: Number, currency: str, form: str = "") -> Decimal | None:
    """What a reader takes from the digits; None where they are a limit, or none."""
    text = format_number(number, form, currency=currency)
    if not number.published or "than" in text:
        return None
    digits = Decimal("".join(c for c in text if c in "0123456789."))
    power = next((p for word, p in WORDS.items() if word in text), 0)
    return digits.scaleb(power) * (-1 if "−" in text else 1)


def _place(value: Decimal) -> int:
    """The power of ten of the last digit."""
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)  # noqa: S101  it is a number
    return exponent

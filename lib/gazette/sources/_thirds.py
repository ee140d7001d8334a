"""Third central moments of columns, and mean products of three: how skewed values are, alone and less what explains them."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = ["named", "off", "thirds"]

MEAN = "gz_mean_"
OFF = "gz_off_"  # a column less its mean over the whole table, so that powers of it do not cancel


def off(rows: Any, columns: Sequence[str]) -> Any:
    """The table with each of these columns less its mean over all rows; the means come from one scan, and once, beside every row."""
    if not columns:
        return rows
    beside = rows.cross_join(rows.aggregate(**{f"{MEAN}{c}": rows[c].mean() for c in columns}))
    return beside.select(*rows.columns, **{f"{OFF}{c}": beside[c] - beside[f"{MEAN}{c}"] for c in columns})


def named(columns: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Name of each third moment and the letters of its three factors.

    Args:
        columns: Names by letter: x, y where there is a second value, p where there is a third, l where there is an indicator of 0 and 1, whose
            square is itself; in this order.
    """
    for factors in combinations_with_replacement(columns, 3):
        letters = "".join(factors)
        if len(set(factors)) == 1 and "l" not in letters:
            yield f"{columns[letters[0]]}_third", letters
        elif letters.count("l") < 2:  # noqa: PLR2004
            yield f"{columns[next(c for c in 'lpy' if c in letters)]}_{letters}_third", letters


def thirds(rows: Any, columns: Mapping[str, str]) -> dict[str, Any]:
    """Aggregates of a table that :func:`off` made: third moments by name.

    Args:
        rows: The table.
        columns: As for :func:`named`.
    """

    def mean(letters: str) -> Any:
        product = rows[f"{OFF}{columns[letters[0]]}"]
        for letter in letters[1:]:
            product = product * rows[f"{OFF}{columns[letter]}"]
        return product.mean()

    return {name: central(letters, mean) for name, letters in named(columns)}


def central(letters: str, mean: Callable[[str], Any]) -> Any:
    """The mean product of three distances from the group's means, from mean products of distances from anywhere."""
    a, b, c = (letters[i] for i in range(3))
    apart = mean(a) * mean(b + c) + mean(b) * mean(a + c) + mean(c) * mean(a + b)
    return mean(letters) - apart + mean(a) * mean(b) * mean(c) * 2

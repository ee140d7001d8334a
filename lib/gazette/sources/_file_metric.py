"""How a metric of a file is written: ``name:kind[:column[/column]]``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gazette.errors import WrongUseError

__all__ = ["FileMetric", "metric_name", "parse_metric"]

KIND = re.compile(
    r"proportion|mean|count|ratio|median|p(?P<quantile>\d{1,2}(?:\.\d+)?)|capped(?P<cap>\d{1,2}(?:\.\d+)?)"
)
NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True)
class FileMetric:
    """One metric of a file.

    Attributes:
        name: For readers and for ids.
        kind: ``proportion``, ``mean``, ``count``, ``ratio``, ``quantile`` or ``capped``.
        column: Its column, for a ratio the numerator.
        denominator: For a ratio.
        quantile: For ``quantile`` and ``capped``, from 0 to 1.
    """

    name: str
    kind: str
    column: str
    denominator: str = ""
    quantile: float = 0.0


def metric_name(column: str) -> str:
    """The name of a metric that is called as its column.

    >>> metric_name("retention_7")
    'retention-7'
    """
    return re.sub(r"[^a-z0-9]+", "-", column.lower()).strip("-")


def parse_metric(text: str) -> FileMetric:
    """Read ``name:kind[:column[/column]]``; without a column the name is the column's.

    >>> parse_metric("retention_7:proportion")
    FileMetric(name='retention-7', kind='proportion', column='retention_7', denominator='', quantile=0.0)
    >>> parse_metric("ctr:proportion:clicked").column, parse_metric("aov:ratio:revenue/orders").denominator
    ('clicked', 'orders')

    Raises:
        WrongUseError: It is not of that form.
    """
    name, _, rest = text.partition(":")
    kind, more, columns = rest.partition(":")
    if not more:
        name, columns = metric_name(name), name
    known = KIND.fullmatch(kind)
    if not NAME.fullmatch(name) or known is None or not columns:
        raise WrongUseError(
            f"{text!r} is not a metric",
            where="--metric",
            mend="write name:kind:column, such as ctr:proportion:clicked or aov:ratio:revenue/orders, or column:kind; "
            "kinds: proportion, mean, count, ratio, median, p90 (any quantile), capped99 (winsorised there); names: lower case with hyphens",
        )
    column, slash, denominator = columns.partition("/")
    if (kind == "ratio") != bool(slash) or (slash and not denominator):
        raise WrongUseError(
            f"{text!r}: a ratio takes two columns, other kinds one",
            where="--metric",
            mend="write aov:ratio:revenue/orders",
        )
    if known["quantile"] or known["cap"]:
        q = float(known["quantile"] or known["cap"]) / 100
        if not 0 < q < 1:
            raise WrongUseError(f"{text!r}: a quantile lies between p1 and p99", where="--metric", mend="write p90")
        return FileMetric(name, "quantile" if known["quantile"] else "capped", column, quantile=q)
    if kind == "median":
        return FileMetric(name, "quantile", column, quantile=0.5)
    return FileMetric(name, kind, column, denominator)

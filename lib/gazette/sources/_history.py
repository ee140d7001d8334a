"""Past tests: what was decided on them, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazette.sources._answer import Answer

if TYPE_CHECKING:
    import pyarrow as pa

    from gazette.sources._warehouse import Period, Warehouse

__all__ = ["HISTORY_TEXTS", "HISTORY_VALUES", "empty_history", "past_tests"]

FILE = "params/site.yml"
NEEDED = ("test", "title", "ended", "decision", "metric", "effect", "effect_error")
HISTORY_TEXTS = ("test", "title", "decision", "metric", "technical")
HISTORY_VALUES = ("effect", "effect_error", "technical_change", "technical_error", "realised", "realised_error")
LATER = ("realised", "realised_error", "realised_on")
ORDER = (
    "test",
    "title",
    "ended",
    "decision",
    "metric",
    "effect",
    "effect_error",
    "technical",
    "technical_change",
    "technical_error",
    "realised",
    "realised_error",
    "realised_on",
)
MOST = 20_000  # tests; beyond it somebody named the wrong table


def empty_history() -> pa.Table:
    """Past tests without a row."""
    import pyarrow as pa  # noqa: PLC0415  slow to import

    kinds = {**dict.fromkeys(HISTORY_TEXTS, pa.string()), **dict.fromkeys(HISTORY_VALUES, pa.float64())}
    return pa.Table.from_pylist([], schema=pa.schema([(c, kinds.get(c, pa.date32())) for c in ORDER]))


def past_tests(warehouse: Warehouse, name: str, period: Period) -> Answer:
    """Tests that ended before the day of the cut-off, oldest first; what was realised later is not known yet.

    Effects and what was realised are relative, the technical change is in the technical metric's own points; each has its
    standard error. Columns that the table lacks, beside those that it must have, come empty.

    Raises:
        SourceError: The table is missing, lacks a column that it must have, or holds more rows than a history can.
    """
    import ibis  # noqa: PLC0415

    from gazette.errors import SourceError  # noqa: PLC0415

    table = warehouse.table(name, {c: c for c in NEEDED}, file=FILE)
    until = ibis.literal(period.cutoff.date())
    known: dict[str, Any] = {}
    for column in ORDER:
        kind = "string" if column in HISTORY_TEXTS else "float64" if column in HISTORY_VALUES else "date"
        known[column] = table[column].cast(kind) if column in table.columns else ibis.null(kind)
    told = known["realised_on"] < until
    for column in LATER:
        known[column] = ibis.cases((told, known[column]))
    kept = table.filter(known["ended"] < until).select(**known)
    answer = warehouse.ask(
        "past_tests", kept.order_by("ended", *(c for c in ORDER if c != "ended")).limit(MOST + 1), file=FILE
    )
    if answer.table.num_rows > MOST:
        raise SourceError(
            f"table {name!r} holds more than {MOST:,} tests",
            where=FILE,
            mend="name a table with one row a test under 'history:'",
        )
    return answer

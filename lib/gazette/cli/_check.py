"""``gazette check``: every problem of the parameters."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from gazette.cli._shared import say, today

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from gazette.build import DataCheck

__all__ = ["EXAMPLE", "HELP", "add_options", "run"]

HELP = "report every problem in the parameters, with file, line and how to mend it"
EXAMPLE = "gazette check --json"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        "--data",
        nargs="?",
        const="",
        metavar="WEEK",
        help="ask the warehouse too: is everyone accounted for, can ids be compared, how many rows will be read (by default of the last whole week)",
    )


def run(options: argparse.Namespace) -> int:
    """The command; returns the exit code."""
    from gazette.build import check, check_data, open_project, remark_warnings, window_hints  # noqa: PLC0415
    from gazette.editions import Week  # noqa: PLC0415

    found = check(options.project)
    warnings, hints = remark_warnings(options.project), window_hints(options.project)
    rows = [{"file": p.file, "line": p.line, "key": p.key, "what": p.what, "mend": p.mend} for p in found]
    text = "\n".join(
        [
            *(str(p) if p.file.startswith(("reports/", "notebooks/", "_quarto.yml")) else f"params/{p}" for p in found),
            *(f"warning: params/{w}" for w in warnings),
            *(f"hint: params/{h}" for h in hints),
            f"{len(found)} problem{'s' * (len(found) != 1)}" if found else "No problem in the parameters.",
        ]
    )
    result: dict[str, object] = {"problems": rows, "warnings": warnings, "hints": hints}
    passed = not found
    if options.data is not None and passed:
        week = Week.parse(options.data) if options.data else Week.of(today()).next(-1)
        data = check_data(open_project(options.project), week)
        result["data"] = [{**asdict(d), "passed": d.passed} for d in data]
        text = "\n".join([text, "", *_data_lines(data, str(week))])
        passed = all(d.passed for d in data)
    say(options, result, text)
    return 0 if passed else 1


def _data_lines(data: list[DataCheck], week: str) -> Iterator[str]:
    for one in data:
        arms = ", ".join(f"{arm} {n:,}" for arm, n in one.arms.items())
        state = "can be read" if not one.arms else "everyone is accounted for"
        yield f"{one.subject}: {state if one.passed else 'NOT all can be used'}" + (f" ({arms})" if arms else "")
        if one.problem:
            yield f"    {one.problem}"
        for label, n in one.lost.items():
            yield f"    {n:,} in no arm: {label}"
        if set(one.lost) - {"several variants"}:
            yield "    mend: name other spellings under 'aliases:' of a variant, or what is meant to be no arm under 'exclude:'"
        yield from (f"    {why}" for why in one.strange)
        if one.strange:
            yield "    mend: let a view write the ids of one side as the other side does, or name another column under 'unit:'"
        nobody = [m for m, n in one.matched.items() if not n]
        if nobody and not one.strange:
            yield f"    no user has a row yet: {', '.join(nobody)}"
        yield from (
            f"    warning: {n:,} users have several values of {what}; the greatest is taken, of texts the last"
            for what, n in one.several.items()
        )
        yield from (f"    warning: {what}; let a view keep each row once, if it was loaded twice" for what in one.twice)
        yield f"    reads {sum(one.rows.values()):,} rows: " + ", ".join(
            f"{name} {n:,}" for name, n in one.rows.items()
        )
    read = {name: n for one in data for name, n in one.rows.items()}
    yield f"{week}: {len(data)} subjects, {sum(read.values()):,} rows in {len(read)} tables; a test reads each of its tables once, and a week of facts once more"

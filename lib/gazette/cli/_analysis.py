"""What ``gazette analyse`` shows in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazette.sources import Examination
    from gazette.workbench import AdHocBench

__all__ = ["show_analysis", "show_examination"]

WIDTH = 140  # of what no terminal reads


def _console() -> Any:
    from rich.console import Console  # noqa: PLC0415

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH
    return console


def _shown(console: Any, title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.markup import escape  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    console.print()
    console.print(table)


def show_analysis(bench: AdHocBench, notes: Sequence[str], *, segments: bool) -> None:
    """Verdicts, metrics, what is missing, segments and checks.

    Args:
        bench: What was found.
        notes: What was left out and capped, in words.
        segments: Whether there are any.
    """
    from rich.markup import escape  # noqa: PLC0415

    from gazette.display import Table, plain_sentence  # noqa: PLC0415
    from gazette.record import NotPublished  # noqa: PLC0415

    record = bench.record()
    numbers = {n.id: n for n in record.numbers}
    console = _console()
    colours = {"benefit shown": "green", "harm shown": "red", "no worthwhile benefit": "red", "not resolved": "yellow"}
    console.print(f"[bold]{escape(bench.ask.title)}[/bold]  {escape(bench.method())}")
    for line in notes:
        console.print(f"[yellow]![/yellow] {escape(line)}")
    for verdict in record.verdicts:
        colour = colours.get(verdict.state, "bright_black")
        console.print(
            f"\n[bold {colour}]{escape(verdict.state.upper())}[/]  ({escape(verdict.metric)}; rule {verdict.rule})"
        )
        console.print(escape(plain_sentence(verdict.reason, numbers)))
        console.print(
            f"[bold]{escape(verdict.action[:1].upper() + verdict.action[1:])}.[/bold] {escape(plain_sentence(verdict.advice, numbers))}"
        )
    frame = bench.scorecard().frame
    heads = {
        "treatment": "Arm",
        "metric": "Metric",
        "role": "Role",
        "control_shown": "Control",
        "treatment_shown": "Arm's value",
        "difference_shown": "Difference",
        "range_shown": "Range",
        "relative_shown": "Relative",
        "p_value": "p",
        "state": "Result",
    }
    rows = []
    for row in frame.to_dict("records"):
        p = row["p_value"]
        shown = {**row, "p_value": f"{p:.4g}" if p is not None and p == p else "–"}  # noqa: PLR0124  NaN
        rows.append([shown[k] for k in heads])
    _shown(console, "Metrics", list(heads.values()), rows)
    for table in [bench.arms(), bench.missing(), *([bench.segments()] if segments else [])]:
        if isinstance(table, Table) and not table.frame.empty:
            _shown(console, table.caption, *table.plain())
    if segments and not isinstance(bench.segments(), Table):
        for by, value, why in bench.segments_left_out():
            console.print(f"[yellow]![/yellow] {escape(by)} {escape(value)} is not compared: {escape(why)}")
    for finding in record.findings:
        console.print(f"• {escape(plain_sentence(finding, numbers))}")
    marks = {True: "[green]passed[/green]", False: "[red]FAILED[/red]", None: "not run"}
    checks = bench.checks().frame.to_dict("records")
    console.print(
        "\nChecks: "
        + "; ".join(
            f"{escape(row['check'])} {marks[c.passed]} ({escape(c.number.value.reason if isinstance(c.number.value, NotPublished) else row['found'])})"
            for row, c in zip(checks, bench.checks_made, strict=True)
        )
    )


def show_examination(name: str, found: Examination) -> None:
    """What stands in each column, and what is wrong with the file.

    Args:
        name: The file's.
        found: What was found.
    """
    console = _console()
    console.print(f"{name}: {found.rows:,} rows", markup=False)
    heads = ["Column", "Holds", "Missing", "Different", "From", "To"]
    rows = [[c.name, c.kind, f"{c.missing:,}", f"{c.different:,}", c.low, c.high] for c in found.columns]
    _shown(console, "Columns", heads, rows)
    words = {"stops": "stops an analysis", "fails": "fails a check", "note": "good to know"}
    told = [[words[f.weight], f.column or "–", f.what, f.mend or "–"] for f in found.findings]
    _shown(
        console,
        "Findings" if told else "Nothing was found that is wrong",
        ["Weight", "Where", "What", "What to do"],
        told,
    )

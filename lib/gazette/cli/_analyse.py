"""``gazette analyse``: a read-out of a file or of counts, without a project."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazette.errors import WrongUseError

if TYPE_CHECKING:
    import argparse

    import pandas as pd

    from gazette.workbench import AdHocBench

__all__ = ["EXAMPLE", "HELP", "add_options", "run"]

HELP = "read out any file of an A/B test, without a project"
EXAMPLE = """gazette analyse users.parquet --variant arm --control A --metric ctr:proportion:clicked
  gazette analyse users.csv --unit user_id --variant arm --control A --metric aov:ratio:revenue/orders --metric spend:capped99:revenue
  gazette analyse --counts A=1463/62500 --counts B=1569/62500 --control A"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add = parser.add_argument
    add("file", nargs="?", type=Path, metavar="FILE", help="CSV or Parquet with one row a unit; or give --counts")
    add(
        "--counts",
        action="append",
        default=[],
        metavar="ARM=X/N",
        help="successes and units of an arm, instead of a file; once for each arm",
    )
    add("--variant", metavar="COLUMN", help="column with the arms")
    add("--control", metavar="ARM", required=True, help="arm that the others are compared with")
    add(
        "--metric",
        action="append",
        default=[],
        metavar="NAME:KIND[:COLUMN[/COLUMN]]",
        help="repeatable, the first is the primary one; without COLUMN the column is NAME; kinds: proportion, mean, count, ratio, median, p90 (any quantile), capped99",
    )
    add("--unit", metavar="COLUMN", help="column with the units: checks that each has one row and one arm")
    add("--cluster", metavar="COLUMN", help="unit of assignment, where rows lie below it")
    add("--covariate", metavar="COLUMN", help="value from before the test, which narrows the ranges of means (CUPED)")
    add("--segment", metavar="COLUMN", help="shows the effect by the values of this column")
    add("--expected-ratio", metavar="ARM=SHARE,…", help="planned shares, such as A=0.9,B=0.1 (default: equal)")
    add(
        "--guardrail",
        action="append",
        default=[],
        metavar="NAME=MARGIN",
        help="a metric that may lose at most this much relative, such as spend=0.02",
    )
    add("--lower", action="append", default=[], metavar="NAME", help="a metric of which less is better")
    add(
        "--minimum-effect",
        type=float,
        default=0.0,
        metavar="X",
        help="smallest relative effect worth having, such as 0.02",
    )
    add("--alpha", type=float, default=0.05, metavar="X", help="error of the whole test (default: 0.05)")
    add(
        "--method",
        choices=["fixed", "group-sequential", "confidence-sequence"],
        default="fixed",
        help="how looks before the end are paid for (default: fixed, read once at the end)",
    )
    add("--planned-n", type=int, metavar="N", help="units of all arms at the planned end; needed for group-sequential")
    add("--html", type=Path, metavar="OUT", help="also write one page that needs no network")


def run(options: argparse.Namespace) -> int:
    """Analyse, print, and write the page where one is asked for.

    Raises:
        WrongUseError: Arguments that do not fit together.
        SourceError: The file cannot be read as asked.
    """
    from gazette.display import page  # noqa: PLC0415  the command imports what it needs
    from gazette.workbench import AdHocBench  # noqa: PLC0415

    bench = AdHocBench(*_ask(options))
    record = bench.record()
    if options.html:
        parts: list[Any] = [
            bench.verdict(),
            bench.scorecard(),
            bench.forest(),
            bench.findings(),
            bench.checks(),
            bench.arms(),
        ]
        if options.segment:
            parts += [bench.segment_forest(), bench.segments()]
        lead = [f"Read {bench.ask.now:%Y-%m-%d %H:%M} UTC. {bench.method()}.", *bench.ask.exclusions]
        text = page(bench.ask.title, [*parts, bench.numbers()], lead=lead, data=record.to_json())
        try:
            options.html.write_text(text, encoding="utf-8")
        except OSError as error:
            raise WrongUseError(
                f"the page cannot be written: {error.strerror}",
                where=str(options.html),
                mend="name a file in a folder that is there",
            ) from error
    if options.json:
        content: dict[str, Any] = {"exclusions": list(bench.ask.exclusions), "record": json.loads(record.to_json())}
        content["metrics"] = _rows(bench.scorecard().frame.drop(columns="result"))
        content["checks"] = [{"check": c.name, "passed": c.passed, "number": c.number.id} for c in bench.checks_made]
        if options.segment:
            found = bench.segments()
            content["segments"] = _rows(found.frame) if hasattr(found, "frame") else []
        print(json.dumps(content, ensure_ascii=False))
    else:
        _print(bench)
        if options.html:
            print(f"Wrote {options.html}")
    return 0


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows for JSON: every digit, and null for what is not there."""
    return [{str(k): None if v is None or v != v else v for k, v in row.items()} for row in frame.to_dict("records")]  # noqa: PLR0124  NaN


def _ask(options: argparse.Namespace) -> tuple[Any, dict[str, Any]]:
    from gazette.sources import FileMetric, FileQuestion, metric_name, parse_metric, read_file  # noqa: PLC0415
    from gazette.workbench import AdHoc, counts_table  # noqa: PLC0415

    if not 0 < options.alpha < 1:
        raise WrongUseError(f"--alpha {options.alpha} does not lie between 0 and 1", mend="write 0.05")
    if options.minimum_effect < 0:
        raise WrongUseError(
            "--minimum-effect is a size, so not negative", mend="name a metric of which less is better with --lower"
        )
    if options.planned_n is not None and options.planned_n < 1:
        raise WrongUseError("--planned-n is a number of units, at least 1")
    if options.method == "group-sequential" and not options.planned_n:
        raise WrongUseError(
            "group-sequential spends its error by the planned size",
            where="--method",
            mend="give --planned-n, or take confidence-sequence",
        )
    if bool(options.file) == bool(options.counts):
        raise WrongUseError("give either a FILE or --counts", mend="gazette analyse --help shows examples")
    shared: dict[str, Any] = {
        "control": options.control,
        "now": datetime.now(UTC).replace(tzinfo=None, microsecond=0),
        "shares": _shares(options.expected_ratio),
        "guardrails": {
            metric_name(name): margin
            for name, margin in (_pair(text, "--guardrail", "spend=0.02") for text in options.guardrail)
        },
        "lower": frozenset(map(metric_name, options.lower)),
        "minimum": options.minimum_effect,
        "alpha": options.alpha,
        "method": options.method,
        "planned": options.planned_n,
    }
    if options.counts:
        counts = dict(_count(text) for text in options.counts)
        _check_counts(counts, options)
        metric = parse_metric(options.metric[0]) if options.metric else FileMetric("rate", "proportion", "")
        digest = hashlib.sha256("\0".join(sorted(options.counts)).encode()).hexdigest()
        return AdHoc(title="Counts", metrics=(metric,), digest=digest, **shared), {
            "arms": counts_table(metric.name, counts)
        }
    if not options.variant or not options.metric:
        raise WrongUseError(
            "a file needs --variant and at least one --metric", mend="gazette analyse --help shows examples"
        )
    metrics = tuple(parse_metric(text) for text in options.metric)
    names = [m.name for m in metrics]
    if len(set(names)) != len(names):
        raise WrongUseError("two metrics have the same name", where="--metric", mend="give each a name of its own")
    if options.cluster and any(m.kind in {"quantile", "capped"} for m in metrics):
        raise WrongUseError(
            "quantiles and capped means are not computed for clusters", where="--cluster", mend="take a mean or a ratio"
        )
    question = FileQuestion(
        path=options.file,
        variant=options.variant,
        metrics=metrics,
        unit=options.unit or "",
        cluster=options.cluster or "",
        covariate=options.covariate or "",
        segment=options.segment or "",
    )
    answer = read_file(question, control=options.control)
    with options.file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    ask = AdHoc(
        title=options.file.name,
        metrics=metrics,
        cluster=bool(options.cluster),
        covariate=bool(options.covariate),
        exclusions=answer.exclusions,
        digest=digest,
        **shared,
    )
    return ask, dict(answer.tables)


def _pair(text: str, where: str, example: str) -> tuple[str, float]:
    name, _, number = text.rpartition("=")
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if not name or not 0 < value < 1:
        raise WrongUseError(
            f"{text!r} is not a name with a share between 0 and 1", where=where, mend=f"write {example}"
        )
    return name, value


def _shares(text: str | None) -> dict[str, float]:
    if not text:
        return {}
    shares = dict(_pair(part, "--expected-ratio", "A=0.9,B=0.1") for part in text.split(","))
    if abs(sum(shares.values()) - 1) > 1e-9:  # noqa: PLR2004  rounding of written decimals
        raise WrongUseError(
            f"the shares add up to {sum(shares.values()):g}, not to 1",
            where="--expected-ratio",
            mend="write A=0.9,B=0.1",
        )
    return shares


def _count(text: str) -> tuple[str, tuple[int, int]]:
    arm, _, counts = text.rpartition("=")
    successes, _, n = counts.partition("/")
    if not arm or not successes.isdecimal() or not n.isdecimal() or int(n) < 1 or int(successes) > int(n):
        raise WrongUseError(
            f"{text!r} is not an arm with successes and units",
            where="--counts",
            mend="write A=1463/62500, successes at most units",
        )
    return arm, (int(successes), int(n))


def _check_counts(counts: dict[str, tuple[int, int]], options: argparse.Namespace) -> None:
    if len(counts) != len(options.counts):
        raise WrongUseError("an arm is given twice", where="--counts", mend="give each arm once")
    if len(counts) < 2:  # noqa: PLR2004  a comparison
        raise WrongUseError("there is only one arm", where="--counts", mend="a comparison needs two")
    if options.control not in counts:
        raise WrongUseError(f"no arm {options.control!r}", where="--control", mend=f"it is one of: {', '.join(counts)}")
    if options.unit or options.cluster or options.covariate or options.segment or len(options.metric) > 1:
        raise WrongUseError(
            "counts have no columns, so no unit, cluster, covariate, segment or second metric",
            mend="give a FILE for that",
        )


def _print(bench: AdHocBench) -> None:
    """The panel for a terminal."""
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from gazette.display import plain_sentence  # noqa: PLC0415

    record = bench.record()
    numbers = {n.id: n for n in record.numbers}
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 140
    colours = {"benefit shown": "green", "harm shown": "red", "no worthwhile benefit": "red", "not resolved": "yellow"}
    console.print(f"[bold]{escape(bench.ask.title)}[/bold]  {escape(bench.method())}")
    for line in bench.ask.exclusions:
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
    table = Table(title="Metrics", title_justify="left", show_edge=False, pad_edge=False)
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
    for head in heads.values():
        table.add_column(head)
    for row in frame.to_dict("records"):
        p = row["p_value"]
        shown = {**row, "p_value": f"{p:.4g}" if p is not None and p == p else "–"}  # noqa: PLR0124  NaN
        table.add_row(*(escape(str(shown[k])) for k in heads))
    console.print()
    console.print(table)
    for finding in record.findings:
        console.print(f"• {escape(plain_sentence(finding, numbers))}")
    marks = {True: "[green]passed[/green]", False: "[red]FAILED[/red]", None: "not made"}
    checks = bench.checks().frame.to_dict("records")
    console.print(
        "\nChecks: "
        + "; ".join(
            f"{escape(row['check'])} {marks[c.passed]} ({escape(row['found'])})"
            for row, c in zip(checks, bench.checks_made, strict=True)
        )
    )

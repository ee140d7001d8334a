"""``gazette analyse``: a read-out of a file or of counts, without a project."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazette.cli._analysis import show_analysis, show_examination
from gazette.errors import WrongUseError

if TYPE_CHECKING:
    import argparse

    import pandas as pd

__all__ = ["EXAMPLE", "HELP", "add_options", "run"]

HELP = "read out any file of an A/B test, without a project"
EXAMPLE = """gazette analyse users.parquet --variant arm --control A --metric ctr:proportion:clicked
  gazette analyse users.csv --unit user_id --variant arm --control A --metric aov:ratio:revenue/orders --metric spend:capped99:revenue
  gazette analyse --counts A=1463/62500 --counts B=1569/62500 --control A
  gazette analyse users.csv --doctor --unit user_id --variant arm"""


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
    add("--control", metavar="ARM", help="arm that the others are compared with")
    add(
        "--metric",
        action="append",
        default=[],
        metavar="NAME:KIND[:COLUMN[/COLUMN]]",
        help="repeatable, the first is the primary one; without COLUMN the column is NAME; kinds: proportion, mean, count, ratio, median, p90 (any quantile), capped99",
    )
    add("--unit", metavar="COLUMN", help="column with the units: checks that each has one row and one arm")
    add("--cluster", metavar="COLUMN", help="unit of assignment, where rows lie below it")
    add(
        "--covariate",
        metavar="COLUMN",
        help="value from before the test, which narrows the ranges of means and ratios (CUPED)",
    )
    add("--segment", metavar="COLUMN", help="shows the effect by the values of this column")
    add(
        "--alias",
        action="append",
        default=[],
        metavar="WRITTEN=ARM",
        help="another spelling of an arm, such as Blue=blue; repeatable",
    )
    add(
        "--exclude-arm",
        action="append",
        default=[],
        metavar="ARM",
        help="leave out an arm; 'no variant' and 'no id' declare that rows without are left out; repeatable",
    )
    add("--first", metavar="COLUMN", help="of a unit with several rows the first counts, by this column of times")
    add("--distinct", action="store_true", help="rows that are alike in every column count once")
    add(
        "--matches",
        metavar="COLUMN[:ARM=VALUE,…]",
        help="values of rows whose COLUMN (such as the page that was shown) is not their arm's do not count; without values, what most rows have",
    )
    add(
        "--missing",
        action="append",
        default=[],
        metavar="TEXT",
        help="text that means a missing value, such as NA; repeatable",
    )
    add("--encoding", choices=["utf-8", "utf-16", "latin-1"], default="utf-8", help="of a CSV file (default: utf-8)")
    add(
        "--doctor",
        action="store_true",
        help="list what is wrong with the file, with counts and remedies, and conclude nothing",
    )
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
    """Analyse, print, and write the page where one is asked for; or examine the file alone.

    Raises:
        WrongUseError: Arguments that do not fit together.
        SourceError: The file cannot be read as asked.
    """
    if options.doctor:
        return _examine(options)
    from gazette.display import page  # noqa: PLC0415  the command imports what it needs
    from gazette.editions import refuse_leaks  # noqa: PLC0415
    from gazette.workbench import AdHocBench  # noqa: PLC0415

    bench = AdHocBench(*_ask(options))
    record = bench.record()
    notes = bench.notes()
    if options.html:
        parts: list[Any] = [
            bench.verdict(),
            bench.scorecard(),
            bench.forest(),
            bench.findings(),
            bench.checks(),
            bench.arms(),
        ]
        if not bench.missing().frame.empty:
            parts.append(bench.missing())
        if options.segment:
            parts += [bench.segment_forest(), bench.segments()]
        lead = [f"Read {bench.ask.now:%Y-%m-%d %H:%M} UTC. {bench.method()}.", *notes]
        text = page(bench.ask.title, [*parts, bench.numbers()], lead=lead, data=record.to_json())
        refuse_leaks([(options.html.name, text.encode())], "written")
        try:
            options.html.write_text(text, encoding="utf-8")
        except OSError as error:
            raise WrongUseError(
                f"the page cannot be written: {error.strerror}",
                where=str(options.html),
                mend="name a file in a folder that is there",
            ) from error
    if options.json:
        content: dict[str, Any] = {"exclusions": notes, "record": json.loads(record.to_json())}
        content["metrics"] = _rows(bench.scorecard().frame.drop(columns="result"))
        content["arms"] = _rows(bench.arms().frame)
        content["missing"] = _rows(bench.missing().frame)
        content["checks"] = [
            {"check": c.name, "of": c.of or None, "metric": c.metric or None, "passed": c.passed, "number": c.number.id}
            for c in bench.checks_made
        ]
        if options.segment:
            found = bench.segments()
            content["segments"] = _rows(found.frame) if hasattr(found, "frame") else []
            content["segments_left_out"] = [
                {"segment": by, "value": value, "why": why} for by, value, why in bench.segments_left_out()
            ]
        print(json.dumps(content, ensure_ascii=False))
    else:
        show_analysis(bench, notes, segments=bool(options.segment))
        if options.html:
            print(f"Wrote {options.html}")
    return 0


def _examine(options: argparse.Namespace) -> int:
    from gazette.sources import FileQuestion, examine_file  # noqa: PLC0415

    if not options.file:
        raise WrongUseError("--doctor examines a FILE", mend="gazette analyse --help shows examples")
    found = examine_file(FileQuestion(**_columns(options)), control=options.control or "")
    if options.json:
        print(
            json.dumps(
                {
                    "rows": found.rows,
                    "columns": [asdict(c) for c in found.columns],
                    "findings": [asdict(f) for f in found.findings],
                },
                ensure_ascii=False,
            )
        )
    else:
        show_examination(options.file.name, found)
    return int(any(f.weight != "note" for f in found.findings))


def _columns(options: argparse.Namespace) -> dict[str, Any]:
    """What is asked of a file, as a question has it."""
    from gazette.sources import parse_metric  # noqa: PLC0415

    column, _, pages = (
        (options.matches or "").partition(":") if "=" in (options.matches or "") else (options.matches or "", "", "")
    )
    if options.first and not options.unit:
        raise WrongUseError("--first is about rows of a unit", mend="name the column of the units with --unit")
    return {
        "path": options.file,
        "variant": options.variant or "",
        "metrics": tuple(parse_metric(text) for text in options.metric),
        "unit": options.unit or "",
        "cluster": options.cluster or "",
        "covariate": options.covariate or "",
        "segment": options.segment or "",
        "encoding": options.encoding,
        "missing": tuple(options.missing),
        "aliases": dict(_named(text, "--alias", "Blue=blue") for text in options.alias),
        "exclude_arms": tuple(options.exclude_arm),
        "first": options.first or "",
        "distinct": options.distinct,
        "matches": column,
        "pages": dict(_named(text, "--matches", "page:A=old,B=new") for text in pages.split(",") if text),
    }


def _named(text: str, where: str, example: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not name or not sign or not value:
        raise WrongUseError(f"{text!r} does not name two things", where=where, mend=f"write {example}")
    return name, value


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows for JSON: every digit, and null for what is not there."""
    return [{str(k): None if v is None or v != v else v for k, v in row.items()} for row in frame.to_dict("records")]  # noqa: PLR0124  NaN


def _ask(options: argparse.Namespace) -> tuple[Any, dict[str, Any]]:
    from gazette.sources import FileMetric, FileQuestion, metric_name, parse_metric, read_file  # noqa: PLC0415
    from gazette.workbench import AdHoc, counts_table  # noqa: PLC0415

    _check_options(options)
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
        _check_names([metric.name])
        digest = hashlib.sha256("\0".join(sorted(options.counts)).encode()).hexdigest()
        return AdHoc(title="Counts", metrics=(metric,), digest=digest, **shared), {
            "arms": counts_table(metric.name, counts)
        }
    if not options.variant or not options.metric:
        raise WrongUseError(
            "a file needs --variant and at least one --metric", mend="gazette analyse --help shows examples"
        )
    question = FileQuestion(**_columns(options))
    metrics = question.metrics
    names = [m.name for m in metrics]
    if len(set(names)) != len(names):
        raise WrongUseError("two metrics have the same name", where="--metric", mend="give each a name of its own")
    _check_names(names)
    if options.cluster and any(m.kind in {"quantile", "capped"} for m in metrics):
        raise WrongUseError(
            "quantiles and capped means are not computed for clusters", where="--cluster", mend="take a mean or a ratio"
        )
    if options.cluster and options.covariate:
        raise WrongUseError("clusters are not adjusted by a covariate", where="--covariate", mend="leave it out")
    answer = read_file(question, control=options.control, shares=list(shared["shares"]))
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


def _check_names(names: list[str]) -> None:
    from gazette.params import clashes  # noqa: PLC0415

    for name, what in clashes(names):
        raise WrongUseError(what, where="--metric", mend=f"write NAME:KIND:COLUMN, such as {name}-value:mean:COLUMN")


def _check_options(options: argparse.Namespace) -> None:
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
    if not options.control:
        raise WrongUseError("no --control is given", mend="name the arm that others are compared with")


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

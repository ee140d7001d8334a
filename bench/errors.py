"""The one table of errors and coverage: what every method of the product does on data whose truth is known.

Usage: python bench/errors.py [--quick] [--scale SHARE] [--only WORD] [--merge] [--json FILE] [--markdown FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent)]

from rows import Row
from rows import _looks, _many, _models, _tests
from rows._users import Case

QUICK = 0.04  # of the runs of the long form
HEAD = """# Errors and coverage, simulated
Made by `make errors` (`bench/errors.py`), which runs the product's own functions on data whose truth is known. *Now* is the share of simulated
tests, of those in which something was published; plus or minus two standard errors of the simulation. *Before* is what was published when the
row was filed. A row is **held** where the simulation cannot tell it from what is said (errors up to 1.1 times the stated one, coverage within two points),
**conservative** where it errs less than half as often or covers more, **withheld** where half or more are not published, and **not held** otherwise.
"""


def all_jobs(scale: float) -> list[partial[list[Row]]]:
    """Every job, the long ones first as they come."""
    return [*_tests.filed(scale), *_looks.jobs(scale), *_models.jobs(scale), *_many.jobs(scale), *_tests.grid(scale)]


JOBS: list[
    partial[list[Row]]
] = []  # known to the processes that are forked, as functions without a name cannot be sent


def run(place: int) -> list[Row]:
    """One job, in another process."""
    return JOBS[place]()


def name_of(job: partial[list[Row]]) -> str:
    """Its function and, where it has one, its kind of metric."""
    kinds = [a.name for a in job.args if isinstance(a, Case)]
    return " ".join([f"{job.func.__module__}.{job.func.__name__}", *kinds])


def merged(old: list[dict[str, object]], new: list[dict[str, object]]) -> list[dict[str, object]]:
    """The old rows, of which some were simulated again, and those that are new."""

    def place(row: dict[str, object]) -> tuple[object, ...]:
        return row["part"], row["what"], row["measure"], row["before"]

    again = {place(r): r for r in new}
    return [again.pop(place(r), r) for r in old] + [*again.values()]


def percent(value: float | None, measure: str) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if measure == "value" else f"{100 * value:.1f} %"


def markdown(rows: Sequence[dict[str, object]], runs: str) -> str:
    """The table, a part at a time."""
    found = [HEAD, runs, ""]
    counts = Counter(str(r["word"]) for r in rows)
    words = ("held", "conservative", "withheld", "not held")
    found += ["Of all rows: " + ", ".join(f"{counts[w]} {w}" for w in words) + "."]
    for part in dict.fromkeys(str(r["part"]) for r in rows):
        found += [
            "",
            f"## {part}",
            "",
            "| what | | said | before | now | ± | withheld | |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for r in rows:
            if r["part"] == part:
                m = str(r["measure"])
                shown = [percent(r[k], m) for k in ("nominal", "before", "now")]  # type: ignore[arg-type]
                doubt = percent(2 * float(r["error"]), m).removesuffix(" %") if r["now"] is not None else "-"  # type: ignore[arg-type]
                word = f"**{r['word']}**" if r["word"] == "not held" else r["word"]
                found.append(
                    f"| {r['what']} | {m} | {' | '.join(shown)} | {doubt} | {100 * float(r['withheld']):.0f} % | {word} |"  # type: ignore[arg-type]
                )
    return "\n".join(found) + "\n"


def gathered(workers: int) -> Iterator[list[Row]]:
    """What each job found, in their order, with a line about progress."""
    began = time.monotonic()
    with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
        for i, rows in enumerate(pool.map(run, range(len(JOBS))), 1):
            if sys.stderr.isatty():
                print(f"\r{i} of {len(JOBS)}, {time.monotonic() - began:.0f} s", end="", file=sys.stderr, flush=True)
            yield rows


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--quick", action="store_true", help="a small form of a minute")
    ask.add_argument("--scale", type=float, default=1.0, help="share of the runs of the long form")
    ask.add_argument("--only", default="", help="jobs whose name, or kind of metric, has this word")
    ask.add_argument("--merge", action="store_true", help="with --json: keep the file's other rows")
    ask.add_argument("--json", type=Path, help="file to write the rows to")
    ask.add_argument("--markdown", type=Path, help="file to write the table to")
    ask.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    told = ask.parse_args()
    scale = QUICK if told.quick else told.scale
    JOBS[:] = [j for j in all_jobs(scale) if told.only in name_of(j)]
    rows = [r.as_json() for some in gathered(told.workers) for r in some]
    if told.merge:
        rows = merged(json.loads(told.json.read_text()), rows)
    text = markdown(rows, f"Runs: {scale:g} of the long form.")
    if told.json:
        told.json.write_text(json.dumps(rows, indent=1) + "\n")
    if told.markdown:
        told.markdown.write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Aggregating and analysing an experiment from Parquet: Gazette, a raw DuckDB scan and pandas with scipy, side by side in one run.

Usage: python bench/experiments.py [ROWS ...]   (default: 10 and 50 million)

Each side runs in a process of its own, in turns, and the table shows the median time, the ratio of each round's pair and the peak memory.
Five metrics (three means, a proportion, a ratio), the means and the proportion adjusted by a covariate (CUPED).
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

ROUNDS = 3
METRICS = (
    "spend:mean:spend",
    "visits:count:visits",
    "ctr:proportion:clicked",
    "aov:ratio:spend/visits",
    "minutes:mean:minutes",
)
VALUES = ("spend", "visits", "clicked", "minutes")
COLUMNS = ("variant", *VALUES, "before")


def make(path: Path, rows: int) -> None:
    """Users of two arms, row by row from a hash of their number: the same every time."""
    import duckdb

    duckdb.sql("SET memory_limit = '300MB'")
    u = "(hash(i * 7 + {k}) % 1000000) / 1000000.0"
    one, two, three, four, five = (u.format(k=k) for k in range(5))
    duckdb.sql(f"""
        COPY (SELECT CASE WHEN i % 2 = 0 THEN 'A' ELSE 'B' END AS variant,
                     -20 * ln(1 - {one}) AS before,
                     -20 * ln(1 - {one}) * (0.5 + {two}) + (i % 2) * 0.05 AS spend,
                     1 + floor(6 * {three}) AS visits,
                     ({four} < 0.1 + 0.001 * (i % 2))::DOUBLE AS clicked,
                     60 * {five} * {five} AS minutes
              FROM range({rows}) t(i)) TO '{path}' (FORMAT parquet)""")


def gazette(path: Path) -> object:
    """What ``gazette analyse`` does between reading its arguments and printing."""
    from gazette.sources import FileQuestion, parse_metric, read_file
    from gazette.workbench import AdHoc, AdHocBench

    metrics = tuple(parse_metric(m) for m in METRICS)
    answer = read_file(FileQuestion(path=path, variant="variant", metrics=metrics, covariate="before"), control="A")
    ask = AdHoc(
        title="bench", control="A", metrics=metrics, now=datetime(2026, 1, 1), shares={}, guardrails={}, covariate=True
    )
    return len(AdHocBench(ask, answer.tables).record().numbers)


def duckdb_scan(path: Path) -> object:
    """(a) the same aggregates by hand, nothing else."""
    import duckdb

    parts = [f"avg({c}), var_samp({c})" for c in (*VALUES, "before")]
    parts += [f"covar_samp({c}, before)" for c in VALUES] + ["covar_samp(spend, visits)"]
    return duckdb.sql(f"SELECT variant, count(*), {', '.join(parts)} FROM '{path}' GROUP BY 1").fetchall()


def pandas_scipy(path: Path) -> object:
    """(b) rows in memory, adjusted by hand, Welch's test of each metric."""
    import numpy as np
    import pandas as pd
    from scipy import stats

    frame = pd.read_parquet(path, columns=list(COLUMNS))
    control = frame["variant"] == "A"
    found = []
    for column in VALUES:
        theta = np.cov(frame[column], frame["before"])[0, 1] / frame["before"].var()
        value = frame[column] - theta * (frame["before"] - frame["before"].mean())
        found.append(stats.ttest_ind(value[~control], value[control], equal_var=False).confidence_interval())
    totals = frame.groupby(control)[["spend", "visits"]].agg(["mean", "var"])
    cov = frame.groupby(control)[["spend", "visits"]].cov()
    return [found, totals, cov]


SIDES = {"gazette": gazette, "duckdb": duckdb_scan, "pandas": pandas_scipy}


def measure(side: str, path: Path) -> tuple[float, float]:
    """Seconds of the work itself, imports left out, and peak memory in MB, of a fresh process."""
    done = subprocess.run(
        [sys.executable, __file__, "--side", side, str(path)], capture_output=True, text=True, check=True
    )
    return tuple(json.loads(done.stdout))


def main() -> None:
    if sys.argv[1:2] == ["--side"]:
        import duckdb  # noqa: F401

        if sys.argv[2] == "gazette":
            import gazette.workbench  # noqa: F401
        if sys.argv[2] == "pandas":
            import pandas  # noqa: F401
            import pyarrow.parquet  # noqa: F401
            import scipy.stats  # noqa: F401
        start = time.perf_counter()
        SIDES[sys.argv[2]](Path(sys.argv[3]))
        print(json.dumps([time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
        return
    for rows in [int(float(a)) for a in sys.argv[1:]] or [10_000_000, 50_000_000]:
        with tempfile.TemporaryDirectory(prefix="gazette-bench-") as folder:
            path = Path(folder) / "users.parquet"
            make(path, rows)
            with (
                path.open("rb") as stream
            ):  # in the system's memory for every side alike, and not in this process's, whose peak they would inherit
                while stream.read(1 << 20):
                    pass
            taken = {side: [] for side in SIDES}
            for _ in range(ROUNDS):
                for side in SIDES:
                    taken[side].append(measure(side, path))
        print(f"\n{rows:,} users, {ROUNDS} rounds")
        for side, runs in taken.items():
            pairs = [run[0] / base[0] for run, base in zip(runs, taken["gazette"], strict=True)]
            seconds, memory = statistics.median(r[0] for r in runs), max(r[1] for r in runs)
            print(
                f"  {side:8} {seconds:8.2f} s   {memory:8.0f} MB   {statistics.median(pairs):6.2f} times gazette (rounds: {', '.join(f'{p:.2f}' for p in pairs)})",
                flush=True,
            )


if __name__ == "__main__":
    main()

"""What an edition of the demo takes in PostgreSQL and in DuckDB, stage by stage, in turns; and which statements PostgreSQL spends its time on.

Usage: python bench/postgres.py [PROJECT] [ROUNDS]   (default: this checkout, after 'gazette demo'; 1 round)

The server is Debian's, on loopback, as the tests start it (tools/postgres.sh installs it). Each build starts from nothing.
"""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psycopg

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from postgres import copy_tables, postgres  # noqa: E402  the tests' own server

WEEK = "2026-W47"
LINE = re.compile(rf"\[ *([\d.]+) s\] (?:{WEEK}|shelf): (.+)")
SLOW = 100  # milliseconds from which a statement is listed
MOST = 12
STAGES = {
    "Freezing the data: a second time": "a second time",
    "Freezing": "freezing",
    "Running": "notebooks",
    "Computing": "comparing",
    "Rendering": "pages",
}


def project(source: Path, place: Path, warehouse: str = "") -> Path:
    """A project of the demo with nothing built, in its own DuckDB or elsewhere."""
    for name in ("params", "notebooks", "reports", ".gazette/demo"):
        shutil.copytree(source / name, place / name)
    shutil.copy(source / "_quarto.yml", place)
    site = place / "params" / "site.yml"
    text = site.read_text()
    if warehouse:
        (own,) = re.findall(r"^warehouse: duckdb://(\S+)", text, re.MULTILINE)
        copy_tables(place / own, warehouse)
        site.write_text(text.replace(f"warehouse: duckdb://{own}", f"warehouse: {warehouse}"))
    return place


def build(place: Path) -> Counter[str]:
    """Seconds of each stage, and of all."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "gazette", "build", WEEK, "--engine", "embedded", "--project", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = Counter({"all": time.perf_counter() - start})
    if done.returncode:
        sys.exit(done.stdout[-2000:] + done.stderr[-2000:])
    lines = [(float(at), text) for at, text in LINE.findall(done.stderr + done.stdout)]
    stage = ""
    for (at, text), (until, _) in zip(lines, [*lines[1:], lines[-1]], strict=True):
        stage = next(
            (name for head, name in STAGES.items() if text.startswith(head)), stage if "ok" in text else "other"
        )
        found[stage] += until - at
    return found


def slowest(address: str) -> list[tuple[float, str]]:
    """Statements by the time that they took in all, as the server's log has them."""
    with psycopg.connect(address) as db:
        folder = Path(db.execute("SELECT current_setting('data_directory')").fetchone()[0])  # type: ignore[index]
    taken: Counter[str] = Counter()
    for entry in re.split(r"^(?=\d{4}-\d\d-\d\d )", (folder.parent / "log").read_text(), flags=re.MULTILINE):
        if found := re.search(r"duration: ([\d.]+) ms  (?:statement|execute[^:]*): (.*)", entry, re.DOTALL):
            taken[" ".join(found[2].split())] += float(found[1]) / 1000
    return [(seconds, text) for text, seconds in taken.most_common()]


def main() -> None:
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    if not (source / ".gazette" / "demo").is_dir():
        sys.exit("no demo here; 'gazette demo' makes it")
    ratios = []
    with tempfile.TemporaryDirectory() as folder, postgres() as server:
        address = f"{server}/demo"
        elephant = project(source, Path(folder) / "postgres", address)
        with psycopg.connect(f"{server}/postgres", autocommit=True) as db:
            db.execute(f"ALTER SYSTEM SET log_min_duration_statement = {SLOW}")
            db.execute("SELECT pg_reload_conf()")
        for i in range(rounds):
            for own in ("editions", "_site"):
                shutil.rmtree(elephant / own, ignore_errors=True)
            theirs = build(elephant)
            ours = build(project(source, Path(folder) / f"duckdb-{i}"))
            ratios.append(theirs["all"] / ours["all"])
            print(
                f"round {i + 1}: {theirs['all']:.0f} s in PostgreSQL, {ours['all']:.0f} s in DuckDB, ratio {ratios[-1]:.2f}"
            )
            for stage in theirs | ours:
                print(f"  {stage:14} {theirs[stage]:7.1f} s {ours[stage]:7.1f} s", flush=True)
        print(
            f"median ratio {statistics.median(ratios):.2f}; statements of more than {SLOW / 1000} s, all rounds together:"
        )
        found = slowest(address)
        for seconds, text in found[:MOST]:
            print(f"  {seconds:6.1f} s  {text[:150]} … {text[-100:]}")
        print(f"  {sum(s for s, _ in found):6.1f} s  all {len(found)} of them")


if __name__ == "__main__":
    main()

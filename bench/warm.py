"""What it saves to fork workers from a warm process: every notebook of a sealed edition, run both ways in turns.

Usage: python bench/warm.py [EDITION] [ROUNDS]   (default: the newest in editions/, as 'make report' leaves it; 3 rounds)

Both ways must give the same bytes. The table shows seconds and the ratio of each round's pair.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from gazette.replay import rerun
from gazette.runs import Interpreter

EDITIONS = Path(__file__).parents[1] / "editions"
COLD = Interpreter(alone=True)  # any but the default is started from nothing


def run(edition: Path, place: Path, interpreter: Interpreter | None) -> tuple[float, dict[str, bytes]]:
    """Seconds and executed notebooks of a run."""
    start = time.perf_counter()
    done = rerun(edition, place, interpreter=interpreter)
    seconds = time.perf_counter() - start
    if failed := [o.failure.what for o in done.outcomes.values() if o.failure]:
        sys.exit(f"a notebook failed: {failed[0]}")
    return seconds, {p.name: p.read_bytes() for p in sorted((place / "notebooks").glob("*.ipynb"))}


def main() -> None:
    sealed = sorted(p for p in EDITIONS.glob("*-W*") if p.is_dir())
    if len(sys.argv) < 2 and not sealed:
        sys.exit("no edition to run; 'make report' makes some")
    edition = Path(sys.argv[1]) if len(sys.argv) > 1 else sealed[-1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    ratios = []
    print(f"{edition.name}   from nothing   forked   ratio")
    with tempfile.TemporaryDirectory() as folder:
        for i in range(rounds):
            cold, told = run(edition, Path(folder) / f"cold-{i}", COLD)
            warm, forked = run(edition, Path(folder) / f"warm-{i}", None)
            if told != forked:
                sys.exit(f"the two ways differ in {sorted(n for n in told if told[n] != forked.get(n))}")
            ratios.append(warm / cold)
            print(f"  round {i + 1}      {cold:6.1f} s     {warm:6.1f} s   {ratios[-1]:.2f}", flush=True)
    print(f"  {len(told)} notebooks, the same bytes both ways; median ratio {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()

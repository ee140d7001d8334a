"""What a week costs when many editions lie before it: building, publishing and verifying after 10 and after 1,000 editions.

Usage: python bench/editions.py [MANY] [ROUNDS]   (default: 1000 editions, 2 rounds)

Two editions of the demo are built; copies of the second (hard links, each with a manifest and a log of restatements of its own, as if
each had restated the one before) stand for the past. Each round builds the same next week after few and after many editions, in turns and each in a process of its own, and the
table shows the ratio of each round's pair. ``gazette verify`` reads every byte of every edition, so it shall be linear.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gazette.editions import Store, Week
from gazette.record import canonical_json

REPOSITORY = Path(__file__).parents[1]
FEW = 10
NEXT = Week.parse("2026-W46")
LOG = "restatements.json"


def gazette(project: Path, *arguments: str) -> float:
    """Seconds of a command."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "gazette", *arguments, "--project", str(project)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)} failed\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return time.perf_counter() - start


def link(source: Path, place: Path) -> None:
    """A copy of a folder that takes no space."""
    shutil.copytree(source, place, copy_function=os.link)


def past(project: Path, model: Path, count: int) -> None:
    """Seal ``count`` copies of an edition in the weeks before `NEXT`, published."""
    store = Store(project / "editions")
    (store.root / ".published").mkdir(parents=True)
    content = json.loads((model / "manifest.json").read_text(encoding="utf-8"))
    previous = None
    for back in range(count, 0, -1):
        week = NEXT.next(-back)
        place = store.path(week)
        link(model, place)
        (place / "manifest.json").unlink()
        log = (model / LOG).read_text(encoding="utf-8")
        log = log.replace(f'"{NEXT.next(-1)}"', f'"{week.next(-1)}"').replace(f'"{NEXT}"', f'"{week}"')
        (place / LOG).unlink()
        (place / LOG).write_text(log, encoding="utf-8")
        files = content["files"] | {LOG: hashlib.sha256(log.encode()).hexdigest()}
        restated = [[str(week.next(-1)), *row[1:]] for row in content["facts"]["restated"]]
        sealed = {k: v for k, v in content.items() if k != "digest"} | {
            "edition": str(week),
            "previous": previous,
            "files": files,
            "facts": content["facts"] | {"restated": restated},
        }
        digest = hashlib.sha256(canonical_json(sealed).encode()).hexdigest()
        (place / "manifest.json").write_text(canonical_json({**sealed, "digest": digest}), encoding="utf-8")
        (store.root / ".published" / str(week)).write_text(digest + "\n", encoding="utf-8")
        previous = {"edition": str(week), "digest": digest}
        published = project / "_site" / "editions" / str(week)
        link(place / "site", published)
        os.link(place / "manifest.json", published / "manifest.json")


def lay_out(root: Path, demo: Path) -> Path:
    """A project with the demo's data and no edition."""
    root.mkdir(parents=True)
    for name in ("params", "notebooks", "reports"):
        shutil.copytree(REPOSITORY / name, root / name)
    shutil.copyfile(REPOSITORY / "_quarto.yml", root / "_quarto.yml")
    if demo.is_dir():
        shutil.copytree(demo, root / ".gazette" / "demo")
    return root


def build(project: Path) -> float:
    """Seconds to build and publish the next week, as if for the first time; the edition is taken away again."""
    gazette(
        project, "build", f"{NEXT.next(-1)}", "--engine", "embedded"
    )  # the shelf as it is before the week: not measured
    seconds = gazette(project, "build", str(NEXT), "--engine", "embedded")
    for place in (project / "editions" / str(NEXT), project / "_site" / "editions" / str(NEXT)):
        shutil.rmtree(place)
    (project / "editions" / ".published" / str(NEXT)).unlink()
    shutil.rmtree(project / ".gazette" / "cache" / "runs")
    return seconds


def main() -> None:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        first = lay_out(root / "first", root / "none")
        gazette(first, "demo")
        gazette(first, "build", f"{NEXT.next(-1)}..{NEXT}", "--engine", "embedded", "--no-publish")
        projects = {}
        for count in (FEW, many):
            projects[count] = lay_out(root / str(count), first / ".gazette" / "demo")
            past(projects[count], first / "editions" / str(NEXT), count)
        print(f"building and publishing one week of the demo   after {FEW}   after {many:,}   ratio", flush=True)
        ratios = []
        for _ in range(rounds):
            few, more = (build(projects[count]) for count in (FEW, many))
            ratios.append(more / few)
            print(f"{'':44} {few:8.1f} s {more:10.1f} s {ratios[-1]:8.2f}", flush=True)
        print(f"  median ratio {statistics.median(ratios):.2f}; shall be at most 1.20")
        print("verifying every edition                        editions   seconds   a hundred editions")
        for count in (FEW, many):
            seconds = gazette(projects[count], "verify")
            print(f"{'':46} {count:8,} {seconds:8.1f} s {100 * seconds / count:12.1f} s", flush=True)


if __name__ == "__main__":
    main()

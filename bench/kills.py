"""Kill commands at random instants, also where disk, descriptors or memory run out, and see that nothing published changed.

Usage: python bench/kills.py [KILLS] [SEED]   (default: 200, 1; a full disk needs the right to mount, else those rounds are left out)

Each round takes a copy of a small project with a published edition and a decision on it, starts a command, and kills it (SIGKILL, its
main process alone, as the system does where memory runs out) or starves it. Then:

- what readers saw is byte for byte what it was, and the site has its first page;
- no process of it is left, a few seconds later;
- the same command comes to its end when it is run again;
- ``gazette verify --published`` finds all as sealed;
- nothing half made is left in the project or among the temporary files.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from small import SmallProject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OLD, NEW = "2026-W46", "2026-W47"
SAY = ("--by", "Ada", "--because", "A clear gain.")
COMMANDS: dict[str, tuple[str, ...]] = {
    "build": ("build", NEW),
    "publish": ("build", OLD),
    "decide": ("decide", "button", "stop", *SAY, "--override", "--supersede"),
    "annotate": ("annotate", "button", "--text", "A remark.", "--by", "Ben"),
    "pack": ("pack", f"button-{OLD}"),
}
PAGE = 4096  # bytes that a file system gives out at once
LASTS = 10.0  # seconds within which what belongs to a killed command has to be gone
AGED = 3600.0  # seconds by which temporary folders are made older, and unfinished files: young ones are left alone


class Limits(NamedTuple):
    """What a command has of the machine; None is all."""

    name: str
    files: int | None = None
    memory: int | None = None
    disk: int | None = None


def tree(folder: Path) -> dict[str, str]:
    """Digest of every file below a folder."""
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def start(words: tuple[str, ...], project: Path, scratch: Path, limits: Limits | None = None) -> subprocess.Popen[str]:
    """The command in a process of its own."""

    def confine() -> None:
        if limits and limits.files:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limits.files, limits.files))
        if limits and limits.memory:
            resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))

    return subprocess.Popen(
        [sys.executable, "-m", "gazette", *words, "--project", str(project)],
        env={**os.environ, "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=confine,  # noqa: PLW1509  this process has one thread
    )


def finish(words: tuple[str, ...], project: Path, scratch: Path) -> tuple[int, str]:
    """Run the command to its end."""
    process = start(words, project, scratch)
    said = process.communicate(timeout=600)[0]
    return process.returncode, said


def left_running(scratch: Path) -> list[str]:
    """Processes that were given the folder for temporary files of this round."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get("TMPDIR") == str(scratch):
                found.append(f"{process.pid} {' '.join(process.cmdline())[:100]}")
    return found


@contextlib.contextmanager
def room(place: Path, size: int | None) -> Iterator[Path]:
    """A folder, on a file system of this many bytes if there is a limit."""
    place.mkdir()
    if size is None:
        yield place
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def may_mount() -> bool:
    """Whether file systems of a given size can be had here."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            with room(Path(folder, "disk"), 1 << 20):
                return True
        except (OSError, subprocess.CalledProcessError):
            return False


def seconds_of(base: Path, place: Path) -> dict[str, float]:
    """How long each command takes when nobody kills it."""
    found = {}
    for name, words in COMMANDS.items():
        project = place / name
        shutil.copytree(base, project)
        prepare(name, project)
        begun = time.monotonic()
        code, said = finish(words, project, place)
        found[name] = time.monotonic() - begun
        if code:
            sys.exit(f"{name} fails by itself ({code}):\n{said}")
    return found


def prepare(name: str, project: Path) -> None:
    """What has to be otherwise for the command to have something to do."""
    if name == "publish":
        site = project / "params" / "site.yml"
        site.write_text(site.read_text().replace("title: Small", "title: Smaller"))


def one(base: Path, place: Path, name: str, limits: Limits, when: float) -> list[str]:
    """What is wrong after a round."""
    scratch = place / "scratch"
    scratch.mkdir()
    used = sum(PAGE + -(-p.stat().st_size // PAGE) * PAGE for p in base.rglob("*"))  # whole pages, and one to name each
    with room(place / "room", used + limits.disk if limits.disk is not None else None) as folder:
        project = folder / "project"
        shutil.copytree(base, project)
        prepare(name, project)
        seen = tree(project / "editions" / OLD), tree(project / "_site" / "editions" / OLD)
        process = start(COMMANDS[name], project, scratch, limits)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=when if limits.name == "kill" else 300)
        process.kill()
        process.communicate()
        wrong = []
        until = time.monotonic() + LASTS
        while (left := left_running(scratch)) and time.monotonic() < until:
            time.sleep(0.1)
        wrong += [f"still running: {text}" for text in left]
        if (tree(project / "editions" / OLD), tree(project / "_site" / "editions" / OLD)) != seen:
            wrong.append("what readers saw is another")
        if not (project / "_site" / "index.html").is_file():
            wrong.append("the site has no first page")
        if limits.disk is not None:  # the disk has room again
            shutil.copytree(project, place / "again", symlinks=True)
            project = place / "again"
        for path in (*scratch.iterdir(), *project.rglob(".*.part")):
            os.utime(path, (time.time() - AGED, time.time() - AGED))
        code, said = finish(COMMANDS[name], project, scratch)
        if code and "is decided" not in said:
            wrong.append(f"run again it ends with {code}: {said.strip()[-300:]}")
        code, said = finish(("verify", "--published"), project, scratch)
        if code:
            wrong.append(f"verify: {said.strip()[-300:]}")
        halves = [
            p.relative_to(project).as_posix() for p in project.rglob("*") if p.suffix in {".part", ".old", ".new"}
        ]
        halves += [p.relative_to(project).as_posix() for p in (project / "editions").glob(".staging/*")]
        wrong += [f"half made: {name}" for name in halves]
        wrong += [f"left among temporary files: {p.name}" for p in scratch.iterdir()]
    return wrong


def main() -> None:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    draw = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)  # noqa: S311  no secret
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    kinds: dict[str, Callable[[], Limits]] = {
        "kill": lambda: Limits("kill"),
        "few descriptors": lambda: Limits("few descriptors", files=draw.randint(8, 120)),
        "little memory": lambda: Limits("little memory", memory=draw.randint(200, 4000) << 20),
    }
    if may_mount():
        kinds["full disk"] = lambda: Limits("full disk", disk=draw.randint(0, 12) << 20)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        base = place / "base"
        SmallProject(base, users=2000)
        for words in (("build", OLD), ("decide", "button", "ship", *SAY)):
            code, said = finish(words, base, place)
            if code:
                sys.exit(f"the project cannot be made: {said}")
        lasts = seconds_of(base, place)
        print("seconds by themselves: " + ", ".join(f"{n} {s:.1f}" for n, s in lasts.items()), flush=True)
        rounds, faults = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
        for turn in range(kills):
            name = draw.choice([*COMMANDS])
            kind = draw.choices([*kinds], weights=[6, *[1] * (len(kinds) - 1)])[0]
            limits, when = kinds[kind](), draw.uniform(0, lasts[name])
            here = place / f"round-{turn}"
            here.mkdir()
            wrong = one(base, here, name, limits, when)
            shutil.rmtree(here, ignore_errors=True)
            rounds[name, kind] += 1
            if wrong:
                faults[name, kind] += 1
                how = f"after {when:.2f} s" if kind == "kill" else str(limits)
                print(f"round {turn}: {name}, {kind}, {how}\n  " + "\n  ".join(wrong), flush=True)
        print("\n| command | how | rounds | with a fault |\n|---|---|---|---|")
        for key in sorted(rounds):
            print(f"| {key[0]} | {key[1]} | {rounds[key]} | {faults[key]} |")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()

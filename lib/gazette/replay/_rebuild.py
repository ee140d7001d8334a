"""Make the environment of an edition anew, from the lock and the library that it carries."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from gazette.editions import write_error
from gazette.errors import EditionError, WrongUseError
from gazette.replay._alive import alive
from gazette.replay._recorded import Difference, differing_from
from gazette.runs import Interpreter, lock_entries, wheel_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gazette.replay._recorded import Recorded

__all__ = ["rebuild"]

HERE = "run it in the present environment with --here, which says what differs"
STAMP = "gazette.json"
LIST = (
    "import importlib.metadata as m, json, re, sys\n"
    "print(json.dumps({'python': sys.version.split()[0], 'prefix': sys.prefix, 'packages':"
    " {re.sub(r'[-_.]+', '-', d.metadata['Name']).lower(): d.version for d in m.distributions()}}))"
)
COMPILED = "import papermill.engines, ipykernel.kernelapp, pandas, pyarrow.parquet, scipy.stats, ibis, sqlglot"
TAIL = 6


def rebuild(
    recorded: Recorded, state: Path, *, python: str | None = None, say: Callable[[str], None] = lambda _: None
) -> tuple[Interpreter, list[Difference]]:
    """A Python with exactly the packages and the library of an edition; made once, then found again.

    Args:
        recorded: What the edition carries.
        state: The project's state folder; environments lie in ``environments/`` there.
        python: The Python to build on; by default the best one on this machine.
        say: Told what goes on.

    Returns:
        What runs notebooks, and what still differs from what was recorded (another patch release of Python).

    Raises:
        EditionError: The edition carries no environment, there is no such Python, the network or the disk refuses, or a package
            is not what the lock says.
        WrongUseError: The Python that was named is another one.
    """
    there = recorded.environment
    if there is None or recorded.lock is None or recorded.wheel is None:
        raise EditionError("the edition does not carry its environment: it was built before editions did", mend=HERE)
    base, version = _find_python(there.python, python)
    lock = recorded.lock.read_bytes()
    name = hashlib.sha256(lock + f"\0{there.implementation} {version}".encode()).hexdigest()[:16]
    place = state / "environments" / name
    try:
        library = _unpack(recorded.wheel, there.library, state / "environments")
        if not (place / STAMP).is_file():
            say(f"Installing {len(there.packages)} packages from the edition's lock")
            _make(place, base, lock.decode())
    except OSError as error:
        if isinstance(error, EditionError):
            raise
        refused = write_error(error, place)
        raise EditionError(
            refused.what, where=refused.where, mend=f"free disk space or mend the rights, then again; or {HERE}"
        ) from error
    running, prefix, packages = _ask(place / "bin" / "python")
    runner = Interpreter(str(place / "bin" / "python"), prefix, library, alone=True)
    left = differing_from(recorded, packages)
    if running != there.python:
        left.append(Difference("Python", there.python, running))
    return runner, left


def _find_python(wanted: str, named: str | None) -> tuple[str, str]:
    """The Python to build on and its version: the same release if there is one, else the same minor version."""
    minor = ".".join(wanted.split(".")[:2])
    if named is not None:
        version = _version(named)
        if not version.startswith(f"{minor}."):
            raise WrongUseError(
                f"{named} is {'Python ' + version if version else 'no Python that runs'}; the edition ran on Python {wanted}",
                mend=f"name a Python {minor} with --python",
            )
        return named, version
    seen: dict[str, str] = {}
    for name in (sys.executable, f"python{minor}", "python3", "python"):
        path = shutil.which(name)
        if path and (version := _version(path)).startswith(f"{minor}."):
            seen.setdefault(version, path)
    if not seen:
        raise EditionError(
            f"the edition ran on Python {wanted}, and there is no Python {minor} here",
            mend=f"install Python {minor} and name it with --python; or {HERE}",
        )
    best = wanted if wanted in seen else max(seen)
    return seen[best], best


def _version(python: str) -> str:
    """Version of an interpreter, empty where it does not run."""
    try:
        done = subprocess.run(  # noqa: S603  an interpreter of this machine, or one that the caller named
            [python, "-I", "-c", "import sys; print('.'.join(map(str, sys.version_info[:3])))"],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _ask(python: Path) -> tuple[str, str, dict[str, str]]:
    """Version, prefix and packages of an environment."""
    done = _run([str(python), "-I", "-c", LIST])
    if done.returncode:
        raise EditionError(
            "the environment that was made earlier does not run",
            where=str(python),
            mend="remove its folder and run this again",
        )
    found = json.loads(done.stdout)
    return found["python"], found["prefix"], found["packages"]


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PYTHONHOME"}}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603  ours


def _unpack(wheel: Path, digest: str, folder: Path) -> Path:
    """The library's files beside the environments, named by their digest: many editions share packages but not the library."""
    try:
        found, _ = wheel_digest(wheel)
    except zipfile.BadZipFile as error:
        raise EditionError(
            f"the library that the edition carries cannot be read: {error}",
            where=str(wheel),
            mend="restore the edition from a copy",
        ) from error
    if found != digest:
        raise EditionError(
            f"the library that the edition carries is not the one it ran: recorded {digest[:12]}…, found {found[:12]}…",
            where=str(wheel),
            mend="restore the edition from a copy",
        )
    place = folder / f"library-{digest[:16]}"
    if not place.is_dir():
        part = place.with_name(f"{place.name}.{os.getpid()}.part")
        try:
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(part)  # names that lead out of the folder are cut by zipfile itself
            part.rename(place)
        except OSError:
            if not place.is_dir():
                raise
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return place


def _make(place: Path, base: str, lock: str) -> None:
    """Make the environment beside its place and rename it, so that a stopped run leaves none that is half made."""
    for old in place.parent.glob(f"{place.name}.*.part"):
        if not alive(old.name.split(".")[-2]):
            shutil.rmtree(old, ignore_errors=True)
    part = place.with_name(f"{place.name}.{os.getpid()}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        inner = part / "env"
        made = _run([base, "-m", "venv", "--without-pip", str(inner)])
        if made.returncode:
            raise EditionError(
                f"{base} cannot make virtual environments: {_last(made.stderr)}",
                mend=f"install its module venv (Debian: python3-venv); or {HERE}",
            )
        for file, hashed in _files(part, lock):
            _install(inner / "bin" / "python", file, hashed=hashed)
        _run([str(inner / "bin" / "python"), "-c", COMPILED])  # else it would count towards the first notebook's time
        (inner / STAMP).write_text("{}\n", encoding="utf-8")
        try:
            inner.rename(place)
        except OSError:
            if not (place / STAMP).is_file():  # another replay was first
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _files(folder: Path, lock: str) -> list[tuple[Path, bool]]:
    """The lock in two: what has hashes, and what was installed in another version than locked."""
    entries = lock_entries(lock)
    whole = [e for e in entries if "--hash=" in e]
    bare = [e for e in entries if "--hash=" not in e]
    found = []
    for name, lines in (("locked.txt", whole), ("bare.txt", bare)):
        if lines:
            (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
            found.append((folder / name, name == "locked.txt"))
    return found


def _uv() -> str | None:
    """The program uv, beside this Python or on PATH."""
    return shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))


def _install(python: Path, lock: Path, *, hashed: bool) -> None:
    """Install exactly what the lock says, nothing more: by uv where it is there and can, which takes a tenth of the time, else by pip."""
    hashes = ["--require-hashes"] if hashed else []
    uv = _uv()
    if uv is not None:
        quick = [uv, "pip", "install", "-q", "--no-deps", "--python", str(python), *hashes, "-r", str(lock)]
        if _run(quick).returncode == 0:
            return  # where it fails, pip says why: it knows other indexes and settings
    if find_spec("pip") is not None:
        pip = [sys.executable, "-m", "pip", "--python", str(python)]
    elif _run([str(python), "-m", "ensurepip"]).returncode == 0:
        pip = [str(python), "-m", "pip"]
    else:
        raise EditionError("there is no pip to install packages with", mend=f"install pip into {sys.prefix}; or {HERE}")
    options = ["--no-input", "--disable-pip-version-check", "-q", "--no-deps", "-r", str(lock)]
    done = _run([*pip, "install", *hashes, *options])
    if done.returncode == 0:
        return
    text = done.stderr + done.stdout
    for signs, what, mend in (
        (
            ("DO NOT MATCH THE HASHES",),
            "a package is not the one that was locked",
            "use another index; do not trust this one",
        ),
        (("No space left",), "the disk is full", "free disk space, then again"),
        (
            (
                "NewConnectionError",
                "Max retries",
                "Temporary failure",
                "Network is unreachable",
                "ConnectTimeout",
                "ProxyError",
            ),
            "the package index cannot be reached",
            "connect to the network, or point pip at a mirror (PIP_INDEX_URL, PIP_FIND_LINKS)",
        ),
        (
            ("No matching distribution", "Could not find a version"),
            "a package of the lock cannot be had any more",
            "point pip at an index that keeps it (PIP_INDEX_URL, PIP_FIND_LINKS)",
        ),
    ):
        if any(sign in text for sign in signs):
            raise EditionError(f"{what}: {_last(text)}", where="pip", mend=f"{mend}; or {HERE}")
    raise EditionError(f"pip failed: {_last(text)}", where="pip", mend=f"see what it says; or {HERE}")


def _last(text: str) -> str:
    return " / ".join(line.strip() for line in text.strip().splitlines()[-TAIL:])

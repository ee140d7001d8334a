"""What notebooks run in: this Python, the packages that the library needs, and the library itself; and how to keep them.

An edition carries all three, so that it can be run again years later: the packages as a lock with hashes, the library as a wheel.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import json
import platform
import re
import zipfile
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from gazette.record import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Environment",
    "environment_digest",
    "keep_environment",
    "library_digest",
    "lock_entries",
    "present_environment",
    "wheel_digest",
]

LIBRARY = Path(__file__).parent.parent
FOLDER, ABOUT, LOCK = "environment", "environment.json", "requirements.txt"
SCHEMA = "gazette.environment/1"
KEPT = {".py", ".css", ".js", ".html", ".json", ".typ", ".yml"}
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)\s*(?:;\s*(?P<marker>[^\\\n]+))?")


@dataclass(frozen=True)
class Environment:
    """What notebooks ran in.

    Attributes:
        python: Its version, such as 3.11.7.
        implementation: Such as CPython.
        platform: System and processor; other ones may differ in the last digits of a number.
        packages: Name to version of all that the library needs, directly or not; development tools are not among them.
        gazette: Version of the library.
        library: SHA-256 over its source files.
    """

    python: str
    implementation: str
    platform: str
    packages: Mapping[str, str]
    gazette: str
    library: str


def _digest(files: Mapping[str, bytes]) -> str:
    total = hashlib.sha256()
    for name in sorted(n for n in files if n.endswith(".py")):
        total.update(f"{name}\0".encode())
        total.update(files[name])
    return total.hexdigest()


def _library_files() -> dict[str, bytes]:
    """The library's files, by their path in the package."""
    return {
        p.relative_to(LIBRARY).as_posix(): p.read_bytes()
        for p in sorted(LIBRARY.rglob("*"))
        if p.is_file() and (p.suffix in KEPT or p.name == "py.typed") and not p.name.startswith(".")
    }


@cache
def library_digest() -> str:
    """SHA-256 over every source file of the library."""
    return _digest(_library_files())


def wheel_digest(path: Path) -> tuple[str, dict[str, str]]:
    """The same digest of a kept library, and the digest of each of its source files.

    Raises:
        OSError: It cannot be read.
        zipfile.BadZipFile: It is not a wheel.
    """
    with zipfile.ZipFile(path) as archive:
        files = {
            n.removeprefix("gazette/"): archive.read(n)
            for n in archive.namelist()
            if n.startswith("gazette/") and n.endswith(".py")
        }
    return _digest(files), {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


@cache
def _installed() -> dict[str, str]:
    """Versions of what the library needs here, found by walking the requirements of installed distributions."""
    found: dict[str, str] = {}
    left: list[tuple[str, frozenset[str]]] = [("gazette", frozenset())]
    seen = set()
    while left:
        name, extras = left.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # a requirement that this platform does not install
        if name != "gazette":
            found[name] = distribution.version
        for text in distribution.requires or ():
            wanted = Requirement(text)
            if wanted.marker is None or any(wanted.marker.evaluate({"extra": e}) for e in extras | {""}):
                left.append((canonicalize_name(wanted.name), frozenset(wanted.extras)))
    return dict(sorted(found.items()))


@cache
def present_environment() -> Environment:
    """What notebooks would run in now."""
    return Environment(
        python=platform.python_version(),
        implementation=platform.python_implementation(),
        platform=f"{platform.system()} {platform.machine()}",
        packages=_installed(),
        gazette=importlib.metadata.version("gazette"),
        library=library_digest(),
    )


def keep_environment(edition: Path, project: Path) -> None:
    """Write ``environment/`` into an edition: what it is, the lock, and a wheel of the library.

    The lock is the project's (or that of the library's own checkout), corrected to what is really installed: a package in
    another version than locked is pinned as it is, without hashes. The wheel is stored uncompressed, so that its bytes do not
    depend on a compressor.

    Args:
        edition: Folder of the edition.
        project: Folder of the project, whose ``requirements.txt`` is taken if it locks this library's packages.

    Raises:
        OSError: The folder cannot be written.
    """
    folder = edition / FOLDER
    folder.mkdir()
    here = present_environment()
    (folder / ABOUT).write_text(canonical_json({"schema": SCHEMA, **asdict(here)}), encoding="utf-8")
    (folder / LOCK).write_text(_lock(project, here.packages), encoding="utf-8")
    _write_wheel(folder / f"gazette-{here.gazette}-py3-none-any.whl", here.gazette)


def lock_entries(text: str) -> list[str]:
    """The entries of a lock file, each a pin with the lines of its hashes."""
    return [e for part in re.split(r"\n(?=[^\s#])", text) if (e := part.strip())]


def _lock(project: Path, packages: Mapping[str, str]) -> str:
    """Pins with hashes of the packages, also those that other platforms add."""
    for path in (project / LOCK, LIBRARY.parents[1] / LOCK):
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        entries = [e for e in lock_entries(text) if PIN.match(e)]
        if any(canonicalize_name(_pin(e)["name"]) == "papermill" for e in entries):
            break
    else:
        entries = []
    kept, done = [], set()
    for entry in entries:
        pin = _pin(entry)
        name, marker = canonicalize_name(pin["name"]), pin["marker"]
        if marker and not Marker(marker).evaluate():
            kept.append(entry)
        elif packages.get(name) == pin["version"]:
            kept.append(entry)
            done.add(name)
    kept += [f"{name}=={version}" for name, version in packages.items() if name not in done]
    return "\n".join(sorted(kept)) + "\n"


def _pin(entry: str) -> dict[str, str]:
    match = PIN.match(entry)
    return {k: (v or "").strip() for k, v in match.groupdict().items()} if match else {"name": "", "marker": ""}


def _write_wheel(path: Path, version: str) -> None:
    about = f"gazette-{version}.dist-info"
    head = f"Metadata-Version: 2.1\nName: gazette\nVersion: {version}\nRequires-Python: >=3.11\n"
    files = {f"gazette/{name}": content for name, content in _library_files().items()}
    files |= {
        f"{about}/METADATA": head.encode(),
        f"{about}/WHEEL": b"Wheel-Version: 1.0\nGenerator: gazette\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/entry_points.txt": b"[console_scripts]\ngazette = gazette.cli:main\n",
    }
    rows = []
    for name, content in sorted(files.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(content)}")
    files[f"{about}/RECORD"] = ("\n".join([*rows, f"{about}/RECORD,,"]) + "\n").encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, content)


def environment_digest() -> str:
    """SHA-256 over Python's version and the packages that notebooks run with."""
    here = present_environment()
    named = [f"{name}=={version}" for name, version in here.packages.items()]
    return hashlib.sha256(json.dumps([here.implementation, here.python, *named]).encode()).hexdigest()

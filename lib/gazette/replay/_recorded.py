"""The environment that an edition was made in, beside the one that runs now."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gazette.errors import EditionError
from gazette.runs import Environment, present_environment, wheel_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Difference", "Recorded", "differences", "differing_from", "read_recorded"]

FOLDER = "environment"


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it was recorded; ``decides`` where it may change what a notebook computes.

    The platform is named but does not decide: the same packages are meant to give the same numbers, but for last digits.
    """

    what: str
    recorded: str
    present: str
    decides: bool = True

    def __str__(self) -> str:
        return f"{self.what}: recorded {self.recorded}, here {self.present}"


@dataclass(frozen=True)
class Recorded:
    """What an edition says of its environment.

    Attributes:
        versions: The manifest's.
        environment: What the edition carries, None in an edition from before it carried any.
        lock, wheel: Its files, None likewise.
    """

    versions: Mapping[str, str]
    environment: Environment | None
    lock: Path | None
    wheel: Path | None

    @property
    def label(self) -> str:
        """In a few words."""
        if self.environment is None:
            return f"Python {self.versions.get('python', '?')}, library {self.versions.get('library', '?')[:12]}"
        e = self.environment
        return f"Python {e.python}, {len(e.packages)} packages, gazette {e.gazette} ({e.library[:12]})"


def read_recorded(edition: Path, versions: Mapping[str, str]) -> Recorded:
    """What an edition carries.

    Raises:
        EditionError: It is there and cannot be read.
    """
    folder = edition / FOLDER
    if not folder.is_dir():
        return Recorded(versions, None, None, None)
    path = folder / "environment.json"
    try:
        content = json.loads(path.read_bytes())
        fields = {k: content[k] for k in Environment.__dataclass_fields__}
        wheels = sorted(folder.glob("gazette-*.whl"))
        return Recorded(versions, Environment(**fields), folder / "requirements.txt", wheels[0])
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise EditionError(
            f"the recorded environment cannot be read: {error!r}",
            where=str(path),
            mend="restore the edition from a copy; or run it here with --here",
        ) from error


def differences(recorded: Recorded, present: Environment | None = None) -> list[Difference]:
    """What is not as recorded, what decides first."""
    here = present or present_environment()
    there = recorded.environment
    if there is None:
        return _of_versions(recorded.versions, here)
    found = []
    if (there.implementation, there.python) != (here.implementation, here.python):
        found.append(
            Difference("Python", f"{there.implementation} {there.python}", f"{here.implementation} {here.python}")
        )
    found += [
        Difference(name, there.packages.get(name, "not there"), here.packages.get(name, "not there"))
        for name in sorted({*there.packages, *here.packages})
        if there.packages.get(name) != here.packages.get(name)
    ]
    if there.library != here.library:
        found.append(_of_library(recorded, there, here))
    if there.platform != here.platform:
        found.append(Difference("platform", there.platform, here.platform, decides=False))
    return found


def _of_versions(versions: Mapping[str, str], here: Environment) -> list[Difference]:
    """An edition that carries no environment: what its manifest names is compared."""
    found = [Difference("environment", "not carried by this edition", "not comparable in whole")]
    present = {"python": here.python, "gazette": here.gazette, "library": here.library, **here.packages}
    found += [
        Difference(name, short(value), short(present[name]))
        for name, value in sorted(versions.items())
        if name in present and present[name] != value
    ]
    return found


def short(text: str) -> str:
    """A digest cut to what tells it apart."""
    return f"{text[:12]}…" if len(text) == hashlib.sha256().digest_size * 2 else text


def _of_library(recorded: Recorded, there: Environment, here: Environment) -> Difference:
    """The library, with the modules that differ."""
    import gazette  # noqa: PLC0415  its place on disk

    changed: list[str] = []
    try:
        _, old = wheel_digest(recorded.wheel) if recorded.wheel else ("", {})
    except (OSError, zipfile.BadZipFile):
        old = {}
    if old:
        root = Path(gazette.__file__).parent
        new = {p.relative_to(root).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in root.rglob("*.py")}
        changed = sorted(n for n in {*old, *new} if old.get(n) != new.get(n))
    named = ", ".join(changed[:5]) + (f" and {len(changed) - 5} more" if len(changed) > 5 else "")  # noqa: PLR2004
    what = f"library gazette ({len(changed)} modules differ: {named})" if changed else "library gazette"
    return Difference(what, f"{there.gazette} ({short(there.library)})", f"{here.gazette} ({short(here.library)})")


def differing_from(recorded: Recorded, packages: Mapping[str, str]) -> list[Difference]:
    """What a rebuilt environment has in another version than was recorded."""
    there = recorded.environment
    assert there is not None  # noqa: S101  nothing is rebuilt without one
    return [
        Difference(name, version, packages.get(name, "not there"))
        for name, version in there.packages.items()
        if packages.get(name) != version
    ]

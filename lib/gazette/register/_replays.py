"""Replays that were kept: files in git, from which the rate of editions that come out again is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazette.editions import Week
from gazette.errors import WrongUseError
from gazette.params import Replayed
from gazette.register._files import create, one_line, sheet_text
from gazette.register._sheets import read_sheets, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    from gazette.editions import Store
    from gazette.params import Problem

__all__ = ["REPLAYS", "keep_replay", "load_replays", "newest_replays", "replay_problems"]

REPLAYS = "reports/replays"
MOST = 1000  # replays of one edition on one day


def replay_problems(root: Path) -> tuple[tuple[tuple[str, Replayed], ...], list[Problem]]:
    """File name and content of every kept replay, oldest first, and what is wrong with their files."""
    found: list[Problem] = []
    rows = [(name, one) for name, _, one in read_sheets(root, root / REPLAYS, Replayed, found)]
    rows.sort(key=lambda row: (row[1].replayed, _turn(row[0])))
    return tuple(rows), found


def _turn(name: str) -> tuple[int, str]:
    """The tenth of a day comes after the ninth."""
    return len(name), name


def load_replays(root: Path) -> tuple[tuple[str, Replayed], ...]:
    """Every kept replay, oldest first.

    Raises:
        ParamsError: A file is malformed; every problem is listed with file and line.
    """
    rows, found = replay_problems(root)
    refuse(found, REPLAYS)
    return rows


def newest_replays(root: Path, store: Store, *, until: date | None = None) -> dict[str, Replayed]:
    """Edition to its newest whole replay that ran, or else to the newest that did not; of another edition than is there, none counts.

    Args:
        root: The project.
        store: Its sealed editions.
        until: Replays of later days do not count.

    Raises:
        ParamsError: A file is malformed.
        EditionError: A manifest cannot be trusted.
    """
    found: dict[str, Replayed] = {}
    digests = {str(week): store.manifest(week).digest for week in store.weeks()}
    for _, one in load_replays(root):
        if not one.whole or one.edition_digest != digests.get(one.edition) or (until and one.replayed > until):
            continue
        if one.ran or not (one.edition in found and found[one.edition].ran):
            found[one.edition] = one
    return found


def keep_replay(root: Path, content: Mapping[str, Any]) -> Path:
    """Write a replay; the same edition on the same day gets a number.

    Args:
        root: The project.
        content: Keys of `Replayed`.

    Raises:
        WrongUseError: The name is empty, or there are too many of that day.
        EditionError: The disk refuses; nothing was written.
    """
    content = {**content, "by": one_line(str(content["by"]), "--by")}
    if content.get("reason"):
        content["reason"] = one_line(str(content["reason"]), "the reason")
    made = Replayed.model_validate(content)
    Week.parse(made.edition)
    text = sheet_text({k: v for k, v in content.items() if v != ""}, "replayed", "../../")
    stem = f"{made.edition}-{made.replayed}"
    for turn in range(1, MOST):
        path = root / REPLAYS / (f"{stem}-{turn}.yml" if turn > 1 else f"{stem}.yml")
        if path.exists():
            continue
        try:
            create(path, text, taken="it was replayed meanwhile", mend="run it again")
        except WrongUseError:
            continue  # somebody else took this name in the meantime
        return path
    raise WrongUseError(f"{stem} was replayed {MOST} times", where=REPLAYS, mend="remove some of these files")

"""A definition that readers have seen changes only with an entry in its changelog."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gazette.params._load import read
from gazette.params._metrics import Before, Metric
from gazette.params._problem import Problem, Source

__all__ = ["MEASURED", "changes"]

MEASURED = ("fact", "denominator", "quantile", "cap", "cap_quantile")
WORDS = {"title", "owner", "changelog", "code"}
TEXT = {"definition", "formula"}  # where a fact says what is measured, these only explain it
MEND = "add an entry to its changelog with the next version, date, author and what changed; or take the change back"
NAME = "metrics.yml"


def changes(current: Path, sealed: Path, edition: str) -> list[Problem]:
    """Definitions that differ from those of a sealed edition without saying so.

    Args:
        current: The ``params/`` folder, whose files were found to be right.
        sealed: The ``params/`` folder of a sealed edition.
        edition: Its week, for messages.

    Returns:
        Problems with file and line, sorted; none where the edition has no readable definitions.
    """
    old, new = read(sealed / NAME, NAME, []), read(current / NAME, NAME, [])
    if old is None or new is None:
        return []
    before, after = _metrics(old), _metrics(new)
    return sorted(
        problem
        for name in before.keys() & after.keys()
        for problem in _of(name, before[name], after[name], new, edition)
    )


def _metrics(source: Source) -> dict[str, dict[str, Any]]:
    found = source.raw.get("metrics")
    return {str(k): _whole(v) for k, v in found.items() if isinstance(v, dict)} if isinstance(found, dict) else {}


def _whole(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The definition with every default, so that a default written out is no change; as written where an older schema wrote it."""
    try:
        return Metric.model_validate(dict(raw)).model_dump(mode="json")
    except ValidationError:
        return dict(raw)


def _of(name: str, old: Mapping[str, Any], new: Mapping[str, Any], source: Source, edition: str) -> Iterator[Problem]:
    known, entries = _entries(old), _entries(new)
    for i, entry in enumerate(known):
        kept = entries[i] if i < len(entries) else None
        for key in ("version", "date", "author", "before"):
            was, is_now = entry.get(key), None if kept is None else kept.get(key)
            if kept is None or (str(was) != str(is_now) and not (key == "before" and was is None)):
                what = f"metric {name!r}: entry {i + 1} of its changelog, {_short(was)} as {key} in edition {edition}, is now {_short(is_now)}"
                yield source.problem(
                    ("metrics", name, "changelog"), what, "restore the entry; a published one only ever gets successors"
                )
                break
    first = {"formula"} if old.get("formula") is None else set()  # explained for the first time, not changed
    free = WORDS | first | (TEXT if new.get("fact") else set())
    changed = [k for k in sorted((old.keys() | new.keys()) - free) if _spaced(old.get(k)) != _spaced(new.get(k))]
    if len(entries) <= len(known):
        for key in changed:
            what = (
                f"metric {name!r}: {key!r} changed without a new version in its changelog: "
                f"{_short(old.get(key))} in edition {edition}, now {_short(new.get(key))}"
            )
            yield source.problem(("metrics", name, key), what, MEND)
    elif new.get("fact") and old.get("fact"):
        yield from _told(name, old, entries[len(known)], changed, source, edition)


def _told(
    name: str, old: Mapping[str, Any], entry: Mapping[str, Any], changed: list[str], source: Source, edition: str
) -> Iterator[Problem]:
    """A change of what is measured says how it was measured until then, and says it rightly."""
    place = ("metrics", name, "changelog")
    measured = [k for k in (*MEASURED, "unit") if k in changed]
    told = entry.get("before")
    if not told:
        if measured:
            what = f"metric {name!r}: {', '.join(map(repr, measured))} changed, but version {entry.get('version')} of its changelog has no 'before'"
            was = {k: old[k] for k in MEASURED if old.get(k) is not None}
            yield source.problem(place, what, f"add 'before:' with the definition of edition {edition}: {was}")
        return
    whole = Before.model_validate(told).model_dump(mode="json")
    for key in (*MEASURED, *(("unit",) if "unit" in changed else ())):
        if whole.get(key) != old.get(key):
            what = f"metric {name!r}: 'before' of version {entry.get('version')} has {_short(whole.get(key))} as {key!r}, but edition {edition} had {_short(old.get(key))}"
            yield source.problem(place, what, "write into 'before' what was measured until then")


def _entries(metric: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = metric.get("changelog")
    return [e for e in found if isinstance(e, Mapping)] if isinstance(found, list) else []


def _spaced(value: Any) -> Any:
    return " ".join(value.split()) if isinstance(value, str) else value


def _short(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 300 else f"{text[:300]}…"  # noqa: PLR2004  a line for people

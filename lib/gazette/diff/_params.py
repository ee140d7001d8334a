"""Definitions of two editions beside each other, key by key, without the passwords of addresses; pure."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from gazette.diff._found import DefinitionChange
from gazette.secrets import mask

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["changed_definitions"]

GROUPS = {
    "metrics.yml": "Metrics",
    "experiments/": "Plans of experiments",
    "models/": "Models",
    "alerts.yml": "Thresholds",
    "translations.yml": "Translations",
    "site.yml": "Settings",
    "glossary.yml": "Glossary",
    "annotations.yml": "Remarks",
}
NAMES = ("id", "version", "metric")  # by which a row of a list is known
LOG = "changelog"


def changed_definitions(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[DefinitionChange]:
    """What changed in the parameter files: metrics first, then plans, models, thresholds, translations, the rest."""
    for name in sorted(before.keys() | after.keys(), key=lambda n: (_order(n), n)):
        group = _group(name)
        if name not in before or name not in after:
            yield DefinitionChange(name, group, "", _there(name in before), _there(name in after))
        elif before[name] != after[name]:
            rows = [*_walk(before[name], after[name], ())]
            notes = _notes(before[name], after[name])
            found = [
                DefinitionChange(name, group, _path(k), a, b, notes.get(k[1], "") if len(k) > 1 else "")
                for k, a, b in rows
            ]
            yield from sorted(found, key=lambda d: not d.note)


def _there(there: bool) -> str | None:  # noqa: FBT001  one word for yes or no
    return "the file" if there else None


def _order(name: str) -> int:
    return next((i for i, start in enumerate(GROUPS) if name.startswith(start)), len(GROUPS))


def _group(name: str) -> str:
    return next((group for start, group in GROUPS.items() if name.startswith(start)), "Other files")


def _path(keys: tuple[str, ...]) -> str:
    return ".".join(keys)


def _keyed(rows: list[Any]) -> dict[str, Any] | None:
    """A list of rows by the name that each has, None where they have none of their own."""
    for key in NAMES:
        names = [str(r[key]) if isinstance(r, dict) and key in r else "" for r in rows]
        if all(names) and len(set(names)) == len(names):
            return dict(zip(names, rows, strict=True))
    return None


def _walk(old: Any, new: Any, at: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str | None, str | None]]:
    if isinstance(old, list) and isinstance(new, list) and (old or new):
        a, b = _keyed(old), _keyed(new)
        if a is not None and b is not None:
            old, new = a, b
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*new, *old]):
            name = (*at, str(key))
            if key not in old:
                yield name, None, text_of(new[key])
            elif key not in new:
                yield name, text_of(old[key]), None
            elif old[key] != new[key]:
                yield from _walk(old[key], new[key], name)
    elif old != new:
        yield at, text_of(old), text_of(new)


def text_of(value: Any) -> str:
    r"""A value of YAML as one line.

    >>> text_of({"id": "a", "minimum": 0.5}), text_of("two\n words"), text_of(None)
    ('{id: a, minimum: 0.5}', 'two words', 'nothing')
    """
    if isinstance(value, str):
        return mask(" ".join(value.split()))
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {text_of(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(text_of, value)) + "]"
    return json.dumps(value, default=str)


def _notes(old: Any, new: Any) -> dict[str, str]:
    """Metric to what its changelog's new entries say."""
    found = {}
    before, after = _metrics(old), _metrics(new)
    for name, metric in after.items():
        known = len(_entries(before.get(name)))
        added = _entries(metric)[known:]
        if name in before and added:
            found[name] = " ".join(
                f"Version {e.get('version')} of {text_of(e.get('date'))} by {e.get('author')}: {text_of(e.get('change'))}"
                for e in added
            )
    return found


def _metrics(content: Any) -> dict[str, Any]:
    found = content.get("metrics") if isinstance(content, dict) else None
    return found if isinstance(found, dict) else {}


def _entries(metric: Any) -> list[dict[str, Any]]:
    found = metric.get(LOG) if isinstance(metric, dict) else None
    return [e for e in found if isinstance(e, dict)] if isinstance(found, list) else []

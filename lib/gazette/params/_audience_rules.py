"""Audiences against the other files: models, tests and owners that there are, no name twice, nobody who would see nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gazette.params._problem import Problem, Source

__all__ = ["audience_problems"]

FOLDERS = {"models": "model", "experiments": "experiment"}


def audience_problems(sources: Mapping[str, Source]) -> Iterator[Problem]:
    """What is wrong with the audiences of ``site.yml``, on its content as written.

    Args:
        sources: File name, from ``params/``, to its content.
    """
    site = sources.get("site.yml")
    audiences = site.raw.get("audiences") if site is not None else None
    if site is None or not isinstance(audiences, list):
        return
    first: dict[str, int] = {}
    for i, raw in enumerate(audiences):
        if not isinstance(raw, dict):
            continue
        name = str(raw.get("name", ""))
        if name in first:
            what = f"the audience {name!r} is declared twice; the first stands in line {site.line(('audiences', first[name], 'name'))}"
            yield site.problem(("audiences", i, "name"), what, "give each audience a name of its own")
        first.setdefault(name, i)
        yield from _unknown(site, i, raw, sources)
        if not any(raw.get(key) for key in (*FOLDERS, "owners")):
            what = f"the audience {name!r} sees no model and no test"
            yield site.problem(("audiences", i), what, "add 'models:', 'experiments:' or 'owners:'; 'all' names all")


def _unknown(site: Source, i: int, raw: Mapping[str, Any], sources: Mapping[str, Source]) -> Iterator[Problem]:
    for key, noun in FOLDERS.items():
        known = sorted(str(s.raw.get("id")) for n, s in sources.items() if n.startswith(f"{key}/"))
        named = raw.get(key)
        for j, subject in enumerate(named if isinstance(named, list) else ()):
            if str(subject) not in known:
                mend = f"{key} are: {', '.join(known) or 'none'}"
                yield site.problem(("audiences", i, key, j), f"no {noun} {subject!r}", mend)
    owners = sorted({str(s.raw.get("owner")) for n, s in sources.items() if "/" in n})
    named = raw.get("owners")
    for j, owner in enumerate(named if isinstance(named, list) else ()):
        if str(owner) not in owners:
            what = f"{owner!r} owns no model and no test"
            yield site.problem(("audiences", i, "owners", j), what, f"owners are: {', '.join(owners) or 'none'}")

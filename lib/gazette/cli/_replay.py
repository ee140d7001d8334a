"""``gazette replay``: run a sealed edition again and compare it with what was published."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from gazette.cli._shared import a_day, open_project, say, today

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from gazette.build import Project
    from gazette.editions import Week
    from gazette.errors import GazetteError
    from gazette.record import NumberChange, VerdictChange
    from gazette.replay import CellChange, PageReplay, Replay, Tolerances, Where

__all__ = ["EXAMPLE", "HELP", "add_options", "run"]

HELP = "run a sealed edition again on its own data, and compare every number and output with what was published"
EXAMPLE = """gazette replay 2026-W47
  gazette replay 2026-W47 --page ranking-v3-2 --tolerance 1e-6 --tolerance money=0.001
  gazette replay 2026-W40 --build-environment
  gazette replay --random --keep --by 'Ada Lovelace'

It runs in the present environment where that is the one that the edition recorded, and else says what differs.
Exit code 0: identical, or equal within tolerance; 1: something differs, or it could not run."""
SHOWN = 10


def add_options(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("edition", metavar="EDITION", nargs="?", help="such as 2026-W47")
    parser.add_argument("--random", action="store_true", help="take one of the sealed editions by chance")
    parser.add_argument("--seed", type=int, metavar="N", help="with --random: the same N takes the same edition")
    parser.add_argument("--page", action="append", default=[], metavar="ID", help="only this page; may be given again")
    parser.add_argument(
        "--tolerance",
        action="append",
        default=[],
        metavar="[NAME=]VALUE",
        help="how far values may lie apart, as a share of the larger one; for a unit or a metric, or for all",
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--here", action="store_true", help="run in the present environment although something differs")
    place.add_argument(
        "--build-environment", action="store_true", help="make the recorded environment from the edition's own lock"
    )
    parser.add_argument("--keep", action="store_true", help="write what came of it to reports/replays/, for the record")
    parser.add_argument("--by", metavar="NAME", help="with --keep: who ran it")
    parser.add_argument("--on", type=a_day, metavar="DATE", help="with --keep: the day; by default today")
    parser.add_argument("--python", metavar="PATH", help="with --build-environment: the Python to build on")


def run(options: argparse.Namespace) -> int:
    """The command; returns the exit code."""
    from gazette.cli._progress import listener  # noqa: PLC0415
    from gazette.errors import GazetteError, WrongUseError  # noqa: PLC0415
    from gazette.replay import Tolerances, replay  # noqa: PLC0415

    if options.python and not options.build_environment:
        raise WrongUseError("--python goes with --build-environment", mend="give both, or neither")
    if options.keep != bool(options.by) or (options.on and not options.keep):
        raise WrongUseError("--keep, --by and --on go together", mend="write --keep --by 'YOUR NAME', or none of them")
    if options.keep and not options.by.strip():
        raise WrongUseError("--by is empty", mend="write --by 'YOUR NAME'")
    project = open_project(options)
    week = _week(project, options)
    tolerances = Tolerances.parse(options.tolerance, project.params.metrics)
    where: Where = "build" if options.build_environment else "here" if options.here else "same"
    try:
        with listener() as watching:
            found = replay(
                project.store,
                week,
                state=project.state,
                tolerances=tolerances,
                pages=options.page,
                where=where,
                python=options.python,
                workers=project.params.site.workers,
                timeout=project.params.site.timeout_seconds,
                listener=watching,
            )
    except WrongUseError:
        raise
    except GazetteError as error:
        _keep_failure(project, week, options, where, error)
        raise
    kept = _keep(project, week, options, found) if options.keep else None
    place = kept.relative_to(project.root).as_posix() if kept else ""
    text = _as_text(found, tolerances) + (f"\nKept in {place}; commit it." if place else "")
    say(options, _as_json(found, tolerances) | ({"file": place} if place else {}), text)
    return 1 if found.state == "differs" else 0


def _week(project: Project, options: argparse.Namespace) -> Week:
    """The edition that is named, or one by chance."""
    import random  # noqa: PLC0415
    import sys  # noqa: PLC0415

    from gazette.editions import Week  # noqa: PLC0415
    from gazette.errors import WrongUseError  # noqa: PLC0415

    if options.random == bool(options.edition):
        raise WrongUseError("name an edition, or take one with --random", mend="gazette replay 2026-W47")
    if options.seed is not None and not options.random:
        raise WrongUseError("--seed goes with --random", mend="give both, or neither")
    if options.edition:
        return Week.parse(options.edition)
    weeks = project.store.weeks()
    if not weeks:
        raise WrongUseError(
            "there is no edition to replay", where=str(project.store.root), mend="build one: gazette build"
        )
    week: Week = random.Random(options.seed).choice(weeks)  # noqa: S311  not a secret
    print(f"taken by chance: {week}, one of {len(weeks)}", file=sys.stderr)
    return week


def _keep(project: Project, week: Week, options: argparse.Namespace, found: Replay) -> Path:
    from gazette.register import keep_replay  # noqa: PLC0415

    return keep_replay(
        project.root,
        _sheet(project, week, options)
        | {
            "outcome": found.state,
            "pages": len(found.pages),
            **({} if options.page else {"of_pages": max(1, len(found.pages))}),
            "numbers": found.compared,
            "flips": sum(len(p.comparison.flips) for p in found.pages if p.comparison),
            "environment": "same" if not found.differences and found.where == "here" else found.where,
        },
    )


def _keep_failure(project: Project, week: Week, options: argparse.Namespace, where: str, error: GazetteError) -> None:
    """That an edition could not be run again is worth as much as that it could, if it is there at all."""
    from gazette.register import keep_replay  # noqa: PLC0415

    if options.keep and not options.page and project.store.is_sealed(week):
        more = {"outcome": "did not run", "pages": 0, "numbers": 0, "environment": where, "reason": error.what[:1000]}
        keep_replay(project.root, _sheet(project, week, options) | more)


def _sheet(project: Project, week: Week, options: argparse.Namespace) -> dict[str, object]:
    from importlib.metadata import version  # noqa: PLC0415

    store = project.store
    notebooks = store.open(week).names("notebooks", ".ipynb")
    return {
        "edition": str(week),
        "edition_digest": store.manifest(week).digest,
        "of_pages": max(1, len(notebooks)),
        "gazette": version("gazette"),
        "by": options.by,
        "replayed": options.on or today(),
    }


def _number(change: NumberChange) -> dict[str, object]:
    return {
        "id": change.id,
        "how": change.how,
        "before": change.before.model_dump(mode="json") if change.before else None,
        "after": change.after.model_dump(mode="json") if change.after else None,
        "difference": change.difference,
        "relative": change.relative,
        "outside_interval": change.outside,
    }


def _verdict(change: VerdictChange) -> dict[str, object]:
    old, new = change.before, change.after
    return {
        "metric": change.metric,
        "flips": change.flips,
        "before": {"state": old.state, "action": old.action} if old else None,
        "after": {"state": new.state, "action": new.action} if new else None,
    }


def _page(page: PageReplay) -> dict[str, object]:
    found = page.comparison
    return {
        "page": page.page,
        "title": page.title,
        "state": page.state,
        "compared": found.compared if found else 0,
        "numbers": [_number(c) for c in found.numbers] if found else [],
        "close": [_number(c) for c in found.close] if found else [],
        "verdicts": [_verdict(c) for c in found.verdicts] if found else [],
        "findings": [(b or a).id for a, b in found.findings if a or b] if found else [],  # type: ignore[union-attr]
        "cells": [asdict(c) for c in page.cells],
        "fields": list(page.fields),
        "failed_then": page.failed_then,
        "failed_now": page.failed_now,
    }


def _as_json(found: Replay, tolerances: Tolerances) -> dict[str, object]:
    return {
        "edition": found.edition,
        "manifest": found.digest,
        "state": found.state,
        "environment": {
            "where": found.where,
            "recorded": found.environment,
            "differences": [asdict(d) for d in found.differences],
        },
        "tolerances": tolerances.described(),
        "compared": found.compared,
        "pages": [_page(p) for p in found.pages],
        "hidden_tests": found.hidden,
    }


def _as_text(found: Replay, tolerances: Tolerances) -> str:
    place = {
        "same": "the present environment, which is the recorded one",
        "here": "the present environment",
        "build": "an environment rebuilt from its lock",
    }[found.where]
    lines = [f"{found.edition} replayed in {place} ({found.environment})."]
    if found.differences:
        lines.append("This environment is not the recorded one:" if found.where == "here" else "What differs in it:")
        lines += [f"  {d}" for d in found.differences]
    elif found.where == "here":
        lines.append("It is the recorded one.")
    width = max((len(p.page) for p in found.pages), default=0)
    for page in found.pages:
        count = f"{page.comparison.compared} numbers" if page.comparison else ""
        lines.append(f"  {page.state:23} {page.page:{width}}  {count}".rstrip())
        lines += [f"      {line}" for line in _details(page)]
    if found.hidden is not None:
        lines.append(f"  {found.hidden:23} hidden tests whose answer is known")
    states = [p.state for p in found.pages]
    counts = ", ".join(
        f"{states.count(s)} {s.replace('differs', 'differ' if states.count(s) != 1 else s)}"
        for s in ("identical", "equal within tolerance", "differs")
        if s in states
    )
    flips = sum(len(p.comparison.flips) for p in found.pages if p.comparison)
    verdicts = (
        f"{flips} verdict{'s' * (flips != 1)} {'flips' if flips == 1 else 'flip'}" if flips else "no verdict flips"
    )
    pages = f"{len(found.pages)} page{'s' * (len(found.pages) != 1)}"
    lines.append(f"{found.state.capitalize()}: {pages} ({counts}); {found.compared} numbers compared; {verdicts}.")
    lines.append(f"Tolerances: {tolerances.described()}.")
    return "\n".join(lines).encode(errors="backslashreplace").decode()


def _details(page: PageReplay) -> list[str]:
    """What differs on a page: verdicts first, then numbers, sentences, cells."""
    lines = []
    if page.failed_then and page.failed_then == page.failed_now:
        lines.append(f"its notebook failed then and fails now: {page.failed_now.splitlines()[0]}")
    elif page.failed_now:
        lines.append(f"its notebook fails now: {page.failed_now.splitlines()[0]}")
    elif page.failed_then:
        lines.append(f"its notebook failed then and runs now; then: {page.failed_then.splitlines()[0]}")
    if found := page.comparison:
        for verdict in found.verdicts:
            old, new = (f"{v.state}, {v.action}" if v else "none" for v in (verdict.before, verdict.after))
            lines.append(
                f"verdict on {verdict.metric} {'flips' if verdict.flips else 'has another rule'}: {old} → {new}"
            )
        lines += _some([_said(c) for c in found.numbers], "numbers")
        lines += _some([f"{_said(c)}, within tolerance" for c in found.close], "numbers within tolerance")
        changed = [f"finding {(b or a).id} {_fate(a, b)}" for a, b in found.findings if a or b]  # type: ignore[union-attr]
        lines += _some(changed, "sentences")
    lines += [f"{name} of its record differ" for name in page.fields]
    lines += _some([_shown(c) for c in page.cells], "cells")
    return lines


def _shown(change: CellChange) -> str:
    how = "equal within tolerance" if change.how == "within" else "differs"
    return (
        f"cell {change.number} ({change.cell}) {change.kind or 'outputs'} {how}: “{change.before}” → “{change.after}”"
    )


def _fate(before: object, after: object) -> str:
    return "appeared" if before is None else "vanished" if after is None else "says something else"


def _some(lines: list[str], what: str) -> list[str]:
    more = len(lines) - SHOWN
    return [*lines[:SHOWN], *([f"and {more} more {what} (--json lists all)"] if more > 0 else [])]


def _said(change: NumberChange) -> str:
    old = change.before.value if change.before else "nothing"
    new = change.after.value if change.after else "nothing"
    if change.difference is None:
        return f"{change.id} {change.how}: {getattr(old, 'reason', old)} → {getattr(new, 'reason', new)}"
    if change.how == "described":
        return f"{change.id}: the same value, but another unit, definition, n, label or interval's method"
    relative = f", {change.relative:+.3g} of it" if change.relative is not None else ""
    outside = ", outside its published interval" if change.outside else ""
    if change.difference == 0:
        return f"{change.id}: {old} as it was, but its interval changed"
    return f"{change.id}: {old} → {new} ({change.difference:+.3g}{relative}{outside})"

"""``gazette restatements``: what became of published numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazette.cli._shared import open_project, plain, say
from gazette.errors import EditionError, WrongUseError

if TYPE_CHECKING:
    import argparse

    from gazette.register import Listed, Moved

__all__ = ["EXAMPLE", "HELP", "add_options", "run"]

HELP = "list numbers of sealed editions that later builds computed otherwise, and why"
EXAMPLE = """gazette restatements
  gazette restatements --edition 2026-W46 --json

Verdicts that would be others today come first. Restatements are no failure: the exit code is 0."""
MOST = 40


def add_options(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--edition", metavar="EDITION", help="numbers of one edition alone, such as 2026-W46")
    parser.add_argument("--all", action="store_true", help=f"every number, not the first {MOST}")


def run(options: argparse.Namespace) -> int:
    """The command; returns the exit code."""
    from gazette.editions import Week  # noqa: PLC0415
    from gazette.register import Listed, accepted_restatements, listed, load_register  # noqa: PLC0415

    project = open_project(options)
    store = project.store
    found = listed(store, load_register(project.root), accepted_restatements(project.root))
    if options.edition:
        week = Week.parse(options.edition)
        if not store.is_sealed(week):
            known = ", ".join(map(str, store.weeks())) or "none"
            raise WrongUseError(f"there is no edition {week}", mend=f"sealed editions: {known}")
        moved = tuple(m for m in found.moved if m.edition == str(week))
        found = Listed(moved, tuple(u for u in found.unread if u.edition == str(week)), found.faults)
    if found.faults:
        raise EditionError("\n".join(found.faults), mend="nothing was listed, for a log is missing from it")
    say(options, _as_json(found), _as_text(found, project.params.site.currency, whole=options.all))
    return 0


def _moved(one: Moved, currency: str) -> str:
    from gazette.display import format_value, with_range  # noqa: PLC0415

    lines = [
        f"{'FLIP  ' if one.flip else 'TURN  ' if one.turned else ''}{one.edition} {one.page}: {plain(one.before.label)} [{one.before.id}]",
        f"    published {with_range(one.before, currency=currency)}, now {with_range(one.after, currency=currency)}",
    ]
    if one.size is not None:
        lines[-1] += f"; moved by {format_value(one.size, 'number')} half-widths of its range"
    if (flip := one.flip) is not None:
        lines.append(
            f"    verdict published: {flip.state_before}, {flip.action_before}; now: {flip.state_after}, {flip.action_after}"
        )
    if one.crossed is not None:
        lines.append("    its range moved across nought")
    lines += [
        f"    the sentence {t.finding} would be another: {t.rule_before or 'not said'}, now {t.rule_after or 'not said'}"
        for t in one.turns
    ]
    lines += [f"    {s.cause} (found in {s.found_in}): {plain(s.detail)}" for s in one.steps]
    if one.readers:
        lines.append(f"    relied on it: {plain(', '.join(one.readers))}")
    return "\n".join(lines)


def _as_text(found: Listed, currency: str, *, whole: bool) -> str:
    shown = found.moved if whole else found.moved[:MOST]
    flips = sum(m.flip is not None for m in found.moved)
    ways = sum(m.turned and m.flip is None for m in found.moved)
    also = f", and {ways} number{'s' * (ways != 1)} would point another way" if ways else ""
    lines = [
        f"{len(found.moved)} published number{'s were' if len(found.moved) != 1 else ' was'} restated; "
        f"{flips} verdict{'s' * (flips != 1)} would be another today{also}."
        if found.moved
        else "No published number was restated."
    ]
    lines += [f"  {_moved(m, currency)}" for m in shown]
    if len(shown) < len(found.moved):
        lines.append(f"  … and {len(found.moved) - len(shown)} more; --all shows them")
    lines += [
        f"{u.edition}{f' {u.page}' if u.page else ''} could not be computed again, because {plain(u.why)}"
        for u in found.unread
    ]
    return "\n".join(lines)


def _as_json(found: Listed) -> dict[str, Any]:
    return {
        "numbers": [
            {
                "edition": m.edition,
                "page": m.page,
                "id": m.before.id,
                "published": m.before.model_dump(mode="json"),
                "now": m.after.model_dump(mode="json"),
                "size": m.size,
                "flip": m.flip.model_dump(mode="json") if m.flip else None,
                "crossed": m.crossed,
                "turns": [t.model_dump(mode="json") for t in m.turns],
                "readers": list(m.readers),
                "restatements": [s.model_dump(mode="json") for s in m.steps],
            }
            for m in found.moved
        ],
        "unread": [u.model_dump(mode="json") for u in found.unread],
    }

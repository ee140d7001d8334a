"""What commands share: the project they work on, and how they answer."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gazette.build import Project

__all__ = ["a_day", "brief", "open_project", "plain", "say", "today"]


def open_project(options: argparse.Namespace, *, bare: bool = False) -> Project:
    """The project that ``--project`` names; a bare one may have no model and no experiment yet."""
    from gazette import build  # noqa: PLC0415  each command imports what it needs

    return build.open_project(options.project, bare=bare)


def say(options: argparse.Namespace, content: object, text: str) -> None:
    """Print the result: JSON for programs, or text."""
    print(json.dumps(content) if options.json else harmless(text))


def harmless(text: str) -> str:
    """Lines of text without signs that a terminal would obey."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)


def plain(text: str) -> str:
    """Text of others on one line, without signs that a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))


def brief(text: str, most: int = 100) -> str:
    """Text of others on one line of at most so many signs."""
    shown = plain(text)
    return shown if len(shown) <= most else f"{shown[:most]}…"


def today() -> date:
    """The day in UTC, the clock of editions."""
    return datetime.now(UTC).date()


def a_day(text: str) -> date:
    """An argument such as 2026-11-23."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write it like 2026-11-23") from error

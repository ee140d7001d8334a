"""What commands share: the project they work on, and how they answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from gazette.build import Project

__all__ = ["open_project", "say"]


def open_project(options: argparse.Namespace) -> Project:
    """The project that ``--project`` names."""
    from gazette import build  # noqa: PLC0415  each command imports what it needs

    return build.open_project(options.project)


def say(options: argparse.Namespace, content: object, text: str) -> None:
    """Print the result: JSON for programs, or text."""
    print(json.dumps(content) if options.json else text)

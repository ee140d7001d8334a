"""The files that an edition carries for other places."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gazette.deliver._email import email_file, email_html
from gazette.deliver._pdf import pdf
from gazette.deliver._slack import slack
from gazette.record import canonical_json

if TYPE_CHECKING:
    from gazette.deliver._digest import Digest

__all__ = ["share"]


def share(content: Digest, *, fonts: Path | None = None) -> dict[str, bytes]:
    """Name to content of the files: the same bytes for the same digest.

    Args:
        content: The edition in short.
        fonts: Folder with fonts of the project's own, for scripts that the built-in ones lack.

    Raises:
        SiteError: The PDF cannot be set on one page.
    """
    return {
        "summary.pdf": pdf(content, fonts=fonts),
        "email.html": email_html(content).encode(),
        "email.eml": email_file(content),
        "slack.json": canonical_json(slack(content)).encode(),
    }

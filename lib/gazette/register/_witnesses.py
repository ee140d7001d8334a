"""Files in git that were bound to an edition: they remember its digest when the edition and its marks are gone."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from gazette.register._challenges import load_challenges
from gazette.register._files import load_register

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["named_editions"]


def named_editions(root: Path) -> dict[tuple[str, str], list[str]]:
    """Edition and digest of its manifest to the decisions, sign-offs and challenges that name them.

    Raises:
        ParamsError: A file of the register is malformed.
    """
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for entry in load_register(root).entries:
        mine = entry.decision
        found[mine.edition, mine.edition_digest].append(f"decision {mine.id}")
        for one in entry.sign_offs:
            found[mine.edition, one.edition_digest].append(f"the sign-off of {mine.id} by {one.by}")
    for row in load_challenges(root):
        found[row.challenge.edition, row.challenge.edition_digest].append(f"challenge {row.challenge.id}")
    return dict(found)

"""Whether notebooks failed for want of what the machine gives them: then nothing was found out, and nothing is sealed."""

from __future__ import annotations

import errno
import os
import re
from typing import TYPE_CHECKING

from gazette.errors import EditionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazette.runs import Outcome

__all__ = ["refuse_starved"]

WANTS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT, errno.EAGAIN)
STARVED = re.compile("|".join([r"\bMemoryError\b", *(re.escape(os.strerror(number)) for number in WANTS)]))
MEND = "mend what the machine lacks (ulimit -n, free memory, disk space) and build again; nothing was sealed"


def refuse_starved(outcomes: Sequence[Outcome]) -> None:
    """Refuse an edition whose notebooks failed for want of descriptors, memory or disk, or of which every one failed.

    Args:
        outcomes: Of all pages; those whose data could not be read are not among them.

    Raises:
        EditionError: With the pages and what they said.
    """
    failed = [(o.page, o.failure.what) for o in outcomes if o.failure is not None]
    starved = [(page, found[0]) for page, what in failed if (found := STARVED.search(what))]
    if starved:
        listing = "\n".join(f"  - {page}: {what}" for page, what in starved)
        raise EditionError(f"notebooks failed for want of what the machine gives them:\n{listing}", mend=MEND)
    if failed and len(failed) == len(outcomes):
        listing = "\n".join(f"  - {page}: {what.splitlines()[0] if what else 'no reason'}" for page, what in failed)
        mend = "run one of them by hand to see what they lack; nothing was sealed"
        raise EditionError(f"every notebook failed, so it is none of theirs that is at fault:\n{listing}", mend=mend)

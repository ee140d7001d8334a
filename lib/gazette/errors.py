"""Errors of Gazette: one root, each leaf also a builtin, each says what, where and how to mend it.

```
GazetteError
├── ParamsError (ValueError)       a parameter file is wrong; carries every problem found
├── SourceError (ConnectionError)  a warehouse or MLflow store cannot be read
├── SnapshotError (OSError)        frozen data is missing or not what its digest says
├── NotebookError (RuntimeError)   a notebook failed, hung, died or emitted no record
├── EditionError (OSError)         an edition cannot be built, sealed or opened
│   └── LockedError                another build holds the lock
├── SiteError (ValueError)         pages cannot be staged, rendered or published
└── WrongUseError (ValueError)     the command line was used wrongly
```
"""

import errno
import os

from gazette.secrets import redact

__all__ = [
    "EditionError",
    "GazetteError",
    "LockedError",
    "NotebookError",
    "ParamsError",
    "SiteError",
    "SnapshotError",
    "SourceError",
    "WrongUseError",
    "disk_is_full",
]


def disk_is_full(error: OSError) -> bool:
    """Whether a disk refused for want of space; errors of shutil and pyarrow have that in their words alone."""
    return error.errno == errno.ENOSPC or os.strerror(errno.ENOSPC) in str(error)


class GazetteError(Exception):
    """Root of all errors that Gazette raises on purpose; none shows a secret of this process.

    Args:
        what: What is wrong, in one sentence.
        where: File, line, key, table or subject; empty where the message says it.
        mend: What the reader can do about it; empty only where nothing can be done.
    """

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        self.what, self.where, self.mend = redact(what), redact(where), redact(mend)
        super().__init__(self.what)

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.mend:
            lines.append(f"  mend: {self.mend}")
        return "\n".join(lines)


class ParamsError(GazetteError, ValueError):
    """Parameter files are wrong; ``what`` lists every problem, one a line."""


class SourceError(GazetteError, ConnectionError):
    """A warehouse, table or MLflow store cannot be read."""


class SnapshotError(GazetteError, OSError):
    """Frozen data is missing, unreadable or not what its digest says."""


class NotebookError(GazetteError, RuntimeError):
    """A notebook failed, hung, lost its kernel or emitted no record."""


class EditionError(GazetteError, OSError):
    """An edition cannot be built, sealed or opened."""


class LockedError(EditionError):
    """Another build holds the lock; ``where`` says who."""


class SiteError(GazetteError, ValueError):
    """Pages cannot be staged, rendered or published; ``what`` lists every problem, one a line."""


class WrongUseError(GazetteError, ValueError):
    """The command line was used wrongly."""

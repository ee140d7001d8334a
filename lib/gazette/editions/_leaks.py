"""Nothing that holds a secret leaves: what is to be sealed, published, packed, forked or exported is searched before."""

from __future__ import annotations

import io
from pathlib import PurePath
from typing import TYPE_CHECKING

from gazette.errors import EditionError
from gazette.secrets import leaks_in, own_values

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

__all__ = ["files_below", "refuse_leaks"]

PACKED = {".whl", ".zip", ".woff", ".woff2", ".png", ".pdf"}  # compressed: no text could be found in them
MEND = (
    "take it out where the text comes from, such as a notebook or a query, and change the secret: it may have been seen"
)


def files_below(root: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of a folder, by its relative path."""
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(root).as_posix(), path.read_bytes()


def refuse_leaks(files: Iterable[tuple[str, bytes]], done: str, allowed: Collection[str] = ()) -> None:
    """Refuse files that hold a secret: a key of a known form, a value as keys are beside a telling name, a password in an address, or the value of a secret variable.

    Args:
        files: Name and content of each; of parquet the texts of all columns are searched.
        done: What is to be done with them, as a participle.
        allowed: Fingerprints of what only looks like a secret.

    Raises:
        EditionError: There is one; file, line and kind are named, the secret is not shown.
    """
    own = own_values()
    found = {}
    for name, content in files:
        suffix = PurePath(name).suffix
        if suffix in PACKED:
            continue
        texts = _texts(content) if suffix == ".parquet" else content
        for leak in leaks_in(texts, own, allowed):
            line = "" if suffix == ".parquet" else f":{leak.line}"
            found[f"  - {name}{line} holds {leak.what}"] = leak.hint
    if found:
        listing = "\n".join(f"{text}{hint}" for text, hint in found.items())
        raise EditionError(f"nothing was {done}: secrets would leave\n{listing}", mend=MEND)


def _texts(content: bytes) -> bytes:
    """Distinct texts of a table, one a line; of what is none the bytes as they are."""
    import pyarrow as pa  # noqa: PLC0415  slow to import
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        file = pq.ParquetFile(io.BytesIO(content))
    except pa.ArrowInvalid:
        return content
    names = [f.name for f in file.schema_arrow if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
    columns = file.read(columns=names).itercolumns() if names else ()
    return "\n".join(text for column in columns for text in column.unique().to_pylist() if text).encode()

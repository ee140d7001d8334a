"""Addresses with the secrets that they name, for drivers alone."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from gazette.errors import SourceError
from gazette.secrets import Address, keep_value

__all__ = ["opened"]


def opened(address: Address | str, key: str, project: Path) -> str:
    """The address as a driver needs it; each ``${NAME}`` is the variable NAME, or the content of the file that NAME_FILE names.

    Args:
        address: As params/site.yml has it.
        key: Its key there, for errors.
        project: Folder of the project, in which no file of secrets may lie.

    Raises:
        SourceError: A secret is written in it, or a variable or file is missing.
    """
    written = address if isinstance(address, Address) else Address(address)
    if written.holds_secret:
        raise SourceError(
            "a password is written in the address",
            where=f"params/site.yml: {key}",
            mend="write the name of a variable in its place, such as ${WAREHOUSE_PASSWORD}, and change the password",
        )
    filled = written.filled(lambda name: _value(name, key, project))
    _refuse_unquoted(filled, key)
    return filled


def _refuse_unquoted(address: str, key: str) -> None:
    """A sign that ends a part of an address, in a password, has drivers take the rest for a host or a port, and say it."""
    scheme, _, rest = address.partition("://")
    try:
        parts = urlsplit(address)
        cut = "@" in f"{parts.path}?{parts.query}#{parts.fragment}"
        _ = parts.port  # an error, where it is no number
    except ValueError:
        cut = True
    if cut and "@" in rest and scheme not in {"duckdb", "sqlite", "file"}:
        raise SourceError(
            "the address cannot be read: a login or password in it holds a sign such as / # ? or @",
            where=f"params/site.yml: {key}",
            mend="give the password a variable of its own, as ${WAREHOUSE_PASSWORD}, which is quoted for you, or write %2F for / and so on",
        ) from None


def _value(name: str, key: str, project: Path) -> str:
    where = f"params/site.yml: {key}"
    value = os.environ.get(name)
    if value is None and (place := os.environ.get(f"{name}_FILE")):
        path = Path(place)
        if path.resolve().is_relative_to(project.resolve()):
            raise SourceError(
                f"{name}_FILE names a file of the project", where=where, mend="keep it outside of the project"
            )
        try:
            value = path.read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            raise SourceError(
                f"the file that {name}_FILE names cannot be read: {reason}", where=where, mend="name another one"
            ) from error
    if not value:
        raise SourceError(
            f"the variable {name} is not set",
            where=where,
            mend=f"set {name}, or {name}_FILE to a file that holds the value",
        )
    keep_value(name, value)
    return value

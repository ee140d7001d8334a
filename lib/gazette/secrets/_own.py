"""Secrets of this process: which variables hold them, and texts without their values."""

from __future__ import annotations

import base64
import html
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from gazette.secrets._address import mask, passwords_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["SIGNING_KEY", "is_telling", "keep_value", "looks_like_a_word", "own_values", "redact"]

TELLING = re.compile(
    r"(?:^|_)(?:PASSWORD|PASSWD|PWD|PASS|PASSPHRASE|SECRET|SECRETS|TOKEN|KEY|APIKEY|CREDENTIAL|CREDENTIALS|DSN|COOKIE|AUTH)(?:_|$)"
    r"|(?:PASSWORD|SECRET|TOKEN)$",
    re.IGNORECASE,
)
OPEN = re.compile(r"(?:OLD)?PWD|SSH_AUTH_SOCK|GPG_KEY|.*PUBLIC_KEY|.*_FILE", re.IGNORECASE)
SIGNING_KEY = "GAZETTE_SIGNING_KEY"
SHORTEST = 6  # characters: a shorter value stands in many texts by chance
LONGEST_PATH = 1000
WORD = re.compile(r"[A-Za-z]{1,11}|[0-9]{1,8}")


class _Kept:
    """Values that were read for addresses, from variables of any name and from files."""

    values: dict[str, str] = {}  # noqa: RUF012  one for the process


def is_telling(name: str) -> bool:
    """Whether a variable's name says that its value is secret.

    >>> is_telling("SHOP_PASSWORD"), is_telling("AWS_SECRET_ACCESS_KEY"), is_telling("KEYBOARD"), is_telling("SHOP_PASSWORD_FILE")
    (True, True, False, False)
    """
    return not OPEN.fullmatch(name) and bool(TELLING.search(name))


def looks_like_a_word(value: str) -> bool:
    """Whether a value is a word or a number that stands in texts by chance, as ``postgres`` does."""
    return bool(WORD.fullmatch(value))


def keep_value(name: str, value: str) -> None:
    """Remember that a value is secret, for as long as this process lives."""
    _Kept.values[name] = value


def _is_place(value: str) -> bool:
    """Whether a value is a path: it says where a secret is, not what it is."""
    return os.sep in value and "\n" not in value and len(value) < LONGEST_PATH and Path(value).exists()


def _forms(value: str) -> Iterator[str]:
    """A value as texts hold it: as it is, quoted for addresses, JSON and HTML, and in base64 wherever it begins there."""
    yield from (value, quote(value, safe=""), unquote(value), json.dumps(value)[1:-1], html.escape(value))
    raw = value.encode(errors="surrogateescape")
    for before in range(3):
        whole = (before + len(raw)) // 3 * 3 - before  # bytes that end with a group of three
        yield base64.b64encode(bytes(before) + raw[:whole]).decode()[-(-before * 8 // 6) :]


def own_values(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Secret value to the name of its variable: of this process, in each form in which a text may hold it.

    Args:
        environment: Variables; by default those of this process, and what was kept.
    """
    found: dict[str, str] = {}
    kept = _Kept.values if environment is None else {}
    for name, value in [*(os.environ if environment is None else environment).items(), *kept.items()]:
        secret = name in kept or (is_telling(name) and not _is_place(value))
        texts = [value] if secret else []
        texts += passwords_of(value) if "://" in value else []
        for text in texts:
            for line in [line.strip() for line in text.splitlines() if "-----" not in line]:
                found |= {form: name for form in _forms(line) if len(form) >= SHORTEST}
    return found


def redact(text: str, values: Mapping[str, str] | None = None) -> str:
    """A text without values of this process's secret variables, and without passwords in addresses.

    Args:
        text: Any text.
        values: As `own_values` gives them, for who redacts many texts; by default those of this moment.
    """
    known = own_values() if values is None else values
    for value in sorted(known, key=len, reverse=True):
        if value in text:
            text = text.replace(value, f"${{{known[value]}}}")
    return mask(text)

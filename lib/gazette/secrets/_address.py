"""The address of a database or server, which says where it is and never what opens it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic_core import CoreSchema

__all__ = ["LOGIN", "MASK", "OPTION_IN_ADDRESS", "Address", "is_secret", "mask", "passwords_of"]

MASK = "•••"
NAMED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
BLANKED = re.compile(r"[•*x.…]+")  # somebody masked it already
KEYS = r"(?:password|passwd|pwd|passphrase|secret|token|access_?key|account_?key|api_?key|private_?key)"
LOGIN = r"(://[^\s:/?#@\"'<>\\]*:)([^\s/\"'<>\\]+)(?=@[^\s@/\"'<>\\])"
OPTION_IN_ADDRESS = r"(://[^\s\"'<>\\]{1,500}[?&;]\w{0,30}" + KEYS + r"=)([^\s;&\"'<>\\]+)"
IN_TEXT = re.compile(LOGIN)
OPTION = re.compile(r"((?:\b|_)" + KEYS + r"\s*=\s*)([^\s;&\"'<>]+)", re.IGNORECASE)
WHOLE = re.compile(r"([\w+.-]+://[^:@/?#]*:)(?!\d+[/?#])(.+)(?=@)", re.DOTALL)  # of an address alone: up to its last @


def is_secret(text: str) -> bool:
    """Whether what stands where a password does is one: no name of a variable, and not masked."""
    return not NAMED.fullmatch(text) and not BLANKED.fullmatch(text)


def _hidden(match: re.Match[str]) -> str:
    return match[1] + (MASK if is_secret(match[2]) else match[2])


def mask(text: str) -> str:
    """A text without the passwords of the addresses in it.

    >>> mask("postgres://ada:moth@host/shop and https://host?token=abc")
    'postgres://ada:•••@host/shop and https://host?token=•••'
    """
    if "://" in text:
        text = IN_TEXT.sub(_hidden, text)
    return OPTION.sub(_hidden, text) if "=" in text else text


def passwords_of(address: str) -> list[str]:
    """Passwords and tokens that an address holds, as they are written there; names of variables are none."""
    at = WHOLE.match(address)
    found = [at[2]] if at else [m[2] for m in IN_TEXT.finditer(address)]
    found += [m[2] for m in OPTION.finditer(address)]
    return [text for text in found if is_secret(text)]


class Address:
    """A connection address; secrets in it are names of variables, such as ``postgres://ada:${SHOP_PASSWORD}@host/shop``.

    It is shown without what is secret however it is shown. `filled` alone gives what a driver needs.
    """

    __slots__ = ("_written",)

    def __init__(self, written: str) -> None:
        self._written = written

    @property
    def scheme(self) -> str:
        """What stands before ``://``; nothing where a variable is the whole address."""
        return self._written.partition("://")[0] if "://" in self._written else ""

    @property
    def names(self) -> tuple[str, ...]:
        """Variables that it takes."""
        return tuple(dict.fromkeys(NAMED.findall(self._written)))

    @property
    def holds_secret(self) -> bool:
        """Whether a secret is written in it, instead of the name of a variable."""
        return bool(passwords_of(self._written))

    def filled(self, value_of: Callable[[str], str]) -> str:
        """The whole address, with the values of its variables; in its login and its options they are quoted as addresses need it."""
        login = self._written.rfind("@")
        options = self._written.find("?") % (len(self._written) + 1)  # -1 becomes the end

        def value(match: re.Match[str]) -> str:
            text = value_of(match[1])
            inside = match.start() > 0 and (match.start() < login or match.start() > options)
            return quote(text, safe="") if inside else text

        return NAMED.sub(value, self._written)

    def __str__(self) -> str:
        return mask(WHOLE.sub(_hidden, self._written, count=1))

    def __repr__(self) -> str:
        return f"Address({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Address) and self._written == other._written

    def __hash__(self) -> int:
        return hash(self._written)

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, __: Any) -> CoreSchema:
        from pydantic_core import core_schema  # noqa: PLC0415  whoever only masks needs none

        written = core_schema.no_info_after_validator_function(
            cls, core_schema.str_schema(strip_whitespace=True, min_length=1)
        )
        return core_schema.union_schema(
            [core_schema.is_instance_schema(cls), written],
            mode="left_to_right",
            serialization=core_schema.plain_serializer_function_ser_schema(str, when_used="always"),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _: Any, __: Any) -> dict[str, Any]:
        return {"type": "string", "minLength": 1}

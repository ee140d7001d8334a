"""Secrets in what is about to leave: named by line and kind, never shown."""

from __future__ import annotations

import hashlib
import itertools
import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gazette.secrets._address import LOGIN, OPTION_IN_ADDRESS, is_secret
from gazette.secrets._own import looks_like_a_word

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

__all__ = ["Leak", "fingerprint", "leaks_in"]

FORMATS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("a private key", ("PRIVATE KEY",), r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"),
    ("a key of AWS", ("AKIA", "ASIA", "ABIA", "ACCA"), r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"),
    ("a token of GitHub", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"gh[pousr]_[A-Za-z0-9]{36}"),
    ("a token of GitHub", ("github_pat_",), r"github_pat_[A-Za-z0-9_]{22,}"),
    ("a token of GitLab", ("glpat-", "gldt-", "glrt-", "glptt-"), r"gl(?:pat|dt|rt|ptt)-[\w-]{20,}"),
    ("a token of Slack", ("xox",), r"xox[abeoprs]-[A-Za-z0-9-]{10,}"),
    (
        "a web hook of Slack",
        ("hooks.slack.com/",),
        r"hooks\.slack\.com/(?:services|workflows|triggers)/T\w{6,}/[\w/]{8,}",
    ),
    ("a key of Google", ("AIza", "GOCSPX-"), r"AIza[\w-]{35}|GOCSPX-[\w-]{28}"),
    ("a key of Stripe", ("k_live_", "k_test_"), r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    ("a token of npm", ("npm_",), r"\bnpm_[A-Za-z0-9]{36}"),
    ("a token of PyPI", ("pypi-AgE",), r"pypi-AgE[\w-]{50,}"),
    ("a key of SendGrid", ("SG.",), r"\bSG\.[\w-]{22}\.[\w-]{43}"),
    ("a key of a language model", ("sk-",), r"\bsk-(?:proj|svcacct|admin|ant)-[\w-]{20,}|\bsk-\w{20}T3BlbkFJ\w{20}"),
    ("a token of Hugging Face", ("hf_",), r"\bhf_[A-Za-z0-9]{34}"),
    ("a token of Databricks", ("dapi",), r"\bdapi[0-9a-f]{32}"),
    ("a token of Grafana", ("glsa_", "glc_"), r"glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}|\bglc_[A-Za-z0-9+/=]{32,}"),
    ("a token of Vault", ("hvs.",), r"\bhvs\.[\w-]{24,}"),
    ("a token of DigitalOcean", ("_v1_",), r"\bdo[opr]_v1_[0-9a-f]{64}"),
    ("a key of Azure", ("AccountKey=",), r"AccountKey=[A-Za-z0-9+/]{86}=="),
    ("a JSON web token", ("eyJ",), r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
)
"""Kind, what each such text holds, and its form, as its provider and the rules of gitleaks and detect-secrets give it."""

KNOWN = tuple((kind, tuple(a.encode() for a in anchors), re.compile(form.encode())) for kind, anchors, form in FORMATS)
TELLING = (b"password", b"passwd", b"passphrase", b"secret", b"token", b"credential", b"authorization")
KEY, OF = b"key", (b"api", b"access", b"account", b"auth", b"private", b"signing", b"encryption")
QUOTE = rb"\\{0,3}(?:[\"']|&quot;|&#39;|&#x27;)?"
BESIDE = re.compile(
    rb"[\w-]{0,40}" + QUOTE + rb"\s{0,4}[:=]\s{0,4}" + QUOTE + rb"(?:Bearer |Basic )?([A-Za-z0-9+/=_.\-]{16,500})"
)
ADDRESS_LOGIN = re.compile(LOGIN.encode())
ADDRESS_OPTION = re.compile(OPTION_IN_ADDRESS.encode(), re.IGNORECASE)
PASSWORD = "a password in an address"  # noqa: S105  what is said of one
BITS = 3.5  # of a character, from which on a text is none that people write
TURNS = 4  # from letters to digits and back, in a text that is drawn by chance
SHORTEST = 8  # bytes of a variable's value that is looked for


@dataclass(frozen=True, order=True)
class Leak:
    """A secret in a text: its line, what it is, and a digest of it by which it can be named without being shown."""

    line: int
    what: str
    fingerprint: str

    @property
    def hint(self) -> str:
        """What to do where it only looks like one; nothing of passwords, which a digest would help to guess."""
        return f"; if it is none, add '{self.fingerprint}' to 'no_secrets:' in site.yml" if self.fingerprint else ""


def fingerprint(secret: bytes) -> str:
    """First twelve hexadecimal digits of the SHA-256 of a secret."""
    return hashlib.sha256(secret).hexdigest()[:12]


def _is_drawn(text: bytes) -> bool:
    """Whether a text looks drawn by chance: many bits a character, letters and digits mixed."""
    counts, n = Counter(text), len(text)
    bits = -sum(c / n * math.log2(c / n) for c in counts.values())
    kinds = [48 <= c <= 57 for c in text if chr(c).isalnum()]  # noqa: PLR2004  the digits of ASCII
    return bits >= BITS and sum(a != b for a, b in itertools.pairwise(kinds)) >= TURNS


def _found(content: bytes) -> Iterator[tuple[int, bytes, str]]:
    """Place, secret and kind of each secret, also of the same one more than once."""
    for kind, anchors, form in KNOWN:
        if any(anchor in content for anchor in anchors):
            yield from ((m.start(), m[0], kind) for m in form.finditer(content))
    if b"://" in content:
        for form in (ADDRESS_LOGIN, ADDRESS_OPTION):
            yield from (
                (m.start(2), m[2], PASSWORD) for m in form.finditer(content) if is_secret(m[2].decode(errors="replace"))
            )
    small = content.lower()
    for at in (at for word in (*TELLING, KEY) for at in _ends(small, word)):
        beside = BESIDE.match(content, at)
        if beside and _is_drawn(beside[1]):
            yield beside.start(1), beside[1], "a value as keys are, beside a name that says so"


def _ends(small: bytes, word: bytes) -> Iterator[int]:
    """Where a telling word ends, each time; a key is one where it says of what."""
    at = small.find(word)
    while at >= 0:
        if word is not KEY or small[max(0, at - 11) : at].rstrip(b"_-").endswith(OF):
            yield at + len(word)
        at = small.find(word, at + len(word))


def leaks_in(content: bytes, own: Mapping[str, str], allowed: Collection[str] = ()) -> list[Leak]:
    """Secrets in a text, by line.

    Args:
        content: The text, in UTF-8.
        own: Values of secret variables to their names, as `own_values` gives them; plain words among them are left out.
        allowed: Fingerprints of what only looks like a secret. The value of a variable is one whatever is allowed.
    """
    found = set()
    for at, secret, what in _found(content):
        if (mark := fingerprint(secret)) not in allowed:
            found.add(Leak(content.count(b"\n", 0, at) + 1, what, "" if what == PASSWORD else mark))
    for value, name in own.items():
        raw = value.encode(errors="surrogateescape")
        if len(raw) >= SHORTEST and not looks_like_a_word(value) and (at := content.find(raw)) >= 0:
            what = f"the value of the variable {name}"
            found.add(Leak(content.count(b"\n", 0, at) + 1, what, ""))
    return sorted(found)

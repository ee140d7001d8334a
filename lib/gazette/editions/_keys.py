"""Ed25519 keys: reading those that people give, signing manifests, checking signatures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from gazette.editions.verifier import public_key_of
from gazette.errors import WrongUseError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["Signer", "fits", "read_public_keys", "read_signer"]

HEX = re.compile(r"[0-9a-fA-F]{64}")
MAKE = "make one with 'openssl genpkey -algorithm ed25519 -out gazette.key' (docs/verify.md)"


class Signer:
    """A private key that signs manifests."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = key.public_key().public_bytes_raw().hex()

    def sign(self, message: bytes) -> bytes:
        """The signature, 64 bytes; the same for the same message."""
        return self._key.sign(message)


def fits(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature fits a message under a public key of 32 bytes."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  only where something is signed
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _text(given: str, what: str, root: Path) -> str:
    """The key itself, or that in the file which is named."""
    if "-----BEGIN" in given or HEX.fullmatch(given.strip()):
        return given
    path = root / given
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text file"
        raise WrongUseError(f"the {what} cannot be read: {reason}", where=given, mend=MAKE) from error


def read_signer(given: str, *, root: Path | None = None) -> Signer:
    """A private key as PEM text, as the 64 hexadecimal digits of its seed, or in the file that is named.

    Raises:
        WrongUseError: It cannot be read, is encrypted, or is no Ed25519 key. The message never holds the key.
    """
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  only where something is signed
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    text = _text(given, "signing key", root or Path()).strip()
    if HEX.fullmatch(text):
        return Signer(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text)))
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except TypeError as error:
        raise WrongUseError(
            "the signing key is encrypted", mend="give one without a password, from a secret store"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise WrongUseError("the signing key is neither PEM nor the 64 digits of a seed", mend=MAKE) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise WrongUseError("the signing key is of another kind than Ed25519", mend=MAKE)
    return Signer(key)


def read_public_keys(given: Iterable[str], *, root: Path | None = None) -> frozenset[bytes]:
    """Public keys as PEM text, as 64 hexadecimal digits, or in the files that are named; 32 bytes each.

    Raises:
        WrongUseError: One cannot be read.
    """
    keys = set()
    for text in given:
        try:
            keys.add(public_key_of(_text(text, "public key", root or Path())))
        except WrongUseError:
            raise
        except ValueError as error:
            mend = "write it with 'openssl pkey -in gazette.key -pubout'"
            raise WrongUseError(f"the public key cannot be used: {error}", where=text[:80], mend=mend) from error
    return frozenset(keys)

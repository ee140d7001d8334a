"""Weeks, sealed editions, the chain of their manifests, and what checks it."""

from gazette.editions._disk import copy_writable
from gazette.editions._keys import Signer, read_public_keys, read_signer
from gazette.editions._leaks import files_below, refuse_leaks
from gazette.editions._lock import lock
from gazette.editions._sealed import Sealed
from gazette.editions._store import Manifest, Store, write_error
from gazette.editions._verify import verify_editions
from gazette.editions._week import Week
from gazette.editions.verifier import Checked, Problem, digest_of

__all__ = [
    "Checked",
    "Manifest",
    "Problem",
    "Sealed",
    "Signer",
    "Store",
    "Week",
    "copy_writable",
    "digest_of",
    "files_below",
    "lock",
    "read_public_keys",
    "read_signer",
    "refuse_leaks",
    "verify_editions",
    "write_error",
]

"""Weeks, sealed editions and the chain of their manifests."""

from gazette.editions._lock import lock
from gazette.editions._store import Manifest, Problem, Store, digest_of, write_error
from gazette.editions._week import Week

__all__ = ["Manifest", "Problem", "Store", "Week", "digest_of", "lock", "write_error"]

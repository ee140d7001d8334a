"""Numbers of sealed editions that a later build computed otherwise: recomputed, told apart by cause, logged, listed."""

from gazette.restate._log import FILE, Log, Unread, listed, logs_of, read_log
from gazette.restate._restate import Now, restate

__all__ = ["FILE", "Log", "Now", "Unread", "listed", "logs_of", "read_log", "restate"]

"""Numbers of sealed editions computed again on today's data, definitions and code, with the causes told apart."""

from gazette.restate._restate import Now, restate

__all__ = ["Now", "restate"]

"""Work with what was published without touching it: forks of notebooks, and challenges of published numbers."""

from gazette.forks._challenge import Found, challenge
from gazette.forks._fork import Made, fork
from gazette.forks._open import Fork, open_fork

__all__ = ["Fork", "Found", "Made", "challenge", "fork", "open_fork"]

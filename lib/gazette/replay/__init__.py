"""Run a sealed edition again and compare what it says now with what it said."""

from gazette.replay._rerun import Page, Rerun, pages_of, rerun

__all__ = ["Page", "Rerun", "pages_of", "rerun"]

"""Rows of the table of errors and coverage: each of them runs the product's own functions on data whose truth is known."""

from rows._row import Kind, Row, row

__all__ = ["Kind", "Row", "row"]

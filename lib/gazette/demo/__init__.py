"""The demo: a DuckDB warehouse and an MLflow store, half real (flights), half simulated (a shop)."""

from gazette.demo._generate import DemoPaths, generate, is_current

__all__ = ["DemoPaths", "generate", "is_current"]

"""Gazette: the weekly, published record of a company's machine-learning models and A/B tests."""

__version__ = "0.1.0"

__all__ = ["__version__"]

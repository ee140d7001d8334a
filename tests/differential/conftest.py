"""Connections that all generated cases share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import pytest

from gazette.sources._engine import DuckDB, open_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gazette.sources._engine import Engine


@pytest.fixture(scope="module")
def duck() -> Iterator[Engine]:
    engine = DuckDB(ibis.duckdb.connect(threads=1))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def elephant(postgres_server: str) -> Iterator[Engine]:
    """PostgreSQL, in the one transaction that the product opens."""
    engine = open_engine(f"{postgres_server}/postgres", Path())
    yield engine
    engine.close()

"""One edition as a difference reads it: records, parameters, code, frozen queries and versions; what is missing is said, not fatal."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

import yaml

from gazette.editions import Sealed
from gazette.errors import EditionError
from gazette.record import Record, joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["FrozenQuery", "Side", "read_side"]

INJECTED = frozenset({"parameters", "injected-parameters"})


@dataclass(frozen=True)
class FrozenQuery:
    """A query of a snapshot.

    Attributes:
        rows: How many it gave.
        digest: SHA-256 of them.
        sql: Its text.
        columns: Name to type, empty where the file cannot be read.
    """

    rows: int
    digest: str
    sql: str
    columns: Mapping[str, str]


@dataclass
class Side:
    """What one edition holds.

    Attributes:
        edition: Its week.
        records: Page to record.
        failures: Page to what failed, with title and kind.
        params: File, from ``params/``, to its content.
        cells: Page to cell id to source.
        queries: Snapshot and query to what was frozen.
        versions: What ran.
        packages: Package to version, of all that notebooks had; empty where the edition does not say.
        problems: What could not be read, in words.
    """

    edition: str
    records: dict[str, Record] = field(default_factory=dict)
    failures: dict[str, dict[str, str]] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    cells: dict[str, dict[str, str]] = field(default_factory=dict)
    queries: dict[tuple[str, str], FrozenQuery] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def currency(self) -> str:
        """The currency of its amounts."""
        site = self.params.get("site.yml")
        found = site.get("currency") if isinstance(site, dict) else None
        return str(found or "USD")

    @property
    def cards(self) -> frozenset[str]:
        """Numbers on its summary's cards."""
        site = self.params.get("site.yml")
        office = site.get("executive") if isinstance(site, dict) else None
        cards = office.get("cards") if isinstance(office, dict) else None
        return frozenset(map(str, cards)) if isinstance(cards, list) else frozenset()


class _Reader:
    """Reads files of an edition; those of a sealed one that are not what was sealed are named and not compared."""

    def __init__(self, place: Sealed | Path, side: Side) -> None:
        self.place, self.side = place, side

    def problem(self, name: str, what: str) -> None:
        self.side.problems.append(f"{self.side.edition}: {name} {what}")

    def read(self, name: str) -> bytes | None:
        """Content of a file, None where it cannot be read, which is then said."""
        try:
            return self.place.read(name) if isinstance(self.place, Sealed) else (self.place / name).read_bytes()
        except EditionError as error:
            self.problem(name, f"is left out: {error.what}; 'gazette verify' says more")
        except OSError as error:
            self.problem(name, f"cannot be read: {error.strerror or error}")
        return None

    def within(self, place: str, pattern: str, *, optional: bool = False) -> Iterator[tuple[str, bytes]]:
        """Files of a folder, by name: path from the folder and content."""
        if isinstance(self.place, Sealed):
            names = [n for n in self.place.names(place) if fnmatch(n, f"{place}/{pattern}")]
        else:
            root = self.place
            names = [p.relative_to(root).as_posix() for p in sorted((root / place).rglob("*")) if p.is_file()]
            names = [n for n in names if fnmatch(n, f"{place}/{pattern}")]
        if not names and not optional:
            self.problem(f"{place}/", "is not there, so it is not compared")
        for name in names:
            data = self.read(name)
            if data is not None:
                yield name.removeprefix(f"{place}/"), data


def read_side(place: Sealed | Path, edition: str, *, versions: Mapping[str, str]) -> Side:
    """Read an edition.

    Args:
        place: The sealed edition, or the folder of one that is still being made.
        edition: Its week.
        versions: What ran, by its manifest.
    """
    side = Side(edition, versions=dict(versions))
    reader = _Reader(place, side)
    for name, data in reader.within("records", "*.json"):
        try:
            side.records[name.removesuffix(".json")] = Record.from_json(data)
        except ValueError as error:
            reader.problem(f"records/{name}", f"is of another schema and cannot be read: {_first(error)}")
    for name, data in reader.within("failures", "*.json", optional=True):  # git keeps no empty folder
        if content := _json(reader, f"failures/{name}", data):
            side.failures[name.removesuffix(".json")] = {k: str(v) for k, v in content.items()}
    for name, data in reader.within("params", "*.y*ml"):
        try:
            side.params[name] = yaml.safe_load(data)
        except (yaml.YAMLError, ValueError) as error:
            reader.problem(f"params/{name}", f"cannot be read: {_first(error)}")
    for name, data in reader.within("notebooks", "*.ipynb"):
        side.cells[name.removesuffix(".ipynb")] = _cells(_json(reader, f"notebooks/{name}", data))
    for name, data in reader.within("snapshot", "*/snapshot.json"):
        _queries(reader, name.split("/", maxsplit=1)[0], _json(reader, f"snapshot/{name}", data))
    for name, data in reader.within("environment", "environment.json"):
        side.packages = _packages(_json(reader, f"environment/{name}", data))
    return side


def _first(error: Exception) -> str:
    return str(error).splitlines()[0]


def _json(reader: _Reader, name: str, data: bytes) -> dict[str, Any]:
    try:
        content = json.loads(data)
    except ValueError as error:
        reader.problem(name, f"cannot be read: {_first(error)}")
        return {}
    return content if isinstance(content, dict) else {}


def _cells(notebook: Mapping[str, Any]) -> dict[str, str]:
    """Sources by cell id; parameters are no code, and outputs are compared as numbers."""
    found = {}
    for i, cell in enumerate(notebook.get("cells", ())):
        if INJECTED & set(cell.get("metadata", {}).get("tags", ())):
            continue
        found[str(cell.get("id", f"cell-{i}"))] = joined(cell.get("source", ""))
    return found


def _packages(environment: Mapping[str, Any]) -> dict[str, str]:
    found = environment.get("packages")
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def _queries(reader: _Reader, snapshot: str, content: Mapping[str, Any]) -> None:
    rows = content.get("queries", ())
    for query in rows if isinstance(rows, list) else ():
        try:
            name, frozen = str(query["name"]), (int(query["rows"]), str(query["sha256"]), str(query["sql"]))
        except (KeyError, TypeError, ValueError) as error:
            reader.problem(f"snapshot/{snapshot}/snapshot.json", f"is of another schema: it has no {error}")
            return
        table = f"snapshot/{snapshot}/{name}.parquet"
        reader.side.queries[snapshot, name] = FrozenQuery(*frozen, _columns(reader, table))


def _columns(reader: _Reader, name: str) -> dict[str, str]:
    """Names and types of a frozen table."""
    import pyarrow as pa  # noqa: PLC0415  slow to import
    import pyarrow.parquet as pq  # noqa: PLC0415

    data = reader.read(name)
    if data is None:
        return {}
    try:
        schema = pq.read_schema(io.BytesIO(data))
    except (OSError, pa.ArrowException) as error:
        reader.problem(name, f"cannot be read: {_first(error)}")
        return {}
    return {f.name: str(f.type) for f in schema}

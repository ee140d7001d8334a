"""A file's content with its lines, and one thing wrong in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from gazette.secrets import redact

__all__ = ["Location", "Problem", "Source"]

Location = tuple[int | str, ...]


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in one place."""

    file: str
    line: int
    key: str
    what: str
    mend: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "what", redact(self.what))  # it may quote what was found

    def __str__(self) -> str:
        key = f" {self.key}:" if self.key else ""
        return f"{self.file}:{self.line}:{key} {self.what}\n    mend: {self.mend}"


@dataclass(frozen=True)
class Source:
    """A parameter file as written: its content, and the YAML nodes that know the lines."""

    name: str
    raw: Mapping[str, Any]
    node: yaml.Node | None

    def line(self, location: Location) -> int:
        """Line of the deepest part of ``location`` that the file has."""
        line, node = 1, self.node
        for step in location:
            if isinstance(node, yaml.MappingNode):
                found = next(((k, v) for k, v in node.value if k.value == str(step)), None)
                if found is None:
                    break
                line, node = found[0].start_mark.line + 1, found[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                line = node.start_mark.line + 1
            else:
                break
        return line

    def problem(self, location: Location, what: str, mend: str) -> Problem:
        """A problem at this place."""
        return Problem(self.name, self.line(location), ".".join(map(str, location)), what, mend)

"""The numbers that the templates find on a fixed small project, kept in a file: ``make golden`` writes it anew.

Whoever changes a template or the library sees here which numbers moved, in which notebook and cell, and by how much, and either mends
the change or commits the new file with the reason.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import audited
from gazette.record import NotPublished, Record, Tolerance
from gazette.replay import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = Path(__file__).parent / "notebooks" / "golden.json"
WIDE = {"score", "number"}  # from iterations that stop at a tolerance of their own


def collect(edition: Path) -> dict[str, Any]:
    """Numbers of an edition's records, by notebook template and id."""
    found: dict[str, Any] = {}
    for path in sorted((edition / "records").glob("*.json")):
        record = Record.from_json(path.read_bytes())
        template = f"notebooks/{'executive' if record.kind == 'summary' else record.kind}.ipynb"
        for number in record.numbers:
            value = f"not published: {number.value.reason}" if isinstance(number.value, NotPublished) else number.value
            ends = [number.interval.low, number.interval.high] if number.interval else []
            found[f"{template} {number.id}"] = {
                "cell": number.cell,
                "unit": number.unit,
                "values": [value, *ends],
                "n": number.n,
            }
    return found


def changes(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """What is not as it was kept, each with its notebook, cell and difference."""
    for key in [*before, *(k for k in after if k not in before)]:
        old, new = before.get(key), after.get(key)
        template, number = key.split(" ", 1)
        cell = (new or old)["cell"]
        place = f"{template}, cell {cell}: {number}"
        if old is None:
            yield f"{place} is new: {new['values'][0]}"
        elif new is None:
            yield f"{place} is gone; it was {old['values'][0]}"
        elif (old["unit"], old["n"], len(old["values"])) != (new["unit"], new["n"], len(new["values"])):
            yield f"{place}: unit, n or interval were {old['unit']}, {old['n']}, {old['values']}; now {new['unit']}, {new['n']}, {new['values']}"
        else:
            yield from (f"{place} {text}" for text in _moved(old, new))


def _moved(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    tolerance = Tolerance(relative=1e-6) if old["unit"] in WIDE else DEFAULTS[old["unit"]]
    for part, was, now in zip(("value", "low end", "high end"), old["values"], new["values"], strict=False):
        if isinstance(was, str) or isinstance(now, str):
            if was != now:
                yield f"({part}) was {was}, is {now}"
        elif not tolerance.holds(was, now):
            yield f"({part}) was {was}, is {now}: {now - was:+.6g}"


def main() -> None:
    """Build the small project and write the file anew."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "project"
        audited.make(place)
        after = collect(place / "editions" / audited.WEEKS[-1])
    before = json.loads(FILE.read_text()) if FILE.is_file() else {}
    for line in changes(before, after):
        print(line)  # noqa: T201  the answer
    FILE.write_text(json.dumps(after, indent=1, sort_keys=True) + "\n")
    print(f"{FILE.name}: {len(after)} numbers", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    main()

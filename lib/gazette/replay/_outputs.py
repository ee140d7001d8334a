"""What cells showed, then and now, compared by nbval: text, tables, charts with their data, data for programs."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gazette.errors import EditionError
from gazette.record import RECORD_MIME, Tolerance

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CellChange", "compare_outputs", "read_notebook"]

NUMBER = re.compile(r"(?<![\w.])[-+−]?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?!\w)")
BLANK = "<number>"
SKIPPED = ("metadata", "execution_count", "output_type", "name", "traceback", RECORD_MIME)
AROUND = 60


@dataclass(frozen=True)
class CellChange:
    """A cell that does not show what it showed.

    Attributes:
        cell: Id of the cell in the notebook.
        number: Its place among the code cells, from 1.
        how: ``within`` the tolerance, or ``differs``.
        kind: MIME type of the output, ``text`` of a stream, empty where outputs appeared or vanished.
        before, after: The text around the first place that differs.
        said: What nbval says, in one line.
    """

    cell: str
    number: int
    how: Literal["within", "differs"]
    kind: str
    before: str
    after: str
    said: str


def _plain(outputs: list[Any]) -> list[dict[str, Any]]:
    """Outputs whose data for programs became text with sorted keys."""
    return [{**o, **({"data": {k: _text(v) for k, v in o["data"].items()}} if "data" in o else {})} for o in outputs]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return "".join(value)
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def read_notebook(path: Path) -> dict[str, Any]:
    """An executed notebook.

    Raises:
        EditionError: It cannot be read.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
        _ = [cell["source"] for cell in content["cells"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EditionError(
            f"the notebook cannot be read: {error}", where=str(path), mend="restore the edition from a copy"
        ) from error
    return content


def compare_outputs(before: dict[str, Any], after: dict[str, Any], tolerance: Tolerance) -> tuple[CellChange, ...]:
    """Cells whose outputs differ; the record is left out, as its numbers are compared one by one.

    nbval compares first the outputs as they are, then with every number replaced: where only numbers differ, and each lies
    within the tolerance of the one that stood in its place, the cell counts as equal within tolerance.

    Args:
        before: The executed notebook as it was sealed.
        after: The same cells executed again.
        tolerance: For numbers in outputs.
    """
    from gazette.replay._nbval import Comparer  # noqa: PLC0415  nbval takes seconds to import

    exact, blanked = Comparer({}, SKIPPED), Comparer({NUMBER.pattern: BLANK}, SKIPPED)
    changes = []
    new = {c.get("id"): c for c in after["cells"]}
    code = [c for c in before["cells"] if c["cell_type"] == "code"]
    for number, cell in enumerate(code, start=1):
        old, now = cell["outputs"], new.get(cell["id"], {}).get("outputs", [])
        old_texts, now_texts = _plain(old), _plain(now)
        if exact.equal(old_texts, now_texts):
            continue
        where = _first_difference(old, now)
        within = blanked.equal(old_texts, now_texts) and _numbers_hold(old, now, tolerance)
        changes.append(CellChange(cell["id"], number, "within" if within else "differs", *where, exact.said))
    return tuple(changes)


def _parts(outputs: list[Any]) -> list[tuple[str, str]]:
    """MIME type and text of everything that nbval compares, in its order."""
    found = []
    for output in outputs:
        if "data" in output:
            found += [(kind, _text(v)) for kind, v in sorted(output["data"].items()) if kind not in SKIPPED]
        else:
            found.append(("text", _text(output.get("text", output.get("evalue", "")))))
    return found


def _numbers_hold(before: list[Any], after: list[Any], tolerance: Tolerance) -> bool:
    for (_, old), (_, new) in zip(_parts(before), _parts(after), strict=True):
        pairs = zip(NUMBER.findall(old), NUMBER.findall(new), strict=True)
        if not all(a == b or tolerance.holds(_value(a), _value(b)) for a, b in pairs):
            return False
    return True


def _value(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-"))


def _first_difference(before: list[Any], after: list[Any]) -> tuple[str, str, str]:
    """Kind of the first output that differs, and the text around the place on both sides."""
    old, new = _parts(before), _parts(after)
    for (kind, a), (other, b) in zip(old, new, strict=False):
        if (kind, a) != (other, b):
            shorter = min(len(a), len(b))
            at = next((i for i in range(shorter) if a[i] != b[i]), shorter)
            start, end = max(0, at - AROUND), at + AROUND
            return kind, _one_line(a[start:end]), _one_line(b[start:end])
    return "", f"{len(old)} outputs", f"{len(new)} outputs"


def _one_line(text: str) -> str:
    return " ".join(text.split())

"""Regression of the templates on a fixed small snapshot: outputs by nbval, numbers against a kept file."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import golden
from audited import WEEKS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration
TEMPLATES = {"experiment", "model", "operations", "translation", "portfolio", "reconciliation", "executive"}


@pytest.fixture(scope="module")
def kept() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(golden.FILE.read_text())
    return found


def test_every_number_of_every_template_is_as_it_was_kept(audited: Path, kept: dict[str, Any]) -> None:
    found = golden.collect(audited / "editions" / WEEKS[-1])
    moved = list(golden.changes(kept, found))
    assert not moved, "\n".join([*moved, "If that is meant: 'make golden', and say why in the commit."])
    assert {key.split(".ipynb")[0] for key in found} == {f"notebooks/{name}" for name in TEMPLATES}
    assert len(found) > 80


def test_a_changed_number_names_its_notebook_cell_and_difference(kept: dict[str, Any]) -> None:
    found = copy.deepcopy(kept)
    found["notebooks/experiment.ipynb button.ctr.difference"]["values"][0] += 0.01
    found["notebooks/experiment.ipynb button.ctr.relative"]["values"][2] *= 1 + 1e-12
    found["notebooks/model.ipynb new"] = found.pop("notebooks/experiment.ipynb button.units")
    said = list(golden.changes(kept, found))
    assert len(said) == 3
    assert sum("button.units is gone; it was 4000" in line for line in said) == 1
    assert sum(line.startswith("notebooks/model.ipynb, cell ") and "new is new" in line for line in said) == 1
    (value,) = [line for line in said if "difference" in line]
    assert value.startswith("notebooks/experiment.ipynb, cell scorecard: button.ctr.difference (value) was ")
    assert value.endswith(": +0.01")


def executed(audited: Path, place: Path) -> Path:
    """The edition with its executed notebooks in its own folder, where nbval's kernels start."""
    shutil.copytree(audited / "editions" / WEEKS[-1], place)
    for path in (place / "notebooks").glob("*.ipynb"):
        shutil.copyfile(path, place / path.name)
    return place


def nbval(place: Path, *names: str) -> subprocess.CompletedProcess[str]:
    """nbval in one process, as the cells of a notebook share a kernel."""
    options = ["-q", "--color=no", "-p", "no:cacheprovider", "-p", "no:xdist", "--nbval", "--rootdir", str(place)]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *names],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_nbval_finds_every_cell_of_every_template_as_it_was(audited: Path, tmp_path: Path) -> None:
    place = executed(audited, tmp_path / "edition")
    names = sorted(p.name for p in place.glob("*.ipynb"))
    assert len(names) >= len(TEMPLATES)
    done = nbval(place, *names)
    assert done.returncode == 0, done.stdout[-4000:]
    assert " passed" in done.stdout


def test_nbval_names_the_cell_that_shows_something_else(audited: Path, tmp_path: Path) -> None:
    place = executed(audited, tmp_path / "edition")
    path = place / "button.ipynb"
    notebook = json.loads(path.read_text())
    cells = [c for c in notebook["cells"] if c["cell_type"] == "code"]
    number = next(i for i, c in enumerate(cells) if c["id"] == "scorecard")
    shown = json.dumps(cells[number]["outputs"])
    assert "20.0 %" in shown
    cells[number]["outputs"] = json.loads(shown.replace("20.0 %", "21.0 %"))
    path.write_text(json.dumps(notebook))
    done = nbval(place, "button.ipynb")
    assert done.returncode == 1
    assert f"button.ipynb::Cell {number}" in done.stdout
    assert done.stdout.count("FAILED") == 1

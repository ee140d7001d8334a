"""The templates as data scientists use them: opened in notebooks/, run from the top without Papermill."""

from __future__ import annotations

import ast
import json
import shutil
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbclient import NotebookClient

from gazette.runs._normal import normalise
from small import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATES = {
    "experiment": "ranking-v3-2",
    "model": "flight-delay",
    "executive": "executive",
    "translation": "translation",
    "portfolio": "portfolio",
    "reconciliation": "reconciliation",
}


def code(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [c for c in notebook["cells"] if c["cell_type"] == "code"]


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Jupyter's own clients
@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_run_by_hand_shows_what_the_edition_shows(built: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "project" / "notebooks"
    folder.mkdir(parents=True)
    (tmp_path / "project" / "editions").symlink_to(built / "editions")
    shutil.copyfile(REPOSITORY / "notebooks" / f"{name}.ipynb", folder / "fork.ipynb")
    notebook = nbformat.read(folder / "fork.ipynb", as_version=4)
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    mine = json.loads(normalise(json.loads(nbformat.writes(notebook)), {}))
    published = json.loads((built / "editions" / "2026-W47" / "notebooks" / f"{TEMPLATES[name]}.ipynb").read_text())
    shown = {c["id"]: c["outputs"] for c in code(published)}
    compared = 0
    for cell in code(mine):
        if cell["outputs"]:
            wanted = [{k: v for k, v in o.items() if k != "execution_count"} for o in shown[cell["id"]]]
            assert [{k: v for k, v in o.items() if k != "execution_count"} for o in cell["outputs"]] == wanted
            compared += 1
    assert compared >= 5


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_short_and_imports_the_workbench_alone(name: str) -> None:
    notebook = json.loads((REPOSITORY / "notebooks" / f"{name}.ipynb").read_text())
    for cell in code(notebook):
        source = "".join(cell["source"])
        assert len(source.splitlines()) <= 12, f"{cell['id']}: analysis belongs in the workbench"
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom):
                assert node.module == "gazette.workbench"
            assert not isinstance(node, ast.Import)
    ids = [c["id"] for c in notebook["cells"]]
    assert len(set(ids)) == len(ids)

"""Folders and notebooks that parameters name stay inside the project, and lie on top of nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gazette.build import check, open_project
from gazette.errors import ParamsError

if TYPE_CHECKING:
    from small import SmallProject


@pytest.mark.parametrize(
    ("key", "place", "says"),
    [
        ("output", "../public", "outside of the project"),
        ("output", "/srv/public", "outside of the project"),
        ("output", "linked", "outside of the project"),
        ("output", ".", "in the way of params/"),
        ("output", "params", "in the way of params/"),
        ("output", "reports/out", "in the way of reports/"),
        ("output", "editions", "in the way of 'editions:'"),
        ("output", "editions/2026-W47/site", "in the way of 'editions:'"),
        ("state", "_site/state", "in the way of 'output:'"),
        ("state", "../state", "outside of the project"),
        ("state", "notebooks", "in the way of notebooks/"),
        ("editions", ".git", "in the way of .git/"),
    ],
)
def test_a_folder_outside_or_on_top_of_another_is_refused_by_line(
    small: SmallProject, key: str, place: str, says: str
) -> None:
    (small.root / "linked").symlink_to(small.root.parent)
    small.site[key] = place
    small.write()
    sheet = (small.root / "params" / "site.yml").read_text().splitlines()
    found = {p.key: p for p in check(small.root)}
    assert says in found[key].what
    assert sheet[found[key].line - 1].startswith(f"{key}:")
    with pytest.raises(ParamsError, match=says):
        open_project(small.root)


@pytest.mark.parametrize("place", ["../params/own.ipynb", "/srv/own.ipynb", "linked/own.ipynb"])
def test_a_notebook_outside_of_its_folder_is_refused(small: SmallProject, place: str) -> None:
    (small.root / "notebooks" / "linked").symlink_to(small.root)
    small.experiment["notebook"] = place
    small.write()
    (problem,) = check(small.root)
    assert (problem.file, problem.key) == ("experiments/button.yml", "notebook")
    assert "outside of notebooks/" in problem.what


def test_other_folders_of_the_project_and_editions_on_another_disk_can_be_used(small: SmallProject) -> None:
    small.site |= {"output": "public/site", "state": "public/state", "editions": "../kept"}
    small.write()
    assert check(small.root) == []
    assert open_project(small.root).output == small.root / "public" / "site"

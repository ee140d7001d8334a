"""To open a pipe waits for ever: what is no file among a project's files is named before anything is read."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gazette.build import check, open_project
from gazette.errors import ParamsError
from gazette.params import strange_files
from program import gazette

if TYPE_CHECKING:
    from small import SmallProject

FILES = (
    "params/site.yml",
    "params/experiments/button.yml",
    "params/annotations.yml",
    "notebooks/experiment.ipynb",
    "_quarto.yml",
    "reports/decisions/one.yml",
    "reports/theme/more.css",
)


@pytest.mark.parametrize("name", FILES)
def test_a_pipe_is_named_and_not_waited_for(small: SmallProject, name: str) -> None:
    path = small.root / name
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)
    (problem,) = check(small.root)
    short = name.removeprefix("params/")
    assert (problem.file, problem.what) == (short, "a named pipe, not a file")
    assert name in gazette("check", project=small.root, code=1, timeout=60).stdout
    with pytest.raises(ParamsError, match=f"{short}.*named pipe"):
        open_project(small.root)


def test_links_to_pipes_sockets_and_circles(small: SmallProject, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (small.root / "params" / "models" / "a.yml").symlink_to(tmp_path / "pipe")
    (small.root / "params" / "models" / "b.yml").symlink_to(small.root / "params" / "models" / "b.yml")
    (small.root / "params" / "round").symlink_to(small.root / "params")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(small.root / "notebooks")
        try:
            server.bind("s")  # a whole path may be too long for a socket
        finally:
            os.chdir(here)
    found = {p.file: p.what for p in strange_files(small.root)}
    assert found == {
        "models/a.yml": "a named pipe, not a file",
        "models/b.yml": "cannot be read: Too many levels of symbolic links",
        "notebooks/s": "a socket, not a file",
    }


def test_a_folder_that_is_closed_is_named(small: SmallProject, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may read everything, as in containers, sees no closed folder: the system's answer is given here."""
    opened = os.scandir

    def closed(path: object) -> object:
        if str(path).endswith("experiments"):
            raise PermissionError(13, "Permission denied")
        return opened(path)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "scandir", closed)
    (problem,) = strange_files(small.root)
    assert (problem.file, problem.what) == ("experiments", "cannot be read: Permission denied")

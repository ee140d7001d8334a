"""With Quarto on PATH: its sites are what the embedded engine's are, over the whole demo; editions of both engines live in one chain."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gazette import site
from gazette.build import open_project
from gazette.editions import Week, copy_writable
from gazette.runs import versions
from program import gazette
from site_reading import differences
from small import WEEKS

if TYPE_CHECKING:
    from gazette.build import Project
    from small import SmallProject

pytestmark = [pytest.mark.quarto, pytest.mark.integration]


@pytest.fixture
def quarto() -> site.Engine:
    if not shutil.which("quarto"):
        pytest.skip("not run: quarto is not on PATH")
    return site.choose_engine("quarto")


@pytest.fixture
def project(built: Path) -> Project:
    """The demo as the embedded engine rendered it; nothing is written to it."""
    return open_project(built)


@pytest.mark.parametrize("name", WEEKS)
def test_quarto_shows_what_the_embedded_engine_shows(
    project: Project, quarto: site.Engine, tmp_path: Path, name: str
) -> None:
    week, edition = Week.parse(name), tmp_path / "editions" / name
    manifest, sealed = project.store.manifest(week), project.store.path(week)
    edition.parent.mkdir()
    copy_writable(sealed, edition)
    shutil.rmtree(edition / "site")
    (edition / "manifest.json").unlink()
    site.render_edition(
        edition,
        project=project.root,
        params=project.params,
        week=week,
        engine=quarto,
        work=tmp_path / ".state" / "work",
        versions={name: manifest.versions[name] for name in (*versions(), "engine")},  # as the sealed page says them
        previous=manifest.previous,
        share={p.name: p.read_bytes() for p in (sealed / "site" / "share").iterdir()},
    )
    assert differences(sealed / "site", edition / "site") == []


def test_quartos_shelf_shows_what_the_embedded_engines_shows(
    project: Project, quarto: site.Engine, tmp_path: Path
) -> None:
    site.publish(
        project.store,
        project=project.root,
        params=project.params,
        output=tmp_path / "site",
        engine=quarto,
        work=tmp_path / ".state" / "work",
        stamp="",
    )
    assert differences(project.output, tmp_path / "site") == []


def test_editions_of_both_engines_in_one_chain(small: SmallProject, quarto: site.Engine) -> None:
    labels = []
    for week, name in (("2026-W46", "quarto"), ("2026-W47", "embedded")):
        labels.append(
            json.loads(gazette("build", week, "--engine", name, "--json", project=small.root).stdout)["engine"]
        )
    assert labels == [quarto.label, site.choose_engine("embedded").label]
    store = open_project(small.root).store
    assert [store.manifest(w).versions["engine"] for w in store.weeks()] == labels
    gazette("verify", project=small.root)
    for week in ("2026-W46", "2026-W47"):
        gazette("replay", week, project=small.root)
    gazette("diff", "2026-W46", "2026-W47", project=small.root)


def test_what_people_type_by_hand_harms_nothing(small: SmallProject, quarto: site.Engine) -> None:
    """In the folder of the pages, on a sealed notebook, and in a fork."""
    gazette("build", "2026-W47", project=small.root)

    def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [quarto.program, "render", *words], cwd=folder, capture_output=True, text=True, check=False
        )

    published = {p: p.read_bytes() for p in (small.root / "_site").rglob("*") if p.is_file()}
    assert run(small.root / "reports").returncode == 0
    assert (small.root / "_preview" / "reports" / "index.html").is_file()
    run(small.root, "editions/2026-W47/notebooks/button.ipynb")
    gazette("verify", project=small.root)
    gazette("fork", "button", project=small.root)
    fork = small.root / "forks" / "button-2026-W47"
    done = run(fork, "button.ipynb")
    assert done.returncode == 0, done.stderr
    page = (fork / "button.html").read_text()
    assert "<title>Green button" in page
    assert "None of its cells has been run" in page
    assert "A fork of edition 2026-W47" in page
    assert "cdn.jsdelivr.net/npm/requirejs" not in page
    assert {p: p.read_bytes() for p in (small.root / "_site").rglob("*") if p.is_file()} == published

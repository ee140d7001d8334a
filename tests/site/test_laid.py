"""What somebody changed on the published site is named, and put right by the next build."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from program import gazette
from small import WEEK

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from small import SmallProject

pytestmark = pytest.mark.integration


def spoil(path: Path) -> None:
    path.write_text(path.read_text().replace("</body>", "<p>We won.</p></body>", 1) + "\n")


def swap_for_link(path: Path) -> None:
    moved = path.with_name("moved")
    path.rename(moved)
    path.symlink_to(moved)


CHANGES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "a page of an edition": (f"editions/{WEEK}/experiments/button.html", spoil),
    "a page of an edition is gone": (f"editions/{WEEK}/index.html", lambda p: p.unlink()),
    "a page more": (f"editions/{WEEK}/more.html", lambda p: p.write_text("<p>We won.</p>")),
    "an edition's manifest is gone": (f"editions/{WEEK}/manifest.json", lambda p: p.unlink()),
    "an edition is a link": (f"editions/{WEEK}", swap_for_link),
    "a page of the shelf": ("archive.html", spoil),
    "a script of the shelf": ("editions.js", spoil),
    "a style of the shelf is gone": ("theme/gazette.css", lambda p: p.unlink()),
}


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("what", CHANGES)
def test_what_was_changed_on_the_site_is_named_and_put_right(published: SmallProject, what: str) -> None:
    root = published.root
    before = tree(root / "_site")
    name, change = CHANGES[what]
    change(root / "_site" / name)
    found = json.loads(gazette("verify", "--published", "--json", project=root, code=1).stdout)["problems"]
    assert {p["copy"] for p in found} == {"published"}
    assert any(name.endswith(p["file"]) for p in found)
    said = gazette("build", WEEK, project=root).stderr
    assert "The site is not as it was published, and is put right: " in said
    shutil.rmtree(root / "_site" / "editions" / "moved", ignore_errors=True)
    assert tree(root / "_site") == before
    assert gazette("verify", "--published", project=root).stdout.endswith("all as sealed.\n")
    assert "put right" not in gazette("build", WEEK, project=root).stderr


def test_another_edition_in_its_place_is_refused_and_nothing_replaced(published: SmallProject, tmp_path: Path) -> None:
    """Readers saw it: which of the two is the record is for people to say."""
    root, other = published.root, tmp_path / "other"
    shutil.copytree(root, other)
    shutil.rmtree(other / "editions" / WEEK)
    shutil.rmtree(other / "editions" / ".published")
    shutil.rmtree(other / "_site")
    site = other / "params" / "site.yml"
    site.write_text(site.read_text().replace("title: Small", "title: Other"))
    gazette("build", WEEK, project=other)
    place = root / "_site" / "editions" / WEEK
    shutil.rmtree(place)
    shutil.copytree(other / "_site" / "editions" / WEEK, place)
    held = tree(place)
    assert "readers saw another edition" in gazette("build", WEEK, project=root, code=1).stderr
    assert tree(place) == held


def test_what_nobody_published_is_named_and_stays(published: SmallProject) -> None:
    root = published.root
    more = ("evil.html", ".htaccess", "editions/evil.html", "editions/2026-W99x/i.html")
    for name in more:
        (root / "_site" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "_site" / name).write_text("<p>We won.</p>")
    found = json.loads(gazette("verify", "--published", "--json", project=root, code=1).stdout)["problems"]
    assert {p["file"]: p["what"] for p in found} == dict.fromkeys(more, "nobody published this file")
    gazette("build", WEEK, project=root)
    assert all((root / "_site" / name).is_file() for name in more), "a build deletes nothing that is not its own"


def test_no_edition_is_sealed_onto_an_altered_one(published: SmallProject) -> None:
    root = published.root
    path = root / "editions" / WEEK / "snapshot" / "button" / "arms.parquet"
    path.parent.chmod(0o755)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b"x")
    said = gazette("build", "2026-W48", project=root, code=1).stderr
    assert f"edition {WEEK} is not what was sealed" in said
    assert "arms.parquet" in said
    assert not (root / "editions" / "2026-W48").exists()

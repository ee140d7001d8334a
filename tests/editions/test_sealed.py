from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest

from gazette.editions import Sealed, Store, Week
from gazette.errors import EditionError
from program import gazette, writable

if TYPE_CHECKING:
    from pathlib import Path

NEW = "2026-W47"
PEOPLE = ("--by", "Cy", "--because", "Why not.")


@pytest.fixture(scope="module")
def altered(audited: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose newest edition's record of a test says another effect than was sealed; its manifest is as it was."""
    root = tmp_path_factory.mktemp("altered") / "project"
    shutil.copytree(audited, root)
    for week in ("2026-W46", NEW):
        path = writable(root / "editions" / week) / "records" / "button.json"
        content = json.loads(path.read_text())
        for number in content["numbers"]:
            if number["id"] == "button.ctr.relative":
                number["value"] *= 2
        path.write_text(json.dumps(content, indent=1))
    return root


@pytest.mark.integration
@pytest.mark.parametrize(
    "command",
    [
        ("decide", "button", "ship", "--supersede", *PEOPLE),
        ("sign-off", "button-2026-W47", "--by", "Dee"),
        ("annotate", "button", "--text", "Odd.", "--by", "Cy", "--number", "button.ctr.relative"),
        ("export", "metrics"),
        ("fork", "button"),
        ("pack", "button-2026-W47"),
        ("replay", NEW),
    ],
    ids=lambda c: c[0],
)
def test_nothing_is_made_of_an_altered_record(altered: Path, command: tuple[str, ...]) -> None:
    before = {p: p.stat().st_mtime_ns for p in altered.rglob("*") if p.is_file() and ".gazette" not in p.parts}
    done = gazette(*command, project=altered, code=2 if command[0] == "sign-off" else 1)
    assert re.search("not (what|as it) was sealed", done.stderr)
    assert "button.json" in done.stderr or "cannot be trusted" in done.stderr
    assert {p: p.stat().st_mtime_ns for p in altered.rglob("*") if p.is_file() and ".gazette" not in p.parts} == before


@pytest.mark.integration
def test_a_difference_and_the_next_edition_take_nothing_from_an_altered_record(altered: Path) -> None:
    found = json.loads(gazette("diff", "--json", project=altered).stdout)
    assert not [n for n in found["numbers"] if n["page"] == "button"]
    assert [p for p in found["problems"] if "records/button.json is left out" in p]


def sealed(tmp_path: Path) -> tuple[Store, Sealed]:
    store, week = Store(tmp_path / "editions"), Week.parse(NEW)
    staging = store.staging(week)
    for name in ("params/site.yml", "params/deep/er.yml", "records/a.json"):
        (staging / name).parent.mkdir(parents=True, exist_ok=True)
        (staging / name).write_text(name)
    store.seal(staging, week, versions={}, facts={})
    writable(store.path(week))
    return store, store.open(week)


def test_a_sealed_file_is_given_out_as_it_was_sealed_or_not_at_all(tmp_path: Path) -> None:
    store, edition = sealed(tmp_path)
    folder = store.path(Week.parse(NEW))
    assert edition.read("params/site.yml") == b"params/site.yml"
    assert edition.within("params") == edition.within() == folder
    assert edition.names("params", ".yml") == ["params/deep/er.yml", "params/site.yml"]
    with pytest.raises(EditionError, match="has no file"):
        edition.read("../../outside")
    with pytest.raises(EditionError, match="of another schema"):
        edition.record("a")
    assert edition.record("b") is None
    assert edition.snapshot("b") is None
    (folder / "params" / "more.yml").write_text("more")
    assert edition.within("records") == folder
    for places in (("params",), ()):
        with pytest.raises(EditionError, match=r"params/more.yml: was not sealed"):
            edition.within(*places)
    (folder / "params" / "more.yml").unlink()
    (folder / "params" / "site.yml").write_text("altered")
    (folder / "params" / "deep" / "er.yml").unlink()
    with pytest.raises(EditionError, match=r"(?s)er.yml: is missing.*site.yml: changed"):
        edition.within("params")
    with pytest.raises(EditionError, match="not what was sealed"):
        edition.read("params/site.yml")
    with pytest.raises(EditionError, match="is missing"):
        edition.read("params/deep/er.yml")
    (folder / "params" / "site.yml").unlink()
    (tmp_path / "same").write_text("params/site.yml")
    (folder / "params" / "site.yml").symlink_to(tmp_path / "same")
    with pytest.raises(EditionError, match="symbolic link"):
        edition.read("params/site.yml")
    shutil.rmtree(folder / "params")
    with pytest.raises(EditionError, match="is missing"):
        edition.within("params")

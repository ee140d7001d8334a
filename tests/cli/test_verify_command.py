"""``gazette verify`` on editions that the program itself built and signed."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gazette.editions import read_signer, verifier
from program import gazette, writable
from small import SmallProject

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("verify")]  # what they share is built once
SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
KINDS = {
    "page": "site/experiments/button.html",
    "search index": "site/search.json",
    "notebook": "notebooks/button.ipynb",
    "record": "records/button.json",
    "rows": "snapshot/button/arms.parquet",
    "query": "snapshot/button/arms.sql",
    "snapshot": "snapshot/button/snapshot.json",
    "parameters": "params/experiments/button.yml",
    "manifest": "manifest.json",
    "signature": "manifest.sig",
}


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two signed and published editions."""
    small = SmallProject(tmp_path_factory.mktemp("signed") / "project")
    small.site["public_keys"] = [read_signer(SEED).public]
    small.write()
    (small.root / "gazette.key").write_text(SEED)
    gazette("build", "2026-W46..2026-W47", "--key", str(small.root / "gazette.key"), project=small.root)
    return small.root


def test_what_was_built_is_whole_signed_and_published(signed: Path) -> None:
    done = gazette("verify", "--published", project=signed)
    assert "2 signed with a key that the project itself names, which who may write there could exchange" in done.stdout
    assert done.stdout.endswith(": all as sealed.\n")
    key = read_signer(SEED).public
    own = gazette("verify", "--public-key", key, project=signed).stdout
    assert "2 signed with a key that is trusted: all as sealed." in own
    (signed / "given.pub").write_text(key)
    asked = ("verify", "--json", "--public-key")
    assert json.loads(gazette(*asked, str(signed / "given.pub"), project=signed).stdout)["keys"] == "project"
    (signed / "given.pub").rename(signed.parent / "given.pub")
    assert json.loads(gazette(*asked, str(signed.parent / "given.pub"), project=signed).stdout)["keys"] == "own"
    assert "2026-W46: Comparing files" in done.stderr
    found = json.loads(gazette("verify", "2026-W47", "--json", project=signed).stdout)
    assert found["problems"] == []
    assert found["editions"] == ["2026-W47"]
    assert set(found["signers"]) == {"2026-W46", "2026-W47"}
    assert (signed / "_site" / "editions" / "2026-W47" / "manifest.sig").is_file()


@pytest.mark.parametrize("kind", KINDS)
def test_one_byte_of_each_kind_of_file_is_found_and_named_by_both_verifiers(signed: Path, kind: str) -> None:
    path = signed / "editions" / "2026-W46" / KINDS[kind]
    whole = writable(path).read_bytes()
    spoiled = bytearray(whole)
    spoiled[len(spoiled) // 2] ^= 1
    try:
        path.write_bytes(spoiled)
        found = json.loads(gazette("verify", "--json", project=signed, code=1).stdout)["problems"]
        program = [sys.executable, "-I", "-S", verifier.__file__, str(signed / "editions"), "--json"]
        key = ["--key", read_signer(SEED).public]
        alone = subprocess.run([*program, *key], capture_output=True, text=True, check=False)
    finally:
        path.write_bytes(whole)
    assert json.loads(alone.stdout)["problems"] == found
    assert [(p["edition"], p["file"]) for p in found] == [("2026-W46", KINDS[kind])]
    if kind not in {"manifest", "signature"}:
        assert found[0]["recorded"] == hashlib.sha256(whole).hexdigest()
        assert found[0]["found"] == hashlib.sha256(spoiled).hexdigest()


def test_wrong_use_and_missing_editions_end_with_their_codes(signed: Path) -> None:
    assert "not an ISO week" in gazette("verify", "W47", project=signed, code=2).stderr
    assert "there is no edition 2026-W40" in gazette("verify", "2026-W40", project=signed, code=1).stderr
    assert "cannot be read" in gazette("verify", "--public-key", "nowhere", project=signed, code=2).stderr
    said = gazette("build", "2026-W47", "--key", "1" * 64, project=signed, code=2).stderr
    assert "is none of those that are trusted" in said
    assert "1" * 64 not in said, "a private key is never printed"


def test_a_project_without_editions_says_what_to_run(small: SmallProject) -> None:
    assert "gazette build" in gazette("verify", project=small.root, code=1).stderr


def test_a_key_in_the_environment_signs_and_is_trusted(
    signed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAZETTE_PUBLIC_KEY", read_signer("1" * 64).public)
    found = json.loads(gazette("verify", "--json", project=signed, code=1).stdout)["problems"]
    assert {p["what"] for p in found} == {"made with a key that is not trusted"}
    root = tmp_path / "other"
    shutil.copytree(signed, root, ignore=shutil.ignore_patterns("editions", "_site"))
    site = root / "params" / "site.yml"
    site.write_text(site.read_text().split("public_keys:")[0])
    monkeypatch.setenv("GAZETTE_SIGNING_KEY", "1" * 64)
    gazette("build", "2026-W46", "--no-publish", project=root)
    assert "1 signed with a key that is trusted" in gazette("verify", project=root).stdout

"""Rules of the house that no other tool checks."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
ROOMS = (
    "record",
    "params",
    "stats",
    "monitoring",
    "conclusions",
    "sources",
    "snapshot",
    "display",
    "deliver",
    "workbench",
    "runs",
    "editions",
    "register",
    "site",
    "demo",
    "build",
    "cli",
)


def tracked() -> list[Path]:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    return [REPOSITORY / n for n in names.split("\0") if n and (REPOSITORY / n).is_file()]


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-dev.txt", "requirements-oracles.txt", "requirements-tools.txt"]
)
def test_locks_pin_every_package_with_hashes_and_name_no_host(name: str) -> None:
    text = (REPOSITORY / name).read_text()
    assert "://" not in text
    entries = re.split(r"\n(?=\S)", text.strip())
    assert entries[0]
    for entry in entries:
        assert "==" in entry.split("\n")[0], entry
        assert "--hash=sha256:" in entry, entry


def test_the_lock_holds_every_declared_dependency() -> None:
    declared = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.split(r"[\[<>=!~ ]", d)[0].lower().replace("_", "-") for d in declared}
    locked = {
        line.split("==")[0].split("[")[0].lower().replace("_", "-")
        for line in (REPOSITORY / "requirements.txt").read_text().splitlines()
        if "==" in line
    }
    assert names <= locked


def test_no_lock_or_config_file_names_a_registry() -> None:
    hosts = re.compile(r"pypi\.org|pythonhosted|npmjs|registry\.|deb\.debian|artifactory|localhost:\d", re.IGNORECASE)
    own = {Path(__file__).name, "LICENSE"}
    for path in tracked():
        if (
            path.suffix in {".txt", ".toml", ".yml", ".yaml", ".in", ".sh", ".cfg", ".ini", ".lock", ""}
            and path.name not in own
        ):
            assert not hosts.search(path.read_text(errors="ignore")), path


@pytest.mark.parametrize("path", sorted((REPOSITORY / "notebooks").glob("*.ipynb")), ids=lambda p: p.name)
def test_templates_hold_no_outputs(path: Path) -> None:
    for cell in json.loads(path.read_text())["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.parametrize("room", ROOMS)
def test_public_names_are_listed_and_there(room: str) -> None:
    module = importlib.import_module(f"gazette.{room}")
    assert len(module.__all__) == len(set(module.__all__)) > 0
    for name in module.__all__:
        assert hasattr(module, name), name


def test_nothing_heavy_is_imported_by_the_command_itself() -> None:
    code = "import sys, gazette.cli; print([m for m in ('pandas','ibis','mlflow','duckdb','scipy','papermill','rich') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_this_machine_is_not_in_the_project() -> None:
    for path in tracked():
        if path.suffix in {".py", ".md", ".yml", ".sh", ".js", ".css", ".ipynb", ".toml", ".qmd"} and path != Path(
            __file__
        ):
            text = path.read_text()
            assert not re.search(r"/(work|root|home)/\w", text), path


@pytest.mark.xdist_group("house")
def test_groups_of_tests_stay_in_one_process(request: pytest.FixtureRequest) -> None:
    """What a group shares would silently be made twice by a pytest that this pytest-xdist does not know."""
    if not request.config.getoption("loadgroup", default=False):
        pytest.skip("not run: only a run in several processes has groups")
    assert request.node.nodeid.endswith("@house")

"""Rules of the house that no other tool checks."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from planted import FAULTS, LIBRARY, Fault

REPOSITORY = Path(__file__).parents[1]
PARTS = {"pydantic-core"}  # comes with one that is declared and of the version that it names
ROOMS = sorted(p.stem for p in (REPOSITORY / "lib" / "gazette").iterdir() if (p / "__init__.py").is_file())


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


def sources() -> set[str]:
    """Modules of the library and of the tests, by their path in the checkout."""
    return {p.relative_to(REPOSITORY).as_posix() for p in tracked() if p.suffix == ".py"} & {
        p.relative_to(REPOSITORY).as_posix() for name in ("lib", "tests") for p in (REPOSITORY / name).rglob("*.py")
    }


def run(*words: str) -> str:
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_module_is_linted_and_formatted() -> None:
    """Named one by one, so no setting can leave one out; and none is left out of what `make lint` finds by itself."""
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or "ruff"
    found = {Path(line).relative_to(REPOSITORY).as_posix() for line in run(ruff, "check", "--show-files").splitlines()}
    assert sources() - found == set()
    run(ruff, "check", "-q", *sorted(sources()))
    run(ruff, "format", "-q", "--check", *sorted(sources()))


def test_every_module_of_the_library_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    from mypy.main import process_options  # noqa: PLC0415  slow to import

    monkeypatch.chdir(REPOSITORY)
    targets, options = process_options([])
    checked = {Path(t.path).relative_to(REPOSITORY).as_posix() for t in targets if t.path}
    assert {path for path in sources() if path.startswith("lib/")} - checked == set()
    assert not any("ignore_errors" in section for section in options.per_module_options.values())


def test_every_test_is_collected(request: pytest.FixtureRequest) -> None:
    """By pytest's own answer to whether it looks into a folder and a file; what is no test file has no tests."""
    config = request.config

    def ignored(path: Path) -> bool:
        inside = [p for p in (path, *path.parents) if p != REPOSITORY and p.is_relative_to(REPOSITORY)]
        return any(config.hook.pytest_ignore_collect(collection_path=p, path=None, config=config) for p in inside)

    assert {path for path in sources() if ignored(REPOSITORY / path)} == {"tests/warm_program.py"}
    for path in sources():
        if path.startswith("tests/") and not Path(path).name.startswith("test_"):
            assert not re.search(r"^(?:class Test|\s*def test_)", (REPOSITORY / path).read_text(), re.MULTILINE), path


def test_types_hold() -> None:
    """As ``make types`` says it; a test, so that no core stands idle meanwhile."""
    done = subprocess.run([sys.executable, "-m", "mypy"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_room_is_in_the_table_of_rooms() -> None:
    rooms = re.findall(r"^\| `(\w+)` \|", (REPOSITORY / "docs" / "architecture.md").read_text(), re.MULTILINE)
    assert set(ROOMS) <= set(rooms)
    assert len(ROOMS) > 20


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(folder: str) -> set[str]:
    """Distributions that modules of a folder import, by the name of the distribution; the standard library and our own left out."""
    own = {p.stem for part in ("tests", "bench") for p in (REPOSITORY / part).rglob("*.py")} | {"gazette", "rows"}
    modules: set[str] = set()
    for path in (REPOSITORY / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                modules |= {a.name.split(".")[0] for a in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules.add(node.module.split(".")[0])
    known = importlib.metadata.packages_distributions()
    third = modules - own - set(sys.stdlib_module_names)
    return {normal(name) for module in third for name in known.get(module, [module])}


def declared() -> dict[str, str]:
    """What pyproject.toml asks for by itself, with the comment beside it."""
    text = (REPOSITORY / "pyproject.toml").read_text().partition("\ndependencies = [")[2].partition("\n]")[0]
    rows = re.findall(r'^ +"([\w.-]+)[^"]*",? *(?:# (.*))?$', text, re.MULTILINE)
    return {normal(name): why for name, why in rows}


def test_declared_dependencies_are_imported_or_say_why_not() -> None:
    assert {name for name, why in declared().items() if not why.startswith("not imported")} - imported("lib") == set()
    assert {name for name, why in declared().items() if why.startswith("not imported")} & imported("lib") == set()


def test_what_is_imported_is_declared() -> None:
    """Of those that share a module's name (mlflow), one is enough."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    asked = {normal(re.split(r"[\[<>=!~ ]", d)[0]) for d in project["optional-dependencies"]["dev"]}
    asked |= {line.split("==")[0] for line in (REPOSITORY / "requirements-oracles.txt").read_text().splitlines()}
    assert imported("lib") - set(declared()) - PARTS == set()
    assert imported("tests") - set(declared()) - asked - PARTS == set()


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


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.kind)
def test_a_fault_can_still_be_planted(fault: Fault) -> None:
    """What it replaces stands in the library, once; ``make planted`` plants it."""
    assert (REPOSITORY / LIBRARY / fault.file).read_text().count(fault.right) == 1
    assert fault.wrong != fault.right
    for test in fault.tests:
        assert (REPOSITORY / test.partition("::")[0]).exists()


def test_no_query_leaves_out_two_columns_at_once() -> None:
    """ibis keeps them as a set, so their order in the SQL that is sealed would change from process to process."""
    calls = [
        (path.name, node.lineno, len(node.args) + any(isinstance(a, ast.Starred) for a in node.args))
        for path in (REPOSITORY / "lib" / "gazette" / "sources").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "drop"
    ]
    assert calls
    assert [call for call in calls if call[2] > 1] == []

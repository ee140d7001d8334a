"""Forks of a real edition, run as JupyterLab and VS Code run them: a kernel of the project's Python in the fork's folder."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient

from gazette.build import Project, open_project
from gazette.errors import EditionError, GazetteError, WrongUseError
from gazette.forks import fork, open_fork
from gazette.record import RECORD_MIME, NotPublished, Record, joined
from program import gazette

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.xdist_group("forks")
WEEK = "2026-W47"
SUBJECTS = ("button", "risk", "executive")


def tree(root: Path) -> str:
    """Digest of all that a fork may not touch: names and bytes of every file but the forks themselves."""
    total = hashlib.sha256()
    for path in sorted(p for p in root.rglob("*") if p.is_file() and p.relative_to(root).parts[0] != "forks"):
        total.update(f"{path.relative_to(root)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def record_of(notebook: Any) -> Record:
    (found,) = [
        o["data"][RECORD_MIME]
        for c in notebook["cells"]
        for o in c.get("outputs", [])
        if RECORD_MIME in o.get("data", {})
    ]
    return Record.model_validate(found)


def run(path: Path) -> Record:
    """Open a notebook and run all cells, with nothing of this process's own surroundings."""
    notebook = nbformat.read(path, as_version=4)
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "LANG", "TMPDIR"}}
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(path.parent)}})
    client.execute(env=kept)
    return record_of(notebook)


def with_first_cell(path: Path, **values: str) -> Path:
    """The notebook with other values in its first cell, as a person edits it."""
    content = json.loads(path.read_text())
    lines = joined(content["cells"][0]["source"]).split("\n")
    for name, value in values.items():
        (at,) = [i for i, line in enumerate(lines) if line.startswith(f"{name} = ")]
        lines[at] = f"{name} = {value!r}"
    content["cells"][0]["source"] = "\n".join(lines)
    path.write_text(json.dumps(content))
    return path


@pytest.fixture(scope="module")
def project(audited: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy with a fork of each kind of page, which no test changes but in copies."""
    place = tmp_path_factory.mktemp("forks") / "project"
    shutil.copytree(audited, place)
    for subject in SUBJECTS:
        fork(open_project(place), subject)
    return place


@pytest.fixture
def button(project: Path, request: pytest.FixtureRequest) -> Path:
    """A fork of the test of one's own, within the project."""
    name = hashlib.sha256(request.node.name.encode()).hexdigest()[:8]
    return fork(open_project(project), "button", to=project / "forks" / name).folder


@pytest.fixture
def mine(audited: Path, tmp_path: Path) -> Path:
    """A project to break."""
    shutil.copytree(audited, tmp_path / "project")
    return tmp_path / "project"


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_fork_runs_by_itself_gives_the_published_numbers_and_touches_nothing(project: Path, subject: str) -> None:
    before = tree(project)
    folder = project / "forks" / f"{subject}-{WEEK}"
    sealed = project / "editions" / WEEK / "records" / f"{subject}.json"
    assert run(folder / f"{subject}.ipynb") == Record.from_json(sealed.read_bytes())
    assert tree(project) == before


def test_the_project_verifies_after_all_that(project: Path) -> None:
    assert "all as sealed" in gazette("verify", project=project).stdout


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_kernel_is_one_that_editors_find_and_has_all_that_the_notebook_needs(project: Path, subject: str) -> None:
    folder = project / "forks" / f"{subject}-{WEEK}"
    notebook = nbformat.read(folder / f"{subject}.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name in KernelSpecManager().find_kernel_specs()
    settings = json.loads((folder / ".vscode" / "settings.json").read_text())
    assert settings["jupyter.notebookFileRoot"] == "${fileDirname}"
    python = settings["python.defaultInterpreterPath"]
    subprocess.run([python, "-I", "-c", "import gazette.forks, ipykernel"], check=True, timeout=120)
    assert not [o for c in notebook.cells for o in c.get("outputs", [])], "a fork begins without outputs"


def test_its_first_cell_pins_the_published_parameters(project: Path) -> None:
    folder = project / "forks" / f"button-{WEEK}"
    cell = json.loads((folder / "button.ipynb").read_text())["cells"][0]
    values: dict[str, Any] = {}
    source = joined(cell["source"])
    exec(source, values)  # noqa: S102  the cell is what is tested
    assert cell["metadata"]["tags"] == ["parameters"]
    assert (values["subject"], values["source"], values["week"]) == ("button", "snapshot", WEEK)
    assert "2026-11-09" in source
    assert '"Device=…"' in source
    card = json.loads((folder / "fork.json").read_text())
    assert card["edition_digest"] == json.loads((project / "editions" / WEEK / "manifest.json").read_text())["digest"]
    for name in ("edition.json", "params/experiments/button.yml", "snapshot/button/arms.parquet"):
        assert (folder / "edition" / name).read_bytes() == (project / "editions" / WEEK / name).read_bytes()


def test_a_fork_that_was_moved_runs_under_papermill(project: Path, tmp_path: Path) -> None:
    place = tmp_path / "elsewhere & <b>"
    shutil.copytree(project / "forks" / f"button-{WEEK}", place)
    command = [sys.executable, "-m", "papermill", "button.ipynb", "out.ipynb", "--no-progress-bar"]
    subprocess.run(command, cwd=place, check=True, capture_output=True, timeout=120)
    sealed = project / "editions" / WEEK / "records" / "button.json"
    assert record_of(json.loads((place / "out.ipynb").read_text())) == Record.from_json(sealed.read_bytes())


def test_a_kernel_that_was_started_elsewhere_finds_the_fork(
    project: Path, button: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert open_fork(".", str(button)).folder == button
    monkeypatch.setenv("JPY_SESSION_NAME", str(button / "button.ipynb"))
    assert open_fork(".", "/was/moved").folder == button
    monkeypatch.delenv("JPY_SESSION_NAME")
    with pytest.raises(WrongUseError, match="folder of this fork was not found"):
        open_fork(".", "/was/moved")
    assert not (project / "editions" / WEEK / "live").exists()


def arms(root: Path | str) -> list[tuple[Any, ...]]:
    import duckdb  # noqa: PLC0415

    with duckdb.connect() as db:
        return db.execute(f"SELECT * FROM '{root}/snapshot/button/arms.parquet' ORDER BY ALL").fetchall()


def counts(root: Path | str) -> dict[str, int]:
    import duckdb  # noqa: PLC0415

    with duckdb.connect() as db:
        rows = db.execute(f"SELECT variant, max(n) FROM '{root}/snapshot/button/arms.parquet' GROUP BY 1")
        return dict(rows.fetchall())


def test_the_live_warehouse_answers_what_was_published_and_is_only_read(project: Path, button: Path) -> None:
    before = tree(project)
    opened = open_fork(str(button))
    week, root = opened.data(source="warehouse")
    assert (week, root) == (WEEK, str(button / "live"))
    assert arms(root) == arms(project / "editions" / WEEK)
    assert "live warehouse" in repr(opened)
    assert tree(project) == before


def test_it_can_be_pointed_at_other_dates_segments_and_moments(project: Path, button: Path) -> None:
    before = tree(project)
    opened = open_fork(str(button))
    whole = counts(project / "editions" / WEEK)
    assert counts(opened.data(source="warehouse", until="2026-11-15")[1]) == {k: n // 2 for k, n in whole.items()}
    phones = counts(opened.data(source="warehouse", segment="Device=phone")[1])
    assert phones == dict.fromkeys(whole, 667), "every third of 2,000 users, from the first on"
    assert "chosen after the fact" in repr(opened)
    early = arms(opened.data(source="warehouse", arrived_by="2026-11-12 00:00")[1])
    assert all(0 < a[2] < b[2] / 4 for a, b in zip(early, arms(project / "editions" / WEEK), strict=True)), "clicks"
    assert opened.data(source="warehouse", week="2026-W46")[0] == "2026-W46"
    assert tree(project) == before


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"until": "2026-11-15"}, "cannot answer until"),
        ({"week": "2026-W46"}, "cannot answer week"),
        ({"source": "excel"}, "is neither"),
        ({"source": "warehouse", "until": "soon"}, "is not a date"),
        ({"source": "warehouse", "until": "2026-11-01"}, "end"),
        ({"source": "warehouse", "arrived_by": "noon"}, "is not a moment"),
        ({"source": "warehouse", "segment": "Device"}, "Device"),
        ({"source": "warehouse", "segment": "Shoe=1' OR ''='"}, "Shoe"),
        ({"source": "warehouse", "week": "W4711"}, "W4711"),
        ({"sorce": "warehouse"}, "unknown: sorce"),
    ],
)
def test_what_cannot_be_asked_is_refused_and_leaves_no_half_answer(
    button: Path, asked: dict[str, str], says: str
) -> None:
    with pytest.raises(GazetteError, match=says):
        open_fork(str(button)).data(**asked)
    assert not list(button.glob("live*"))


def test_a_model_s_fork_is_pointed_at_a_segment_and_a_page_above_at_none(project: Path) -> None:
    made = fork(open_project(project), "risk", to=project / "forks" / "risk-live")
    opened = open_fork(str(made.folder))
    _, root = opened.data(source="warehouse", segment="country=dk")
    assert (Path(root) / "snapshot" / "risk" / "versions.parquet").is_file()
    assert "Telemetry" in repr(opened)
    with pytest.raises(WrongUseError, match="reads records, not the warehouse"):
        open_fork(str(project / "forks" / f"executive-{WEEK}")).data(source="warehouse")


@pytest.mark.parametrize(
    ("subject", "more", "says"),
    [
        ("buttn", {}, "has no page 'buttn'"),
        ("../../etc/passwd", {}, "has no page"),
        ("button", {"edition": "2026-W40"}, "2026-W40"),
        ("button", {"edition": "last"}, "last"),
        ("button", {"to": "taken"}, "not empty"),
        ("button", {"to": "warehouse.duckdb"}, "file of this name"),
        ("button", {"to": "editions/mine"}, "sealed editions"),
        ("button", {"to": "_site/mine"}, "published site"),
        ("button", {"to": "params/mine"}, "params/"),
        ("button", {"to": "."}, "sealed editions"),
        ("button", {"to": "warehouse.duckdb/below"}, "cannot write"),
    ],
)
def test_wrong_use_says_how_to_mend_and_leaves_nothing(
    project: Path, subject: str, more: dict[str, str], says: str
) -> None:
    (project / "forks" / "taken").mkdir(exist_ok=True)
    (project / "forks" / "taken" / "work.txt").write_text("mine")
    before = tree(project)
    to = {"to": project / ("forks/taken" if more["to"] == "taken" else more["to"])} if "to" in more else {}
    with pytest.raises(GazetteError, match=says) as caught:
        fork(open_project(project), subject, edition=more.get("edition"), **to)
    assert caught.value.mend
    assert tree(project) == before
    assert [p.name for p in (project / "forks" / "taken").iterdir()] == ["work.txt"]
    assert not list((project / "forks").glob(".*")), "nothing half-made is left"


def test_of_an_edition_that_was_removed_the_command_says_so(mine: Path) -> None:
    shutil.rmtree(mine / "editions" / WEEK)
    done = gazette("fork", "button", "--edition", WEEK, project=mine, code=1)
    assert WEEK in done.stderr
    assert "mend:" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (mine / "forks").exists()
    shutil.rmtree(mine / "editions")
    with pytest.raises(EditionError, match="no edition yet"):
        fork(open_project(mine), "button")


@pytest.mark.parametrize(
    "name", ["snapshot/button/arms.parquet", "records/button.json", "notebooks/button.ipynb", "params/metrics.yml"]
)
def test_a_broken_edition_is_named_by_file_and_not_forked(mine: Path, name: str) -> None:
    path = mine / "editions" / WEEK / name
    path.chmod(0o644)
    for content, says in ((path.read_bytes()[:-1] + b"\x00", "is not what was sealed"), (None, "cannot be read")):
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(EditionError, match=says) as caught:
            fork(open_project(mine), "button")
        assert name in str(caught.value)
    assert not list((mine / "forks").glob("*"))


def test_a_disk_that_refuses_leaves_nothing_half_written(mine: Path) -> None:
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    command = [sys.executable, "-m", "gazette", "fork", "button", "--project", str(mine)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=small_files)
    assert done.returncode == 1
    assert "cannot write: File too large" in done.stderr
    assert "fork again; nothing was left behind" in done.stderr
    assert not list((mine / "forks").iterdir())


def test_of_two_forks_at_once_into_one_folder_one_is_refused(mine: Path) -> None:
    def attempt(project: Project) -> Exception | None:
        try:
            fork(project, "button")
        except GazetteError as error:
            return error
        return None

    work: Callable[[Project], Exception | None] = attempt
    with ThreadPoolExecutor(4) as pool:
        errors = [*pool.map(work, [open_project(mine)] * 4)]
    assert errors.count(None) == 1
    assert [p.name for p in (mine / "forks").iterdir()] == [f"button-{WEEK}"]


def test_a_published_number_is_known_to_differ_by_what_the_cells_say(button: Path) -> None:
    """The notebook's own cells count: a fork is work, not a picture."""
    path = with_first_cell(button / "button.ipynb", source="warehouse", segment="Device=phone")
    found = {n.id: n for n in run(path).numbers}
    value = found["button.ctr.difference"].value
    assert not isinstance(value, NotPublished)
    published = Record.from_json((button / "published" / "record.json").read_bytes())
    assert value != next(n.value for n in published.numbers if n.id == "button.ctr.difference")

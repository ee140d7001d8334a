"""Evidence packs: written from a sealed edition, checked with plain Python, opened from a file in Chromium."""

from __future__ import annotations

import hashlib
import json
import re
import resource
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest

from gazette.build import open_project
from gazette.errors import EditionError, GazetteError, ParamsError, WrongUseError
from gazette.packs import Packed, pack
from gazette.record import RECORD_MIME, Record
from program import gazette

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Request

pytestmark = pytest.mark.xdist_group("browser")
DECISION, WEEK = "button-2026-W47", "2026-W47"
CHECKS = (("verifier.py", "."), ("verifier.py", f"pages/{WEEK}"), ("verifier.py", "editions", "--partial"))


def packed(root: Path, to: Path | None = None, decision: str = DECISION) -> Packed:
    project = open_project(root)
    return pack(project.root, project.store, project.params, decision, output=project.output, to=to)


@pytest.fixture(scope="module")
def pack_file(audited: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packed(audited, tmp_path_factory.mktemp("pack") / "one.zip").path


@pytest.fixture(scope="module")
def opened(pack_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pack, unzipped; no test changes it."""
    place = tmp_path_factory.mktemp("opened")
    with zipfile.ZipFile(pack_file) as found:
        found.extractall(place)
    return place / DECISION


@pytest.fixture
def mine(audited: Path, tmp_path: Path) -> Path:
    shutil.copytree(audited, tmp_path / "project")
    return tmp_path / "project"


def check(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """As a reader runs it: plain Python that sees no package and no surroundings."""
    command = [sys.executable, "-I", "-S", *arguments]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, check=False, env={})


def test_plain_python_finds_all_as_packed_as_published_and_as_sealed(opened: Path) -> None:
    for arguments in CHECKS:
        done = check(opened, *arguments)
        assert (done.returncode, "0 problems" in done.stdout) == (0, True), done.stdout


@pytest.mark.parametrize(
    ("name", "how"),
    [
        (f"pages/{WEEK}/experiments/button.html", CHECKS[1]),
        (f"editions/{WEEK}/notebooks/button.ipynb", CHECKS[2]),
        (f"editions/{WEEK}/snapshot/button/arms.parquet", CHECKS[2]),
        (f"editions/{WEEK}/records/button.json", CHECKS[2]),
        (f"decision/{DECISION}.yml", ()),
        ("numbers/numbers.csv", ()),
        ("index.html", ()),
    ],
)
def test_one_changed_byte_is_found_and_its_file_named(
    opened: Path, tmp_path: Path, name: str, how: tuple[str, ...]
) -> None:
    place = tmp_path / DECISION
    shutil.copytree(opened, place)
    content = bytearray((place / name).read_bytes())
    content[len(content) // 2] ^= 1
    (place / name).write_bytes(content)
    done = check(place, "verifier.py", ".")
    assert done.returncode == 1
    assert f"{DECISION}: {name}: changed" in done.stdout
    assert hashlib.sha256(content).hexdigest() in done.stdout
    assert "1 problem\n" in done.stdout, "nothing else is flagged"
    if how:
        done = check(place, *how)
        assert done.returncode == 1
        assert name.split(f"{WEEK}/", 1)[1] in done.stdout


def test_a_file_that_is_gone_or_was_added_is_named(opened: Path, tmp_path: Path) -> None:
    place = tmp_path / DECISION
    shutil.copytree(opened, place)
    (place / "numbers/record.json").unlink()
    (place / "numbers/more.csv").write_text("x")
    says = check(place, "verifier.py", ".").stdout
    assert "numbers/record.json: missing" in says
    assert "numbers/more.csv: not in the manifest" in says


def test_two_packs_of_one_decision_have_the_same_bytes(audited: Path, pack_file: Path, tmp_path: Path) -> None:
    again = packed(audited, tmp_path / "again.zip")
    assert again.path.read_bytes() == pack_file.read_bytes()
    assert packed(audited, tmp_path / "again.zip").digest == again.digest, "a pack may be written over one of its own"


def test_it_has_all_parts_and_every_link_of_its_pages_leads_somewhere(opened: Path) -> None:
    names = {p.relative_to(opened).as_posix() for p in opened.rglob("*") if p.is_file()}
    for wanted in (
        "README.md",
        "index.html",
        "numbers/record.json",
        "tables/arms.csv",
        "tables/arms.sql",
        "verifier.py",
    ):
        assert wanted in names
    sealed = f"editions/{WEEK}/"
    for wanted in ("manifest.json", "notebooks/button.ipynb", "environment/requirements.txt", "params/metrics.yml"):
        assert sealed + wanted in names
    assert any(n.startswith(f"{sealed}environment/") and n.endswith(".whl") for n in names)
    assert "editions/2026-W46/manifest.json" in names, "the chain of manifests"
    for page in opened.rglob("*.html"):
        for link in re.findall(r'(?:href|src)="([^"]*)"', re.sub(r"(?s)<script.*?</script>", "", page.read_text())):
            parts = urlsplit(link)
            if not parts.scheme and parts.path:
                assert (page.parent / unquote(parts.path)).exists(), f"{page.relative_to(opened)}: {link}"


def test_what_the_readme_says_computes_the_numbers_again(opened: Path, tmp_path: Path) -> None:
    text = (opened / "README.md").read_text()
    (wheel,) = re.findall(r"pip install --no-deps (\S+)", text)
    (papermill,) = re.findall(r"env/bin/papermill (\S+ again.ipynb .+)", text)
    with zipfile.ZipFile(
        opened / wheel
    ) as found:  # installed by hand; packages are those of the lock, which this Python has
        found.extractall(tmp_path / "library")
    place = tmp_path / "pack"
    shutil.copytree(opened, place)
    command = [sys.executable, "-m", "papermill", *papermill.split()]
    env = {"PYTHONPATH": str(tmp_path / "library"), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=place, env=env, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    cells = json.loads((place / "again.ipynb").read_text())["cells"]
    (again,) = [o["data"][RECORD_MIME] for c in cells for o in c.get("outputs", []) if RECORD_MIME in o.get("data", {})]
    assert Record.model_validate(again) == Record.from_json((opened / "numbers/record.json").read_bytes())


@pytest.mark.browser
@pytest.mark.parametrize("size", [(1280, 900), (390, 844)])
def test_it_opens_offline_without_a_word_to_another_host_or_an_error(
    browser: Browser, opened: Path, size: tuple[int, int]
) -> None:
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, offline=True)
    page, faults = context.new_page(), []

    def asked(request: Request) -> None:
        if urlsplit(request.url).scheme not in {"file", "data", "blob"}:
            faults.append(request.url)

    page.on("request", asked)
    page.on("requestfailed", lambda r: faults.append(f"failed {r.url}"))
    page.on("console", lambda m: faults.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("pageerror", lambda e: faults.append(str(e)))
    page.goto((opened / "index.html").as_uri(), wait_until="load")
    assert page.locator("h1").inner_text() == "Green button: ship"
    assert "A clear <b>gain</b>." in page.locator("body").inner_text()
    assert page.locator("body b").count() == 0, "what people wrote is text"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is cut off"
    page.get_by_role("link", name="Read the page that it was decided on").click()
    page.wait_for_load_state("load")
    assert page.url.endswith("/experiments/button.html")
    page.wait_for_function("[...document.querySelectorAll('.gz-chart')].every(f => f.dataset.drawn || !f.offsetWidth)")
    page.goto((opened / "pages" / WEEK / "index.html").as_uri(), wait_until="load")
    assert faults == []
    context.close()


def test_hostile_text_of_a_decision_stays_text(mine: Path, tmp_path: Path) -> None:
    path = mine / "reports/decisions" / f"{DECISION}.yml"
    hostile = "</td><script>alert(1)</script> [x](javascript:alert(1)) `a` =1+1"
    text = path.read_text()
    path.write_text(text.replace("A clear <b>gain</b>.", hostile) if "A clear <b>gain</b>." in text else "")
    with zipfile.ZipFile(packed(mine, tmp_path / "x.zip").path) as found:
        page = found.read(f"{DECISION}/index.html").decode()
        readme = found.read(f"{DECISION}/README.md").decode()
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "\\<script\\>" in readme
    assert "\\[x\\](javascript" in readme, "no link in Markdown either"


@pytest.mark.parametrize("decision", ["buttn", "../../etc/passwd", ""])
def test_an_unknown_decision_is_refused_with_those_there_are(audited: Path, tmp_path: Path, decision: str) -> None:
    with pytest.raises(WrongUseError, match="there is no decision") as caught:
        packed(audited, tmp_path / "x.zip", decision)
    assert DECISION in caught.value.mend
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", ["", "id: [", "- 1", f"id: {DECISION}\n"])
def test_a_malformed_decision_is_named_and_nothing_is_written(mine: Path, content: str) -> None:
    (mine / "reports/decisions" / f"{DECISION}.yml").write_text(content)
    done = gazette("pack", DECISION, project=mine, code=1)
    assert f"reports/decisions/{DECISION}.yml" in done.stderr
    assert "Traceback" not in done.stderr
    with pytest.raises(ParamsError):
        packed(mine)
    assert not (mine / "packs").exists()


def test_an_edition_that_is_gone_or_changed_is_no_evidence(mine: Path) -> None:
    page = mine / "editions" / WEEK / "site" / "index.html"
    page.chmod(0o644)
    whole = page.read_text()
    page.write_text(f"{whole} ")
    with pytest.raises(EditionError, match=r"not as it was sealed[^$]*site/index\.html"):
        packed(mine)
    shutil.rmtree(mine / "editions" / WEEK)
    with pytest.raises(EditionError, match="is gone"):
        packed(mine)
    assert not (mine / "packs").exists()


@pytest.mark.parametrize(
    "to", ["editions/x.zip", "_site/x.zip", "params", "warehouse.duckdb", "warehouse.duckdb/x.zip"]
)
def test_a_place_that_may_not_be_written_is_refused_and_left(mine: Path, to: str) -> None:
    before = hashlib.sha256((mine / "warehouse.duckdb").read_bytes()).hexdigest()
    with pytest.raises(GazetteError) as caught:
        packed(mine, mine / to)
    assert caught.value.mend
    assert hashlib.sha256((mine / "warehouse.duckdb").read_bytes()).hexdigest() == before
    assert not list(mine.rglob("*.part"))


def test_a_disk_that_refuses_leaves_the_pack_that_was_there(mine: Path, tmp_path: Path) -> None:
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))

    there = packed(mine, tmp_path / "packs" / "x.zip")
    command = [sys.executable, "-m", "gazette", "pack", DECISION, "--to", str(there.path), "--project", str(mine)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=small_files)
    assert done.returncode == 1
    assert "the pack cannot be written: File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert [p.name for p in there.path.parent.iterdir()] == ["x.zip"]
    assert hashlib.sha256(there.path.read_bytes()).hexdigest() == there.digest


def test_nothing_is_packed_that_holds_a_secret(audited: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "Green button")  # of the experiment's page
    with pytest.raises(EditionError, match=r"nothing was packed(?s:.*)holds the value of the variable SHOP_TOKEN"):
        packed(audited, tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()

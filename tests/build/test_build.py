from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
import yaml

from gazette.build import build as build_here
from gazette.build import open_project
from gazette.editions import Store, Week
from gazette.params import load
from gazette.record import Record
from gazette.register import new_subject
from gazette.site import lint_site
from program import gazette, writable
from small import ABOVE, NOW, REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable

    from small import SmallProject

pytestmark = pytest.mark.integration
DISKS = Path(__file__).parents[1] / "disks.py"
W46, W47 = Week.parse("2026-W46"), Week.parse("2026-W47")
EMIT = "from gazette.workbench import open_experiment\ntest = open_experiment(subject, edition=edition, root=root)\ntest.emit()"


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def build(small: SmallProject, *weeks: str, code: int = 0) -> dict[str, Any]:
    done = gazette("build", *(weeks or ("2026-W47",)), "--json", project=small.root, code=code)
    return dict(json.loads(done.stdout))


def store(small: SmallProject) -> Store:
    return Store(small.root / "editions")


def refused(small: SmallProject, *arguments: str, code: int = 1) -> str:
    """What a refused build says; it seals, publishes and leaves nothing."""
    before = [str(w) for w in store(small).weeks()]
    site = files(small.root / "_site")
    says = gazette("build", *(arguments or ("2026-W47",)), project=small.root, code=code).stderr
    assert "Traceback" not in says
    assert "mend:" in says
    assert [str(w) for w in store(small).weeks()] == before
    assert files(small.root / "_site") == site
    staging = small.root / "editions" / ".staging"
    assert not staging.exists() or not list(staging.iterdir())
    return says


def unseen(published: SmallProject) -> SmallProject:
    """The same as if it had been built with ``--no-publish``."""
    shutil.rmtree(published.root / "_site")
    shutil.rmtree(published.root / "editions" / ".published")
    return published


class TestAWholeBuild:
    def test_an_edition_holds_what_the_design_says(self, small: SmallProject) -> None:
        small.forget()
        small.add_pages(*ABOVE)
        answer = build(small)
        (built,) = answer["editions"]
        assert built["status"] == "built"
        assert [n["status"] for n in built["notebooks"]] == ["ok", "ok", "ok", "ok"]
        assert all(n["peak_memory_mb"] > 50 and n["seconds"] > 0 for n in built["notebooks"])
        edition = store(small).path(W47)
        assert {p.name for p in edition.iterdir()} == {
            "manifest.json",
            "edition.json",
            "environment",
            "recomputed.json",
            "params",
            "snapshot",
            "notebooks",
            "records",
            "failures",
            "site",
        }
        assert {p.suffix for p in (edition / "snapshot" / "button").iterdir()} == {".parquet", ".sql", ".json"}
        record = Record.from_json((edition / "records" / "button.json").read_bytes())
        assert record.numbers
        for number in record.numbers:
            assert number.snapshot
            assert number.metric_version >= 1
            assert number.cell
        assert (small.root / "_site" / "index.html").is_file()
        assert (small.root / "_site" / "editions" / "2026-W47" / "experiments" / "button.html").is_file()

    def test_a_sealed_week_built_again_changes_nothing_and_says_so(self, published: SmallProject) -> None:
        small = published
        first = store(small).manifest(W47).digest
        before = files(small.root / "editions"), files(small.root / "_site")
        second = build(small)
        assert second["editions"][0]["status"] == "sealed already, nothing changed"
        assert second["editions"][0]["manifest"] == first
        assert not second["published"]
        assert {k: v for k, v in files(small.root / "editions").items() if k != ".lock"} == {
            k: v for k, v in before[0].items() if k != ".lock"
        }
        assert files(small.root / "_site") == before[1]

    def test_the_same_week_from_scratch_gives_the_same_manifest(self, small: SmallProject, tmp_path: Path) -> None:
        small.forget()
        other = tmp_path / "elsewhere" / "with a longer name"
        shutil.copytree(small.root, other)
        first = build(small)["editions"][0]["manifest"]
        again = json.loads(gazette("build", "2026-W47", "--json", project=other).stdout)
        assert again["editions"][0]["manifest"] == first
        assert again["editions"][0]["notebooks"][0]["status"] == "ok", "it was run, not copied"
        assert files(store(small).path(W47)) == files(other / "editions" / "2026-W47")

    def test_an_earlier_week_reads_only_what_had_arrived(self, small: SmallProject) -> None:
        build(small, "2026-W46..2026-W47")
        n = [
            next(
                x.n
                for x in Record.from_json((store(small).path(w) / "records" / "button.json").read_bytes()).numbers
                if x.id == "button.ctr.treatment"
            )
            for w in (W46, W47)
        ]
        assert n == [100, 200]

    def test_an_older_week_cannot_be_slipped_in(self, published: SmallProject) -> None:
        assert "2026-W46 cannot be made any more" in refused(published, "2026-W46")

    def test_logs_hold_times_and_memory(self, small: SmallProject) -> None:
        small.add_pages(*ABOVE)
        build(small)
        log = json.loads((small.root / ".gazette" / "logs" / "2026-W47.json").read_text())
        assert {n["page"] for n in log["notebooks"]} == {"button", "executive", "portfolio", "translation"}


class TestForceAndPublish:
    def test_no_publish_seals_and_leaves_the_site(self, small: SmallProject) -> None:
        says = gazette("build", "2026-W47", "--no-publish", project=small.root).stdout
        assert "not published" in says
        assert store(small).is_sealed(W47)
        assert not (small.root / "_site").exists()

    def test_force_rebuilds_what_no_reader_has_seen(self, published: SmallProject) -> None:
        small = unseen(published)
        small.experiment["title"] = "Mended title"
        small.write()
        gazette("build", "2026-W47", "--force", project=small.root)
        assert "Mended title" in (store(small).path(W47) / "records" / "button.json").read_text()

    def test_force_is_refused_for_what_was_published(self, published: SmallProject) -> None:
        assert "what readers saw never changes" in refused(published, "2026-W47", "--force")

    def test_force_is_refused_for_what_lies_on_the_site_though_its_mark_is_lost(self, published: SmallProject) -> None:
        before = files(published.root / "_site")
        shutil.rmtree(published.root / "editions" / ".published")
        assert "what readers saw never changes" in refused(published, "2026-W47", "--force")
        assert files(published.root / "_site") == before

    def test_what_readers_saw_is_not_replaced_by_another_edition_of_its_week(self, published: SmallProject) -> None:
        manifest = published.root / "_site" / "editions" / "2026-W47" / "manifest.json"
        manifest.write_text(manifest.read_text().replace('"gazette.manifest/1"', '"gazette.manifest/1" '))
        (published.root / "_site" / ".gazette-site.json").unlink()
        before = files(published.root / "_site")
        assert "readers saw another edition 2026-W47" in refused(published, "2026-W47")
        assert files(published.root / "_site") == before

    def test_force_is_refused_for_an_older_edition(self, small: SmallProject) -> None:
        gazette("build", "2026-W46..2026-W47", "--no-publish", project=small.root)
        assert "not the newest" in refused(small, "2026-W46", "--force")

    def test_force_takes_one_week(self, small: SmallProject) -> None:
        assert "exactly one week" in refused(small, "2026-W46..2026-W47", "--force", code=2)

    def test_a_failed_forced_build_keeps_the_edition_it_was_to_replace(self, published: SmallProject) -> None:
        small = unseen(published)
        before = files(store(small).path(W47))
        with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
            warehouse.execute("DROP TABLE events")
        assert "no table 'events'" in refused(small, "2026-W47", "--force", "--no-publish")
        assert files(store(small).path(W47)) == before

    def test_a_published_edition_that_was_changed_on_disk_is_not_published_again(self, published: SmallProject) -> None:
        small = published
        writable(store(small).path(W47) / "records" / "button.json").write_text("{}")
        shutil.rmtree(small.root / "_site")
        says = gazette("build", "2026-W47", project=small.root, code=1).stderr
        assert "is not what was sealed" in says
        assert "records/button.json" in says
        assert not (small.root / "_site" / "index.html").exists()


class TestBadInput:
    def test_bad_yaml(self, small: SmallProject) -> None:
        (small.root / "params" / "metrics.yml").write_text("metrics:\n  ctr: [\n")
        says = refused(small)
        assert "metrics.yml:" in says

    def test_a_missing_table(self, small: SmallProject) -> None:
        small.metric["fact"]["table"] = "clicks"
        small.write()
        assert "no table 'clicks'" in refused(small)

    def test_no_warehouse(self, small: SmallProject) -> None:
        (small.root / "warehouse.duckdb").unlink()
        assert "no warehouse file" in refused(small)

    def test_all_sources_that_fail_are_named_at_once(self, small: SmallProject) -> None:
        small.add_experiment("other", assignments="gone")
        small.metric["fact"]["table"] = "clicks"
        small.write()
        says = refused(small)
        assert "'gone'" in says
        assert "'clicks'" in says

    def test_an_empty_week(self, small: SmallProject) -> None:
        small.fill(0)
        assert "2026-W47 would be empty" in refused(small)

    def test_a_partial_week(self, small: SmallProject) -> None:
        today = Week.of(datetime.now(UTC).date())
        says = refused(small, str(today))
        assert "is not whole yet" in says
        assert f"the last whole week is {today.next(-1)}" in says

    def test_no_subject_in_the_week(self, small: SmallProject) -> None:
        assert "would be empty: no model, and no experiment" in refused(small, "2026-W44")

    def test_a_snapshot_that_cannot_be_read(self, small: SmallProject) -> None:
        small.template("experiment", "open('snapshot/button/arms.parquet', 'wb').write(b'torn')", EMIT)
        says = refused(small)
        assert "arms" in says

    def test_an_unknown_notebook_parameter(self, small: SmallProject) -> None:
        small.experiment["parameters"] = {"roots": "x"}
        small.write()
        says = refused(small)
        assert "unknown parameter 'roots'" in says
        assert "did you mean 'root'" in says

    def test_a_page_that_loads_from_another_host(self, small: SmallProject) -> None:
        code = "from IPython.display import HTML\nHTML('<img src=\"https://example.com/a.png\">')"
        small.template("experiment", code, EMIT)
        assert "loads https://example.com/a.png from another host" in refused(small)

    def test_an_engine_that_is_not_there(self, small: SmallProject, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/nonexistent")
        assert "quarto is not on PATH" in refused(small, "2026-W47", "--engine", "quarto", code=2)

    def test_rights_that_forbid_writing(self, small: SmallProject) -> None:
        (small.root / "editions").write_text("a file where the folder should be")
        says = gazette("build", "2026-W47", project=small.root, code=1).stderr
        assert "editions" in says
        assert "mend:" in says
        assert "Traceback" not in says

    def test_sources_that_fail_for_some_subjects_leave_the_others_their_pages(self, small: SmallProject) -> None:
        known = yaml.safe_load((REPOSITORY / "params" / "metrics.yml").read_text())["metrics"]
        small.site["mlflow"] = "http://127.0.0.1:9"
        small.write()
        small.add_metrics(*(m for m in known if m != "ctr"))
        new_subject(small.root, load(small.root / "params"), "model", "risk", today=date(2026, 11, 5))
        small.add_experiment("other", assignments="elsewhere")
        with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
            warehouse.execute("CREATE TABLE orders AS SELECT unit_id, happened_at, 'NaN'::DOUBLE AS amount FROM events")
        order = {"table": "orders", "unit": "unit_id", "time": "happened_at", "aggregation": "sum", "value": "amount"}
        small.add_metric("amount", unit="number", fact=order)
        small.add_experiment("broken", primary="amount")
        built = build(small, code=1)["editions"][0]
        failed = {n["page"]: n["failure"] for n in built["notebooks"] if n["status"] == "failed"}
        assert failed.keys() == {"other", "risk"}
        assert "MLflow cannot be asked" in failed["risk"]
        assert "is the server up?" in failed["risk"]
        assert "the warehouse has no table 'elsewhere' (params/experiments/other.yml)" in failed["other"]
        edition = store(small).path(W47)
        assert {p.name for p in (edition / "records").iterdir()} == {"broken.json", "button.json", "executive.json"}
        assert {p.name for p in (edition / "snapshot").iterdir() if p.name in {"button", "other", "risk"}} == {"button"}
        assert (
            "values that are no numbers or infinite" in (edition / "site" / "experiments" / "broken.html").read_text()
        )
        for page in ("experiments/other", "models/risk"):
            text = (edition / "site" / f"{page}.html").read_text()
            assert "it has no numbers this week" in text
            assert "To mend it" in text
        assert "2 of the analyses failed" in (edition / "site" / "index.html").read_text()
        assert gazette("verify", project=small.root).returncode == 0
        assert gazette("replay", "2026-W47", project=small.root).returncode == 0

    def test_a_full_disk(self, small: SmallProject, tmp_path: Path) -> None:
        """On real, small file systems of our own, each full in another stage, in a mount namespace that ends with the builds."""
        if subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode:
            pytest.skip("this system lets nobody mount a small file system")
        (place := tmp_path / "disk").mkdir()
        done = subprocess.run(
            ["unshare", "-rm", sys.executable, DISKS, place, small.root],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        for stage, one in found.items():
            assert one["code"] == 1, f"{stage}: {one['said']}"
            assert "Traceback" not in one["said"]
            assert "the disk is full" in one["said"]
            assert "mend: free disk space" in one["said"]
            last = [line for line in one["said"].splitlines() if line.startswith("[")][-1]
            assert stage in last, f"it was to be full in this stage, and was in: {last}"
            assert one["staged"] == []
            assert one["sealed"] == (["2026-W47"] if stage == "Publishing" else [])
        assert list(found) == ["Freezing the data", "Rendering", "Publishing"]


@pytest.mark.xdist_group("broken")
class TestFailedNotebooks:
    """One notebook that works beside those that fail, hang, die and say nothing."""

    @pytest.fixture(scope="class")
    @staticmethod
    def broken(tmp_path_factory: pytest.TempPathFactory) -> tuple[SmallProject, dict[str, Any]]:
        from small import SmallProject  # noqa: PLC0415

        small = SmallProject(tmp_path_factory.mktemp("broken") / "project")
        small.site["timeout_seconds"] = 12
        small.write()
        small.add_pages(*ABOVE)
        for name, source in (
            ("raises", "raise ValueError('no rows <b>at all</b>')"),
            ("hangs", "import time; time.sleep(600)"),
            ("dies", "import os; os._exit(1)"),
            ("silent", "1 + 1"),
        ):
            small.template(name, source)
            small.add_experiment(name, notebook=f"{name}.ipynb")
        return small, build(small, code=1)

    def test_all_others_are_published(self, broken: tuple[SmallProject, dict[str, Any]]) -> None:
        small, answer = broken
        status = {n["page"]: n["status"] for n in answer["editions"][0]["notebooks"]}
        assert status == {
            "button": "ok",
            "raises": "failed",
            "hangs": "failed",
            "dies": "failed",
            "silent": "failed",
            "executive": "ok",
            "portfolio": "ok",
            "translation": "ok",
        }
        assert {p.stem for p in (store(small).path(W47) / "records").iterdir()} == {
            "button",
            "executive",
            "portfolio",
            "translation",
        }
        assert answer["published"]

    @pytest.mark.parametrize(
        ("page", "says"),
        [
            ("raises", "ValueError: no rows &lt;b&gt;at all&lt;/b&gt;"),
            ("hangs", "timed out after 12 s"),
            ("dies", "the kernel died"),
            ("silent", "emitted no record"),
        ],
    )
    def test_its_page_says_why(self, broken: tuple[SmallProject, dict[str, Any]], page: str, says: str) -> None:
        text = (broken[0].root / "_site" / "editions" / "2026-W47" / "experiments" / f"{page}.html").read_text()
        assert "This analysis failed; it has no numbers this week." in text
        assert says in text
        if page == "raises":
            assert "Traceback" in text

    def test_the_summary_and_the_lists_say_so(self, broken: tuple[SmallProject, dict[str, Any]]) -> None:
        site = broken[0].root / "_site" / "editions" / "2026-W47"
        summary = (site / "index.html").read_text()
        for page in ("raises", "hangs", "dies", "silent"):
            assert f"experiments/{page}.html" in summary
        assert (site / "experiments.html").read_text().count("Failed") >= 4

    @pytest.mark.parametrize(
        ("source", "says"),
        [
            ("held = [open('/dev/null') for _ in range(100_000)]", "button: Too many open files"),
            ("held = bytearray(1 << 60)", "MemoryError"),
        ],
        ids=["descriptors", "memory"],
    )
    def test_nothing_is_sealed_for_want_of_what_the_machine_gives(
        self, small: SmallProject, source: str, says: str
    ) -> None:
        small.template(
            "experiment", f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))\n{source}"
        )
        told = refused(small)
        assert says in told
        assert "ulimit" in told

    def test_nothing_is_sealed_where_every_notebook_fails(self, small: SmallProject) -> None:
        for name in ("experiment", "executive"):
            small.template(name, "raise RuntimeError('no such library')")
        told = refused(small)
        assert "every notebook failed" in told
        assert "no such library" in told

    def test_a_failed_summary_still_gives_a_whole_site(self, small: SmallProject) -> None:
        small.template("executive", "raise RuntimeError('summary broke')")
        answer = build(small, code=1)
        assert answer["published"]
        text = (small.root / "_site" / "editions" / "2026-W47" / "index.html").read_text()
        assert "This analysis failed" in text
        assert "summary broke" in text
        assert (small.root / "_site" / "index.html").is_file()


class TestKilled:
    def test_killed_while_notebooks_run(self, small: SmallProject) -> None:
        build(small, "2026-W46")
        before = files(small.root / "_site")
        whole = (small.root / "notebooks" / "experiment.ipynb").read_text()
        small.template("experiment", "open('started', 'w').close()\nimport time; time.sleep(600)")
        process = start(small)
        wait_for(small.root / "editions" / ".staging" / "2026-W47" / "started")
        process.kill()
        process.communicate()
        assert files(small.root / "_site") == before
        assert store(small).weeks() == [W46]
        (small.root / "notebooks" / "experiment.ipynb").write_text(whole)
        build(small)
        assert store(small).check(W47) == []

    def test_stopped_with_control_c(self, small: SmallProject) -> None:
        small.template("experiment", "open('started', 'w').close()\nimport time; time.sleep(600)")
        process = start(small)
        wait_for(small.root / "editions" / ".staging" / "2026-W47" / "started")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "interrupted" in errors
        assert "Traceback" not in errors
        assert list((small.root / "editions" / ".staging").iterdir()) == []

    def test_two_builds_at_once(self, small: SmallProject) -> None:
        small.template("experiment", "open('started', 'w').close()\nimport time; time.sleep(600)")
        process = start(small)
        try:
            wait_for(small.root / "editions" / ".staging" / "2026-W47" / "started")
            says = gazette("build", "2026-W47", project=small.root, code=1).stderr
            assert f"held by process {process.pid} (gazette build 2026-W47" in says
            assert (small.root / "editions" / ".staging" / "2026-W47" / "started").exists(), "the first one's work"
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)

    def test_killed_at_any_step_of_sealing_and_publishing(
        self, small: SmallProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What lies on the disk before the n-th change of a name or copy is kept aside; from there a build is made for real."""
        build(small, "2026-W46")
        old = files(small.root / "_site")
        pristine = tmp_path / "pristine"
        gazette("build", "2026-W47", "--no-publish", project=small.root)  # notebooks are cached from here on
        shutil.rmtree(writable(store(small).path(W47)))
        shutil.copytree(small.root, pristine, symlinks=True)
        kept = keeping_each_step(small.root, tmp_path / "steps", monkeypatch)
        build_here(open_project(small.root), [W47], now=NOW)
        monkeypatch.undo()
        assert max(kept) >= 6, "the steps of sealing and publishing were met"
        for step, root in kept.items():
            site = root / "_site"
            assert (site / "index.html").is_file()
            assert lint_site(site) == [], f"a reader would see a broken site after step {step}"
            for name, content in old.items():
                if name.startswith("editions/2026-W46/"):
                    assert (site / name).read_bytes() == content
            if (site / "editions" / "2026-W47").exists():
                assert (root / "editions" / ".published" / "2026-W47").is_file(), (
                    f"seen, and not marked, after step {step}"
                )
            if step == KILLED:
                left = killed(pristine, step)
                assert left == without_lock(files(root)), "what is kept aside is what a killed process leaves"
            build_here(open_project(root), [W47], now=NOW)
            assert Store(root / "editions").check(W47) == []
            assert lint_site(site) == []
            assert "2026-W47" in (site / "index.html").read_text()


STEPS = (1, 2, 3, 4, 6, 9, 13, 18, 24, 31, 40)
KILLED = 6
CHANGES = ((os, "replace"), (shutil, "copyfile"), (Path, "rename"), (Path, "replace"), (shutil, "copytree"))
PLACES = ("_site", "editions/2026", ".staging")


def keeping_each_step(root: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> dict[int, Path]:
    """Copies of the project as it is before its n-th change of a name or copy, by n; they come while it is built."""
    copy, met, kept = shutil.copytree, 0, {}

    def keeping(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal met
            if any(name in str(arguments[0]) + str(arguments[-1]) for name in PLACES):
                met += 1
                if met in STEPS:
                    step = met
                    monkeypatch.undo()
                    kept[step] = copy(root, place / str(step), symlinks=True)
                    put()
            return real(*arguments, **options)

        return call

    wrapped = [(owner, name, keeping(getattr(owner, name))) for owner, name in CHANGES]

    def put() -> None:
        for owner, name, call in wrapped:
            monkeypatch.setattr(owner, name, call)

    put()
    return kept


def killed(root: Path, step: int) -> dict[str, bytes]:
    """The files that are left where the process ends, as by SIGKILL, before this step."""
    done = subprocess.run(
        [sys.executable, "-c", DIE, str(step), "build", "2026-W47", "--project", str(root)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 9, done.stderr
    return without_lock(files(root))


def without_lock(found: dict[str, bytes]) -> dict[str, bytes]:
    """All but the file that says which process builds, and since when."""
    return {name: content for name, content in found.items() if not name.endswith(".lock")}


DIE = """
import os, shutil, sys
from pathlib import Path
left = int(sys.argv[1])
def dying(real):
    def call(*arguments, **options):
        global left
        if any(name in str(arguments[0]) + str(arguments[-1]) for name in ('_site', 'editions/2026', '.staging')):
            left -= 1
            if left == 0:
                os._exit(9)
        return real(*arguments, **options)
    return call
os.replace = dying(os.replace)
shutil.copyfile = dying(shutil.copyfile)
Path.rename = dying(Path.rename)
Path.replace = dying(Path.replace)
shutil.copytree = dying(shutil.copytree)
from gazette.cli import main
sys.exit(main(sys.argv[2:]))
"""


def start(small: SmallProject) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "gazette", "build", "2026-W47", "--project", str(small.root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    )


def wait_for(path: Path, seconds: float = 60) -> None:
    limit = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < limit, f"{path} never came"
        time.sleep(0.05)

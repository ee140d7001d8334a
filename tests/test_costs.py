"""The order and the cost of tests, and that what a test leaves behind is its own fault: in small runs of pytest itself."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import costs

HERE = Path(__file__).parent
CONFTEST = """\
import fcntl, time, pytest
pytest_plugins = ["costs"]

def pytest_configure():
    import costs
    costs.LONG = 1.0

@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    return tmp_path_factory.getbasetemp().parent

@pytest.fixture(scope="session")
def site(shared):
    with (shared / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not (shared / "made").exists():
            time.sleep(0.6)
            (shared / "made").touch()

"""
SETTINGS = "[pytest]\nfilterwarnings = error\nmarkers =\n    integration\n    browser\n    server\n    slow(why)\n"


def own_environment() -> dict[str, str]:
    """Without what this run of pytest was told."""
    told = {k for k in os.environ if k.startswith("PYTEST")} | {"GAZETTE_TEST_QUICK"}
    return {k: v for k, v in os.environ.items() if k not in told} | {"PYTHONPATH": str(HERE)}


def run(place: Path, tests: str, *options: str, quick: str = "") -> str:
    (place / "conftest.py").write_text(CONFTEST)
    (place / "pytest.ini").write_text(SETTINGS)
    (place / "test_it.py").write_text(tests)
    words = [sys.executable, "-m", "pytest", "-s", *options]
    # a place of its own for temporary folders: where all runs share one, each new run first deletes what whole runs left
    env = {
        **own_environment(),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_DEBUG_TEMPROOT": str(place),
        "GAZETTE_TEST_QUICK": quick,
    }
    return subprocess.run(words, cwd=place, env=env, capture_output=True, text=True, check=False, timeout=120).stdout


def test_a_file_left_open_fails_the_test_that_left_it(tmp_path: Path) -> None:
    said = run(
        tmp_path,
        """
import pytest

class Ring:
    def __init__(self):
        self.me, self.file = self, open(__file__)

@pytest.fixture
def opened():
    return open(__file__)

def test_leaves_one_in_a_ring(): assert Ring()
def test_leaves_none(): assert True
def test_is_given_one(opened): assert opened
def test_is_given_none(): assert True
""",
        "-rE",
    )
    assert set(re.findall(r"^ERROR test_it.py::(\w+)", said, re.MULTILINE)) == {
        "test_leaves_one_in_a_ring",
        "test_is_given_one",
    }
    assert "4 passed, 2 errors" in said


TIMED = """
import time, pytest

def test_a(): assert True
def test_long(): time.sleep(0.7)
def test_longer(): time.sleep(0.9)
def test_uses(site): assert True
def test_uses_too(site): assert True

@pytest.fixture(scope="module")
def pair(): return 1
def test_one(pair): time.sleep(0.1)
def test_b(): assert True
def test_two(pair): time.sleep(0.1)
"""


def test_the_order_follows_the_last_run_and_shared_fixtures_stand_by_themselves(tmp_path: Path) -> None:
    two = ("-n", "2", "--dist", "loadgroup", "--no-loadscope-reorder", "-p", "xdist")
    first = run(tmp_path, TIMED, *two)
    assert "8 passed" in first
    kept = json.loads((tmp_path / ".pytest_cache" / "v" / costs.KEPT).read_text())
    assert kept["site"] > 0.5, "what making it took"
    assert kept["test_it.py::test_uses"] < 0.5, "none of it is the cost of a test"
    assert re.search(r"^ +[\d.]+  fixture site$", first, re.MULTILINE)
    assert re.search(r"^ +[\d.]+ +8  test_it.py$", first, re.MULTILINE)
    again = run(tmp_path, TIMED, *two, "-v")
    ran = re.findall(r"\[(gw\d)\].* PASSED test_it.py::(\w+)", again)
    done = [name for _, name in ran]
    assert done.index("test_longer") < done.index("test_a"), "the short ones are the end"
    (pair,) = {worker for worker, name in ran if name in {"test_one", "test_two"}}
    mine = [name for worker, name in ran if worker == pair]
    assert mine[mine.index("test_one") + 1] == "test_two", "what shares a fixture of its file stays together"
    alone = run(tmp_path, TIMED, "--collect-only", "-q")
    assert re.findall(r"test_it.py::(\w+)", alone)[:3] == ["test_a", "test_long", "test_longer"], "as in the file"


def test_nothing_waits_for_what_is_still_being_made_and_the_end_is_made_of_short_ones() -> None:
    seconds = {"uses": 9.0, "uses too": 4.0, "long": 8.0, "short": 1.0, "other": 3.0}
    order = costs.planned(seconds, {"uses": {"site"}, "uses too": {"site"}}, {"site": 10.0}, 2)
    assert order == ["uses", "long", "other", "uses too", "short"]
    two = costs.planned({"a": 1.0, "b": 1.0, "c": 1.0}, {"a": {"x"}, "c": {"y"}}, {"x": 2.0, "y": 5.0}, 2)
    assert two[:2] == ["c", "a"], "both are begun at once"
    assert costs.planned({}, {}, {}, 2) == []


def test_a_case_and_a_group_are_of_their_test() -> None:
    assert costs.plain("a.py::b[x@y]@forks") == "a.py::b[x@y]"
    assert costs.plain("a.py::b[x@y]") == "a.py::b[x@y]"
    assert costs.whole("a.py::B::c[1]@forks") == "a.py::B::c"


def test_every_test_that_is_listed_exists_and_has_its_reason() -> None:
    for name, (seconds, why) in costs.listed().items():
        assert seconds >= costs.LONG, name
        assert why.strip(" ?"), f"say why {name} takes so long"
        path, *inside = name.split("::")
        if inside:
            assert re.search(rf"^\s*def {inside[-1]}\(", (HERE.parent / path).read_text(), re.MULTILINE), name
        else:
            assert f"def {name}(" in (HERE / "conftest.py").read_text(), name


def test_all_workers_of_a_run_find_the_same_order() -> None:
    """pytest-xdist refuses a run in which they do not, and sets have another order in each process."""
    code = (
        "from costs import planned; names = [f'thing-{i}' for i in range(8)]; "
        "print(planned({f't{i}': 1.0 for i in range(40)}, {f't{i}': {names[i % 8], names[3 * i % 8]} for i in range(40)}, {}, 2))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=Path(__file__).parent,
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(4)
    }
    assert len(found) == 1


def test_a_quick_run_leaves_out_what_took_long_the_last_time(tmp_path: Path) -> None:
    cases = "import pytest, time\n@pytest.mark.parametrize('n', (0, 1.1))\ndef test_waits(n): time.sleep(n)\n"
    assert "2 passed" in run(tmp_path, cases)
    again = run(tmp_path, cases, "-v", quick="1")
    assert "1 passed, 1 deselected" in again
    assert "test_waits[0] PASSED" in again
    assert "2 passed" in run(tmp_path, cases), "what was left out stays known"

"""What tests cost: the end of a run says it, the order of the next one follows it. Loaded by conftest.

Times of the last run are kept in pytest's cache. Where a test is new there, the list in CONTRIBUTING.md knows the long ones.
"""

from __future__ import annotations

import gc
import json
import os
import re
import signal
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.unraisableexception import collect_unraisable  # nothing public says what was found so far

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

REPOSITORY = Path(__file__).parents[1]
LONG = 5.0  # seconds from which a test is listed, with its reason
SHORT = 0.5  # what is shorter stays in the order of the files
KEPT = "gazette/seconds"
SHOWN = 20
BRIEF = 1.0  # seconds that a test may have taken in the last run to be part of a quick one
ROW = re.compile(r"^\| ([\d.]+) \| `([^`]+)` \| (.+) \|$", re.MULTILINE)
SLOW_COLLECTION = 0.05  # seconds from which what lives is set aside from the search for garbage


def listed() -> dict[str, tuple[float, str]]:
    """The list in CONTRIBUTING.md: a test or shared fixture, its seconds, why it takes so long."""
    return {name: (float(s), why) for s, name, why in ROW.findall((REPOSITORY / "CONTRIBUTING.md").read_text())}


def plain(nodeid: str) -> str:
    """A test's id without the group that pytest-xdist writes behind it."""
    return nodeid.rpartition("@")[0] if nodeid.rfind("@") > nodeid.rfind("]") else nodeid


def whole(nodeid: str) -> str:
    """The test of which this is a case."""
    return plain(nodeid).partition("[")[0]


# ---- order


def shared_fixtures(item: pytest.Item) -> dict[str, str]:
    """Scopes of the fixtures that a test shares with others."""
    found = getattr(item, "_fixtureinfo", None)
    return {name: defs[-1].scope for name, defs in found.name2fixturedefs.items()} if found else {}


def made_once(item: pytest.Item) -> set[str]:
    """What one process of the run makes for all tests, while others that need it wait: fixtures that ask for ``shared``."""
    found = getattr(item, "_fixtureinfo", None)
    definitions = found.name2fixturedefs if found else {}
    return {name for name, defs in definitions.items() if "shared" in defs[-1].argnames}


def units(items: Iterable[pytest.Item]) -> dict[str, list[pytest.Item]]:
    """Tests that must run in one process in a row, as a group does, by the group's name or the test's own id."""
    found: defaultdict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        mark = item.get_closest_marker("xdist_group")
        found[str(mark.args[0]) if mark else item.nodeid].append(item)
    return found


def planned(
    seconds: Mapping[str, float], needs: Mapping[str, set[str]], making: Mapping[str, float], workers: int
) -> list[str]:
    """The order in which units start so that no worker is left alone at the end nor waits for what another makes.

    Longest first, by which the end is made of short ones; whatever is made once for many is begun at once, and what needs it follows
    when it is there.

    Args:
        seconds: Of each unit, in the order of the files.
        needs: What a unit needs that is made once.
        making: Seconds that making it takes.
        workers: Processes that run tests.

    >>> planned({"a": 1, "b": 9, "c": 8, "d": 5}, {"b": {"site"}, "c": {"site"}}, {"site": 6}, 2)
    ['b', 'd', 'a', 'c']
    """
    left = sorted(seconds, key=lambda u: -seconds[u])
    makers = []
    for thing in sorted({t for u in left for t in needs.get(u, ())}, key=lambda t: (-making.get(t, 0.0), t)):
        if not any(thing in needs.get(u, ()) for u in makers):
            makers.append(next(u for u in left if thing in needs.get(u, ())))
    left = [u for u in left if u not in makers]
    there: dict[str, float] = {}
    free = [0.0] * workers
    order: list[str] = []
    while makers or left:
        now = min(free)
        ready = makers or [u for u in left if all(there.get(t, 0.0) <= now for t in needs.get(u, ()))]
        one = ready[0] if ready else min(left, key=lambda u: max(there.get(t, 0.0) for t in needs[u]))
        (makers or left).remove(one)
        wanted = needs.get(one, set())
        for thing in sorted(wanted - set(there)):
            now += making.get(thing, 0.0)
            there[thing] = now
        free[free.index(min(free))] = max([now, *(there[t] for t in wanted)]) + seconds[one]
        order.append(one)
    return order


def mark(items: Iterable[pytest.Item], known: Mapping[str, tuple[float, str]]) -> None:
    """Mark tests by what they use and cost."""
    for item in items:
        scopes = shared_fixtures(item)
        if whole(item.nodeid) in known:
            item.add_marker(pytest.mark.slow(known[whole(item.nodeid)][1]))
        if "browser" in scopes:
            item.add_marker("browser")
        if "postgres_server" in scopes:
            item.add_marker("server")
        if made_once(item) or "browser" in scopes:
            item.add_marker("integration")
        if not item.get_closest_marker("xdist_group"):
            if "browser" in scopes:
                item.add_marker(pytest.mark.xdist_group("browser"))
            elif {"module", "class", "package"} & set(scopes.values()):
                item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests by what they use and cost; in a run of several processes, order them."""
    known = listed()
    mark(items, known)
    last: dict[str, float] = cache.get(KEPT, {}) if (cache := getattr(config, "cache", None)) else {}
    if os.environ.get("GAZETTE_TEST_QUICK"):
        left = [item for item in items if last.get(item.nodeid, 0.0) <= BRIEF]
        config.hook.pytest_deselected(items=[*set(items) - set(left)])
        items[:] = left
    workers = int(getattr(config, "workerinput", {}).get("workercount", 1))
    if workers == 1:
        return

    def cost(name: str) -> float:
        return last.get(name, known.get(whole(name), (0.0, ""))[0])

    groups = units(items)
    seconds = {name: sum(cost(i.nodeid) for i in group) for name, group in groups.items()}
    needs = {name: set[str]().union(*map(made_once, group)) for name, group in groups.items()}
    long = {u: s for u, s in seconds.items() if s >= SHORT or needs[u]}
    making = {thing: cost(thing) for wanted in needs.values() for thing in wanted}
    order = planned(long, needs, making, workers)
    items[:] = [item for name in [*order, *(u for u in groups if u not in long)] for item in groups[name]]


# ---- measure


class Costs:
    """Seconds of the tests of this run, and of the fixtures that they share."""

    def __init__(self) -> None:
        self.tests: defaultdict[str, float] = defaultdict(float)
        self.fixtures: dict[str, float] = {}

    def add(self, report: pytest.TestReport) -> None:
        """What a phase of a test took, without that of shared fixtures which happened to be made in it."""
        made: dict[str, float] = getattr(report, "made", {})
        self.tests[plain(report.nodeid)] += max(0.0, report.duration - sum(made.values()))
        for name, seconds in made.items():
            self.fixtures[name] = max(seconds, self.fixtures.get(name, 0.0))

    def lines(self) -> list[str]:
        """What took longest, what is long and not listed, and the sum of every folder."""
        known = listed()
        every = {**self.tests, **{f"fixture {name}": s for name, s in self.fixtures.items()}}
        longest = sorted(every.items(), key=lambda row: -row[1])
        found = ["seconds  what took longest (a fixture that many share stands by itself)"]
        found += [f"{s:7.1f}  {name}" for name, s in longest[:SHOWN] if s >= SHORT]
        new = [name for name, s in longest if s > LONG and whole(name.removeprefix("fixture ")) not in known]
        if new:
            found += ["", f"more than {LONG:.0f} s and not in the list of CONTRIBUTING.md:", *(f"  {n}" for n in new)]
        sums: defaultdict[str, list[float]] = defaultdict(list)
        for name, s in self.tests.items():
            sums[folder(name)].append(s)
        found += ["", "seconds  tests  folder"]
        found += [f"{sum(s):7.1f}  {len(s):5}  {name}" for name, s in sorted(sums.items(), key=lambda r: -sum(r[1]))]
        return found


def folder(nodeid: str) -> str:
    """The folder of a test, or the file where it lies in tests itself."""
    return "/".join(nodeid.partition("::")[0].split("/")[:2])


COSTS = pytest.StashKey[Costs]()
MADE = pytest.StashKey[dict[str, float]]()


def pytest_configure(config: pytest.Config) -> None:
    """A shell has what it starts in the background ignore SIGINT; programs that tests start and interrupt would inherit that."""
    config.stash[COSTS] = Costs()
    config.stash[MADE] = {}
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    start = time.perf_counter()
    try:
        return (yield)
    finally:
        if fixturedef.scope == "session":
            request.config.stash[MADE][fixturedef.argname] = time.perf_counter() - start


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    made = item.config.stash[MADE]
    report.made = {name: seconds for name, seconds in made.items() if seconds >= SHORT}  # type: ignore[attr-defined]
    made.clear()
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if _running:
        _running[-1].add(report)


_running: list[Costs] = []


def pytest_sessionstart(session: pytest.Session) -> None:
    _running.append(session.config.stash[COSTS])


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Keep the times for the order of the next run; those of tests that did not run stay."""
    _running.pop()
    config, costs = session.config, session.config.stash[COSTS]
    if hasattr(config, "workerinput") or not costs.tests or getattr(config, "cache", None) is None:
        return
    kept: dict[str, float] = config.cache.get(KEPT, {})
    kept = {
        name: s for name, s in kept.items() if "::" not in name or (config.rootpath / name.partition("::")[0]).is_file()
    }
    config.cache.set(KEPT, kept | {n: round(s, 3) for n, s in {**costs.tests, **costs.fixtures}.items()})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what the run cost, where it cost anything to speak of."""
    costs = config.stash[COSTS]
    if sum(costs.tests.values()) >= LONG:
        terminalreporter.section("what tests cost")
        for line in costs.lines():
            terminalreporter.write_line(line)


# ---- garbage


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """A file that a test left open warns in the test that left it, not in the one that is running when Python finds it."""
    yield
    getattr(item, "funcargs", {}).clear()  # what fixtures gave is done with, and pytest would let go of it only later
    start = time.perf_counter()
    gc.collect()
    if time.perf_counter() - start > SLOW_COLLECTION:
        gc.freeze()  # modules and shared fixtures stay alive, so they are searched no more
    collect_unraisable(item.config)


# ---- the list in CONTRIBUTING.md


def rows(seconds: Mapping[str, float], reasons: Mapping[str, str]) -> list[str]:
    """The longest case of every test, and shared fixtures, from ``LONG`` seconds on.

    >>> rows({"a.py::b[1]": 4, "a.py::b[2]": 7.2, "a.py::c": 1, "site": 60}, {"site": "built once"})
    ['| 60 | `site` | built once |', '| 7 | `a.py::b` | ? |']
    """
    most: dict[str, float] = {}
    for name, s in seconds.items():
        most[whole(name)] = max(s, most.get(whole(name), 0.0))
    long = sorted(((s, name) for name, s in most.items() if s > LONG), reverse=True)
    return [f"| {s:.0f} | `{name}` | {reasons.get(name, '?')} |" for s, name in long]


def write_list() -> None:
    """Write the list anew from the times of the last run; a reason that is not known yet is to be filled in."""
    path = REPOSITORY / "CONTRIBUTING.md"
    seconds = json.loads((REPOSITORY / ".pytest_cache" / "v" / KEPT).read_text())
    head, table, tail = re.split(r"(?<=\n\|---:\|---\|---\|\n)((?:\|.*\n)*)", path.read_text(), maxsplit=1)
    del table
    path.write_text(
        head + "".join(f"{row}\n" for row in rows(seconds, {n: why for n, (_, why) in listed().items()})) + tail
    )


if __name__ == "__main__":
    write_list()

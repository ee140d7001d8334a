from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from gazette.errors import NotebookError
from gazette.record import RECORD_MIME
from gazette.runs import Event, Job, Outcome, run_all, warm
from gazette.runs._cache import key

HEAD = 'subject = "a"\nedition = "2026-W47"\nroot = "."\nextra = 1'


def record(**changes: Any) -> dict[str, Any]:
    return {
        "subject": "a",
        "kind": "model",
        "title": "A",
        "owner": "me",
        "edition": "2026-W47",
        "week_start": "2026-11-16",
        "as_of": "2026-11-23T00:00:00",
        "snapshot": "",
        **changes,
    }


def emit(**changes: Any) -> str:
    return f"from IPython.display import display\ndisplay({{{RECORD_MIME!r}: {record(**changes)!r}, 'text/plain': ''}}, raw=True)"


def job(folder: Path, *sources: str, timeout: float = 60, head: str | None = HEAD, **parameters: Any) -> Job:
    folder.mkdir(parents=True, exist_ok=True)
    cells = [] if head is None else [(head, {"tags": ["parameters"]}, "parameters")]
    cells += [(source, {}, f"cell-{i}") for i, source in enumerate(sources, 1)]
    notebook = {
        "cells": [
            {"cell_type": "code", "id": name, "metadata": meta, "source": text, "execution_count": None, "outputs": []}
            for text, meta, name in cells
        ],
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    template = folder / "template.ipynb"
    template.write_text(json.dumps(notebook))
    (folder / "work").mkdir(exist_ok=True)
    return Job(
        page="a",
        kind="model",
        title="A",
        owner="me",
        template=template,
        parameters={"subject": "a", **parameters},
        cwd=folder / "work",
        output=folder / "out" / "a.ipynb",
        timeout=timeout,
        inputs=("x",),
    )


def run(one: Job, **options: Any) -> Outcome:
    return run_all([one], workers=1, **options)[0]


def failure(outcome: Outcome) -> tuple[str, str]:
    assert outcome.status == "failed"
    assert outcome.record is None
    assert outcome.failure is not None
    assert outcome.failure.owner == "me"
    return outcome.failure.what, outcome.failure.traceback


def test_a_notebook_runs_with_its_parameters_and_reports_cells_and_memory(tmp_path: Path) -> None:
    events: list[Event] = []
    outcome = run(job(tmp_path, "block = b'x' * (300 << 20)", "print(extra)", emit(), extra=7), progress=events.append)
    assert outcome.status == "ok"
    assert outcome.record is not None
    assert outcome.record.subject == "a"
    assert outcome.peak_memory_mb > 300
    assert outcome.seconds > 0
    assert [e.cell for e in events if e.status == "running"] == sorted(e.cell for e in events if e.status == "running")
    assert events[-1].status == "ok"
    assert events[-1].cell == events[-1].cells > 1
    executed = json.loads((tmp_path / "out" / "a.ipynb").read_text())
    assert {"7\n"} == {line for c in executed["cells"] for o in c.get("outputs", ()) for line in o.get("text", ())}


def test_an_exception_is_shown_with_its_traceback(tmp_path: Path) -> None:
    what, trace = failure(run(job(tmp_path, "def deep():\n    raise ValueError('no rows')", "deep()", emit())))
    assert what == "ValueError: no rows"
    assert "deep()" in trace
    assert "\x1b" not in trace
    assert str(tmp_path) not in trace
    assert (tmp_path / "out" / "a.ipynb").is_file(), "the notebook as far as it got"


def test_a_hanging_notebook_is_stopped_with_all_that_it_started(tmp_path: Path) -> None:
    note = tmp_path / "pids"
    code = (
        "import os, subprocess, time\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        f"open({str(note)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "time.sleep(600)"
    )
    what, _ = failure(run(job(tmp_path, code, timeout=6)))
    assert what == "timed out after 6 s in cell 'cell-1'"
    for pid in map(int, note.read_text().split()):
        gone_by = time.monotonic() + 10
        while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < gone_by, f"{pid} still runs"
            time.sleep(0.1)


def test_a_kernel_that_dies_is_named(tmp_path: Path) -> None:
    what, _ = failure(run(job(tmp_path, "import os; os._exit(3)", emit())))
    assert what == "the kernel died in cell 'cell-1'"


def test_a_worker_that_is_killed_is_named(tmp_path: Path) -> None:
    what, _ = failure(
        run(job(tmp_path, "import os, signal, time; os.kill(os.getppid(), signal.SIGKILL); time.sleep(60)", emit()))
    )
    assert "the worker was killed" in what
    assert "cell-1" in what


@pytest.mark.parametrize(
    ("sources", "says"),
    [
        (["1 + 1"], "emitted no record"),
        ([emit(), emit()], "emitted 2 records"),
        ([emit(nonsense=1)], "malformed"),
        ([emit(subject="other")], "the record is of model 'other', not of model 'a'"),
        ([emit(kind="summary")], "the record is of summary 'a'"),
    ],
)
def test_without_one_good_record_a_notebook_has_failed(tmp_path: Path, sources: list[str], says: str) -> None:
    assert says in failure(run(job(tmp_path, *sources)))[0]


def test_an_unknown_parameter_is_fatal_and_says_what_was_meant(tmp_path: Path) -> None:
    with pytest.raises(NotebookError, match=r"unknown parameter 'extr'(?s:.*)did you mean 'extra'"):
        run(job(tmp_path, emit(), extr=1))
    assert not (tmp_path / "out").exists(), "nothing was run"


@pytest.mark.parametrize("content", ["", "{", '{"cells": []}', '{"cells": [], "nbformat": 3}', "[]"])
def test_a_template_that_is_no_notebook_is_refused(tmp_path: Path, content: str) -> None:
    one = job(tmp_path, emit())
    one.template.write_text(content)
    with pytest.raises(NotebookError, match="restore it from git"):
        run(one)


def test_a_template_without_parameters_cell_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotebookError, match="no cell tagged 'parameters'"):
        run(job(tmp_path, emit(), head=None))


def test_a_parameters_cell_with_a_syntax_error_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotebookError, match="parameters"):
        run(job(tmp_path, emit(), head="subject = "))


def test_one_failure_leaves_the_others_alone(tmp_path: Path) -> None:
    jobs = [job(tmp_path / "1", "1/0"), job(tmp_path / "2", emit()), job(tmp_path / "3", "import os; os._exit(1)")]
    assert [o.status for o in run_all(jobs, workers=2)] == ["failed", "ok", "failed"]


def test_the_same_run_gives_the_same_bytes_elsewhere(tmp_path: Path) -> None:
    code = "import sys\nprint(hash('x'), object())\nsys.stderr.write('warn\\n')\nprint('again')"
    for name in ("one", "two-longer-name"):
        run(job(tmp_path / name, code, emit()))
    first, second = ((tmp_path / n / "out" / "a.ipynb").read_bytes() for n in ("one", "two-longer-name"))
    assert first == second
    assert str(tmp_path).encode() not in first


class TestCache:
    def test_a_run_that_is_known_is_not_run_again(self, tmp_path: Path) -> None:
        one, cache = job(tmp_path, f"open({str(tmp_path / 'ran')!r}, 'a').write('x')", emit()), tmp_path / "cache"
        assert [run(one, cache=cache).status for _ in range(2)] == ["ok", "cached"]
        assert (tmp_path / "ran").read_text() == "x"

    @pytest.mark.parametrize("content", ["", "{}", '{"cells": [{"outputs": [{}]}]}', "garbage"])
    def test_a_broken_cache_entry_is_run_again(self, tmp_path: Path, content: str) -> None:
        one, cache = job(tmp_path, emit()), tmp_path / "cache"
        run(one, cache=cache)
        (entry,) = cache.glob("*.ipynb")
        entry.write_text(content)
        assert run(one, cache=cache).status == "ok"

    def test_an_entry_that_somebody_changed_is_not_taken_for_what_was_run(self, tmp_path: Path) -> None:
        one, cache = job(tmp_path, emit()), tmp_path / "cache"
        run(one, cache=cache)
        (entry,) = cache.glob("*.ipynb")
        text = entry.read_text()
        changed = text.replace('"title": "A"', '"title": "B"')
        assert changed != text
        entry.write_text(changed)
        again = run(one, cache=cache)
        assert again.status == "ok"
        assert again.record is not None
        assert again.record.title == "A"

    def test_failures_are_not_remembered(self, tmp_path: Path) -> None:
        one, cache = job(tmp_path, "1/0"), tmp_path / "cache"
        assert [run(one, cache=cache).status for _ in range(2)] == ["failed", "failed"]

    def test_other_parameters_inputs_or_cells_are_another_run(self, tmp_path: Path) -> None:
        base = job(tmp_path, emit())
        keys = {key(base), key(job(tmp_path, emit(), extra=2)), key(job(tmp_path, "1", emit()))}
        assert len(keys) == 3


def test_a_build_that_is_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    detach = DETACH.format(note=str(tmp_path / "detached"))
    job(tmp_path, f"{detach}\nopen({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(600)")
    code = (
        "import sys; sys.path[:0] = [sys.argv[1]]\n"
        "from pathlib import Path; from gazette.runs import Job, run_all\n"
        "t = Path(sys.argv[2])\n"
        "run_all([Job(page='a', kind='model', title='A', owner='me', template=t / 'template.ipynb', parameters={}, "
        "cwd=t / 'work', output=t / 'out' / 'a.ipynb', timeout=60)], workers=1)"
    )
    build = subprocess.Popen([sys.executable, "-c", code, str(Path(__file__).parents[2] / "lib"), str(tmp_path)])
    limit = time.monotonic() + 60
    while not (note.exists() and note.read_text()):
        assert time.monotonic() < limit
        time.sleep(0.1)
    kernel = int(note.read_text())
    build.kill()
    build.wait()
    while any(map(running, (kernel, int((tmp_path / "detached").read_text())))):
        assert time.monotonic() < limit, "something outlived the build"
        time.sleep(0.1)


class TestWarm:
    """Workers and kernels are forked from a process that has everything imported."""

    def test_workers_come_from_the_warm_process_of_one_thread(self, tmp_path: Path) -> None:
        note = tmp_path / "family"
        code = f"import os, psutil; open({str(note)!r}, 'w').write(f'{{psutil.Process(os.getppid()).ppid()}}')"
        assert run(job(tmp_path, code, emit())).status == "ok"
        one = warm().process
        assert int(note.read_text()) == one.pid
        assert psutil.Process(one.pid).num_threads() == 1

    def test_a_page_is_byte_for_byte_what_a_new_process_makes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sources = [
            "import sys, os\nprint(sys.path[0], sys.argv[0].endswith('py'), hash('x'), __name__, os.getcwd() == os.path.realpath('.'))",
            "import pandas as pd\npd.DataFrame([range(30)] * 100).astype(str) * 3",
            "import numpy as np\nnp.random.default_rng(1).normal(size=3), np.array([1.5, 2])",
            "print({k: os.environ[k] for k in ('OMP_NUM_THREADS', 'PYTHONHASHSEED')}, sys.flags.safe_path)",
            "from IPython import get_ipython\ntype(get_ipython()), get_ipython().kernel.__class__",
            "import logging, warnings\nwarnings.warn('said')\nlogging.getLogger().warning('logged')\nlogging.root.handlers",
            "!echo by the shell",
            "from IPython.display import HTML, Markdown, clear_output, display\nshown = display(Markdown('*a*'), display_id='one')\ndisplay(HTML('b'))",
            "shown.update(Markdown('*c*'))\nprint('gone')\nclear_output()\nprint('kept', file=sys.stderr)\nprint('kept too')",
            "print('gone')\nclear_output(wait=True)\ndisplay({'application/json': {'a': (1, None)}}, raw=True)",
            "import asyncio\nawait asyncio.sleep(0.01)\nasyncio.get_running_loop().is_running(), print('twice\\rover')",
            "async def later():\n    return 5\ntask = asyncio.ensure_future(later())",
            "await task",
            "try:\n    input('?')\nexcept Exception as error:\n    print(type(error).__name__, error)",
            "import threading\nthread = threading.Thread(target=print, args=('from a thread',))\nthread.start()\nthread.join()",
            "%%capture held\nprint('held')",
            "held.stdout, In[-1][:9], sorted(Out), _i[:4], get_ipython().execution_count",
            "%who_ls int",
            "from ipykernel.comm import Comm\nComm(target_name='nobody').comm_id is not None, __file__ if '__file__' in globals() else None",
            "class Bad:\n    def _repr_html_(self):\n        return 'bad'\n    def __repr__(self):\n        return 'plain'\nBad()",
            "x = 1;\nx;",
            "",
            "print('a' * 200_000)",
        ]
        assert run(job(tmp_path / "warm", *sources, emit())).failure is None
        monkeypatch.setattr("gazette.runs._process._forked", _no_fork)
        assert run(job(tmp_path / "cold", *sources, emit())).failure is None
        first, second = ((tmp_path / n / "out" / "a.ipynb").read_text() for n in ("warm", "cold"))
        assert first.splitlines() == second.splitlines()

    def test_what_other_programs_and_forks_print_is_below_their_cell(self, tmp_path: Path) -> None:
        """Whatever the machine does beside: a kernel at a socket may hear of it only in the next cell."""
        sources = [
            "import os, subprocess, sys\nprint('first')\nsubprocess.run('echo second; echo third >&2; head -c 300000 /dev/zero', shell=True)",
            "child = os.fork()\nif not child:\n    print('from a fork', flush=True)\n    os._exit(0)\nos.waitpid(child, 0)[1]",
            "import multiprocessing\nwith multiprocessing.get_context('fork').Pool(2) as pool:\n    print(sum(pool.map(abs, [-1, 2, -3])))",
        ]
        outcome = run(job(tmp_path, *sources, emit()))
        assert outcome.failure is None
        cells = json.loads((tmp_path / "out" / "a.ipynb").read_text())["cells"]
        said = [
            {o["name"]: "".join(o["text"]) for o in c["outputs"] if o["output_type"] == "stream"} for c in cells[2:5]
        ]
        assert said[0] == {"stdout": "first\nsecond\n" + "\0" * 300_000, "stderr": "third\n"}
        assert said[1:] == [{"stdout": "from a fork\n"}, {"stdout": "6\n"}]

    def test_it_sees_the_environment_and_the_folder_as_they_are_now(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        warm()
        monkeypatch.setenv("LC_SAID_LATER", "yes")
        monkeypatch.chdir(tmp_path)
        one = job(
            Path("relative"), "import os; print(os.environ['LC_SAID_LATER'], os.path.basename(os.getcwd()))", emit()
        )
        assert run(one).status == "ok"
        assert "yes work" in one.output.read_text()

    def test_no_two_notebooks_draw_the_same_numbers_or_see_each_other(self, tmp_path: Path) -> None:
        code = "import random, numpy as np\nprint(random.random(), np.random.random(), 'left' in globals())\nleft = np.left = 1\nprint(hasattr(np, 'left'))"
        jobs = [job(tmp_path / str(i), code + f"\nassert not {i} or True", emit()) for i in range(2)]
        assert [o.status for o in run_all(jobs, workers=1)] == ["ok", "ok"]
        shown = []
        for one in jobs:
            cells = json.loads(one.output.read_text())["cells"]
            (text,) = ["".join(o["text"]) for c in cells for o in c["outputs"] if o["output_type"] == "stream"]
            shown.append(text.split())
        assert shown[0][2:] == shown[1][2:] == ["False", "True"]
        assert shown[0][0] != shown[1][0]
        assert shown[0][1] != shown[1][1]

    def test_where_it_was_killed_another_takes_its_place(self, tmp_path: Path) -> None:
        first = warm().process
        first.kill()
        first.wait()
        assert run(job(tmp_path, emit())).status == "ok"
        assert warm().process.pid != first.pid

    def test_one_that_does_not_answer_is_given_up(self, tmp_path: Path) -> None:
        first = warm()
        first.ours.settimeout(0.5)
        first.process.send_signal(signal.SIGSTOP)
        assert run(job(tmp_path, emit())).status == "ok", "from nothing, instead"
        assert first.process.poll() is not None
        assert warm().process.pid != first.process.pid

    def test_where_it_cannot_start_pages_run_all_the_same(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("gazette.runs._process._forked", _no_fork)
        assert run(job(tmp_path, emit())).status == "ok"

    def test_it_ends_with_its_program(self) -> None:
        code = "import sys; from gazette.runs import warm; print(warm().process.pid)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        limit = time.monotonic() + 30
        while psutil.pid_exists(int(done.stdout)):
            assert time.monotonic() < limit, "it outlived its program"
            time.sleep(0.1)

    def test_what_a_notebook_leaves_running_does_not_hold_the_page_up(self, tmp_path: Path) -> None:
        code = "import subprocess\nsubprocess.Popen(['sleep', '300'], start_new_session=True).pid"
        outcome = run(job(tmp_path, code, emit(), timeout=240))  # less than it sleeps
        assert outcome.status == "ok"
        (cell,) = [c for c in json.loads((tmp_path / "out" / "a.ipynb").read_text())["cells"] if c["id"] == "cell-1"]
        assert not running(int("".join(cell["outputs"][0]["data"]["text/plain"])))

    @pytest.mark.parametrize("how", ["warm", "cold"])
    @pytest.mark.parametrize("end", ["ok", "failed", "timed out"])
    def test_what_a_notebook_detaches_ends_with_its_page(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, end: str
    ) -> None:
        if how == "cold":
            monkeypatch.setattr("gazette.runs._process._forked", _no_fork)
        last = {"ok": emit(), "failed": "1 / 0", "timed out": "import time; time.sleep(300)"}[end]
        outcome = run(
            job(tmp_path, DETACH.format(note=str(tmp_path / "pid")), last, timeout=6 if end == "timed out" else 60)
        )
        assert outcome.status == ("ok" if end == "ok" else "failed")
        assert not running(int((tmp_path / "pid").read_text()))


DETACH = """
import os, time
if not os.fork():
    os.setsid()
    if os.fork():
        os._exit(0)
    with open({note!r} + ".part", "w") as note:
        note.write(str(os.getpid()))
    os.rename({note!r} + ".part", {note!r})
    for stream in range(3):
        os.close(stream)
    time.sleep(300)
    os._exit(0)
while not os.path.exists({note!r}):
    time.sleep(0.01)
"""
"""A cell that starts a process as daemons are: of another session, its parent gone."""


def running(pid: int) -> bool:
    """Whether a process is there and not only its entry, which whoever took it in has yet to remove."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def _no_fork(_message: bytes, _err: int) -> Any:
    raise OSError("no fork here")


class TestSecrets:
    """Notebooks see few variables, and what they fail with shows none of this process's secrets."""

    LIST = "import os\nprint(sorted(os.environ))\nprint(sorted(v.partition('=')[0] for v in open('/proc/self/environ').read().split('\\0')))"

    @pytest.mark.parametrize("way", ["forked", "from nothing"])
    def test_notebooks_see_the_variables_on_the_list_alone(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
    ) -> None:
        names = ("GAZETTE_SIGNING_KEY", "OTHER_TOKEN", "SHOP_REGION", "SHOP_PLACE", "LC_TIME", "XDG_SESSION_COOKIE")
        for name in names:
            monkeypatch.setenv(name, f"value-of-{name}-41")
        if way == "from nothing":
            monkeypatch.setattr("gazette.runs._process._forked", _no_fork)
        one = replace(job(tmp_path, self.LIST, emit()), variables=("SHOP_REGION", "GAZETTE_SIGNING_KEY"))
        assert run(one).status == "ok"
        shown = one.output.read_text()
        assert {n for n in names if f"'{n}'" in shown} == {"SHOP_REGION", "LC_TIME"}
        assert "PYTEST_CURRENT_TEST" not in shown
        assert "'PATH'" in shown

    def test_a_notebook_is_run_again_for_another_value_of_a_variable_of_its(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one = job(tmp_path, emit())
        told = []
        for value in ("north", "south"):
            monkeypatch.setenv("SHOP_REGION", value)
            told += [key(one), key(replace(one, variables=("SHOP_REGION",)))]
        assert told[0] == told[2]
        assert len(set(told)) == 3

    def test_what_a_notebook_fails_with_shows_no_secret(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        secret = "m0th!wing-1987"  # noqa: S105  planted
        monkeypatch.setenv("SHOP_TOKEN", secret)
        (tmp_path / "kept").write_text(secret)
        code = f"secret = open({str(tmp_path / 'kept')!r}).read()\nraise OSError(f'refused: {{secret}} at postgres://ada:other-{{secret[::-1]}}@h/d')"
        what, trace = failure(run(job(tmp_path, code)))
        assert what == "OSError: refused: ${SHOP_TOKEN} at postgres://ada:•••@h/d"
        assert "${SHOP_TOKEN}" in trace
        told = what + trace + (tmp_path / "out" / "a.ipynb").read_text()
        assert secret not in told
        assert secret[::-1] not in told

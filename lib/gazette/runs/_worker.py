"""The process that runs one notebook; the pool watches it, times it out and kills it.

It is forked from a warm process (`gazette.runs._warm`), or started by ``python -m gazette.runs._worker`` where another Python or
another copy of the library shall run notebooks. What it reads and says is the same, and stays so from version to version: the pool
of a later library runs the worker that an edition carries.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

from gazette.runs._family import adopt, end_family
from gazette.runs._interpreter import KERNEL_ENVIRONMENT
from gazette.runs._kernel import PROVISIONER, Forked, fork, register

OK, FAILED = 0, 1
ENDED = 90  # added to these where a fork ends by itself: a cell may end it with a code of its own
LONGEST_SOCKET_FOLDER = 45  # a socket's whole path has at most about 100 characters


def _say(**message: Any) -> None:
    if _Pool.watcher not in {0, os.getppid()}:
        os._exit(FAILED)  # nobody hears it any more
    with os.fdopen(os.dup(_Pool.hears), "w", encoding="utf-8") as pipe:
        pipe.write(json.dumps(message) + "\n")


class _Pool:
    """Where what we say goes: standard output, until a notebook takes that for itself; and the process that has to be alive for it."""

    hears = 1
    watcher = 0


def _kernel_spec(folder: Path) -> None:
    """A kernel of this very interpreter, found before any other of the same name."""
    place = folder / "kernels" / "python3"
    place.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {
        "argv": argv,
        "display_name": "Python 3",
        "language": "python",
        "metadata": {"kernel_provisioner": {"provisioner_name": PROVISIONER}},
    }
    (place / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    os.environ["JUPYTER_PATH"] = str(folder)
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "0"


def _end_with_parent() -> None:
    """End when the build has died: the kernel then ends too, and nothing is left running."""
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(0.5)
    end_family()
    os._exit(1)


def main(*, inside: bool = False) -> int:
    """Run the job given as JSON on standard input: template, output, parameters, cwd, scratch, environment.

    Args:
        inside: Whether the notebook's kernel is a fork of this process that runs Papermill as well, which costs half; otherwise it is
            a kernel as any other, at the end of a socket.
    """
    if not inside and (not sys.flags.safe_path or os.environ.get("PYTHONHASHSEED") != "0"):
        argv = [sys.executable, "-P", "-m", "gazette.runs._worker"]  # both can only be set before Python starts
        os.execve(argv[0], argv, {**os.environ, **KERNEL_ENVIRONMENT})  # noqa: S606  this very program
    return run(json.loads(sys.stdin.read()), inside=inside)


def run(job: dict[str, Any], *, inside: bool = False) -> int:
    """Run a job, telling the pool about it on standard output."""
    os.environ.clear()
    os.environ.update(job["environment"])
    os.environ.update(KERNEL_ENVIRONMENT)
    scratch = Path(job["scratch"])
    os.environ["JUPYTER_RUNTIME_DIR"] = str(scratch / "runtime")
    os.environ["IPYTHONDIR"] = str(scratch / "ipython")
    adopt()
    code = _watched(job) if inside else _beside(job)
    end_family()  # what the notebook left running, also detached
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    _say(done=True, peak_memory_mb=peak)
    return code


def _watched(job: dict[str, Any]) -> int:
    """Run it in a fork, and tell of one that dies."""
    pid = os.fork()
    if not pid:
        code = 1
        try:
            threading.Thread(target=_end_with_parent, daemon=True).start()
            code = ENDED + _inside(job)
        finally:
            os._exit(code)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) - ENDED
    if code not in {OK, FAILED}:
        _say(failed="DeadKernelError: Kernel died", traceback="")
        return FAILED
    return code


def _inside(job: dict[str, Any]) -> int:
    from gazette.runs._inside import Client, prepare  # noqa: PLC0415  only this process needs it

    _Pool.hears, _Pool.watcher = os.dup(1), os.getppid()
    prepare(job)
    return _papermill(job, Client)


def _beside(job: dict[str, Any]) -> int:
    scratch = Path(job["scratch"])
    _kernel_spec(scratch)
    Forked.ready = fork()
    register()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    from papermill.clientwrap import PapermillNotebookClient  # noqa: PLC0415  only this process needs it, and its fork does not
    from traitlets.config import Config  # noqa: PLC0415

    config = {}
    if len(job["scratch"]) < LONGEST_SOCKET_FOLDER:  # sockets in our own folder instead of open ports
        config["config"] = Config({"KernelManager": {"transport": "ipc", "connection_file": f"{scratch}/k.json"}})
    return _papermill(job, PapermillNotebookClient, **config)


def _papermill(job: dict[str, Any], client: Any, **options: Any) -> int:
    """Have Papermill run the template by this client of a kernel."""
    import papermill  # noqa: PLC0415  only the process that runs it needs it
    from papermill.engines import Engine, papermill_engines  # noqa: PLC0415
    from papermill.exceptions import PapermillExecutionError  # noqa: PLC0415

    class Reporting(Engine):  # type: ignore[misc]  # papermill has no types
        """Papermill's own way of running, telling the pool which cell it has reached."""

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **_: Any) -> None:
            cells = [c for c in nb_man.nb.cells if c.cell_type == "code"]
            start, complete, part = nb_man.cell_start, nb_man.cell_complete, Path(job["output"]).with_suffix(".part")
            between: list[Any] = []

            def cell_start(cell: Any, *more: Any, **others: Any) -> Any:
                if cell in cells:
                    _say(cell=cells.index(cell), cells=len(cells), id=cell.get("id", ""))
                return start(cell, *more, **others)

            def cell_complete(cell: Any, *more: Any, **others: Any) -> None:
                between.append(cell)
                complete(cell, *more, **others)
                between.clear()

            def save(**_: Any) -> None:
                """Keep what there is so far, should this process be killed; Papermill writes it in full at the end."""
                if between:
                    return  # the next cell starts at once, which keeps it too
                part.write_text(json.dumps(nb_man.nb), encoding="utf-8")
                part.replace(job["output"])

            nb_man.cell_start, nb_man.cell_complete, nb_man.save = cell_start, cell_complete, save
            client(nb_man, kernel_name=kernel_name, startup_timeout=60, timeout=None, **options).execute()

    papermill_engines.register("gazette", Reporting)
    try:
        papermill.execute_notebook(
            job["template"],
            job["output"],
            parameters=job["parameters"],
            cwd=job["cwd"],
            engine_name="gazette",
            kernel_name="python3",
            progress_bar=False,
            log_output=False,
        )
    except PapermillExecutionError as error:
        _say(failed=f"{error.ename}: {error.evalue}", traceback="\n".join(error.traceback))
    except Exception as error:  # noqa: BLE001  a dead kernel and anything else becomes this notebook's failure
        _say(failed=f"{type(error).__name__}: {error}", traceback="")
    else:
        return OK
    return FAILED


if __name__ == "__main__":
    sys.exit(main())

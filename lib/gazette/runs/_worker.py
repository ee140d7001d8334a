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

from gazette.runs._interpreter import KERNEL_ENVIRONMENT
from gazette.runs._kernel import PROVISIONER, Forked, fork, register

LONGEST_SOCKET_FOLDER = 45  # a socket's whole path has at most about 100 characters


def _say(**message: Any) -> None:
    print(json.dumps(message), file=sys.__stdout__, flush=True)


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
    os._exit(1)


def main() -> int:
    """Run the job given as JSON on standard input: template, output, parameters, cwd, scratch, environment."""
    if not sys.flags.safe_path or os.environ.get("PYTHONHASHSEED") != "0":  # both can only be set before Python starts
        argv = [sys.executable, "-P", "-m", "gazette.runs._worker"]
        os.execve(argv[0], argv, {**os.environ, **KERNEL_ENVIRONMENT})  # noqa: S606  this very program
    return run(json.loads(sys.stdin.read()))


def run(job: dict[str, Any]) -> int:
    """Run a job, telling the pool about it on standard output."""
    os.environ.clear()
    os.environ.update(job["environment"])
    os.environ.update(KERNEL_ENVIRONMENT)
    scratch = Path(job["scratch"])
    _kernel_spec(scratch)
    os.environ["JUPYTER_RUNTIME_DIR"] = str(scratch / "runtime")
    os.environ["IPYTHONDIR"] = str(scratch / "ipython")
    Forked.ready = fork()
    register()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    import papermill  # noqa: PLC0415  only this process needs it, and its fork does not
    from papermill.engines import NBClientEngine, papermill_engines  # noqa: PLC0415
    from papermill.exceptions import PapermillExecutionError  # noqa: PLC0415
    from traitlets.config import Config  # noqa: PLC0415

    class Reporting(NBClientEngine):  # type: ignore[misc]  # papermill has no types
        """Papermill's own engine, telling the parent which cell it has reached."""

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **kwargs: Any) -> Any:
            cells = [c for c in nb_man.nb.cells if c.cell_type == "code"]
            start, part = nb_man.cell_start, Path(job["output"]).with_suffix(".part")

            def cell_start(cell: Any, *more: Any, **others: Any) -> Any:
                if cell in cells:
                    _say(cell=cells.index(cell), cells=len(cells), id=cell.get("id", ""))
                return start(cell, *more, **others)

            def save(**_: Any) -> None:
                """Keep what there is so far, should this process be killed; Papermill writes it in full at the end."""
                part.write_text(json.dumps(nb_man.nb), encoding="utf-8")
                part.replace(job["output"])

            nb_man.cell_start, nb_man.save = cell_start, save
            if len(job["scratch"]) < LONGEST_SOCKET_FOLDER:  # sockets in our own folder instead of open ports
                kwargs["config"] = Config(
                    {"KernelManager": {"transport": "ipc", "connection_file": f"{scratch}/k.json"}}
                )
            return super().execute_managed_notebook(nb_man, kernel_name, **kwargs)

    papermill_engines.register("gazette", Reporting)
    failed = ""
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
        failed = f"{error.ename}: {error.evalue}"
        _say(failed=failed, traceback="\n".join(error.traceback))
    except Exception as error:  # noqa: BLE001  a dead kernel and anything else becomes this notebook's failure
        failed = f"{type(error).__name__}: {error}"
        _say(failed=failed, traceback="")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    _say(done=True, peak_memory_mb=peak)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

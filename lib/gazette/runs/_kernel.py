"""The kernel of a notebook, forked from its worker instead of started from nothing: whatever that has imported is there already."""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

if TYPE_CHECKING:
    from jupyter_client.connect import KernelConnectionInfo

__all__ = ["NO_HISTORY", "PROVISIONER", "Forked", "as_new", "fork", "register"]

PROVISIONER = "gazette-forked"
NO_HISTORY = "--HistoryManager.enabled=False"  # of what was typed, in a database that nobody opens
IN_KERNELS = 20  # columns that pandas shows where it is imported in a kernel; elsewhere it fits them to the terminal


@dataclass
class _Kernel:
    """A forked kernel, with as much of `subprocess.Popen` as `LocalProvisioner` uses."""

    pid: int
    orders: int
    code: int | None = None
    stdin: None = None
    stdout: None = None
    stderr: None = None

    def start(self, argv: list[str], environment: dict[str, str], cwd: str) -> None:
        """Tell the fork, which waits, to become a kernel."""
        order = {"argv": argv, "environment": environment, "cwd": cwd}
        with os.fdopen(self.orders, "w", encoding="utf-8") as pipe:
            json.dump(order, pipe)

    def _reap(self, options: int) -> int | None:
        if self.code is None:
            pid, status = os.waitpid(self.pid, options)
            self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._reap(os.WNOHANG)

    def wait(self) -> int | None:
        """Its exit code, once it has ended."""
        return self._reap(0)

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


def fork() -> _Kernel:
    """Fork a process that waits to become the kernel; call it before any thread is started, as threads do not survive a fork."""
    read, write = os.pipe()
    pid = os.fork()
    if pid:
        os.close(read)
        return _Kernel(pid, write)
    try:
        os.close(write)
        os.setsid()
        with os.fdopen(read, encoding="utf-8") as pipe:
            text = pipe.read()
        if text:
            _become(**json.loads(text))
    except Exception:  # noqa: BLE001  nothing of the worker may run in the fork
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(0)


def _become(argv: list[str], environment: dict[str, str], cwd: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.argv = argv
    as_new()
    from ipykernel.kernelapp import IPKernelApp  # noqa: PLC0415  slow, unless it is there already

    IPKernelApp.launch_instance(argv=argv[1:], parent_handle=os.getppid())


def as_new() -> None:
    """Have what is imported already be as where it is imported in a kernel."""
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()  # else all forks would draw the same
    if "pandas" in sys.modules:
        sys.modules["pandas"].options.display.max_columns = IN_KERNELS


class Forked(LocalProvisioner):
    """Starts the kernel that was forked before; ``ready`` holds it, as a worker runs one notebook."""

    ready: ClassVar[_Kernel]

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start it, with the connection file that is named in the command."""
        kernel = type(self).ready
        connection = cmd[cmd.index("-f") : cmd.index("-f") + 2]
        kernel.start(
            ["ipykernel_launcher", *connection, NO_HISTORY], kwargs["env"], kwargs.get("cwd") or str(Path.cwd())
        )
        self.process = kernel  # type: ignore[assignment]  # as much of a Popen as is used of it
        self.pid = self.pgid = kernel.pid
        return self.connection_info


def register() -> None:
    """Make the provisioner known in this process; where the library is not installed, its entry points are not seen."""
    entry = EntryPoint(PROVISIONER, f"{__name__}:{Forked.__name__}", KernelProvisionerFactory.GROUP_NAME)
    KernelProvisionerFactory.instance().provisioners[PROVISIONER] = entry

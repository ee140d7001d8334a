"""The program that turns a Quarto project into a site."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gazette.errors import SiteError, WrongUseError

__all__ = ["Engine", "choose_engine", "render"]

TIMEOUT = 1800


@dataclass(frozen=True)
class Engine:
    """An engine: its name, where its program is, and how it is recorded in manifests."""

    name: Literal["quarto", "embedded"]
    label: str
    program: str = ""


def choose_engine(wanted: str) -> Engine:
    """The engine to use.

    Args:
        wanted: ``quarto``, ``embedded``, or ``auto``: Quarto where it is on PATH, the embedded one elsewhere.

    Raises:
        WrongUseError: The name is unknown, or Quarto is asked for and absent.
    """
    if wanted not in {"auto", "quarto", "embedded"}:
        raise WrongUseError(f"unknown engine {wanted!r}", mend="engines are auto, quarto and embedded")
    program = shutil.which("quarto") if wanted != "embedded" else None
    if program:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=60)  # noqa: S603  found on PATH
        return Engine("quarto", f"quarto {answer.stdout.strip()}", program)
    if wanted == "quarto":
        raise WrongUseError("quarto is not on PATH", mend="install Quarto, or use --engine embedded")
    return Engine("embedded", f"smalldocs {importlib.metadata.version('smalldocs')}")


def render(stage: Path, output: Path, engine: Engine) -> list[str]:
    """Render the project in ``stage`` and move its site to ``output``.

    Returns:
        Warnings of the engine.

    Raises:
        SiteError: The engine refused a page; its words are in the message.
    """
    built = stage / "_site"
    warnings = _quarto(stage, engine) if engine.name == "quarto" else _embedded(stage)
    if not (built / "index.html").is_file():
        raise SiteError(f"{engine.label} made no index page", where=str(stage), mend="look at the pages it was given")
    output.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(built, output)
    return warnings


def _quarto(stage: Path, engine: Engine) -> list[str]:
    command = [engine.program, "render", str(stage), "--no-execute"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT)  # noqa: S603  found on PATH
    if answer.returncode:
        raise SiteError(
            f"quarto failed: {answer.stderr.strip()[-2000:]}",
            where=str(stage),
            mend="render the project by hand to see more",
        )
    return []


def _embedded(stage: Path) -> list[str]:
    from smalldocs.config import BuildError, ConfigError  # noqa: PLC0415  not needed where nothing is rendered
    from smalldocs.site import build  # noqa: PLC0415

    try:
        return list(build(stage, quiet=True).warnings)
    except (BuildError, ConfigError) as error:
        raise SiteError(
            f"the embedded engine failed: {error}", where=str(stage), mend="mend the page that it names"
        ) from error

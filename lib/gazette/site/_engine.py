"""The program that turns a Quarto project into a site."""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gazette.errors import SiteError, WrongUseError
from gazette.site._text import GUARD, front_matter, raw_html
from gazette.site._theme import CLOSE, OPEN

__all__ = ["Engine", "choose_engine", "render", "try_engine"]

TIMEOUT = 1800
TRIAL_TIMEOUT = 120
OLDEST = (1, 7)  # the first that follows the reader's light or dark setting
VERSION = re.compile(r"\d+(?:\.\d+)+")
MARK = "gazette-trial"
EMBEDDED = "use --engine embedded (engine: embedded in params/site.yml)"
MEND = f"mend the installation of Quarto, or {EMBEDDED}"
BY_HAND = "the pages that it was given are still there: render that folder by hand to see more"
BEFORE = re.compile(rf"{OPEN}(.*?){CLOSE}\n*", re.DOTALL)
BODY = re.compile(r"<body\b[^>]*>")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
PLACE = re.compile(r"\s+at |\s*\(\.\.\.tail calls\.\.\.\)|\s*\[C\]: |stack traceback:|\s+\S+\.lua:\d+: in ")
PROGRESS = re.compile(r"\[\s*\d+/\d+\] ")
TITLE = re.compile(r"<title>.*?</title>", re.DOTALL)
MODULE = re.compile(r'<script src="[^"]+" type="module"></script>')


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
        SiteError: The Quarto on PATH does not run, or is too old.
    """
    if wanted not in {"auto", "quarto", "embedded"}:
        raise WrongUseError(f"unknown engine {wanted!r}", mend="engines are auto, quarto and embedded")
    program = shutil.which("quarto") if wanted != "embedded" else None
    if program:
        return Engine("quarto", f"quarto {_version(program)}", program)
    if wanted == "quarto":
        raise WrongUseError("quarto is not on PATH", mend="install Quarto, or use --engine embedded")
    return Engine("embedded", f"smalldocs {importlib.metadata.version('smalldocs')}")


def _version(program: str) -> str:
    said = _run([program, "--version"], timeout=60, where=program, mend=MEND).strip()
    found = VERSION.search(said)
    if found is None:
        raise SiteError(f"quarto does not say its version, but {said[:200]!r}", where=program, mend=MEND)
    if tuple(map(int, found[0].split(".")[:2])) < OLDEST:
        least = ".".join(map(str, OLDEST))
        raise SiteError(
            f"quarto {found[0]} is too old: pages need {least} or newer",
            where=program,
            mend=f"install a newer Quarto, or {EMBEDDED}",
        )
    return found[0]


def _run(command: list[str], *, timeout: float, where: str, mend: str) -> str:
    """What a command prints.

    Raises:
        SiteError: It cannot be started, takes too long or fails; its last words are in the message.
    """
    try:
        answer = subprocess.run(  # noqa: S603  found on PATH
            command, capture_output=True, text=True, check=False, timeout=timeout, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as error:
        raise SiteError(f"quarto gave no answer within {timeout:.0f} s", where=where, mend=mend) from error
    except OSError as error:
        raise SiteError(f"quarto cannot be started: {error.strerror or error}", where=where, mend=mend) from error
    if answer.returncode:
        raise SiteError(f"quarto failed: {_why(answer)}", where=where, mend=mend)
    return answer.stdout


def _why(answer: subprocess.CompletedProcess[str]) -> str:
    """What a failed program says, without colours and the places in its own code: the page that it was at, and its errors."""
    told = [line.rstrip() for line in COLOUR.sub("", answer.stderr or answer.stdout).splitlines()]
    told = [line for line in told if line and not PLACE.match(line)]
    at = [line for line in told if PROGRESS.match(line)][-1:]
    said = "\n".join([*at, *(line for line in told if not PROGRESS.match(line))])
    return said[:2000] or f"exit code {answer.returncode}, without a word"


def try_engine(engine: Engine, work: Path, kept: Path) -> None:
    """See that the engine renders, on a page of its own, before hours of work rest on it.

    Args:
        engine: The engine; the embedded one is part of the installation and needs no trial.
        work: A folder for what is thrown away; like all stages it lies below one whose name begins with a dot.
        kept: File that remembers which Quarto was tried.

    Raises:
        SiteError: It does not render; what it said is in the message.
    """
    if engine.name == "embedded":
        return
    path = Path(engine.program).resolve()
    mark = {"program": str(path), "label": engine.label, "changed": path.stat().st_mtime_ns}
    try:
        if json.loads(kept.read_text(encoding="utf-8")) == mark:
            return
    except (OSError, ValueError):
        pass  # none was tried yet
    stage = work / "trial"
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    (stage / "_quarto.yml").write_text(
        'project: {type: website, render: ["*.qmd"]}\nformat: {html: {theme: none}}\n', encoding="utf-8"
    )
    page = f"{front_matter(title='Trial')}\n\n{raw_html(f'<p>{MARK}</p>')}"
    (stage / "index.qmd").write_text(page, encoding="utf-8")
    _run([engine.program, "render", str(stage)], timeout=TRIAL_TIMEOUT, where=engine.program, mend=MEND)
    made = stage / "_site" / "index.html"
    if not made.is_file() or MARK not in made.read_text(encoding="utf-8"):
        raise SiteError(f"{engine.label} rendered a page of ours to nothing", where=str(stage), mend=MEND)
    shutil.rmtree(stage, ignore_errors=True)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(mark), encoding="utf-8")


def render(stage: Path, output: Path, engine: Engine) -> list[str]:
    """Render the project in ``stage`` and move its site to ``output``.

    Returns:
        Warnings of the engine.

    Raises:
        SiteError: The engine refused a page, or left one out; its words are in the message, and the stage is as it was given to it.
    """
    built = stage / "_site"
    warnings = _quarto(stage, engine) if engine.name == "quarto" else _embedded(stage)
    sources = [p.relative_to(stage) for s in ("qmd", "ipynb") for p in stage.rglob(f"*.{s}")]
    wanted = [p.with_suffix(".html") for p in sources if not p.parts[0].startswith("_")]  # downloads are no pages
    left_out = sorted(str(p) for p in wanted if not (built / p).is_file())
    if left_out:
        raise SiteError(
            f"{engine.label} left out {len(left_out)} of {len(wanted)} pages, such as {left_out[0]}",
            where=str(stage),
            mend=BY_HAND,
        )
    for path in [*built.rglob("*.html"), *built.glob("search.json")]:
        text = path.read_text(encoding="utf-8").replace(GUARD, "")
        if engine.name == "embedded":  # it escapes the site's title, which already is
            text = TITLE.sub(lambda m: re.sub(r"&amp;(#\d+;)", r"&\1", m[0]), text, count=1)
        path.write_text(MODULE.sub(_served_only, _strip_first(text)), encoding="utf-8")
    output.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(built, output)
    return warnings


def _strip_first(page: str) -> str:
    """What stands before the body stands there: Quarto puts it into the main part."""
    strip, body = BEFORE.search(page), BODY.search(page)
    if strip is None or body is None:
        return page
    rest = page[: strip.start()] + page[strip.end() :]
    return f"{rest[: body.end()]}{strip[1]}\n{rest[body.end() :]}"


def _served_only(module: re.Match[str]) -> str:
    """Browsers refuse modules on ``file://`` and log it; Quarto's pages lack the mark of the section that one reads without them."""
    load = json.dumps(module[0]).replace("</", "<\\/")
    return f'<script>if (location.protocol !== "file:") document.write({load});</script>'


def _quarto(stage: Path, engine: Engine) -> list[str]:
    _run([engine.program, "render", str(stage), "--no-execute"], timeout=TIMEOUT, where=str(stage), mend=BY_HAND)
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

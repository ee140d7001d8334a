"""Make a fork: copies of what an edition published, in a folder of its own that opens and runs by itself."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gazette.editions import Week, files_below, refuse_leaks, write_error
from gazette.errors import EditionError, WrongUseError
from gazette.forks._notebook import notebook_digest, notebook_text
from gazette.params import Experiment, Model, load
from gazette.record import Record, canonical_json
from gazette.site import write_alone
from gazette.sources import segment_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gazette.build import Project
    from gazette.editions import Manifest, Sealed, Store

__all__ = ["CARD", "SCHEMA", "Made", "fork", "pristine", "published_edition"]

SCHEMA = "gazette.fork/1"
CARD = "fork.json"
ORDER = (
    "experiment",
    "model",
    "operations",
    "reconciliation",
    "translation",
    "portfolio",
    "summary",
)  # each reads records of those before
README = """\
# Fork of {title}, edition {edition}

`{notebook}` is the published notebook with its outputs cleared. Its first cell says what to compute; as it stands, it computes the
published numbers from the data that was published.

- **JupyterLab:** in the project's folder, `make lab FORK={here}`. It installs what it needs by itself the first time.
- **VS Code:** open this folder, open the notebook, run all. `.vscode/settings.json` names the project's Python.
- **No editor:** `{python} -m papermill {notebook} out.ipynb` in this folder.
- **As a page:** run its cells and save it, then `quarto render {notebook}`: a page in the site's look, with its charts, that loads nothing
  from the web. `quarto render {notebook} --execute` runs the cells first.

| what | where |
|---|---|
| data, parameters and clock of the edition, copied | `edition/` |
| the record and the executed notebook as published, to compare with | `published/` |
| what the live warehouse answered, made when the first cell asks for it | `live/` |
| what Quarto needs to render the notebook as a page | `_quarto.yml`, `theme/`, `page.py` |

The official edition is never touched: all of this is a copy. The digest of its manifest is
`{digest}`.

When you find other numbers than those published: `gazette challenge {here} --by NAME --because WHY` writes a review.
"""


@dataclass(frozen=True)
class Made:
    """A new fork."""

    folder: Path
    notebook: Path
    edition: str
    digest: str


def fork(project: Project, subject: str, *, edition: str | None = None, to: Path | None = None) -> Made:
    """Fork a page of an edition.

    Args:
        project: An open project.
        subject: A model, an experiment, or a page above them (operations, reconciliation, translation, portfolio, executive).
        edition: Its week; by default the newest that has the subject.
        to: A new or empty folder; by default ``forks/<subject>-<edition>`` in the project.

    Raises:
        WrongUseError: No such subject, or a folder that may not be used.
        EditionError: No such edition, it is not what was sealed, a file holds a secret, or the disk refuses.
    """
    week, manifest = published_edition(project.store, subject, edition)
    folder = _folder(project, to or project.root / "forks" / f"{subject}-{week}")
    sealed = project.store.open(week)
    record = Record.from_json(sealed.read(f"records/{subject}.json"))
    title, notebook = record.title, f"{subject}.ipynb"
    card = {
        "schema": SCHEMA,
        "subject": subject,
        "kind": record.kind,
        "title": title,
        "edition": str(week),
        "edition_digest": manifest.digest,
        "project": _from(folder, project.root),
        "folder": str(folder),
    }
    made: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        for name, place in _copies(sealed, record):
            _write(made / place, sealed.read(name))
        text = pristine(made, card)
        card["notebook_digest"] = notebook_digest(json.loads(text))
        _write(made / notebook, text.encode())
        _write(made / CARD, canonical_json(card).encode())
        settings = {"python.defaultInterpreterPath": sys.executable, "jupyter.notebookFileRoot": "${fileDirname}"}
        _write(made / ".vscode" / "settings.json", canonical_json(settings).encode())
        here = os.path.relpath(folder, project.root) if folder.is_relative_to(project.root) else str(folder)
        readme = README.format(
            title=title,
            edition=week,
            notebook=notebook,
            here=here,
            python=_from(folder, Path(sys.executable)) if folder.is_relative_to(project.root) else sys.executable,
            digest=manifest.digest,
        )
        _write(made / "README.md", readme.encode())
        said = f"A fork of edition {week}: it was not published, and its numbers may be others."
        write_alone(project.root, made, said=said, cache=project.state / "cache")
        refuse_leaks(files_below(made), "forked", project.params.site.no_secrets)
        made.chmod(0o755)
        made.rename(folder)  # whole or not at all; an empty folder of this name is replaced
    except BaseException as error:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
        if isinstance(error, OSError) and not isinstance(error, EditionError):
            raise write_error(error, folder, "fork again; nothing was left behind") from error
        raise
    return Made(folder, folder / notebook, str(week), manifest.digest)


def published_edition(store: Store, subject: str, edition: str | None) -> tuple[Week, Manifest]:
    """The edition that published a subject's numbers.

    Raises:
        WrongUseError: No edition has the subject.
        EditionError: There is no such edition, or it cannot be read.
    """
    name, weeks = f"records/{subject}.json", store.weeks()
    if edition is not None:
        week = Week.parse(edition)
    elif not weeks:
        raise EditionError("there is no edition yet", where=str(store.root), mend="build one: gazette build")
    else:
        week = next((w for w in reversed(weeks) if name in store.manifest(w).files), weeks[-1])
    manifest = store.manifest(week)
    if name not in manifest.files:
        if f"failures/{subject}.json" in manifest.files:
            mend = "choose another edition; what failed has no numbers"
            raise WrongUseError(f"the notebook of {subject!r} failed in edition {week}", where=str(week), mend=mend)
        pages = sorted(Path(n).stem for n in manifest.files if n.startswith("records/"))
        mend = f"it has: {', '.join(pages) or 'no page'}"
        raise WrongUseError(f"edition {week} has no page {subject!r}", where=str(week), mend=mend)
    return week, manifest


def pristine(folder: Path, card: Mapping[str, str]) -> str:
    """A fork's notebook as it is made, from the published notebook and parameters in its folder."""
    params = load(folder / "edition" / "params")
    subject = params.models.get(card["subject"]) or params.experiments.get(card["subject"])
    dates = (str(subject.start), str(subject.end)) if isinstance(subject, Experiment) else ("", "")
    return notebook_text(
        json.loads((folder / "published" / "notebook.ipynb").read_text(encoding="utf-8")),
        title=card["title"],
        edition=card["edition"],
        kind=card["kind"],
        folder=card["folder"],
        segments=segment_names(subject) if isinstance(subject, (Model, Experiment)) else (),
        dates=dates,
    )


def _copies(sealed: Sealed, record: Record) -> Iterator[tuple[str, str]]:
    """What a fork needs: name in the edition, place in the fork."""
    above = record.kind not in {"model", "experiment"}
    yield f"notebooks/{record.subject}.ipynb", "published/notebook.ipynb"
    yield f"records/{record.subject}.json", "published/record.json"
    for name in sorted(sealed.manifest.files):
        room = name.split("/", maxsplit=1)[0]
        wanted = room in {"edition.json", "params"}
        wanted = wanted or (room == "snapshot" and (above or name.startswith(f"snapshot/{record.subject}/")))
        if above and room in {"records", "failures"}:
            kind = json.loads(sealed.read(name))["kind"]
            wanted = ORDER.index(kind) < max(ORDER.index(record.kind), ORDER.index("operations"))
        if wanted:
            yield name, f"edition/{name}"


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _from(folder: Path, other: Path) -> str:
    """Where the other is, from a fork: relative within the project, so that both can be moved together."""
    return os.path.relpath(other, folder)


def _folder(project: Project, to: Path) -> Path:
    folder = to.resolve()
    for place, what in ((project.store.root, "the sealed editions"), (project.output, "the published site")):
        if folder.is_relative_to(place.resolve()) or place.resolve().is_relative_to(folder):
            raise WrongUseError(f"a fork may not lie among {what}", where=str(to), mend="name another folder with --to")
    for name in ("params", "notebooks", "reports"):
        if folder.is_relative_to(project.root / name):
            raise WrongUseError(f"a fork may not lie in {name}/", where=str(to), mend="name another folder with --to")
    if folder.exists() and not folder.is_dir():
        raise WrongUseError("there is a file of this name", where=str(to), mend="name another folder with --to")
    if folder.is_dir() and any(folder.iterdir()):
        mend = "name a new folder with --to, or remove that one; a fork never overwrites your work"
        raise WrongUseError("the folder is not empty", where=str(to), mend=mend)
    return folder

"""Gather the evidence of a decision and write it as one zip, the same bytes each time."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazette import site
from gazette.display import csv_cell
from gazette.editions import Week, refuse_leaks, verifier
from gazette.errors import EditionError, WrongUseError
from gazette.packs._words import Story, index_page, read_me
from gazette.params import load
from gazette.record import NotPublished, Record, canonical_json
from gazette.register import FOLDER, load_register
from gazette.runs import library_digest, lock_entries
from gazette.snapshot import part_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gazette.editions import Manifest, Store
    from gazette.params import Params
    from gazette.register import Entry

__all__ = ["Packed", "pack"]

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip can name: a pack's bytes must not depend on the clock
APART = (
    "notebooks",
    "records",
    "failures",
    "snapshot",
)  # rooms of an edition of which only the decision's own part is packed
LOCKS = ("requirements.txt",)
HOME = '<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=index.html"><title>Evidence</title><p><a href="index.html">This pack holds one edition. Back to its first page.</a></p></html>\n'
OTHER_WEEK = re.compile(r'href="(?:\.\./)+([0-9]{4}-W[0-9]{2})/([a-z0-9/-]+\.html)')


@dataclass(frozen=True)
class Packed:
    """A pack on disk."""

    path: Path
    files: int
    size: int
    digest: str


def pack(root: Path, store: Store, params: Params, decision: str, *, output: Path, to: Path | None = None) -> Packed:
    """Write the evidence pack of a decision.

    Args:
        root: The project.
        store: Its editions.
        params: Its parameters of today, for scripts of the shelf.
        decision: Its id.
        output: The published site, into which no pack may be written.
        to: The file; by default ``packs/<decision>.zip`` in the project.

    Raises:
        WrongUseError: No such decision, or a file that may not be written.
        ParamsError: The register holds a malformed file.
        EditionError: The edition is gone, not the one that was decided on, or not as it was sealed; a file holds a secret; or the disk refuses.
    """
    entry = load_register(root).entry(decision)
    place = _target(root, store, output, decision, to)
    week, manifest = _edition(store, entry)
    files = _gather(root, store, params, entry, week, manifest)
    listing = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    refuse_leaks(files.items(), "packed", params.site.no_secrets)
    files[verifier.MANIFEST] = _list_of(decision, listing, entry)
    _write(place, decision, files)
    content = place.read_bytes()
    return Packed(place, len(files), len(content), hashlib.sha256(content).hexdigest())


def _target(root: Path, store: Store, output: Path, decision: str, to: Path | None) -> Path:
    place = (to or root / "packs" / f"{decision}.zip").resolve()
    for folder in (store.root.resolve(), output.resolve()):
        if place.is_relative_to(folder):
            mend = "name another file with --to"
            raise WrongUseError(
                "a pack may not lie among editions or in the published site", where=str(place), mend=mend
            )
    if place.is_dir():
        raise WrongUseError("this is a folder", where=str(place), mend=f"name a file: --to {place.name}/{decision}.zip")
    if place.exists() and not _is_pack(place, decision):
        mend = "name another file with --to, or remove that one"
        raise WrongUseError(
            "there is a file of this name, and it is no pack of this decision", where=str(place), mend=mend
        )
    return place


def _is_pack(path: Path, decision: str) -> bool:
    try:
        with zipfile.ZipFile(path) as found:
            return f"{decision}/{verifier.MANIFEST}" in found.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def _edition(store: Store, entry: Entry) -> tuple[Week, Manifest]:
    """The edition that was decided on, if every file of it is as it was sealed."""
    taken = entry.decision
    week = Week.parse(taken.edition)
    if not store.is_sealed(week):
        raise EditionError(
            f"edition {week}, on which this was decided, is gone",
            where=str(store.root),
            mend="restore it from a copy; without it there is no evidence to pack",
        )
    manifest = store.manifest(week)
    if manifest.digest != taken.edition_digest:
        raise EditionError(
            f"edition {week} is not the one that was decided on: the decision names manifest {taken.edition_digest[:12]}…, "
            f"there is {manifest.digest[:12]}…",
            where=f"{FOLDER}/{taken.id}.yml",
            mend="restore that edition, or decide again on the one that is there",
        )
    if wrong := store.check(week):
        listing = "\n".join(f"  - {p}" for p in wrong)
        raise EditionError(f"edition {week} is not as it was sealed:\n{listing}", mend="restore it from a copy")
    return week, manifest


def _gather(root: Path, store: Store, params: Params, entry: Entry, week: Week, manifest: Manifest) -> dict[str, bytes]:
    subject, home = entry.decision.experiment, f"editions/{week}"
    sealed = store.open(week)
    record = Record.from_json(sealed.read(f"records/{subject}.json"))
    then = load(sealed.within("params") / "params")
    files = {f"{home}/{name}": sealed.read(name) for name in _wanted(manifest, subject)}
    for earlier in [w for w in store.weeks() if w <= week]:  # the chain of manifests, back to the first
        files |= {f"editions/{earlier}/{name}": content for name, content in store.open(earlier).seal().items()}
    pages = f"pages/{week}"  # laid out as they were published, so that every link on them works
    files |= {f"{pages}/{n.removeprefix('site/')}": sealed.read(n) for n in manifest.files if n.startswith("site/")}
    files |= _others(files, week)
    for name in (verifier.MANIFEST, verifier.SIGNATURE):
        if f"{home}/{name}" in files:
            files[f"{pages}/{name}"] = files[f"{home}/{name}"]
    shelf = site.shelf_scripts([manifest], store=store, project=root, params=params)
    files |= {name: text.encode() for name, text in shelf.items()}
    files["archive.html"] = HOME.encode()
    files |= _decided(root, entry)
    files["numbers/record.json"] = record.to_json().encode()
    files["numbers/numbers.csv"] = _numbers(record).encode()
    for name in sealed.names(f"snapshot/{subject}", ".parquet"):
        table = f"tables/{Path(name).stem}"
        files[f"{table}.csv"] = _table(sealed.read(name))
        files[f"{table}.sql"] = sealed.read(f"{name.removesuffix('.parquet')}.sql")
    files["verifier.py"] = Path(verifier.__file__).read_bytes()
    lock, note = _lock(root, manifest, home)
    files |= lock
    wheel = next(
        (f"{home}/{n}" for n in sorted(manifest.files) if n.startswith("environment/") and n.endswith(".whl")), ""
    )
    library = {} if wheel else _library(manifest)
    files |= library
    story = Story(
        entry=entry,
        record=record,
        manifest=manifest,
        title=then.site.title,
        organisation=then.site.organisation,
        currency=then.site.currency,
        language=then.site.language,
        home=home,
        pages=pages,
        lock=note,
        hashes=bool(note) and _all_hashed(files[note].decode()),
        wheel=wheel,
        library=bool(library),
        tables=tuple(
            n.removeprefix("tables/") for n in sorted(files) if n.startswith("tables/") and n.endswith(".csv")
        ),
    )
    files["README.md"] = read_me(story).encode()
    files["index.html"] = index_page(story).encode()
    return files


def _others(files: Mapping[str, bytes], week: Week) -> dict[str, bytes]:
    """For each page of another edition that a page links to, one that says that it is not in this pack."""
    found = {}
    for name, content in files.items():
        if name.startswith("pages/") and name.endswith(".html"):
            for other, page in OTHER_WEEK.findall(content.decode()):
                if other != str(week):
                    up = "../" * (2 + page.count("/"))
                    found[f"pages/{other}/{page}"] = HOME.replace("index.html", f"{up}index.html").encode()
    return found


def _wanted(manifest: Manifest, subject: str) -> Iterator[str]:
    """Files of the edition but for its pages: parameters and clock, and of what was computed the decision's own part."""
    for name in manifest.files:
        room, _, rest = name.partition("/")
        if room == "site":
            continue
        if room not in APART or rest.split("/")[0].rpartition(".")[0] == subject or rest.startswith(f"{subject}/"):
            yield name


def _decided(root: Path, entry: Entry) -> dict[str, bytes]:
    folder, name = root / FOLDER, entry.decision.id
    found = {f"decision/{name}.yml": (folder / f"{name}.yml").read_bytes()}
    for part in ("sign-offs", "scores"):
        for path in sorted((folder / part).glob("*.y*ml")) if (folder / part).is_dir() else ():
            if not path.name.startswith(".") and f"decision: {name}\n" in path.read_text(encoding="utf-8"):
                found[f"decision/{part}/{path.name}"] = path.read_bytes()
    return found


def _numbers(record: Record) -> str:
    """Every number with its passport, as CSV; a cell that holds text of others never begins a formula."""
    stream = io.StringIO()
    names = ("id", "label", "value", "low", "high", "level", "n", "unit", "metric", "version", "cell", "query", "snapshot", "as_of", "reason")  # fmt: skip
    out = csv.writer(stream, lineterminator="\n")
    out.writerow(names)
    for n in record.numbers:
        missing = isinstance(n.value, NotPublished)
        ends: tuple[Any, ...] = (n.interval.low, n.interval.high, n.interval.level) if n.interval else ("", "", "")
        reason = n.value.reason if isinstance(n.value, NotPublished) else ""
        row = (
            n.id,
            n.label,
            "" if missing else n.value,
            *ends,
            n.n,
            n.unit,
            n.metric,
            n.metric_version,
            n.cell,
            n.query,
        )
        out.writerow([csv_cell(v) for v in (*row, n.snapshot, n.as_of.isoformat(), reason)])
    return stream.getvalue()


def _table(content: bytes) -> bytes:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.csv as pc  # noqa: PLC0415  slow to import, needed only here
    import pyarrow.parquet as pq  # noqa: PLC0415

    table, stream = pq.read_table(io.BytesIO(content)), io.BytesIO()
    for i, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            safe = pa.array([csv_cell(text) for text in table.column(i).to_pylist()], field.type)
            table = table.set_column(i, field, safe)
    pc.write_csv(table, stream)
    return stream.getvalue()


def _lock(root: Path, manifest: Manifest, home: str) -> tuple[dict[str, bytes], str]:
    """The lock of what ran: the edition's own, or else today's, which is said."""
    own = [n for n in manifest.files if n.split("/")[0] not in {*APART, "site", "params"} and n.endswith(LOCKS)]
    if own:
        return {}, f"{home}/{own[0]}"
    path = root / LOCKS[0]
    return ({f"lock/{LOCKS[0]}": path.read_bytes()}, f"lock/{LOCKS[0]}") if path.is_file() else ({}, "")


def _all_hashed(lock: str) -> bool:
    """Whether pip can be told to accept nothing but what the lock knows."""
    pins = [e for e in lock_entries(lock) if "==" in e]
    return bool(pins) and all("--hash=" in e for e in pins)


def _library(manifest: Manifest) -> dict[str, bytes]:
    """The library that published the edition, if it is the one that runs here."""
    if manifest.versions.get("library") != library_digest():
        return {}
    package = Path(verifier.__file__).parents[1]
    paths = sorted(p for p in package.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {f"library/gazette/{p.relative_to(package).as_posix()}": p.read_bytes() for p in paths}


def _list_of(decision: str, listing: Mapping[str, str], entry: Entry) -> bytes:
    """Digests of all that is in the pack, in the form that the verifier reads."""
    content: dict[str, Any] = {
        "schema": verifier.SCHEMA,
        "edition": decision,
        "previous": None,
        "files": dict(sorted(listing.items())),
        "versions": {},
        "facts": {"decision_digest": entry.digest, "edition_digest": entry.decision.edition_digest},
    }
    content["digest"] = hashlib.sha256(canonical_json(content).encode()).hexdigest()
    return canonical_json(content).encode()


def _write(place: Path, decision: str, files: Mapping[str, bytes]) -> None:
    """The zip, whole or not at all."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for entry in sorted(files):
            info = zipfile.ZipInfo(f"{decision}/{entry}", EPOCH)
            info.compress_type, info.external_attr, info.create_system = zipfile.ZIP_DEFLATED, 0o644 << 16, 3
            out.writestr(info, files[entry])
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with part_of(place, made.getvalue()) as part:
            part.chmod(0o644)
            part.replace(place)
    except OSError as error:
        mend = "free disk space or mend the rights; nothing was written"
        raise EditionError(
            f"the pack cannot be written: {error.strerror or error}", where=str(place), mend=mend
        ) from error

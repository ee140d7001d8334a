"""Build editions, one after the other, under the lock."""

from __future__ import annotations

import json
import shutil
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from gazette import site
from gazette.build._aa import copy_aa
from gazette.build._canaries import run_canaries
from gazette.build._check import misread_params
from gazette.build._definitions import refuse_changes
from gazette.build._freeze import freeze_all, period_of
from gazette.build._gather import HISTORY, OPERATIONS, RECONCILIATION
from gazette.build._recompute import compute_twice
from gazette.build._register import copy_register
from gazette.build._restate import restate_earlier
from gazette.build._secrets import written_secrets
from gazette.build._share import share_of
from gazette.build._system import refuse_starved
from gazette.editions import Week, digest_of, lock, read_public_keys, write_error
from gazette.errors import EditionError, GazetteError, ParamsError, WrongUseError
from gazette.params import Model
from gazette.record import canonical_json
from gazette.register import load_register, load_replays
from gazette.runs import Failure, Job, Outcome, keep_environment, library_digest, run_all, versions, warm
from gazette.snapshot import reopen, verify

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from gazette.build._project import Project
    from gazette.editions import Signer
    from gazette.errors import SourceError
    from gazette.params import Experiment
    from gazette.record import Kind
    from gazette.runs import Event
    from gazette.snapshot import Snapshot

__all__ = ["Built", "Listener", "Report", "Silent", "build"]

SUMMARY = "executive"
ABOVE: tuple[tuple[Literal["translation", "portfolio"], str], ...] = (
    ("translation", "What technical gains are worth"),
    ("portfolio", "All tests"),
)  # pages whose template the project has


class Listener(Protocol):
    """Told how a build goes on, from any thread."""

    def note(self, what: str) -> None:
        """Something that holds for the whole build."""

    def step(self, edition: str, what: str) -> None:
        """A stage of an edition began."""

    def planned(self, edition: str, titles: dict[str, str]) -> None:
        """These notebooks will run: page to title."""

    def notebook(self, edition: str, event: Event) -> None:
        """A notebook reached a cell or ended."""


class Silent:
    """Says nothing."""

    def note(self, what: str) -> None:
        """Nothing."""

    def step(self, edition: str, what: str) -> None:
        """Nothing."""

    def planned(self, edition: str, titles: dict[str, str]) -> None:
        """Nothing."""

    def notebook(self, edition: str, event: Event) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Built:
    """What came of one week."""

    edition: str
    status: str
    digest: str
    outcomes: tuple[Outcome, ...] = ()
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()

    @property
    def failed(self) -> list[Outcome]:
        """Pages without a record: their notebook failed, or a source of theirs."""
        return [o for o in self.outcomes if o.status == "failed"]


@dataclass(frozen=True)
class Report:
    """What a build did."""

    editions: tuple[Built, ...]
    site: Path
    published: bool
    engine: str


def build(
    project: Project,
    weeks: Sequence[Week],
    *,
    now: datetime,
    engine: str | None = None,
    force: bool = False,
    publish: bool = True,
    listener: Listener | None = None,
    signer: Signer | None = None,
) -> Report:
    """Build, seal and publish the editions of these weeks.

    Args:
        project: An open project.
        weeks: In any order; a sealed one is left as it is.
        now: UTC without zone; a week whose data cut-off lies later is refused.
        engine: ``auto``, ``quarto`` or ``embedded``; by default what site.yml says.
        force: Build the newest edition again if no reader has seen it.
        publish: Whether to put sealed editions on the site.
        listener: Told of progress.
        signer: Signs the manifests.

    Raises:
        GazetteError: Nothing of the week in question was sealed; earlier weeks stay.
    """
    listener = listener or Silent()
    _ = (
        load_register(project.root),
        load_replays(project.root),
    )  # a malformed file stops the build before anything is made; the site stays
    store = project.store
    _refuse_key(project, signer)
    chosen = site.choose_engine(engine or project.params.site.engine)
    done: list[Built] = []
    with lock(store.root):
        for week in sorted(weeks):
            _refuse_early(project, week, now)
        if force:
            if len(weeks) != 1:
                raise WrongUseError("--force takes exactly one week", mend="name the newest edition alone")
            store.refuse_replacing(weeks[0])
        if force or not all(map(store.is_sealed, weeks)):
            listener.note(f"Pages are rendered by {chosen.label}" + (f" ({chosen.program})" if chosen.program else ""))
            site.try_engine(chosen, project.state / "work", project.state / "cache" / "engine.json")
        try:
            for week in sorted(weeks):
                if store.is_sealed(week) and not force:
                    done.append(Built(str(week), "sealed already, nothing changed", store.manifest(week).digest))
                else:
                    store.refuse(week)
                    done.append(_one(project, week, chosen, listener, replace=force, signer=signer))
        finally:
            changed = _publish(project, chosen, listener) if publish and store.weeks() else False
    return Report(tuple(done), project.output, changed, chosen.label)


def _refuse_early(project: Project, week: Week, now: datetime) -> None:
    cutoff = week.cutoff(project.params.site.cutoff_hours)
    if now < cutoff:
        last = Week.of(now.date()).next(-1)
        while last.cutoff(project.params.site.cutoff_hours) > now:
            last = last.next(-1)
        raise EditionError(
            f"week {week} is not whole yet: its data counts until {cutoff:%Y-%m-%d %H:%M} UTC",
            mend=f"the last whole week is {last}",
        )


def _refuse_key(project: Project, signer: Signer | None) -> None:
    """Refuse to sign with a key that readers are not told to trust."""
    trusted = read_public_keys(project.params.site.public_keys, root=project.root)
    if trusted and signer is not None and bytes.fromhex(signer.public) not in trusted:
        raise WrongUseError(
            f"the signing key, whose public half is {signer.public}, is none of those that are trusted",
            where="params/site.yml: public_keys",
            mend="sign with another key, or add this one",
        )


def _one(
    project: Project, week: Week, engine: site.Engine, listener: Listener, *, replace: bool, signer: Signer | None
) -> Built:
    start = time.monotonic()
    edition, store = str(week), project.store
    if misread := misread_params(project.root):
        listing = "\n".join(str(problem) for problem in misread)
        raise ParamsError(
            f"{len(misread)} wording{'s' * (len(misread) != 1)} in the parameters can be misread\n{listing}"
        )
    if written := written_secrets(project.root, project.params):
        listing = "\n".join(map(str, written))
        raise ParamsError(f"secrets are written in files of the project\n{listing}")
    if (last := store.before(week)) and (problems := store.check(last)):
        raise EditionError(
            f"edition {last} is not what was sealed: {problems[0]}",
            where=str(store.root),
            mend="restore it from a copy, since no edition is sealed onto an altered one; 'gazette verify' names everything",
        )
    staging = store.staging(week)
    try:
        subjects = project.subjects(week)
        if not subjects:
            raise EditionError(
                f"edition {week} would be empty: no model, and no experiment in this week",
                mend="add a file to params/models or params/experiments",
            )
        refuse_changes(project, week)
        warm()  # it gets ready while data are frozen
        listener.step(edition, "Freezing the data")
        _lay_out(project, week, staging)
        keep_environment(staging, project.root)
        snapshots, unread = freeze_all(
            project,
            week,
            subjects,
            staging / "snapshot",
            lambda title: listener.step(edition, f"Freezing the data: {title}"),
        )
        listener.step(edition, "Running notebooks")
        outcomes = _run(project, week, subjects, snapshots, unread, staging, listener)
        subjects = [s for s in subjects if s.id not in unread]
        for name in snapshots:
            verify(reopen(staging / "snapshot" / name))
        if project.params.site.recompute:
            listener.step(edition, "Computing numbers a second time")
            compute_twice(project, week, subjects, staging)
        if project.params.site.canaries:
            listener.step(edition, "Running hidden tests whose answer is known")
            run_canaries(project, week, staging)
        restate_earlier(project, week, staging, lambda what: listener.step(edition, what))
        listener.step(edition, f"Rendering with {engine.label}")
        facts = site.facts(staging, params=project.params, week=week)
        ran = {**versions(), "engine": engine.label}
        before = store.before(week)
        shared = share_of(staging, project, week, dates=facts["dates"])
        site.render_edition(
            staging,
            project=project.root,
            params=project.params,
            week=week,
            engine=engine,
            work=project.state / "work",
            versions=ran,
            previous=(str(before), store.manifest(before).digest) if before else None,
            share=shared,
        )
        unsigned = signer is None and project.params.site.public_keys
        listener.step(edition, "Sealing, unsigned: no key was given" if unsigned else "Sealing")
        manifest = store.seal(
            staging,
            week,
            versions=ran,
            facts=facts,
            replace=replace,
            signer=signer,
            allowed=project.params.site.no_secrets,
        )
    except BaseException as error:
        shutil.rmtree(staging, ignore_errors=True)
        if isinstance(error, OSError) and not isinstance(error, GazetteError):
            raise write_error(error, staging) from error
        raise
    notes = site.known_remarks(project.params.annotations, week)
    warnings = tuple(
        f"remark {n.id}: {what}"
        for n, what in site.lost_remarks(store.open(week).within("records", "notebooks"), notes)
    )
    seconds = time.monotonic() - start
    _log(project, edition, outcomes, seconds)
    return Built(edition, "built", manifest.digest, tuple(outcomes), seconds, warnings)


def _lay_out(project: Project, week: Week, staging: Path) -> None:
    for path in project.parameter_files():
        place = staging / path.relative_to(project.root)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(path.read_bytes())
    clock = {
        "edition": str(week),
        "week_start": week.start.isoformat(),
        "cutoff": period_of(project, week).cutoff.isoformat(),
    }
    (staging / "edition.json").write_text(canonical_json(clock), encoding="utf-8")
    copy_register(project, staging)
    copy_aa(project, staging)
    for name in ("records", "failures", "notebooks"):
        (staging / name).mkdir()


def _run(
    project: Project,
    week: Week,
    subjects: list[Model | Experiment],
    snapshots: dict[str, Snapshot],
    unread: dict[str, SourceError],
    staging: Path,
    listener: Listener,
) -> list[Outcome]:
    edition, settings = str(week), project.params.site
    lost = [_not_read(s, unread[s.id]) for s in subjects if s.id in unread]
    _keep(lost, staging)
    subjects = [s for s in subjects if s.id not in unread]
    titles = {s.id: s.title for s in subjects} | {page: title for page, _, title, _ in _above(project)}
    listener.planned(edition, titles)
    shared = project.parameter_digest()

    def job(
        page: str, kind: Any, title: str, owner: str, template: str, more: dict[str, Any], inputs: tuple[str, ...]
    ) -> Job:
        return Job(
            page=page,
            kind=kind,
            title=title,
            owner=owner,
            template=project.root / "notebooks" / template,
            parameters={**more, "subject": page, "edition": edition, "root": "."},
            cwd=staging,
            output=staging / "notebooks" / f"{page}.ipynb",
            timeout=settings.timeout_seconds,
            inputs=(shared, digest_of(staging / "edition.json"), *inputs),
            variables=tuple(settings.notebook_variables),
        )

    jobs = []
    for subject in subjects:
        kind = "model" if isinstance(subject, Model) else "experiment"
        template = subject.notebook or f"{kind}.ipynb"
        jobs.append(
            job(
                subject.id,
                kind,
                subject.title,
                subject.owner,
                template,
                dict(subject.parameters),
                (snapshots[subject.id].digest,),
            )
        )
    say: Any = lambda event: listener.notebook(edition, event)  # noqa: E731
    cache = project.state / "cache" / "runs"
    outcomes = run_all(jobs, workers=settings.workers, cache=cache, progress=say)
    _keep(outcomes, staging)
    for page, kind, title, owner in _above(project):
        frozen = tuple(snapshots[name].digest for name in (page, HISTORY) if name in snapshots)
        one = job(page, kind, title, owner, f"{page}.ipynb", {}, (*frozen, *_records(staging)))
        more = run_all([one], workers=1, cache=cache, progress=say)
        _keep(more, staging)
        outcomes = [*outcomes, *more]
    refuse_starved(outcomes)
    return [*lost, *outcomes]


def _not_read(subject: Model | Experiment, error: SourceError) -> Outcome:
    """What comes of a subject that a source failed for: its page says why, and how to mend it."""
    kind = "model" if isinstance(subject, Model) else "experiment"
    where = f" ({error.where})" if error.where else ""
    what = f"Its data could not be read: {error.what}{where}." + (f" To mend it: {error.mend}." if error.mend else "")
    return Outcome(
        subject.id, "failed", None, Failure(subject.id, kind, subject.title, subject.owner, what, ""), 0.0, 0.0
    )


def _above(project: Project) -> list[tuple[str, Kind, str, str]]:
    """Pages that read records, in the order in which each may read those before it: id, kind, title, owner."""
    settings = project.params.site
    office = settings.executive.owner
    pages: list[tuple[str, Kind, str, str]] = []
    if settings.operations is not None:
        pages.append((OPERATIONS, "operations", settings.operations.title, settings.operations.owner))
    compared = project.params.reconciliations
    if compared is not None and (project.root / "notebooks" / f"{RECONCILIATION}.ipynb").is_file():
        pages.append((RECONCILIATION, "reconciliation", compared.title, compared.owner))
    pages += [
        (kind, kind, title, office) for kind, title in ABOVE if (project.root / "notebooks" / f"{kind}.ipynb").is_file()
    ]
    return [*pages, (SUMMARY, "summary", settings.executive.title, office)]


def _records(staging: Path) -> tuple[str, ...]:
    """Digests of what notebooks have found so far."""
    return tuple(digest_of(p) for folder in ("records", "failures") for p in sorted((staging / folder).glob("*.json")))


def _keep(outcomes: list[Outcome], staging: Path) -> None:
    for outcome in outcomes:
        if outcome.record is not None:
            (staging / "records" / f"{outcome.page}.json").write_text(outcome.record.to_json(), encoding="utf-8")
        elif outcome.failure is not None:
            (staging / "failures" / f"{outcome.page}.json").write_text(outcome.failure.to_json(), encoding="utf-8")


def _log(project: Project, edition: str, outcomes: list[Outcome], seconds: float) -> None:
    """Times and memory, beside the edition: they differ from run to run, so they are not sealed."""
    rows = [
        {
            "page": o.page,
            "status": o.status,
            "seconds": round(o.seconds, 3),
            "peak_memory_mb": round(o.peak_memory_mb, 1),
        }
        for o in outcomes
    ]
    folder = project.state / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{edition}.json").write_text(
        json.dumps({"edition": edition, "seconds": round(seconds, 3), "notebooks": rows}, indent=1)
    )


def _publish(project: Project, engine: site.Engine, listener: Listener) -> bool:
    store = project.store
    stamp = site.shelf_stamp(store, project=project.root, engine=engine, library=library_digest())
    whole, problems = site.is_published(store, project.output, stamp)
    if whole and not problems and site.audiences_stand(project.output, project.params, stamp):
        return False
    if problems:
        more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
        listener.note(f"The site is not as it was published, and is put right: {problems[0]}{more}")
    listener.step("shelf", f"Publishing to {project.params.site.output}/")
    where: dict[str, Any] = {"project": project.root, "output": project.output, "work": project.state / "work"}
    where |= {"params": project.params, "engine": engine, "stamp": stamp}
    site.publish_audiences(store, **where)  # first: what leaks there stops all
    site.publish(store, **where, wrong=problems)
    for week in store.weeks():
        store.mark_published(week)
    (project.state / "python").write_text(f"{sys.executable}\n", encoding="utf-8")  # reports/preview.py looks there
    return True

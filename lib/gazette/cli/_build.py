"""``gazette build``: editions, and the site."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gazette.cli._shared import open_project, say
from gazette.errors import WrongUseError
from gazette.secrets import SIGNING_KEY

if TYPE_CHECKING:
    import argparse

    from gazette.build import Project, Report
    from gazette.editions import Week

__all__ = ["EXAMPLE", "HELP", "add_options", "run"]

MAX_WEEKS = 520

HELP = "build, seal and publish weekly editions"
EXAMPLE = "gazette build 2026-W45..2026-W47\n  gazette build --last 3\n  gazette build --key gazette.key"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        "weeks",
        nargs="*",
        metavar="WEEK",
        help="ISO weeks such as 2026-W47, or ranges such as 2026-W45..2026-W47 (default: the last whole week)",
    )
    parser.add_argument("--last", type=int, metavar="N", help="the last N whole weeks")
    parser.add_argument(
        "--engine", choices=["auto", "quarto", "embedded"], help="what renders the pages (default: as site.yml says)"
    )
    parser.add_argument(
        "--force", action="store_true", help="build the newest edition again, if it has not been published"
    )
    parser.add_argument(
        "--key",
        metavar="FILE",
        help="sign manifests with this Ed25519 private key (default: that in GAZETTE_SIGNING_KEY, if there is one)",
    )
    parser.add_argument("--no-publish", action="store_true", help="seal, but leave the site as it is")


def _weeks(options: argparse.Namespace, project: Project, now: datetime) -> list[Week]:
    from gazette.editions import Week  # noqa: PLC0415

    if options.last is not None and options.weeks:
        raise WrongUseError("--last and named weeks exclude each other", mend="give one of them")
    if options.last is not None and not 1 <= options.last <= MAX_WEEKS:
        raise WrongUseError(f"--last takes 1 to {MAX_WEEKS}")
    chosen: set[Week] = set()
    for text in options.weeks:
        first, dots, last = text.partition("..")
        week, end = Week.parse(first), Week.parse(last if dots else first)
        if week > end:
            raise WrongUseError(f"the range {text} runs backwards", mend=f"write {end}..{week}")
        while week <= end:
            chosen.add(week)
            week = week.next()
            if len(chosen) > MAX_WEEKS:
                raise WrongUseError(f"the range {text} holds more than {MAX_WEEKS} weeks")
    if chosen:
        return sorted(chosen)
    newest = Week.of(now.date()).next(-1)
    while newest.cutoff(project.params.site.cutoff_hours) > now:
        newest = newest.next(-1)
    return [newest.next(-back) for back in reversed(range(options.last or 1))]


def run(options: argparse.Namespace) -> int:
    """The command; returns the exit code."""
    from gazette.build import build  # noqa: PLC0415
    from gazette.cli._progress import listener  # noqa: PLC0415
    from gazette.editions import read_signer  # noqa: PLC0415

    project = open_project(options)
    key = options.key or os.environ.get(SIGNING_KEY)
    signer = read_signer(key) if key else None
    now = datetime.now(UTC).replace(tzinfo=None)
    weeks = _weeks(options, project, now)
    with listener() as watching:
        report = build(
            project,
            weeks,
            now=now,
            engine=options.engine,
            force=options.force,
            publish=not options.no_publish,
            listener=watching,
            signer=signer,
        )
    failed = sum(len(b.failed) for b in report.editions)
    say(options, _as_json(report), _as_text(report, project, publish=not options.no_publish))
    return 1 if failed else 0


def _as_json(report: Report) -> dict[str, object]:
    return {
        "editions": [
            {
                "edition": b.edition,
                "status": b.status,
                "manifest": b.digest,
                "seconds": round(b.seconds, 1),
                "warnings": list(b.warnings),
                "notebooks": [
                    {
                        "page": o.page,
                        "status": o.status,
                        "seconds": round(o.seconds, 1),
                        "peak_memory_mb": round(o.peak_memory_mb),
                        "failure": o.failure.what if o.failure else None,
                    }
                    for o in b.outcomes
                ],
            }
            for b in report.editions
        ],
        "engine": report.engine,
        "site": str(report.site),
        "published": report.published,
    }


def _as_text(report: Report, project: Project, *, publish: bool) -> str:
    lines = []
    for built in report.editions:
        took = f" in {built.seconds:.0f} s" if built.outcomes else ""
        lines.append(f"{built.edition}: {built.status}{took} (manifest {built.digest[:12]})")
        for outcome in built.outcomes:
            memory = f"{outcome.peak_memory_mb:4.0f} MB" if outcome.peak_memory_mb else "       "
            lines.append(f"  {outcome.status:6} {outcome.seconds:5.1f} s {memory}  {outcome.page}")
            if outcome.failure:
                lines.append(f"         {outcome.failure.what.splitlines()[0]} (owner: {outcome.failure.owner})")
        lines += [f"  warning: {w}" for w in built.warnings]
    failed = sum(len(b.failed) for b in report.editions)
    if failed:
        lines.append(
            f"{failed} page{'s' * (failed != 1)} failed: shown as failed on the pages and in the summary; all others are published."
        )
    if publish:
        place = report.site / "index.html"
        lines.append(
            f"{'Published' if report.published else 'Nothing changed'}: open {place}, or run 'gazette serve' ('make serve')"
        )
    else:
        lines.append(f"Sealed in {project.store.root}; not published.")
    return "\n".join(lines)

"""Commands and their arguments; the work itself is in the rooms below."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gazette.errors import GazetteError, WrongUseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazette.build import Project, Report
    from gazette.editions import Week

__all__ = ["main"]

INTERRUPTED = 130
EPILOG = "Exit code: 0 when all went well, 1 when something in the work failed, 2 on wrong use."
MAX_WEEKS = 520


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--project", type=Path, default=Path(), metavar="DIR", help="the project's folder (default: here)"
    )
    shared.add_argument("--json", action="store_true", help="print the result as JSON, for programs")
    parser = argparse.ArgumentParser(
        prog="gazette", description="The weekly, published record of models and A/B tests.", epilog=EPILOG
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {_version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, help_: str, example: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            parents=[shared],
            help=help_,
            description=help_[0].upper() + help_[1:] + ".",
            epilog=f"example:\n  {example}\n\n{EPILOG}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    demo = add("demo", "make the demo warehouse and model registry, unless they are there", "gazette demo")
    demo.add_argument("--force", action="store_true", help="make them again")
    add("check", "report every problem in the parameters, with file, line and how to mend it", "gazette check --json")
    add("schemas", "write the JSON Schemas that editors use to params/schemas/", "gazette schemas")
    build = add(
        "build", "build, seal and publish weekly editions", "gazette build 2026-W45..2026-W47\n  gazette build --last 3"
    )
    build.add_argument(
        "weeks",
        nargs="*",
        metavar="WEEK",
        help="ISO weeks such as 2026-W47, or ranges such as 2026-W45..2026-W47 (default: the last whole week)",
    )
    build.add_argument("--last", type=int, metavar="N", help="the last N whole weeks")
    build.add_argument(
        "--engine", choices=["auto", "quarto", "embedded"], help="what renders the pages (default: as site.yml says)"
    )
    build.add_argument(
        "--force", action="store_true", help="build the newest edition again, if it has not been published"
    )
    build.add_argument("--no-publish", action="store_true", help="seal, but leave the site as it is")
    from gazette.cli import _analyse  # noqa: PLC0415  light; it imports the rest when it runs

    _analyse.add_options(add("analyse", "read out any file of an A/B test, without a project", _analyse.EXAMPLE))
    from gazette.cli import _export  # noqa: PLC0415  likewise

    _export.add_options(
        add("export", "write rules, routes and dashboards for Prometheus, Alertmanager and Grafana", _export.EXAMPLE)
    )
    serve = add("serve", "serve the published site on this machine alone", "gazette serve --port 8000")
    serve.add_argument("--port", type=int, default=8000, help="port (default: 8000; 0 takes a free one)")
    return parser


def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415

    return version("gazette")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: Without the program's name; by default those of the process.

    Returns:
        The exit code: 0 when all went well, 1 when something in the work failed, 2 on wrong use.
    """
    options = _parser().parse_args(arguments)
    commands = {
        "demo": _demo,
        "check": _check,
        "schemas": _schemas,
        "build": _build,
        "analyse": _run_analyse,
        "export": _run_export,
        "serve": _serve,
    }
    try:
        return commands[options.command](options)
    except WrongUseError as error:
        return _fail(error, options, 2)
    except GazetteError as error:
        return _fail(error, options, 1)
    except KeyboardInterrupt:
        print("gazette: interrupted; nothing half-made was published", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return 1


def _fail(error: GazetteError, options: argparse.Namespace, code: int) -> int:
    if options.json:
        print(json.dumps({"error": {"what": error.what, "where": error.where, "mend": error.mend}}))
    print(f"gazette: {error}", file=sys.stderr)
    return code


def _say(options: argparse.Namespace, content: object, text: str) -> None:
    print(json.dumps(content) if options.json else text)


def _open(options: argparse.Namespace) -> Project:
    from gazette.build import open_project  # noqa: PLC0415  each command imports what it needs

    return open_project(options.project)


def _demo(options: argparse.Namespace) -> int:
    from gazette.demo import generate, is_current  # noqa: PLC0415

    project = _open(options)
    place = project.state / "demo"
    made = options.force or not is_current(place)
    if made:
        generate(place, progress=lambda what: print(f"demo: {what}", file=sys.stderr, flush=True))
    _say(
        options,
        {"demo": str(place), "made": made},
        f"The demo data {'was made in' if made else 'is up to date in'} {place}",
    )
    return 0


def _check(options: argparse.Namespace) -> int:
    from gazette.build import check  # noqa: PLC0415

    found = check(options.project)
    rows = [{"file": p.file, "line": p.line, "key": p.key, "what": p.what, "mend": p.mend} for p in found]
    text = "\n".join(
        [
            *(f"params/{p}" for p in found),
            f"{len(found)} problem{'s' * (len(found) != 1)}" if found else "No problem in the parameters.",
        ]
    )
    _say(options, {"problems": rows}, text)
    return 1 if found else 0


def _schemas(options: argparse.Namespace) -> int:
    from gazette.params import schemas  # noqa: PLC0415

    folder = options.project / "params" / "schemas"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, schema in schemas().items():
            (folder / name).write_text(schema, encoding="utf-8")
    except OSError as error:
        raise WrongUseError(
            f"the schemas cannot be written: {error.strerror}", where=str(folder), mend="run this in a project's folder"
        ) from error
    _say(options, {"schemas": sorted(schemas())}, f"Wrote {len(schemas())} schemas to {folder}")
    return 0


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


def _build(options: argparse.Namespace) -> int:
    from gazette.build import build  # noqa: PLC0415
    from gazette.cli._progress import listener  # noqa: PLC0415

    project = _open(options)
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
        )
    failed = sum(len(b.failed) for b in report.editions)
    _say(options, _as_json(report), _as_text(report, project, publish=not options.no_publish))
    return 1 if failed else 0


def _as_json(report: Report) -> dict[str, object]:
    return {
        "editions": [
            {
                "edition": b.edition,
                "status": b.status,
                "manifest": b.digest,
                "seconds": round(b.seconds, 1),
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
    failed = sum(len(b.failed) for b in report.editions)
    if failed:
        lines.append(
            f"{failed} notebook{'s' * (failed != 1)} failed: shown as failed on the pages and in the summary; all others are published."
        )
    if publish:
        place = report.site / "index.html"
        lines.append(
            f"{'Published' if report.published else 'Nothing changed'}: open {place}, or run 'gazette serve' ('make serve')"
        )
    else:
        lines.append(f"Sealed in {project.store.root}; not published.")
    return "\n".join(lines)


def _run_analyse(options: argparse.Namespace) -> int:
    from gazette.cli._analyse import run  # noqa: PLC0415

    return run(options)


def _run_export(options: argparse.Namespace) -> int:
    from gazette.cli._export import run  # noqa: PLC0415

    written = run(_open(options), options.target, options.to)
    _say(options, {"written": [str(p) for p in written]}, "\n".join(f"Wrote {p}" for p in written))
    return 0


def _serve(options: argparse.Namespace) -> int:
    from gazette.cli._serve import serve  # noqa: PLC0415

    project = _open(options)
    return serve(
        project.output,
        options.port,
        announce=lambda address: _say(
            options, {"address": address}, f"Serving {project.output} at {address} (stop with Ctrl-C)"
        ),
    )

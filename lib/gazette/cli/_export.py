"""``gazette export``: files for Prometheus, Alertmanager and Grafana."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.cli._shared import open_project, say
from gazette.errors import EditionError, WrongUseError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from gazette.build import Project

__all__ = ["EXAMPLE", "HELP", "TARGETS", "add_options", "run"]

HELP = "write rules, routes and dashboards for Prometheus, Alertmanager and Grafana"

TARGETS = ("prometheus", "alertmanager", "grafana", "metrics")
EXAMPLE = """gazette export prometheus --to ops/
  gazette export alertmanager --to ops/
  gazette export grafana --to ops/
  gazette export metrics --to /var/lib/node-exporter/

prometheus writes gazette-rules.yml, and gazette-rules-test.yml for 'promtool test rules'; alertmanager writes
alertmanager.yml (secrets stay in the files that alerts.yml names); grafana writes gazette-serving.json; metrics writes
gazette.prom, what the newest edition knows of models, for the textfile collector. Without --to they go to exports/."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    from pathlib import Path  # noqa: PLC0415

    parser.add_argument("target", choices=TARGETS, help="for which system")
    parser.add_argument("--to", type=Path, metavar="DIR", help="folder to write to (default: exports/ in the project)")


def _yaml(content: object, what: str) -> str:
    import yaml  # noqa: PLC0415

    head = f"# {what}\n# Made by 'gazette export' from params/alerts.yml; change that file, not this one.\n"
    return head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000)


def files(project: Project, target: str) -> dict[str, str]:
    """File name to content.

    Raises:
        EditionError: Metrics are wanted, and there is no edition.
        ParamsError: Routes are wanted, and nobody is named to be told.
    """
    from gazette import exports  # noqa: PLC0415

    params = project.params
    if target == "prometheus":
        tests = exports.unit_tests(params, rule_file="gazette-rules.yml")
        return {
            "gazette-rules.yml": _yaml(exports.rules(params), "Recording and alerting rules for Prometheus."),
            "gazette-rules-test.yml": _yaml(
                tests, "Unit tests of the rules: promtool test rules gazette-rules-test.yml"
            ),
        }
    if target == "alertmanager":
        return {"alertmanager.yml": _yaml(exports.alertmanager(params), "Routes and receivers for Alertmanager.")}
    if target == "grafana":
        return {"gazette-serving.json": exports.grafana(params)}
    weeks = project.store.weeks()
    if not weeks:
        raise EditionError(
            "there is no edition whose figures could be exported",
            where=str(project.store.root),
            mend="run 'gazette build'",
        )
    newest = weeks[-1]
    records = project.store.open(newest).records()
    sealed = newest.cutoff(params.site.cutoff_hours)
    return {"gazette.prom": exports.metrics(records, params.alerts, sealed=sealed)}


def write(project: Project, target: str, to: Path | None) -> list[Path]:
    """Write the files of a target, each whole or not at all; returns where they are."""
    from gazette.editions import refuse_leaks  # noqa: PLC0415

    folder = to if to is not None else project.root / "exports"
    written = []
    made = files(project, target)
    refuse_leaks(((name, text.encode()) for name, text in made.items()), "exported", project.params.site.no_secrets)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in made.items():
            place = folder / name
            making = folder / f".{name}.making"  # Prometheus may read at any time
            making.write_text(content, encoding="utf-8")
            making.replace(place)
            written.append(place)
    except OSError as error:
        raise WrongUseError(
            f"the files cannot be written: {error.strerror}",
            where=str(folder),
            mend="name a folder that can be written with --to",
        ) from error
    return written


def run(options: argparse.Namespace) -> int:
    """The command; returns the exit code."""
    written = write(open_project(options), options.target, options.to)
    say(options, {"written": [str(p) for p in written]}, "\n".join(f"Wrote {p}" for p in written))
    return 0

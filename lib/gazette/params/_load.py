"""Read every parameter file and report all problems at once, each with file, line and mend."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from gazette.errors import ParamsError
from gazette.params._metrics import Alarm, AlertsFile, Metric, MetricsFile, Translation, TranslationsFile
from gazette.params._site import SiteParams
from gazette.params._subjects import Experiment, Model
from gazette.params._types import Sheet

__all__ = ["FILES", "FOLDERS", "Params", "Problem", "load", "problems"]

FILES: dict[str, type[Sheet]] = {
    "site.yml": SiteParams,
    "metrics.yml": MetricsFile,
    "translations.yml": TranslationsFile,
    "alerts.yml": AlertsFile,
}
FOLDERS: dict[str, type[Sheet]] = {"models": Model, "experiments": Experiment}
MAX_BYTES = 1_000_000


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in one place."""

    file: str
    line: int
    key: str
    what: str
    mend: str

    def __str__(self) -> str:
        key = f" {self.key}:" if self.key else ""
        return f"{self.file}:{self.line}:{key} {self.what}\n    mend: {self.mend}"


@dataclass(frozen=True)
class Params:
    """All parameters, checked against each other."""

    site: SiteParams
    metrics: dict[str, Metric]
    translations: list[Translation]
    alerts: list[Alarm]
    models: dict[str, Model]
    experiments: dict[str, Experiment]


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses a key written twice."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if key.value in seen:
            raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} is written twice", key.start_mark)
        seen.add(key.value)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _line(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """Line of the deepest part of ``location`` that the file has."""
    line = 1
    for step in location:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(step)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _fields(model: type[Sheet], location: tuple[int | str, ...]) -> list[str]:
    """Names that the model at ``location`` (a key's parent) knows, by its JSON Schema."""
    schema = model.model_json_schema()
    node: dict[str, Any] = schema
    for step in location:
        node = _resolve(schema, node)
        if isinstance(step, int):
            node = node.get("items", {})
        else:
            extra = node.get("additionalProperties")
            pattern = next(iter(node.get("patternProperties", {}).values()), None)
            node = node.get("properties", {}).get(step) or (extra if isinstance(extra, dict) else pattern) or {}
    return sorted(_resolve(schema, node).get("properties", {}))


def _resolve(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    if "anyOf" in node:
        node = next((n for n in node["anyOf"] if "$ref" in n), node)
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
    return node


def _mend(model: type[Sheet], error: dict[str, Any]) -> tuple[str, str]:
    location, kind, message = error["loc"], error["type"], error["msg"]
    if kind == "extra_forbidden":
        known = _fields(model, location[:-1])
        close = difflib.get_close_matches(str(location[-1]), known, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        return f"unknown key {location[-1]!r}", f"{hint}known keys: {', '.join(known)}"
    if kind == "missing":
        return f"missing key {location[-1]!r}", f"add '{location[-1]}: …' here"
    found = error.get("input")
    shown = f"; found {found!r}" if isinstance(found, (str, int, float, bool)) or found is None else ""
    return (
        f"{message.removeprefix('Value error, ')}{shown}",
        "change the value as said; the JSON Schema lists what fits",
    )


def _read(path: Path, name: str, model: type[Sheet], found: list[Problem]) -> tuple[Any, yaml.Node | None]:
    """Parse and validate one file; what is wrong goes to ``found`` and the value is None."""
    try:
        if path.stat().st_size > MAX_BYTES:
            found.append(
                Problem(name, 1, "", "larger than 1 MB", "a parameter file is written by hand; check what this is")
            )
            return None, None
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=_Loader)
        data = yaml.load(text, Loader=_Loader)  # noqa: S506  _Loader is a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error)
        found.append(
            Problem(name, mark.line + 1 if mark else 1, "", f"not YAML: {what}", "check indentation, quotes and colons")
        )
        return None, None
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        found.append(Problem(name, 1, "", f"cannot be read: {error}", "save it as UTF-8 text and check its rights"))
        return None, None
    if not isinstance(data, dict):
        found.append(Problem(name, 1, "", "is empty or not a mapping", "write 'key: value' lines; see the JSON Schema"))
        return None, None
    try:
        return model.model_validate(data), node
    except ValidationError as error:
        for item in error.errors():
            what, mend = _mend(model, dict(item))
            key = ".".join(str(part) for part in item["loc"])
            found.append(Problem(name, _line(node, item["loc"]), key, what, mend))
        return None, node


def _unknown_metric(
    known: dict[str, Metric], name: str, node: yaml.Node | None, key: tuple[int | str, ...], metric: str
) -> Problem:
    close = difflib.get_close_matches(metric, known, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return Problem(
        name,
        _line(node, key),
        ".".join(str(k) for k in key),
        f"unknown metric {metric!r}",
        f"{hint}define it in metrics.yml (known: {', '.join(sorted(known)) or 'none'})",
    )


def _cross_check(  # noqa: C901  one loop a file
    params: Params, nodes: dict[str, yaml.Node | None], found: list[Problem]
) -> None:
    """Problems that only show when files are read together."""
    for subject in params.experiments.values():
        name = f"experiments/{subject.id}.yml"
        node = nodes.get(name)
        keys: list[tuple[tuple[int | str, ...], str]] = [(("primary",), subject.primary)]
        keys += [(("secondary", i), m) for i, m in enumerate(subject.secondary)]
        keys += [(("guardrails", i, "metric"), g.metric) for i, g in enumerate(subject.guardrails)]
        for key, metric in keys:
            if metric not in params.metrics:
                found.append(_unknown_metric(params.metrics, name, node, key, metric))
            elif params.metrics[metric].fact is None:
                found.append(
                    Problem(
                        name,
                        _line(node, key),
                        ".".join(str(k) for k in key),
                        f"metric {metric!r} has no fact, so an experiment cannot measure it",
                        "add 'fact:' to it in metrics.yml",
                    )
                )
    for model in params.models.values():
        name = f"models/{model.id}.yml"
        for i, quality in enumerate(model.scores.quality):
            if quality.metric not in params.metrics:
                key = ("scores", "quality", i, "metric")
                found.append(_unknown_metric(params.metrics, name, nodes.get(name), key, quality.metric))
    for i, row in enumerate(params.translations):
        for side in ("technical", "business"):
            if getattr(row, side) not in params.metrics:
                key = ("translations", i, side)
                found.append(
                    _unknown_metric(
                        params.metrics, "translations.yml", nodes.get("translations.yml"), key, getattr(row, side)
                    )
                )
    subjects = {*params.models, *params.experiments}
    for i, card in enumerate(params.site.executive.cards):
        if card.split(".")[0] not in subjects:
            found.append(
                Problem(
                    "site.yml",
                    _line(nodes.get("site.yml"), ("executive", "cards", i)),
                    f"executive.cards.{i}",
                    f"no subject {card.split('.')[0]!r} for card {card!r}",
                    f"start it with one of: {', '.join(sorted(subjects))}",
                )
            )


def _duplicates(rows: list[Any], name: str, group: str, node: yaml.Node | None, found: list[Problem]) -> None:
    seen: set[str] = set()
    for i, row in enumerate(rows):
        if row.id in seen:
            found.append(
                Problem(
                    name,
                    _line(node, (group, i, "id")),
                    f"{group}.{i}.id",
                    f"duplicate id {row.id!r}",
                    "give it an id of its own",
                )
            )
        seen.add(row.id)


def problems(directory: Path) -> tuple[Params | None, list[Problem]]:  # noqa: C901  one paragraph a step
    """Every problem in a folder of parameter files, and the parameters where there is none.

    Args:
        directory: The ``params/`` folder.

    Returns:
        The parameters (None where a file could not be understood) and the problems, sorted by file and line.
    """
    found: list[Problem] = []
    values: dict[str, Any] = {}
    nodes: dict[str, yaml.Node | None] = {}
    if not directory.is_dir():
        return None, [
            Problem(str(directory), 1, "", "no such folder", "run this in a project, or name its folder with --project")
        ]
    for name, model in FILES.items():
        if not (directory / name).is_file():
            found.append(Problem(name, 1, "", "missing file", f"create {name}; its JSON Schema is in schemas/"))
            continue
        values[name], nodes[name] = _read(directory / name, name, model, found)
    subjects: dict[str, dict[str, Any]] = {folder: {} for folder in FOLDERS}
    owners: dict[str, str] = {}
    for folder, model in FOLDERS.items():
        for path in sorted((directory / folder).glob("*.y*ml")) if (directory / folder).is_dir() else []:
            name = f"{folder}/{path.name}"
            value, nodes[name] = _read(path, name, model, found)
            if value is None:
                continue
            line = _line(nodes[name], ("id",))
            if value.id in owners:
                found.append(
                    Problem(name, line, "id", f"duplicate id {value.id!r}, also in {owners[value.id]}", "rename one")
                )
                continue
            if value.id != path.stem:
                found.append(
                    Problem(
                        name,
                        line,
                        "id",
                        f"id {value.id!r} is not the file's name",
                        f"rename the file to {value.id}.yml",
                    )
                )
            owners[value.id] = name
            subjects[folder][value.id] = value
    if values.get("translations.yml"):
        _duplicates(
            values["translations.yml"].translations,
            "translations.yml",
            "translations",
            nodes["translations.yml"],
            found,
        )
    if values.get("alerts.yml"):
        _duplicates(values["alerts.yml"].alerts, "alerts.yml", "alerts", nodes["alerts.yml"], found)
    if not owners and not found:
        found.append(Problem("models/", 1, "", "no model and no experiment", "add a file to models/ or experiments/"))
    if any(values.get(name) is None for name in FILES):
        return None, sorted(found)
    params = Params(
        site=values["site.yml"],
        metrics=values["metrics.yml"].metrics,
        translations=values["translations.yml"].translations,
        alerts=values["alerts.yml"].alerts,
        models=subjects["models"],
        experiments=subjects["experiments"],
    )
    _cross_check(params, nodes, found)
    return params, sorted(found)


def load(directory: Path) -> Params:
    """Read and check a folder of parameter files.

    Raises:
        ParamsError: Something is wrong; the message lists every problem with file, line and mend.
    """
    params, found = problems(directory)
    if params is None or found:
        listing = "\n".join(str(problem) for problem in found)
        raise ParamsError(f"{len(found)} problem{'s' if len(found) != 1 else ''} in the parameters\n{listing}")
    return params

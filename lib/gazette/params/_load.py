"""Read every parameter file and report all problems at once, each with file, line and mend."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from gazette.errors import ParamsError
from gazette.params._across import across
from gazette.params._alerts import AlertsFile
from gazette.params._annotations import Annotation, AnnotationsFile
from gazette.params._experiment import Experiment
from gazette.params._glossary import GlossaryFile
from gazette.params._metrics import Metric, MetricsFile
from gazette.params._model import Model
from gazette.params._problem import Location, Problem, Source
from gazette.params._prose import Prose, prose
from gazette.params._reconciliations import ReconciliationsFile
from gazette.params._site import SiteParams
from gazette.params._strange import strange_files
from gazette.params._translations import MoneyBase, Target, Translation, TranslationsFile
from gazette.params._types import Sheet

__all__ = [
    "FILES",
    "FOLDERS",
    "OPTIONAL",
    "Params",
    "Problem",
    "load",
    "problems",
    "published_prose",
    "read",
    "read_sheet",
]

FILES: dict[str, type[Sheet]] = {
    "site.yml": SiteParams,
    "metrics.yml": MetricsFile,
    "translations.yml": TranslationsFile,
    "alerts.yml": AlertsFile,
}
OPTIONAL: dict[str, type[Sheet]] = {
    "annotations.yml": AnnotationsFile,
    "glossary.yml": GlossaryFile,
    "reconciliations.yml": ReconciliationsFile,
}
FOLDERS: dict[str, type[Sheet]] = {"models": Model, "experiments": Experiment}
EMPTY = {"metrics.yml": "metrics: {}", "translations.yml": "translations: []", "alerts.yml": "alerts: []"}
NOBODY = Problem(
    "models/",
    1,
    "",
    "no model and no experiment",
    "begin one by 'gazette new model NAME' or 'gazette new experiment NAME', or add a file to models/ or experiments/",
)
MOST_NODES = 200_000  # a file of a thousand lines has a few thousand
MAX_BYTES = 1_000_000
NUMERIC = {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}
OCTAL = re.compile(r"[-+]?0[0-7_]+")
UNWRITABLE = re.compile("[\ud800-\udfff\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True)
class Params:
    """All parameters, checked against each other."""

    site: SiteParams
    metrics: dict[str, Metric]
    translations: list[Translation]
    bases: list[MoneyBase]
    targets: list[Target]
    alerts: AlertsFile
    annotations: list[Annotation]
    glossary: GlossaryFile
    models: dict[str, Model]
    experiments: dict[str, Experiment]
    reconciliations: ReconciliationsFile | None = None


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses a key written twice."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key is a list or a mapping", key.start_mark)
        if key.value in seen:
            raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} is written twice", key.start_mark)
        seen.add(key.value)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _fields(model: type[Sheet], location: Location) -> list[str]:
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
    mend = "change the value as said; the JSON Schema lists what fits"
    if kind == "string_type" and isinstance(found, bool):
        mend = "write the text in quotes, such as 'off': YAML takes on, off, yes and no for true and false"
    return f"{message.removeprefix('Value error, ')}{shown}", mend


def _scalars(document: yaml.Node | None) -> Iterator[tuple[str, yaml.ScalarNode]]:
    """Every text and number of a file, keys included, with the key that it stands under; what many aliases stand for once."""
    todo: list[tuple[str, yaml.Node | None]] = [("", document)]
    seen: set[int] = set()
    while todo:
        key, node = todo.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            yield key, node
        elif isinstance(node, yaml.SequenceNode):
            todo += [(f"{key}.{i}".lstrip("."), value) for i, value in enumerate(node.value)]
        elif isinstance(node, yaml.MappingNode):
            for named, value in node.value:
                todo += [(key, named), (f"{key}.{UNWRITABLE.sub('?', str(named.value))}".lstrip("."), value)]


def _unwritable(name: str, document: yaml.Node | None) -> Iterator[Problem]:
    """Texts, written as escapes, that no file and no page can hold: halves of surrogate pairs, control characters."""
    for key, node in _scalars(document):
        for sign in sorted(set(UNWRITABLE.findall(str(node.value)))):
            what = "half of a surrogate pair" if "\ud800" <= sign <= "\udfff" else "a control character"
            mend = "write the sign itself, or \\U and its eight digits" if what[0] == "h" else "leave it out"
            yield Problem(name, node.start_mark.line + 1, key, f"holds {what}, U+{ord(sign):04X}", mend)


def _misread(name: str, document: yaml.Node | None) -> Iterator[Problem]:
    """Numbers that YAML takes for others than are written: a nought in front makes them octal, colons make them of base sixty."""
    for key, node in _scalars(document):
        written = str(node.value)
        if node.tag not in NUMERIC:
            continue
        text = f"; or {written!r} in quotes, where it is text"
        if ":" in written:
            what, mend = "base sixty", f"write a number without colons{text}"
        elif OCTAL.fullmatch(written):
            sign = "-" * written.startswith("-")
            what, mend = "base eight", f"write {sign}{written.lstrip('+-0_') or '0'}{text}"
        else:
            continue
        yield Problem(name, node.start_mark.line + 1, key, f"{written} would be read as a number of {what}", mend)


def _spread(node: yaml.Node | None) -> int:
    """Nodes that a document has once every alias is written out; counted, not written."""
    sizes: dict[int, int] = {}
    todo: list[tuple[yaml.Node, bool]] = [(node, False)] if node is not None else []
    while todo:
        one, seen = todo.pop()
        parts = one.value if isinstance(one, yaml.CollectionNode) else []
        children = [p for part in parts for p in (part if isinstance(part, tuple) else (part,))]
        if seen:
            sizes[id(one)] = 1 + sum(sizes.get(id(c), 1) for c in children)
        elif id(one) not in sizes:
            sizes[id(one)] = 1  # of an alias of itself, until it is known
            todo += [(one, True), *((c, False) for c in children if id(c) not in sizes)]
    return sizes[id(node)] if node is not None else 0


def read(path: Path, name: str, found: list[Problem]) -> Source | None:
    """Parse one file; what is wrong goes to ``found``."""
    try:
        if path.stat().st_size > MAX_BYTES:
            found.append(
                Problem(name, 1, "", "larger than 1 MB", "a parameter file is written by hand; check what this is")
            )
            return None
        text = path.read_text(encoding="utf-8")
        loader = _Loader(text)
        node = loader.get_single_node()
        if _spread(node) > MOST_NODES:
            what = "aliases (*name) that repeat each other make it endless"
            found.append(Problem(name, 1, "", what, "write out what is meant"))
            return None
        data = None if node is None else loader.construct_document(node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error)
        found.append(
            Problem(name, mark.line + 1 if mark else 1, "", f"not YAML: {what}", "check indentation, quotes and colons")
        )
        return None
    except (OSError, UnicodeDecodeError) as error:
        found.append(Problem(name, 1, "", f"cannot be read: {error}", "save it as UTF-8 text and check its rights"))
        return None
    except RecursionError:
        mend = "a parameter file is written by hand; check what this is"
        found.append(Problem(name, 1, "", "is nested too deeply", mend))
        return None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        what = f"a value is none of its kind: {str(error).partition(';')[0][:100]}"
        found.append(Problem(name, 1, "", what, "look for a date, time or number that cannot be, or a tag (!!)"))
        return None
    unwritable = list(_unwritable(name, node))
    found += unwritable
    if unwritable:
        return None
    found += _misread(name, node)
    if not isinstance(data, dict):
        found.append(Problem(name, 1, "", "is empty or not a mapping", "write 'key: value' lines; see the JSON Schema"))
        return None
    return Source(name, data, node)


def _validate(source: Source, model: type[Sheet], found: list[Problem]) -> Any:
    try:
        return model.model_validate(source.raw)
    except ValidationError as error:
        found += [source.problem(item["loc"], *_mend(model, dict(item))) for item in error.errors()]
        return None


def read_sheet(path: Path, name: str, model: type[Sheet]) -> tuple[Any, list[Problem]]:
    """One YAML file that lies elsewhere, read by the same rules.

    Args:
        path: The file.
        name: How problems call it.
        model: What it must be.

    Returns:
        The value (None where something is wrong) and its problems, sorted by line.
    """
    found: list[Problem] = []
    source = read(path, name, found)
    value = _validate(source, model, found) if source else None
    return (None if found else value), sorted(found)


def _files(directory: Path, found: list[Problem]) -> dict[str, type[Sheet]]:
    """Names from ``directory``, and what each must be; missing ones go to ``found``."""
    names: dict[str, type[Sheet]] = {}
    for name, model in FILES.items():
        if (directory / name).is_file():
            names[name] = model
        else:
            begun = f" with the line '{EMPTY[name]}', if there is nothing to say yet" if name in EMPTY else ""
            found.append(Problem(name, 1, "", "missing file", f"create {name}{begun}; its JSON Schema is in schemas/"))
    names |= {name: model for name, model in OPTIONAL.items() if (directory / name).is_file()}
    for folder, model in FOLDERS.items():
        if (directory / folder).is_dir():
            names |= {f"{folder}/{path.name}": model for path in sorted((directory / folder).glob("*.y*ml"))}
    return names


def problems(directory: Path, *, bare: bool = False) -> tuple[Params | None, list[Problem]]:
    """Every problem in a folder of parameter files, and the parameters where there is none.

    Args:
        directory: The ``params/`` folder.
        bare: Whether there may be no model and no experiment yet.

    Returns:
        The parameters (None where something is wrong) and the problems, sorted by file and line.
    """
    if not directory.is_dir():
        mend = "run this in a project, or name its folder with --project"
        return None, [Problem(str(directory), 1, "", "no such folder", mend)]
    if found := strange_files(directory.parent, (directory.name,)):
        return None, found
    sources: dict[str, Source] = {}
    values: dict[str, Any] = {}
    names = _files(directory, found)
    for name, model in names.items():
        if source := read(directory / name, name, found):
            sources[name] = source
            values[name] = _validate(source, model, found)
    found += across(sources)
    if not bare and not any("/" in name for name in names):
        found.append(NOBODY)
    if found:
        return None, sorted(found)
    subjects: dict[str, dict[str, Any]] = {
        folder: {v.id: v for n, v in values.items() if n.startswith(f"{folder}/")} for folder in FOLDERS
    }
    return Params(
        site=values["site.yml"],
        metrics=values["metrics.yml"].metrics,
        translations=values["translations.yml"].translations,
        bases=values["translations.yml"].bases,
        targets=values["translations.yml"].targets,
        alerts=values["alerts.yml"],
        annotations=values["annotations.yml"].annotations if "annotations.yml" in values else [],
        glossary=values.get("glossary.yml") or GlossaryFile(),
        models=subjects["models"],
        experiments=subjects["experiments"],
        reconciliations=values.get("reconciliations.yml"),
    ), []


def published_prose(directory: Path) -> list[Prose]:
    """Texts of a folder of parameter files that pages show; of files that can be read."""
    found: list[Problem] = []
    sources = {name: read(directory / name, name, found) for name in _files(directory, found)}
    return list(prose({name: source for name, source in sources.items() if source is not None}))


def load(directory: Path, *, bare: bool = False) -> Params:
    """Read and check a folder of parameter files.

    Args:
        directory: The ``params/`` folder.
        bare: Whether there may be no model and no experiment yet.

    Raises:
        ParamsError: Something is wrong; the message lists every problem with file, line and mend.
    """
    params, found = problems(directory, bare=bare)
    if params is None:
        listing = "\n".join(str(problem) for problem in found)
        raise ParamsError(f"{len(found)} problem{'s' if len(found) != 1 else ''} in the parameters\n{listing}")
    return params

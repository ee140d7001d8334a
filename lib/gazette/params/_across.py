"""Problems that only show when parameter files are read together; on their content as written, so a fault in one hides none in another."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from gazette.params._audience_rules import audience_problems
from gazette.params._model import AT_THRESHOLD, BESIDES, MEASURES
from gazette.params._problem import Location, Problem, Source

__all__ = ["across", "metrics_of_model"]


BUILT_IN = ("model-age", "quality-drop", "data-check")
BUILT_IN_WITH = {
    "labels": ("label-completeness",),
    "features": ("drift-distance",),
    "telemetry": ("availability", "latency-p-99"),
    "business": ("revenue-effect", "nps"),
}
SITE_USES = {
    "operations": ("serving", "alerts"),
    "history": ("win-rate", "cumulative-effect", "realised-share"),
}
FEWEST_CARDS = 3
MATRIX: dict[str, tuple[str, ...]] = {
    "translations": ("technical", "business"),
    "bases": ("metric",),
    "targets": ("technical", "business"),
}
ROWS_THAT_USE: dict[str, dict[str, tuple[str, ...]]] = {
    "translations.yml": MATRIX,
    "reconciliations.yml": {"reconciliations": ("metric",)},
}
RESERVED = ("executive", "history", "metrics", "operations", "portfolio", "recomputed", "reconciliation", "translation")


def across(sources: Mapping[str, Source]) -> Iterator[Problem]:
    """Unknown metrics, facts that experiments need, ids given twice, cards of nobody.

    Args:
        sources: File name, from ``params/``, to its content.
    """
    yield from _metrics(sources)
    yield from _twice(sources)
    yield from _cards(sources)
    yield from audience_problems(sources)
    yield from _registry(sources)
    yield from _remarks(sources)
    yield from _parents(sources)
    yield from _units(sources)
    yield from _diluted(sources)


def _rows(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _uses(name: str, raw: Mapping[str, Any]) -> Iterator[tuple[Location, Any]]:
    """Where a file names metrics, and which."""
    if name.startswith("experiments/"):
        yield ("primary",), raw.get("primary")
        for i, metric in enumerate(_rows(raw.get("secondary"))):
            yield ("secondary", i), metric
        for i, guardrail in enumerate(_rows(raw.get("guardrails"))):
            yield ("guardrails", i, "metric"), _map(guardrail).get("metric")
    elif name.startswith("models/"):
        yield from _model_uses(raw)
    elif name == "site.yml":
        for key, metrics in SITE_USES.items():
            yield from (((key,), metric) for metric in metrics if raw.get(key))
    else:
        for group, sides in ROWS_THAT_USE.get(name, {}).items():
            for i, row in enumerate(_rows(raw.get(group))):
                yield from (((group, i, side), _map(row).get(side)) for side in sides)


def _model_uses(raw: Mapping[str, Any]) -> Iterator[tuple[Location, Any]]:
    """Metrics of a model: those that it names, those of its kind, and those that its page always shows."""
    for i, quality in enumerate(_rows(_map(raw.get("scores")).get("quality"))):
        yield ("scores", "quality", i, "metric"), _map(quality).get("metric")
    scores = _map(raw.get("scores"))
    kind, at_threshold = str(raw.get("kind")), AT_THRESHOLD if scores.get("threshold") else ()
    for metric in (*MEASURES.get(kind, ()), *at_threshold, *BESIDES.get(kind, ())):
        yield ("kind",), metric
    yield from ((("kind",), metric) for metric in BUILT_IN)
    for key, metrics in BUILT_IN_WITH.items():
        yield from (((key,), metric) for metric in metrics if raw.get(key))


def metrics_of_model(raw: Mapping[str, Any]) -> list[str]:
    """Metrics that metrics.yml has to define for a model: its own, those of its kind, and those that its page always shows.

    Args:
        raw: A model's file as read.
    """
    return list(dict.fromkeys(metric for _, metric in _model_uses(raw) if isinstance(metric, str)))


def _metrics(sources: Mapping[str, Source]) -> Iterator[Problem]:
    if "metrics.yml" not in sources:
        return  # its own problem says so, and every use would be one more
    known = _map(sources["metrics.yml"].raw.get("metrics"))
    for name, source in sources.items():
        for key, metric in _uses(name, source.raw):
            if not isinstance(metric, str):
                continue  # missing or malformed, which the file's own problems say
            if metric not in known:
                close = difflib.get_close_matches(metric, known, n=1)
                hint = f"did you mean {close[0]!r}? " if close else ""
                listing = ", ".join(sorted(map(str, known))) or "none"
                yield source.problem(
                    key, f"unknown metric {metric!r}", f"{hint}define it in metrics.yml (known: {listing})"
                )
            elif name.startswith("experiments/") and not _map(known[metric]).get("fact"):
                what = f"metric {metric!r} has no fact, so an experiment cannot measure it"
                yield source.problem(key, what, "add 'fact:' to it in metrics.yml")


def _diluted(sources: Mapping[str, Source]) -> Iterator[Problem]:
    """Money of a triggered test takes an effect that can be spread over everyone who was assigned, as a mean can."""
    known = _map(_map(sources["metrics.yml"].raw).get("metrics")) if "metrics.yml" in sources else {}
    for name, source in sources.items():
        primary = source.raw.get("primary")
        if not name.startswith("experiments/") or not source.raw.get("triggered") or not source.raw.get("impact"):
            continue
        kinds = _map(known.get(primary)) if isinstance(primary, str) else {}
        if kind := next((k for k in ("denominator", "quantile") if kinds.get(k) is not None), None):
            what = f"primary metric {primary!r} has a {kind}: its effect on the triggered says nothing of its effect on everyone assigned"
            yield source.problem(("impact",), what, "leave out impact, or take a mean or a share as the primary metric")


def _twice(sources: Mapping[str, Source]) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for name, source in sources.items():
        if "/" in name:
            own = source.raw.get("id")
            if not isinstance(own, str):
                continue
            if own in owners:
                yield source.problem(("id",), f"duplicate id {own!r}, also in {owners[own]}", "rename one")
            elif own != (stem := name.rpartition("/")[2].rpartition(".")[0]):
                yield source.problem(
                    ("id",), f"id {own!r} is not the file's name", f"rename the file to {own}.yml, or the id to {stem}"
                )
            if own in RESERVED:
                yield source.problem(
                    ("id",), f"id {own!r} is the name of a page that every edition has", "choose another"
                )
            owners.setdefault(own, name)
            continue
        for group in ("translations", "bases", "targets", "alerts", "maintenance", "annotations", "reconciliations"):
            seen: set[str] = set()
            for i, row in enumerate(_rows(source.raw.get(group))):
                one = _map(row).get("id")
                if isinstance(one, str) and one in seen:
                    yield source.problem((group, i, "id"), f"duplicate id {one!r}", "give it an id of its own")
                seen.add(str(one))


def _parents(sources: Mapping[str, Source]) -> Iterator[Problem]:
    """Parents of alerts that are not there, or that lead back to the alert."""
    if "alerts.yml" not in sources:
        return
    source, parents = sources["alerts.yml"], {}
    for row in _rows(source.raw.get("alerts")):
        parents[str(_map(row).get("id"))] = [str(p) for p in _rows(_map(row).get("parents"))]
    for i, row in enumerate(_rows(source.raw.get("alerts"))):
        own, seen, above = str(_map(row).get("id")), set(), list(parents[str(_map(row).get("id"))])
        for parent in above:
            if parent not in parents:
                yield source.problem(
                    ("alerts", i, "parents"), f"no alert {parent!r}", f"there are: {', '.join(parents)}"
                )
        while above:
            one = above.pop()
            if one == own:
                yield source.problem(
                    ("alerts", i, "parents"), "its parents lead back to itself", "take one out of the circle"
                )
                break
            if one not in seen:
                seen.add(one)
                above += parents.get(one, [])


def _units(sources: Mapping[str, Source]) -> Iterator[Problem]:
    """Changes in units that the metric has not; models that a row speaks of, and that are not there."""
    if "translations.yml" not in sources or "metrics.yml" not in sources:
        return
    source, known = sources["translations.yml"], _map(sources["metrics.yml"].raw.get("metrics"))
    models = sorted({str(s.raw.get("id")) for n, s in sources.items() if n.startswith("models/")})
    pairs = {
        "translations": (("technical", "technical_unit"), ("business", "business_unit")),
        "targets": (("business", "unit"),),
    }
    for group, sides in pairs.items():
        for i, row in enumerate(_rows(source.raw.get(group))):
            for side, key in sides:
                metric, unit = _map(row).get(side), _map(row).get(key)
                level = _map(known.get(metric) if isinstance(metric, str) else None).get("unit")
                own = "points" if level in {"fraction", "score", "points"} else "number" if level == "count" else level
                if isinstance(level, str) and isinstance(unit, str) and unit not in {own, "relative"}:
                    what = f"{metric!r} is a {level}, so it does not change in {unit}"
                    yield source.problem((group, i, key), what, f"write {own}, or relative for per cent of its level")
    for group in ("translations", "bases"):
        for i, row in enumerate(_rows(source.raw.get(group))):
            for model in _rows(_map(row).get("models")):
                if isinstance(model, str) and model not in models:
                    what = f"no model {model!r}"
                    yield source.problem((group, i, "models"), what, f"there are: {', '.join(models) or 'none'}")


def _remarks(sources: Mapping[str, Source]) -> Iterator[Problem]:
    """Annotations of nobody."""
    if "annotations.yml" not in sources:
        return
    source, known = sources["annotations.yml"], sorted({str(s.raw.get("id")) for n, s in sources.items() if "/" in n})
    for i, row in enumerate(_rows(source.raw.get("annotations"))):
        subject = _map(row).get("subject")
        if isinstance(subject, str) and subject not in known:
            yield source.problem(
                ("annotations", i, "subject"), f"no subject {subject!r}", f"there are: {', '.join(known)}"
            )


def _registry(sources: Mapping[str, Source]) -> Iterator[Problem]:
    """Versions of models are in MLflow; a project of tests alone has none."""
    models = [name for name in sources if name.startswith("models/")]
    if models and "site.yml" in sources and sources["site.yml"].raw.get("mlflow") is None:
        what = f"no 'mlflow', which models are read from ({', '.join(models)})"
        yield sources["site.yml"].problem(
            ("mlflow",), what, "add 'mlflow: sqlite:///mlflow.db', or http://… of a server"
        )


def _cards(sources: Mapping[str, Source]) -> Iterator[Problem]:
    if "site.yml" not in sources:
        return
    site = sources["site.yml"]
    known = sorted({str(s.raw.get("id")) for n, s in sources.items() if "/" in n})
    cards = _map(site.raw.get("executive")).get("cards")
    measured = [n for n, s in sources.items() if n.startswith("models/") and s.raw.get("business")]
    if isinstance(cards, list | None) and len(_rows(cards)) < FEWEST_CARDS and measured:
        what = f"{len(_rows(cards))} cards, where a model has business figures ({', '.join(measured)})"
        yield site.problem(("executive", "cards"), what, f"name at least {FEWEST_CARDS}, at most 5")
    for i, card in enumerate(_rows(cards)):
        subject = str(card).split(".", maxsplit=1)[0]
        if subject not in known:
            key = ("executive", "cards", i)
            yield site.problem(
                key, f"no subject {subject!r} for card {card!r}", f"start it with one of: {', '.join(known)}"
            )

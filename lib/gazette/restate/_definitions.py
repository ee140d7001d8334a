"""What of today's definitions a page's numbers depend on, and how it differs from what was in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazette.params import Experiment, Model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gazette.params import Metric, Params
    from gazette.record import Record

__all__ = ["differences", "sheet_of"]

WORDS = {"title", "owner", "description", "hypothesis", "changelog", "definition", "formula", "code", "notes", "source"}
STATE = {"registry", "review_by", "card", "notebook"}  # name what is so today, or only describe


def sheet_of(params: Params, page: str) -> Model | Experiment | None:
    """The parameter file of a subject, None where there is none."""
    return params.models.get(page) or params.experiments.get(page)


def _bare(content: Any, without: set[str]) -> Any:
    """The content without words that only explain."""
    if isinstance(content, dict):
        return {k: _bare(v, without) for k, v in content.items() if k not in without}
    if isinstance(content, list):
        return [_bare(v, without) for v in content]
    return content


def _parts(params: Params, page: str, record: Record) -> dict[str, Any]:
    """Name to content of all definitions that the page's numbers may depend on."""
    sheet = sheet_of(params, page)
    names = {n.metric for n in record.numbers} & params.metrics.keys()
    if isinstance(sheet, Experiment):
        names |= {m for m in sheet.metrics if m in params.metrics}
    found = {f"metric {name}": _measured(params.metrics[name]) for name in sorted(names)}
    if isinstance(sheet, Experiment):
        found[f"experiments/{page}.yml"] = _bare(sheet.model_dump(mode="json"), WORDS | STATE)
    elif isinstance(sheet, Model):
        found[f"models/{page}.yml"] = _bare(sheet.model_dump(mode="json"), WORDS | STATE)
    if not isinstance(sheet, Experiment):
        found["alerts.yml"] = _bare(params.alerts.model_dump(mode="json"), WORDS)
    rows = [*params.translations, *params.bases, *params.targets]
    found["translations.yml"] = [_bare(r.model_dump(mode="json"), WORDS) for r in rows]
    found["currency"] = params.site.currency
    return found


def _measured(metric: Metric) -> Any:
    return _bare(metric.model_dump(mode="json"), WORDS)


def differences(before: Params, after: Params, page: str, record: Record) -> str:
    """What changed in words: entries of changelogs where there are any, else files and keys; empty where nothing did."""
    return "; ".join(_differences(before, after, page, record))


def _differences(before: Params, after: Params, page: str, record: Record) -> Iterator[str]:
    old, new = _parts(before, page, record), _parts(after, page, record)
    for name in [n for n in (*new, *(o for o in old if o not in new)) if old.get(n) != new.get(n)]:
        metric = name.removeprefix("metric ")
        if metric == name:
            keys = _keys(old.get(name), new.get(name))
            yield f"{name}: {', '.join(keys)}" if keys else name
        elif metric not in after.metrics:
            yield f"{before.metrics[metric].title} is no longer defined"
        else:
            known = len(before.metrics[metric].changelog) if metric in before.metrics else 0
            entries = after.metrics[metric].changelog[known:]
            title = after.metrics[metric].title
            told = [f"{title}, definition {e.version} of {e.date:%Y-%m-%d} ({e.author}): {e.change}" for e in entries]
            yield (
                "; ".join(told)
                or f"{title}: {', '.join(_keys(old.get(name), new.get(name)))}, with no entry in its changelog"
            )


def _keys(old: Any, new: Any) -> list[str]:
    if not isinstance(old, dict) or not isinstance(new, dict):
        return []
    return sorted(k for k in old.keys() | new.keys() if old.get(k) != new.get(k))

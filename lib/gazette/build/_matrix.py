"""What the page of the translation matrix needs of earlier editions: since when a row is as it is, what versions did."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from gazette.record import NotPublished, canonical_json
from gazette.sources import Answer
from gazette.stats import z_of
from gazette.translation import change_unit

if TYPE_CHECKING:
    from gazette.build._project import Project
    from gazette.editions import Sealed, Week
    from gazette.params import Params, Translation

__all__ = ["TRANSLATION", "translation_answers"]

TRANSLATION = "translation"
AGAINST = ".vs-baseline"


def translation_answers(project: Project, week: Week) -> list[Answer]:
    """Rows with the edition that first held them as they are, and changes that model versions brought in earlier editions.

    Only the edition before is read: it carries what it knew of those before it, so the cost does not grow with their number.
    """
    import pyarrow as pa  # noqa: PLC0415  slow to import, needed only here

    before = project.store.before(week)
    sealed = project.store.open(before) if before else None
    rows_schema = pa.schema(
        [(n, pa.string()) for n in ("row", "digest", "edition")] + [("version", pa.int64()), ("explained", pa.bool_())]
    )
    rows = _rows(project.params, str(week), _read(sealed, "rows"))
    schema = pa.schema(
        [(n, pa.string()) for n in ("edition", "model", "version", "metric", "unit")]
        + [("change", pa.float64()), ("error", pa.float64())]
    )
    versions = _versions(project.params, str(before), sealed, _read(sealed, "versions"))
    source = f"edition {before} and what it knew of those before it" if before else "there is no earlier edition"
    return [
        Answer("rows", f"Rows of params/translations.yml; {source}.\n", pa.Table.from_pylist(rows, rows_schema)),
        Answer(
            "versions", f"Model versions against their baseline; {source}.\n", pa.Table.from_pylist(versions, schema)
        ),
    ]


def _read(sealed: Sealed | None, query: str) -> list[dict[str, Any]]:
    snapshot = sealed.snapshot(TRANSLATION) if sealed else None
    if snapshot is None or not snapshot.has(query):
        return []
    return [{str(k): v for k, v in row.items()} for row in snapshot.table(query).to_dict("records")]


def _digest(row: Translation) -> str:
    return hashlib.sha256(canonical_json(row.model_dump(mode="json")).encode()).hexdigest()


def _rows(params: Params, edition: str, before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    known = {r["row"]: r for r in before}
    found = []
    for row in params.translations:
        digest, version = _digest(row), row.changelog[-1].version
        old = known.get(row.id)
        same = old is not None and old["digest"] == digest
        explained = bool(old["explained"]) if old and same else old is None or version > int(old["version"])
        since = str(old["edition"]) if old and same else edition
        found.append({"row": row.id, "digest": digest, "edition": since, "version": version, "explained": explained})
    return found


def _versions(
    params: Params, edition: str, sealed: Sealed | None, before: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """One row per version and metric, as the newest edition that had it live said."""
    metrics = {m for row in params.translations for m in (row.technical, row.business)}
    found = {(r["model"], r["version"], r["metric"], r["unit"]): r for r in before}
    for model in sorted(params.models):
        record = sealed.record(model) if sealed else None
        if record is None:
            continue
        version = record.facts.get("live", "")
        for number in record.numbers:
            metric = number.id.removeprefix(f"{model}.").removesuffix(AGAINST)
            if not version or number.id != f"{model}.{metric}{AGAINST}" or metric not in metrics:
                continue
            if isinstance(number.value, NotPublished) or number.interval is None:
                continue
            error = (number.interval.high - number.interval.low) / 2 / z_of(number.interval.level)
            if error <= 0:
                continue
            unit = change_unit(number.unit)
            found[model, version, metric, unit] = {
                "edition": edition,
                "model": model,
                "version": version,
                "metric": metric,
                "unit": unit,
                "change": number.value,
                "error": error,
            }
    return [found[key] for key in sorted(found)]

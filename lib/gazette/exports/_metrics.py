"""What an edition knows of models, as metrics that Prometheus can read from a file (the textfile collector's format)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.exports._prometheus import seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from gazette.params import AlertsFile
    from gazette.record import Record

__all__ = ["metrics"]

VALUES = {
    "drift-distance": ("gazette_drift_distance", "Largest Jensen-Shannon distance of a feature, base 2."),
    "quality-drop": ("gazette_quality_drop", "Loss of the main measure against the four weeks before."),
    "label-completeness": ("gazette_label_fraction", "Share of outcomes known."),
}
TIMES = {
    "trained_at": ("gazette_model_trained_timestamp_seconds", "When the live version was trained."),
    "deployed_at": ("gazette_model_deployed_timestamp_seconds", "When the live version went live."),
}


def metrics(records: Sequence[Record], alerts: AlertsFile, *, sealed: datetime) -> str:
    """The text to write where the collector looks.

    Args:
        records: Of the newest edition.
        alerts: For planned maintenance.
        sealed: The edition's data cut-off, UTC without zone.
    """
    models = [r for r in records if r.kind == "model"]
    lines: list[str] = []
    for suffix, (name, help_) in VALUES.items():
        rows = [
            (r.subject, n.value)
            for r in models
            for n in r.numbers
            if n.id == f"{r.subject}.{suffix}" and isinstance(n.value, float)
        ]
        lines += _family(name, help_, "model", rows)
    for fact, (name, help_) in TIMES.items():
        rows = [(r.subject, t) for r in models if (t := _time(r.facts.get(fact, ""))) is not None]
        lines += _family(name, help_, "model", rows)
    lines += _family(
        "gazette_edition_timestamp_seconds", "Data cut-off of the newest edition.", "", [("", float(seconds(sealed)))]
    )
    planned = [(m.id, float(seconds(m.start))) for m in alerts.maintenance]
    lines += _family("gazette_maintenance_start_timestamp_seconds", "Start of planned maintenance.", "window", planned)
    return "\n".join(lines) + "\n"


def _time(text: str) -> float | None:
    from datetime import datetime  # noqa: PLC0415

    try:
        return float(seconds(datetime.fromisoformat(text)))
    except ValueError:
        return None


def _family(name: str, help_: str, label: str, rows: Iterable[tuple[str, float]]) -> list[str]:
    found = [f"{name}{{{label}={_quoted(k)}}} {v:.10g}" if label else f"{name} {v:.10g}" for k, v in rows]
    return [f"# HELP {name} {help_}", f"# TYPE {name} gauge", *found] if found else []


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'

"""Prometheus rules from the registry of thresholds."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from gazette.params import SIGNALS, quantile

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from gazette.params import Alarm, AlertsFile, Params

__all__ = ["MISSING", "alert_name", "expression", "rules", "seconds", "services"]

WINDOW = "5m"
MISSING = "TelemetryMissing"
FORMS = {"fraction": "humanizePercentage", "relative": "humanizePercentage"}
WORDS = {"ms": " ms", "days": " days", "hours": " hours"}
FURTHER = {
    "latency_p50": quantile(0.5, "model_request_duration_seconds"),
    "latency_p95": quantile(0.95, "model_request_duration_seconds"),
    "request_rate": "sum by (service) (rate(model_requests_total[{w}]))",
}


def alert_name(id_: str) -> str:
    """The alert's name in Prometheus.

    >>> alert_name("cache-cold")
    'CacheCold'
    """
    return "".join(part.capitalize() for part in id_.split("-"))


def seconds(at: datetime) -> int:
    """Seconds since 1970 of a time that is UTC without zone."""
    from datetime import UTC  # noqa: PLC0415

    return int(at.replace(tzinfo=at.tzinfo or UTC).timestamp())


def expression(alarm: Alarm) -> str:
    """What must hold for the alert to fire.

    The newest value within the grace counts, so a scrape that is late neither fires nor resolves anything; a service in
    maintenance is left out.
    """
    signal = SIGNALS[alarm.signal]
    chosen = f'{{{signal.label}=~"{"|".join(map(_quoted, alarm.only))}"}}' if alarm.only and signal.label else ""
    side = f"> {alarm.above:g}" if alarm.above is not None else f"< {alarm.below:g}"
    text = f"last_over_time(gazette:{alarm.signal}{chosen}[{alarm.grace_minutes}m]) {side}"
    return f"{text} unless on (service) gazette:maintenance" if signal.scope == "service" else text


def _quoted(name: str) -> str:
    """A name within a regular expression within a PromQL string."""
    return re.escape(name).replace("\\", "\\\\").replace('"', '\\"')


def _plain(text: str) -> str:
    """Text that a template leaves as it is."""
    return re.sub(r"\{\{|\}\}", lambda m: f'{{{{ "{m[0]}" }}}}', text)


def _recordings(alerts: AlertsFile) -> Iterable[dict[str, Any]]:
    for name, text in {**{k: s.promql for k, s in SIGNALS.items()}, **FURTHER}.items():
        wanted = alerts.promql.get(name, text)  # type: ignore[call-overload]
        yield {"record": f"gazette:{name}", "expr": wanted.replace("{w}", WINDOW)}


def _maintenance(alerts: AlertsFile) -> Iterable[dict[str, Any]]:
    for window in alerts.maintenance:
        start, until = seconds(window.start), seconds(window.until)
        for service in window.services:
            yield {
                "record": "gazette:maintenance",
                "expr": f"vector(1) and (vector(time()) >= {start}) and (vector(time()) < {until})",
                "labels": {"service": service, "window": window.id},
            }


def _alert(alarm: Alarm) -> dict[str, Any]:
    signal = SIGNALS[alarm.signal]
    value = f"{{{{ $value | {FORMS[signal.unit]} }}}}" if signal.unit in FORMS else '{{ $value | printf "%.4g" }}'
    limit = f"{100 * alarm.limit:g}%" if signal.unit in FORMS else f"{alarm.limit:g}"
    unit = WORDS.get(signal.unit, "")
    side = "above" if alarm.above is not None else "below"
    about = f"{{{{ $labels.{signal.label} }}}}: " if signal.label else ""
    return {
        "alert": alert_name(alarm.id),
        "expr": expression(alarm),
        **({"for": f"{alarm.for_minutes}m"} if alarm.for_minutes else {}),
        "labels": {"severity": alarm.tier, "alert_id": alarm.id, "owner": alarm.owner},
        "annotations": {
            "summary": _plain(alarm.title),
            "description": f"{about}{signal.title} is {value}{unit}, {side} {limit}{unit}.",
            "runbook": _plain(alarm.runbook),
        },
    }


def _missing(params: Params) -> Iterable[dict[str, Any]]:
    """Silence is no good news: services of which nothing is heard."""
    heard = [f"absent_over_time(gazette:request_rate{{service={json.dumps(s)}}}[15m])" for s in services(params)]
    if heard:
        yield {
            "alert": MISSING,
            "expr": f"({' or '.join(heard)}) unless on (service) gazette:maintenance",
            "for": "15m",
            "labels": {"severity": "warning", "alert_id": "telemetry-missing"},
            "annotations": {
                "summary": "Nothing is heard of a service",
                "description": "{{ $labels.service }}: no requests were counted for half an hour; is it down, or not scraped?",
                "runbook": "Look at the scrape target in Prometheus, then at the service.",
            },
        }


def services(params: Params) -> list[str]:
    """Names under which models are served."""
    return sorted({m.telemetry.service for m in params.models.values() if m.telemetry is not None})


def rules(params: Params) -> dict[str, Any]:
    """The rule file: recordings of every signal, windows of maintenance, alerts."""
    groups = [
        {"name": "gazette-signals", "interval": "1m", "rules": [*_recordings(params.alerts)]},
        {"name": "gazette-maintenance", "interval": "1m", "rules": [*_maintenance(params.alerts)]},
        {
            "name": "gazette-alerts",
            "interval": "1m",
            "rules": [*map(_alert, params.alerts.alerts), *_missing(params)],
        },
    ]
    return {"groups": [g for g in groups if g["rules"]]}

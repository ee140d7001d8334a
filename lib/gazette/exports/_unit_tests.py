"""Unit tests for ``promtool``: every alert once firing and once not, from series of the raw metrics."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gazette.exports._prometheus import MISSING, alert_name, services
from gazette.params import SIGNALS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gazette.params import Alarm, Params

__all__ = ["unit_tests"]

DAY = 1440
SETTLE = 40  # minutes until rates over their window are what they stay
Series = list[dict[str, str]]


def _constant(name: str, value: float, minutes: int) -> dict[str, str]:
    return {"series": name, "values": f"{value:.10g}+0x{minutes}"}


def _counter(name: str, per_minute: float, minutes: int) -> dict[str, str]:
    return {"series": name, "values": f"0+{per_minute:.10g}x{minutes}"}


def _histogram(metric: str, service: str, p99_ms: float, minutes: int) -> Series:
    """All answers in one bucket whose 99th hundredth is the value."""
    edge = max(p99_ms, 0.001) / 0.99 / 1000
    return [
        _counter(f'{metric}_bucket{{service="{service}",le="{edge:.10g}"}}', 600, minutes),
        _counter(f'{metric}_bucket{{service="{service}",le="+Inf"}}', 600, minutes),
    ]


def _rising(service: str, per_day: float, minutes: int) -> Series:
    """Answer times that rise from ``level`` by ``per_day``: the share above the first bucket's edge grows every half hour.

    With a share f above the edge a of the bucket (a, b] the quantile is a + (b - a) * (1 - 0.01 / f).
    """
    low, width, step = 0.1, max(0.4, per_day / 1000 * 4), 30
    start = 0.05
    metric = f'model_request_duration_seconds_bucket{{service="{service}"'
    values, total = [], 0.0
    for i in range(minutes // step):
        wanted = start + per_day / 1000 * (i * step / DAY)
        share = 0.01 / (1 - min(wanted / width, 0.99))
        below = 600 * (1 - share)
        values.append(f"{total:.10g}+{below:.10g}x{step - 1}")
        total += below * step
    return [
        {"series": f'{metric},le="{low}"}}', "values": " ".join(values)},
        _counter(f'{metric},le="{low + width:.10g}"}}', 600, minutes),
        _counter(f'{metric},le="+Inf"}}', 600, minutes),
    ]


def _series(signal: str, subject: str, value: float, minutes: int) -> Series:
    """Raw metrics that make a signal this value, ``minutes`` long, one point a minute."""
    service, now = f'{{service="{subject}"}}', minutes * 60
    if signal == "error_ratio":
        errors, requests = f"model_request_errors_total{service}", f"model_requests_total{service}"
        return [_counter(errors, 6000 * value, minutes), _counter(requests, 6000, minutes)]
    if signal == "cache_hit_ratio":
        hits, misses = f"model_cache_hits_total{service}", f"model_cache_misses_total{service}"
        return [_counter(hits, 6000 * value, minutes), _counter(misses, 6000 * (1 - value), minutes)]
    if signal == "latency_p99":
        return _histogram("model_request_duration_seconds", subject, value, minutes)
    if signal == "feature_store_p99":
        return _histogram("feature_store_request_duration_seconds", subject, value, minutes)
    if signal == "latency_trend":
        return _rising(subject, value, minutes)
    if signal == "oom_kills":
        return [_counter(f"model_oom_kills_total{service}", value / 15, minutes)]
    if signal == "versions":
        return [
            _constant(f'model_info{{service="{subject}",version="v{i}"}}', 1, minutes)
            for i in range(max(1, round(value)))
        ]
    gauges: Mapping[str, tuple[str, float]] = {
        "cpu": (f"model_cpu_utilisation_ratio{service}", value),
        "memory": (f"model_memory_utilisation_ratio{service}", value),
        "gpu": (f"model_gpu_utilisation_ratio{service}", value),
        "pipeline_failed": (f'pipeline_last_run_failed{{pipeline="{subject}"}}', value),
        "pipeline_age": (f'pipeline_last_success_timestamp_seconds{{pipeline="{subject}"}}', now - 3600 * value),
        "drift_distance": (f'gazette_drift_distance{{model="{subject}"}}', value),
        "quality_drop": (f'gazette_quality_drop{{model="{subject}"}}', value),
        "label_fraction": (f'gazette_label_fraction{{model="{subject}"}}', value),
        "model_age": (f'gazette_model_trained_timestamp_seconds{{model="{subject}"}}', now - 86400 * value),
        "deployment_age": (f'gazette_model_deployed_timestamp_seconds{{model="{subject}"}}', now - 86400 * value),
        "edition_age": ("gazette_edition_timestamp_seconds", now - 3600 * value),
        "maintenance_in": (f'gazette_maintenance_start_timestamp_seconds{{window="{subject}"}}', now + 3600 * value),
    }
    name, constant = gauges[signal]
    return [_constant(name, constant, minutes)]


def _beyond(alarm: Alarm) -> tuple[float, float]:
    """A value that fires, and one that does not: a fifth to either side of the limit, whole ones for counts."""
    limit, unit = alarm.limit, SIGNALS[alarm.signal].unit
    margin = 1.0 if unit == "count" else (abs(limit) * 0.2 or 0.1)
    over, under = limit + margin, limit - margin
    if unit == "fraction":
        over, under = min(over, (1 + limit) / 2), max(under, limit / 2)
    if unit == "count":
        under = limit
    return (over, under) if alarm.above is not None else (under, over)


def _labels(alarm: Alarm, subject: str) -> dict[str, str]:
    label = SIGNALS[alarm.signal].label
    return {
        "severity": alarm.tier,
        "alert_id": alarm.id,
        "owner": alarm.owner,
        **({label: subject} if label else {}),
    }


def unit_tests(params: Params, *, rule_file: str) -> dict[str, Any]:
    """The file for ``promtool test rules``.

    Alerts whose signal has an expression of your own (``promql:``) are left out: their metrics are not known here.
    """
    tests: list[dict[str, Any]] = []
    known = services(params)
    for alarm in params.alerts.alerts:
        if alarm.signal in params.alerts.promql:
            continue
        subject = alarm.only[0] if alarm.only else "tested"
        minutes = alarm.for_minutes + (DAY if alarm.signal == "latency_trend" else SETTLE)
        for value, fires in zip(_beyond(alarm), (True, False), strict=True):
            wanted = {
                "alertname": alert_name(alarm.id),
                "alertstate": "firing",
                **(_labels(alarm, subject) if fires else {}),
            }
            tests.append(
                {
                    "name": f"{alarm.id} {'fires' if fires else 'does not fire'} at {value:g} {alarm.unit}",
                    "interval": "1m",
                    "input_series": _series(alarm.signal, subject, value, minutes + 1),
                    "promql_expr_test": [
                        {
                            "expr": f"count(ALERTS{{{', '.join(f'{k}={json.dumps(v)}' for k, v in wanted.items())}}}) or vector(0)",
                            "eval_time": f"{minutes}m",
                            "exp_samples": [{"labels": "{}", "value": int(fires)}],
                        }
                    ],
                }
            )
    if known:
        for heard in (False, True):
            series = [_counter(f'model_requests_total{{service="{s}"}}', 600, 60) for s in known] if heard else []
            tests.append(
                {
                    "name": f"{MISSING} {'does not fire' if heard else 'fires'}",
                    "interval": "1m",
                    "input_series": series,
                    "promql_expr_test": [
                        {
                            "expr": f'count(ALERTS{{alertname="{MISSING}",alertstate="firing"}}) or vector(0)',
                            "eval_time": "50m",
                            "exp_samples": [{"labels": "{}", "value": 0 if heard else len(known)}],
                        }
                    ],
                }
            )
    # each test evaluates every rule at each step; by minutes that would take promtool four times as long
    return {"rule_files": [rule_file], "evaluation_interval": "5m", "tests": tests}

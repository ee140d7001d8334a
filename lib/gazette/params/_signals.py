"""What a threshold can be set on: each signal's unit, what it is about, and its PromQL.

The PromQL takes a window: ``{w}`` stands for it. Rates are taken of counters before anything is summed, quantiles of the
rates of buckets summed by ``le``, and an error ratio is errors over requests, not errors per second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gazette.params._types import Unit

__all__ = ["SIGNALS", "Scope", "Signal", "quantile"]

Scope = Literal["service", "pipeline", "model", "edition", "maintenance"]
LABEL: dict[str, str] = {"service": "service", "pipeline": "pipeline", "model": "model", "maintenance": "window"}


@dataclass(frozen=True)
class Signal:
    """A measured quantity.

    Attributes:
        title: In words.
        unit: Of its values and of limits on it.
        scope: What it is measured per.
        promql: Expression in Prometheus, with ``{w}`` for the window of rates.
        metric: Id of the metric in metrics.yml whose page names alerts on it; ``alerts`` where no metric measures it.
    """

    title: str
    unit: Unit
    scope: Scope
    promql: str
    metric: str

    @property
    def label(self) -> str:
        """The Prometheus label that names what it is measured on, or an empty text."""
        return LABEL.get(self.scope, "")


def quantile(q: float, metric: str) -> str:
    """Milliseconds below which a share of requests stayed, from a histogram in seconds."""
    return f"1000 * histogram_quantile({q:g}, sum by (service, le) (rate({metric}_bucket[{{w}}])))"


def _ratio(part: str, *wholes: str) -> str:
    whole = " + ".join(f"sum by (service) (rate({w}[{{w}}]))" for w in wholes)
    return f"sum by (service) (rate({part}[{{w}}])) / ({whole})"


LATENCY, STORE = "model_request_duration_seconds", "feature_store_request_duration_seconds"

SIGNALS: dict[str, Signal] = {
    "error_ratio": Signal(
        "Share of requests that failed",
        "fraction",
        "service",
        _ratio("model_request_errors_total", "model_requests_total"),
        "availability",
    ),
    "latency_p99": Signal(
        "Answer time, 99 of 100 are quicker", "ms", "service", quantile(0.99, LATENCY), "latency-p-99"
    ),
    "latency_trend": Signal(
        "Rise of the answer time (99th percentile) per day",
        "ms",
        "service",
        "86400 * deriv(gazette:latency_p99[1d])",
        "serving",
    ),
    "cache_hit_ratio": Signal(
        "Share of requests that the cache answered",
        "fraction",
        "service",
        _ratio("model_cache_hits_total", "model_cache_hits_total", "model_cache_misses_total"),
        "serving",
    ),
    "feature_store_p99": Signal(
        "Answer time of the feature store, 99 of 100 are quicker", "ms", "service", quantile(0.99, STORE), "serving"
    ),
    "cpu": Signal(
        "Processor in use", "fraction", "service", "max by (service) (model_cpu_utilisation_ratio)", "serving"
    ),
    "memory": Signal(
        "Memory in use", "fraction", "service", "max by (service) (model_memory_utilisation_ratio)", "serving"
    ),
    "gpu": Signal(
        "Graphics processor in use", "fraction", "service", "max by (service) (model_gpu_utilisation_ratio)", "serving"
    ),
    "oom_kills": Signal(
        "Processes killed for want of memory",
        "count",
        "service",
        "sum by (service) (increase(model_oom_kills_total[15m]))",
        "serving",
    ),
    "versions": Signal(
        "Versions that answer at the same time",
        "count",
        "service",
        "count by (service) (count by (service, version) (model_info))",
        "serving",
    ),
    "pipeline_failed": Signal(
        "Last run failed (1) or not (0)", "count", "pipeline", "max by (pipeline) (pipeline_last_run_failed)", "alerts"
    ),
    "pipeline_age": Signal(
        "Time since the last run that went well",
        "hours",
        "pipeline",
        "(time() - max by (pipeline) (pipeline_last_success_timestamp_seconds)) / 3600",
        "alerts",
    ),
    "drift_distance": Signal(
        "Largest shift of a feature since training (JS distance, base 2)",
        "score",
        "model",
        "max by (model) (gazette_drift_distance)",
        "drift-distance",
    ),
    "quality_drop": Signal(
        "Loss of the main measure against the four weeks before",
        "relative",
        "model",
        "max by (model) (gazette_quality_drop)",
        "quality-drop",
    ),
    "label_fraction": Signal(
        "Share of outcomes known", "fraction", "model", "min by (model) (gazette_label_fraction)", "label-completeness"
    ),
    "model_age": Signal(
        "Time since the live version was trained",
        "days",
        "model",
        "(time() - max by (model) (gazette_model_trained_timestamp_seconds)) / 86400",
        "model-age",
    ),
    "deployment_age": Signal(
        "Time since a version went live",
        "days",
        "model",
        "(time() - max by (model) (gazette_model_deployed_timestamp_seconds)) / 86400",
        "alerts",
    ),
    "edition_age": Signal(
        "Time since the newest edition was sealed",
        "hours",
        "edition",
        "(time() - max(gazette_edition_timestamp_seconds)) / 3600",
        "alerts",
    ),
    "maintenance_in": Signal(
        "Time until planned maintenance",
        "hours",
        "maintenance",
        "((max by (window) (gazette_maintenance_start_timestamp_seconds) - time()) >= 0) / 3600",
        "alerts",
    ),
}

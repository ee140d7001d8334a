"""A Grafana dashboard with every panel that those on call need, its limits from the registry of thresholds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models

from gazette.params import SIGNALS

if TYPE_CHECKING:
    from gazette.params import Params

__all__ = ["UID", "grafana"]

UID = "gazette-serving"
UNITS = {
    "ms": "ms",
    "fraction": "percentunit",
    "hours": "h",
    "days": "d",
    "count": "short",
    "score": "short",
    "relative": "percentunit",
}
CHOSEN = '{service=~"$service"}'
SOURCE = models.DataSourceRef(type_val="prometheus", uid="${source}")


def _query(expr: str, legend: str, ref: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(expr).legend_format(legend).ref_id(ref).datasource(SOURCE)


def _limits(params: Params, signal: str) -> list[models.Threshold]:
    """Steps of colour at the limits: amber where it warns, red where it pages."""
    colours = {"critical": "red", "warning": "orange", "info": "blue"}
    alarms = [a for a in params.alerts.alerts if a.signal == signal and a.tier != "info"]
    steps = [models.Threshold(value=a.above, color=colours[a.tier]) for a in alarms if a.above is not None]
    if steps:
        return [models.Threshold(value=None, color="green"), *sorted(steps, key=lambda s: s.value or 0.0)]
    below = sorted((a for a in alarms if a.below is not None), key=lambda a: a.below or 0.0)
    if below:
        ends = [models.Threshold(value=a.below, color="green" if a is below[-1] else colours[a.tier]) for a in below]
        return [models.Threshold(value=None, color=colours[below[0].tier]), *ends]
    return [models.Threshold(value=None, color="green")]


def _lines(
    params: Params, title: str, signal: str, *queries: tuple[str, str], unit: str | None = None
) -> timeseries.Panel:
    known = SIGNALS.get(signal)
    panel = (
        timeseries.Panel()
        .title(title)
        .datasource(SOURCE)
        .unit(unit or (UNITS[known.unit] if known else "reqps"))
        .height(8)
        .span(8)
        .thresholds(dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(_limits(params, signal)))
        .thresholds_style(common.GraphThresholdsStyleConfig().mode(common_models.GraphTresholdsStyleMode.DASHED))
    )
    if known:
        panel = panel.description(f"{known.title}. Dashed: limits of alerts.yml.")
    for i, (expr, legend) in enumerate(queries):
        panel = panel.with_target(_query(expr, legend, "ABCDEF"[i]))
    return panel


def _now(params: Params, title: str, signal: str, expr: str) -> stat.Panel:
    known = SIGNALS[signal]
    return (
        stat.Panel()
        .title(title)
        .datasource(SOURCE)
        .unit(UNITS[known.unit])
        .height(4)
        .span(6)
        .thresholds(dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(_limits(params, signal)))
        .with_target(_query(expr, "{{service}}", "A").instant())
    )


def grafana(params: Params) -> str:
    """The dashboard as JSON, for Grafana's import or its provisioning folder."""
    service = "{{service}}"
    board = (
        dashboard.Dashboard(f"{params.site.title}: serving")
        .uid(UID)
        .description("Made from alerts.yml; change limits there, not here.")
        .tags(["gazette"])
        .readonly()
        .refresh("30s")
        .time("now-6h", "now")
        .timezone("utc")
        .with_variable(dashboard.DatasourceVariable("source").label("Prometheus").type("prometheus"))
        .with_variable(
            dashboard.QueryVariable("service")
            .label("Service")
            .datasource(SOURCE)
            .query("label_values(gazette:request_rate, service)")
            .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
            .multi(True)
            .include_all(True)
        )
        .annotation(
            dashboard.AnnotationQuery()
            .name("Deployments")
            .datasource(SOURCE)
            .enable(True)
            .icon_color("purple")
            .expr(
                f"count by (service, version) (model_info{CHOSEN}) unless count by (service, version) (model_info{CHOSEN} offset 5m)"
            )
        )
    )
    board = (
        board.with_row(dashboard.Row("Now"))
        .with_panel(_now(params, "Answer time, p99", "latency_p99", f"gazette:latency_p99{CHOSEN}"))
        .with_panel(_now(params, "Requests that failed", "error_ratio", f"gazette:error_ratio{CHOSEN}"))
        .with_panel(_now(params, "Cache hits", "cache_hit_ratio", f"gazette:cache_hit_ratio{CHOSEN}"))
        .with_panel(_now(params, "Versions that answer", "versions", f"gazette:versions{CHOSEN}"))
        .with_row(dashboard.Row("Requests"))
        .with_panel(
            _lines(
                params,
                "Answer time",
                "latency_p99",
                *((f"gazette:latency_{p}{CHOSEN}", f"{service} {p}") for p in ("p50", "p95", "p99")),
            )
        )
        .with_panel(_lines(params, "Requests a second", "request_rate", (f"gazette:request_rate{CHOSEN}", service)))
        .with_panel(_lines(params, "Requests that failed", "error_ratio", (f"gazette:error_ratio{CHOSEN}", service)))
        .with_row(dashboard.Row("Resources"))
    )
    for title, signal in (
        ("Processor", "cpu"),
        ("Memory", "memory"),
        ("Graphics processor", "gpu"),
        ("Cache hits", "cache_hit_ratio"),
        ("Feature store", "feature_store_p99"),
        ("Killed for want of memory", "oom_kills"),
    ):
        board = board.with_panel(_lines(params, title, signal, (f"gazette:{signal}{CHOSEN}", service)))
    board = board.with_row(dashboard.Row("Data and models"))
    for title, signal, label in (
        ("Time since a pipeline went well", "pipeline_age", "pipeline"),
        ("Largest shift of a feature", "drift_distance", "model"),
        ("Age of the live model", "model_age", "model"),
    ):
        board = board.with_panel(_lines(params, title, signal, (f"gazette:{signal}", f"{{{{{label}}}}}")))
    board = board.with_row(dashboard.Row("Deployments and alerts")).with_panel(
        _listing(
            "Versions that answer, with their start",
            f"min by (service, version) (min_over_time(timestamp(model_info{CHOSEN})[7d:5m]))",
        )
    )
    board = board.with_panel(_listing("Alerts that fire", 'ALERTS{alertstate="firing", alert_id!=""}'))
    made = board.build()
    for number, panel in enumerate(made.panels or [], 1):
        panel.id_val = number  # the SDK leaves them all at nought
    return json.dumps(made, cls=JSONEncoder, indent=1, sort_keys=True) + "\n"


def _listing(title: str, expr: str) -> Any:
    from grafana_foundation_sdk.models.prometheus import PromQueryFormat  # noqa: PLC0415

    query = _query(expr, "", "A").instant().format(PromQueryFormat.TABLE)
    return table.Panel().title(title).datasource(SOURCE).height(8).span(12).with_target(query)

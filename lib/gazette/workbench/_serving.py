"""Services on the operations page: how they stand, and charts by hour."""

from __future__ import annotations

from typing import Any

from gazette import display, stats
from gazette.display import Block, Chart, Column, Table
from gazette.params import SIGNALS
from gazette.record import NotPublished
from gazette.workbench._bench import slug
from gazette.workbench._watch import ORDER, Watch, ratio

__all__ = ["Serving"]


class Serving(Watch):
    """Steps on services."""

    def measure(self, service: str) -> None:
        name = slug(service)
        week = [r for r in self.hourly(service) if r["at"] >= self.start]
        nothing = NotPublished(reason="no telemetry this week")
        last = week[-1] if week else None
        shared: dict[str, Any] = {"metric": "serving", "cell": "services", "query": "telemetry", "direction": "lower"}
        for q in ("50", "95", "99"):
            value = _known(last[f"latency_p{q}_ms"], "not measured") if last else nothing
            self.add(
                f"{name}.latency-p-{q}",
                f"{service}: answer time, {q} of 100 are quicker, last hour",
                value,
                unit="ms",
                **shared,
            )
        peak = max(
            (float(r["latency_p99_ms"]) for r in week if r["latency_p99_ms"] == r["latency_p99_ms"]), default=None
        )
        self.add(
            f"{name}.latency-peak",
            f"{service}: answer time, 99 of 100 are quicker, worst hour",
            nothing if peak is None else peak,
            unit="ms",
            **shared,
        )
        requests, errors = (sum(float(r[c]) for r in week) for c in ("requests", "errors"))
        ratio = stats.proportion(round(errors), round(requests)) if requests else nothing
        self.add(f"{name}.error-ratio", f"{service}: requests that failed", ratio, unit="fraction", **shared)
        rate = requests / (len(week) * 3600) if week else nothing
        self.add(
            f"{name}.request-rate",
            f"{service}: requests a second",
            rate,
            unit="number",
            **{**shared, "direction": None},
        )
        hits, misses = (sum(float(r[c]) for r in week if r[c] == r[c]) for c in ("cache_hits", "cache_misses"))
        cached = (
            stats.proportion(round(hits), round(hits + misses))
            if hits + misses
            else NotPublished(reason="no cache is measured")
        )
        self.add(
            f"{name}.cache-hits",
            f"{service}: requests that the cache answered",
            cached,
            unit="fraction",
            **{**shared, "direction": "higher"},
        )
        for column, unit, title in (
            ("cpu", "fraction", "processor in use, highest hour"),
            ("memory", "fraction", "memory in use, highest hour"),
            ("gpu", "fraction", "graphics processor in use, highest hour"),
            ("feature_store_ms", "ms", "feature store, slowest hour"),
        ):
            known = [float(r[column]) for r in week if r[column] == r[column]]
            value = max(known) if known else NotPublished(reason="not measured")
            kind: Any = unit
            self.add(f"{name}.{slug(column)}", f"{service}: {title}", value, unit=kind, **shared)

    def services_table(self) -> Table | Block:
        """Every service: how it stands in the last hour and over the week."""
        import pandas as pd  # noqa: PLC0415

        _ = self.measured
        if not self.services:
            return Block("<p>No service was heard of, and no model names one.</p>")
        limit = next((a for a in self.params.alerts.alerts if a.signal == "latency_p99" and a.tier == "warning"), None)
        said = f" The limit of p99 is {limit.limit:g} ms." if limit else ""
        columns = {
            "service": Column("Service"),
            "state": Column("State", html=True),
            "latency-p-50": Column("p50"),
            "latency-p-95": Column("p95"),
            "latency-p-99": Column("p99"),
            "latency-peak": Column("p99, worst hour"),
            "request-rate": Column("Requests a second"),
            "error-ratio": Column("Failed"),
        }
        rows = [{**self._shown(s, [*columns][2:]), "state": self._service_state(s)} for s in self.services]
        frame = pd.DataFrame(rows, columns=[*columns])
        caption = f"Answer time in the last hour and in the week's worst, requests and failures over the week.{said}"
        return display.table(frame, "services", caption, columns)

    def load_table(self) -> Table | Block:
        """Cache, feature store and machines, over the week."""
        import pandas as pd  # noqa: PLC0415

        _ = self.measured
        if not self.services:
            return Block("")
        columns = {
            "service": Column("Service"),
            "cache-hits": Column("From cache"),
            "feature-store-ms": Column("Feature store"),
            "cpu": Column("CPU"),
            "memory": Column("Memory"),
            "gpu": Column("GPU"),
        }
        rows = [self._shown(s, [*columns][1:]) for s in self.services]
        caption = "Share of requests that the cache answered over the week; all else in its worst hour"
        return display.table(pd.DataFrame(rows, columns=[*columns]), "load", caption, columns)

    def _shown(self, service: str, suffixes: list[str]) -> dict[str, str]:
        name = slug(service)
        numbers = {s: self._numbers[f"{self.subject}.{name}.{s}"] for s in suffixes}
        return {"service": service, **{s: display.format_number(n) for s, n in numbers.items()}}

    def _service_state(self, service: str) -> str:
        mine = [
            s for s in self.states if s.subject == service and SIGNALS[self.alarms[s.alert].signal].scope == "service"
        ]
        if not mine or all(s.state == "no data" for s in mine):
            return display.chip("no data")
        heard = [s for s in mine if s.state != "no data"]
        return display.chip(min(heard, key=lambda s: ORDER[s.state]).state)

    def _lines(self, columns: dict[str, str], service: str) -> list[dict[str, Any]]:
        found = []
        for r in self.hourly(service):
            if r["at"] < self.start:
                continue
            for column, words in columns.items():
                value = ratio(r, column)
                if value is not None:
                    found.append({"when": r["at"].isoformat(), "value": round(value, 6), "series": words})
        return found

    def _chart(self, name: str, caption: str, columns: dict[str, str], signal: str, form: str) -> list[Chart]:
        limits = [
            (a.limit, f"{a.title} ({a.tier})")
            for a in self.params.alerts.alerts
            if a.signal == signal and a.tier != "info"
        ]
        charts = []
        for service in self.services:
            rows = self._lines(columns, service)
            if rows:
                marks = [
                    {"when": d["at"].isoformat(), "text": f"{d['model']} {d['model_version']}: {d['note']}"}
                    for d in self.rows("deployments")
                    if self.start <= d["at"] < self.end
                ]
                top = max(r["value"] for r in rows)
                near = [(value, text) for value, text in limits if value <= 2 * top or value < 1]
                spec = display.hourly(rows, near, marks, form=form)
                charts.append(display.chart(spec, f"{name}-{service}", f"{service}: {caption}"))
        return charts

    def latency(self) -> Block:
        """Answer times by hour."""
        names = {"latency_p50_ms": "p50", "latency_p95_ms": "p95", "latency_p99_ms": "p99"}
        return _all(
            self._chart(
                "latency", "answer time in milliseconds, by hour; dashed: limits.", names, "latency_p99", ",.0f"
            )
        )

    def volume(self) -> Block:
        """Requests by hour."""
        return _all(self._chart("volume", "requests by hour.", {"requests": "requests"}, "", ",.0f"))

    def errors(self) -> Block:
        """Share of requests that failed, by hour."""
        return _all(
            self._chart(
                "errors",
                "share of requests that failed, by hour; dashed: limits.",
                {"error_ratio": "failed"},
                "error_ratio",
                ".2%",
            )
        )

    def resources(self) -> Block:
        """Processor, memory and graphics processor in use."""
        return _all(
            self._chart("resources", "in use, by hour.", {"cpu": "CPU", "memory": "memory", "gpu": "GPU"}, "", ".0%")
        )

    def cache(self) -> Block:
        """Share of requests that the cache answered."""
        return _all(
            self._chart(
                "cache",
                "share of requests that the cache answered, by hour; dashed: limits.",
                {"cache_hit_ratio": "from cache"},
                "cache_hit_ratio",
                ".0%",
            )
        )

    def store(self) -> Block:
        """Answer time of the feature store."""
        return _all(
            self._chart(
                "store",
                "feature store, answer time in milliseconds, by hour; dashed: limits.",
                {"feature_store_ms": "feature store"},
                "feature_store_p99",
                ",.0f",
            )
        )


def _known(value: Any, why: str) -> float | NotPublished:
    return float(value) if value is not None and value == value else NotPublished(reason=why)  # noqa: PLR0124  NaN


def _all(charts: list[Chart]) -> Block:
    text = "".join(c._repr_html_() for c in charts)
    return Block(text or "<p>Not measured this week.</p>")

"""``alerts.yml``: the one registry of thresholds, planned maintenance, and who is told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from gazette.params._signals import SIGNALS
from gazette.params._types import Count, Id, Sheet, Text, Unit

__all__ = ["Alarm", "AlertsFile", "Channel", "Channels", "Maintenance"]

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
SignalId = Literal[
    "error_ratio",
    "latency_p99",
    "latency_trend",
    "cache_hit_ratio",
    "feature_store_p99",
    "cpu",
    "memory",
    "gpu",
    "oom_kills",
    "versions",
    "pipeline_failed",
    "pipeline_age",
    "drift_distance",
    "quality_drop",
    "label_fraction",
    "model_age",
    "deployment_age",
    "edition_age",
    "maintenance_in",
]
SECRET = re.compile(r"^[a-z]+://[^/]*@|[?&](token|key|secret|password)=", re.IGNORECASE)


class Alarm(Sheet):
    """One threshold: what is watched, its limit with the unit, for how long, who answers and what to do."""

    id: Id
    title: Text
    tier: Literal["critical", "warning", "info"] = Field(
        description="critical pages at once, warning is looked at within two hours, info goes into the daily digest."
    )
    signal: SignalId
    above: Number | None = None
    below: Number | None = None
    unit: Unit = Field(description="Unit of the limit; must be the signal's.")
    for_minutes: Annotated[int, Field(ge=0, strict=True)] = Field(description="How long it must hold before it fires.")
    grace_minutes: Count = Field(default=120, description="How long data may be missing before the state is 'no data'.")
    only: list[Text] = Field(default_factory=list, description="Services, models or pipelines; by default all.")
    parents: list[Id] = Field(default_factory=list, description="Alerts that, when they fire, explain this one.")
    owner: Text
    runbook: Text

    @property
    def limit(self) -> float:
        """The limit, on whichever side it is."""
        return self.above if self.above is not None else float(self.below or 0.0)

    @classmethod
    def faults(cls, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """One limit, on one side, in the signal's unit."""
        if (raw.get("above") is None) == (raw.get("below") is None):
            yield "above", "give exactly one of 'above' and 'below'"
        signal = SIGNALS.get(raw["signal"])
        if signal is not None and raw["unit"] != signal.unit:
            yield "unit", f"{raw['signal']} is measured in {signal.unit!r}, found {raw['unit']!r}"


class Maintenance(Sheet):
    """A planned window in which alerts on these services are not sent."""

    id: Id
    start: datetime = Field(description="UTC.")
    until: datetime = Field(description="UTC, exclusive.")
    services: list[Text] = Field(min_length=1)
    owner: Text
    reason: Text

    @classmethod
    def faults(cls, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """A window runs forward."""
        if str(raw["start"]) >= str(raw["until"]):
            yield "until", "the maintenance ends before it starts"


class Channel(Sheet):
    """Where alerts of a tier go. Secrets stay in files that Alertmanager reads; none is written here."""

    slack_channel: Text | None = None
    slack_url_file: Text | None = Field(default=None, description="File with Slack's webhook address.")
    pagerduty_key_file: Text | None = Field(default=None, description="File with PagerDuty's integration key.")
    webhook: Text | None = Field(default=None, description="Address without any secret in it.")

    @classmethod
    def faults(cls, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """At least one way to be told, no secret in the file."""
        if not any(raw.get(k) for k in ("slack_channel", "pagerduty_key_file", "webhook")):
            yield "slack_channel", "name a way to be told: slack_channel, pagerduty_key_file or webhook"
        if bool(raw.get("slack_channel")) != bool(raw.get("slack_url_file")):
            yield "slack_url_file", "slack_channel and slack_url_file belong together"
        if SECRET.search(str(raw.get("webhook") or "")):
            yield "webhook", "the address holds a secret; put it in a file and name that"


class Channels(Sheet):
    """Who is told, per tier."""

    critical: Channel
    warning: Channel
    info: Channel


class AlertsFile(Sheet):
    """The threshold registry."""

    alerts: list[Alarm] = Field(default_factory=list)
    maintenance: list[Maintenance] = Field(default_factory=list)
    channels: Channels | None = None
    promql: dict[SignalId, Text] = Field(
        default_factory=dict,
        description="Expressions for signals whose metrics are named otherwise in your Prometheus; {w} stands for the window.",
    )

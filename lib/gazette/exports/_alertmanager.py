"""Alertmanager's routes and receivers, one per tier; secrets stay in files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazette.errors import ParamsError
from gazette.exports._prometheus import MISSING, alert_name
from gazette.params import SIGNALS

if TYPE_CHECKING:
    from gazette.params import Alarm, Channel, Params

__all__ = ["alertmanager"]

TIMES: dict[str, dict[str, Any]] = {
    "critical": {"group_wait": "10s", "group_interval": "1m", "repeat_interval": "1h"},
    "warning": {"group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h"},
    "info": {"group_wait": "5m", "group_interval": "24h", "repeat_interval": "24h", "group_by": ["severity"]},
}
TITLE = '{{ if eq .Status "firing" }}Firing{{ else }}Solved{{ end }}: {{ .CommonAnnotations.summary }}'
TEXT = "{{ range .Alerts }}{{ .Annotations.description }}\n{{ .Annotations.runbook }}\n{{ end }}"


def _receiver(tier: str, channel: Channel) -> dict[str, Any]:
    found: dict[str, Any] = {"name": tier}
    if channel.pagerduty_key_file:
        found["pagerduty_configs"] = [{"routing_key_file": channel.pagerduty_key_file, "send_resolved": True}]
    if channel.slack_channel:
        found["slack_configs"] = [
            {
                "api_url_file": channel.slack_url_file,
                "channel": channel.slack_channel,
                "send_resolved": True,  # a message says when it is solved
                "title": TITLE,
                "text": TEXT,
            }
        ]
    if channel.webhook:
        found["webhook_configs"] = [{"url": channel.webhook, "send_resolved": True}]
    return found


def _inhibited(alarm: Alarm, params: Params) -> list[dict[str, Any]]:
    """A parent that fires for the same service explains this one."""
    known = {a.id: a for a in params.alerts.alerts}
    found = []
    for parent in alarm.parents:
        labels = {SIGNALS[known[parent].signal].label, SIGNALS[alarm.signal].label}
        rule: dict[str, Any] = {
            "source_matchers": [f'alertname="{alert_name(parent)}"'],
            "target_matchers": [f'alertname="{alert_name(alarm.id)}"'],
        }
        found.append(rule | ({"equal": sorted(labels)} if len(labels) == 1 and "" not in labels else {}))
    return found


def alertmanager(params: Params) -> dict[str, Any]:
    """The configuration file.

    Raises:
        ParamsError: No channels are named.
    """
    channels = params.alerts.channels
    if channels is None:
        raise ParamsError(
            "alerts.yml names no channels, so nobody would be told",
            where="params/alerts.yml",
            mend="add 'channels:' with critical, warning and info",
        )
    tiers = {"critical": channels.critical, "warning": channels.warning, "info": channels.info}
    inhibit = [rule for alarm in params.alerts.alerts for rule in _inhibited(alarm, params)]
    inhibit.append(
        {  # of a service that is down, one page is enough
            "source_matchers": [f'alertname="{MISSING}"'],
            "target_matchers": ['severity="info"'],
            "equal": ["service"],
        }
    )
    return {
        "route": {
            "receiver": "warning",  # what no tier claims is looked at all the same
            "group_by": ["alertname", "service", "model"],
            **TIMES["warning"],
            "routes": [{"receiver": tier, "matchers": [f'severity="{tier}"'], **TIMES[tier]} for tier in tiers],
        },
        "inhibit_rules": inhibit,
        "receivers": [_receiver(tier, channel) for tier, channel in tiers.items()],
    }

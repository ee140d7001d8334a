"""Files for other systems, made from the parameters: Prometheus rules with their unit tests, Alertmanager, Grafana, metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazette.exports._alertmanager import alertmanager
from gazette.exports._metrics import metrics
from gazette.exports._prometheus import alert_name, expression, rules
from gazette.exports._unit_tests import unit_tests

if TYPE_CHECKING:
    from gazette.params import Params

__all__ = ["alert_name", "alertmanager", "expression", "grafana", "metrics", "rules", "unit_tests"]


def grafana(params: Params) -> str:
    """The Grafana dashboard as JSON; the SDK is imported only where it is asked for."""
    from gazette.exports._grafana import grafana as made  # noqa: PLC0415

    return made(params)

"""Faults in the registry of thresholds, in models and annotations: each named with file, line and mend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gazette.params import Problem, problems
from program import copy_project

if TYPE_CHECKING:
    from pathlib import Path

MODEL = "models/flight-delay.yml"


def found(place: Path, name: str, old: str, new: str) -> list[Problem]:
    path = copy_project(place) / "params" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return problems(place / "params")[1]


@pytest.mark.parametrize(
    ("name", "old", "new", "what"),
    [
        ("alerts.yml", "unit: fraction", "unit: ms", "error_ratio is measured in 'fraction', found 'ms'"),
        ("alerts.yml", "above: 0.05", "above: 0.05\n    below: 0.01", "give exactly one of 'above' and 'below'"),
        ("alerts.yml", "signal: error_ratio", "signal: error_rate", "Input should be 'error_ratio'"),
        ("alerts.yml", "above: 0.05", "above: .nan", "finite number"),
        ("alerts.yml", "for_minutes: 2", "for_minutes: -2", "greater than or equal to 0"),
        ("alerts.yml", "parents: [model-not-serving]", "parents: [nobody]", "no alert 'nobody'"),
        (
            "alerts.yml",
            "    for_minutes: 2\n",
            "    for_minutes: 2\n    parents: [latency-critical]\n",
            "lead back to itself",
        ),
        ("alerts.yml", "    owner: ml-platform\n", "", "missing key 'owner'"),
        ("alerts.yml", "until: 2026-11-24T03:00:00", "until: 2026-11-24T00:00:00", "ends before it starts"),
        (
            "alerts.yml",
            'info: {slack_channel: "#ml-digest", slack_url_file: /etc/alertmanager/slack.url}',
            "info: {webhook: 'https://u:p@example.invalid/x'}",
            "holds a secret",
        ),
        ("alerts.yml", ", slack_url_file: /etc/alertmanager/slack.url}\n  warning", "}\n  warning", "belong together"),
        ("annotations.yml", "subject: flight-delay", "subject: flight-delayed", "no subject 'flight-delayed'"),
        (MODEL, "threshold: 0.3 ", "threshold: 3.0 ", "less than 1"),
        (MODEL, "trained_until: 2026-03-30", "trained_until: 2025-03-30", "ends before it starts"),
        (MODEL, "staleness_hours: {warn: 6, fail: 24}", "staleness_hours: {warn: 24, fail: 6}", "lies below warn"),
        (MODEL, "kind: classifier", "kind: regressor", "only a classifier has an operating threshold"),
        ("metrics.yml", "  pr-auc:", "  pr-auk:", "unknown metric 'pr-auc'"),
        ("metrics.yml", "  serving:", "  served:", "unknown metric 'serving'"),
        ("site.yml", "telemetry: serving_telemetry", "telemetry: t\n  prometheus: http://x", "give one of"),
        ("site.yml", "telemetry: serving_telemetry", "prometheus: file:///etc/passwd", "http:// or https://"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, name: str, old: str, new: str, what: str) -> None:
    listed = found(tmp_path / "p", name, old, new)
    assert any(what in p.what for p in listed), [str(p) for p in listed]
    assert all(p.line > 0 and p.mend for p in listed)


def test_a_subject_may_not_take_the_name_of_a_page(tmp_path: Path) -> None:
    place = copy_project(tmp_path / "p")
    text = (place / "params" / MODEL).read_text().replace("id: flight-delay", "id: operations", 1)
    (place / "params" / "models" / "operations.yml").write_text(text)
    assert any("name of a page" in p.what for p in problems(place / "params")[1])

"""The last twelve editions on a metric's page, with more than twelve before it, and what alerts have to do with metrics."""

from __future__ import annotations

import html
import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest
import yaml

from gazette.build import open_project
from gazette.build._definitions import _history
from gazette.editions import Week
from gazette.params import SIGNALS
from gazette.record import Record
from gazette.snapshot import reopen
from program import gazette, writable
from small import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.editions import Store
    from small import SmallProject

LAST = Week.parse("2026-W46")


def fill(store: Store, template: Path, weeks: list[Week]) -> None:
    """Sealed editions like the template, each with its own week and value."""
    facts = json.loads((template / "manifest.json").read_text())["facts"]
    for i, week in enumerate(weeks):
        staging = store.staging(week)
        shutil.copytree(template, staging, dirs_exist_ok=True, ignore=shutil.ignore_patterns("manifest.json*"))
        path = staging / "records" / "button.json"
        record = Record.from_json(path.read_bytes())
        numbers = tuple(
            n.model_copy(update={"value": 0.05 + i / 1000, "interval": None}) if n.id == "button.ctr.control" else n
            for n in record.numbers
        )
        record = record.model_copy(update={"edition": str(week), "week_start": week.start, "numbers": numbers})
        path.write_text(record.to_json())
        store.seal(staging, week, versions={}, facts=facts)


@pytest.mark.integration
def test_exactly_twelve_editions_are_shown_with_links_and_no_more_are_read(small: SmallProject, tmp_path: Path) -> None:
    gazette("build", str(LAST), "--no-publish", project=small.root)
    store = open_project(small.root).store
    template = tmp_path / "template"
    shutil.move(writable(store.path(LAST)), template)
    weeks = [LAST.next(-i) for i in range(14, -1, -1)]
    fill(store, template, weeks)
    gazette("build", "2026-W47", project=small.root)
    text = (small.root / "_site/editions/2026-W47/metrics/ctr.html").read_text()
    table = next(t for t in re.findall(r"<table.*?</table>", text, re.DOTALL) if "by edition" in t)
    shown = re.findall(r"<tr><td[^>]*>(?:<div>)?<span class=\"gz-nowrap\"><a href=\"([^\"]+)\">([^<]+)</a>", table)
    wanted = [LAST.next(1), *reversed(weeks)][:12]
    assert [edition for _, edition in shown] == [str(w) for w in wanted]  # newest first, as in every table
    page = small.root / "_site/editions/2026-W47/metrics"
    assert all((page / link).resolve().is_file() for link, _ in shown)
    points = re.findall(r'"when": ?"(2026-W\d\d)"', html.unescape(text))
    assert points == [str(w) for w in reversed(wanted)] or sorted(set(points)) == [str(w) for w in reversed(wanted)]

    # what is read does not grow with the editions: those beyond the twelve may be anything
    history = reopen(store.path(LAST.next(1)) / "snapshot" / "metrics").table("history")
    assert sorted(set(history["edition"])) == [str(w) for w in weeks[-11:]]
    for week in weeks[:-11]:
        (writable(store.path(week)) / "records" / "button.json").write_text("not a record")
    project = open_project(small.root)
    assert set(_history(project, LAST.next(1)).table["edition"].to_pylist()) == {str(w) for w in weeks[-11:]}


def test_every_signal_of_the_registry_leads_to_a_metric_s_page() -> None:
    known = yaml.safe_load((REPOSITORY / "params" / "metrics.yml").read_text())["metrics"]
    assert {name: s.metric for name, s in SIGNALS.items() if s.metric not in known} == {}


@pytest.mark.integration
def test_every_alert_of_the_demo_stands_on_the_page_of_its_metric(built: Path) -> None:
    alerts = yaml.safe_load((REPOSITORY / "params" / "alerts.yml").read_text())["alerts"]
    for alarm in alerts:
        page = built / "_site/editions/2026-W47/metrics" / f"{SIGNALS[alarm['signal']].metric}.html"
        assert f">Alert, {alarm['tier']}<" in (text := page.read_text()), alarm["id"]
        assert html.escape(alarm["title"]) in text

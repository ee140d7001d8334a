"""Each page leads to the sections on its methods, on a page of the edition that is docs/statistics.md and opens as a file."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import methods
from gazette.params import Covariate, Experiment, Fact, Metric
from gazette.site._lint import lint_site
from gazette.site._methods import methods_line, methods_page
from gazette.site._sayings import lint_sayings

DOES, ADDS = (Fact.model_construct(table="t", unit="u", time="at", aggregation=a) for a in ("any", "sum"))
BEFORE = Covariate.model_construct(table="h", unit="u", column="c")
METRICS: dict[str, tuple[dict[str, Any], str]] = {
    "share": ({"fact": DOES, "unit": "fraction"}, "two-shares"),
    "mean": ({"fact": ADDS}, "means-ratios-what-a-covariate-leaves"),
    "adjusted share": ({"fact": DOES, "unit": "fraction", "covariate": BEFORE}, "means-ratios-what-a-covariate-leaves"),
    "ratio": ({"fact": ADDS, "denominator": ADDS}, "ratios-and-clusters-of-unequal-size"),
    "median": ({"fact": ADDS, "quantile": 0.5}, "quantiles"),
}


def line_of(**metric: Any) -> str:
    """Of a test of one metric, by looks, of users who met its change."""
    known = Metric.model_construct(**{"title": "M", "unit": "number", "direction": "higher"} | metric)
    plan = Experiment.model_construct(
        id="test", primary="m", secondary=[], guardrails=[], planned_units=100, method="group-sequential",
        start=date(2026, 1, 5), end=date(2026, 2, 1), triggered=DOES,
    )  # fmt: skip
    return methods_line("experiment", plan, {"m": known}, "../")


def test_the_page_is_the_document_of_today() -> None:
    now = methods.rendered(methods.SOURCE.read_text(encoding="utf-8"))
    assert methods.KEPT.read_text(encoding="utf-8") == now, "run make methods"
    assert methods_page().startswith("---\ntitle: ")


def site_of(folder: Path, lines: list[str]) -> Path:
    """The page of methods and one with these lines, as an edition's site has them."""
    (folder / "experiments").mkdir()
    bodies = {"methods": methods.KEPT.read_text(encoding="utf-8"), "experiments/test": "".join(lines)}
    for name, body in bodies.items():
        page = f"<html><head><title>m</title></head><body>{body}</body></html>"
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    return folder


def test_every_link_to_methods_leads_to_a_section(tmp_path: Path) -> None:
    lines = [line_of(**more) for more, _ in METRICS.values()]
    lines += [methods_line(kind, None, {}, "../") for kind in ("model", "portfolio")]
    assert all("methods.html#" in line for line in lines)
    site = site_of(tmp_path, lines)
    assert lint_site(site) == []
    assert lint_sayings(site, records=[], currency="USD", language="en") == []
    (site / "experiments" / "test.html").write_text(
        '<body><a href="../methods.html#nowhere">x</a></body>', encoding="utf-8"
    )
    assert len(lint_site(site)) == 1, "a link that leads nowhere is found"


@pytest.mark.parametrize("kind", METRICS)
def test_a_test_s_page_leads_to_the_methods_of_its_metrics(kind: str) -> None:
    more, section = METRICS[kind]
    found = re.findall(r'href="\.\./methods\.html#([a-z-]+)"', line_of(**more))
    assert found == [section, "looks-at-a-test", "only-users-who-met-the-change", "the-split-of-a-test", "planning"]


def test_pages_without_methods_have_no_line() -> None:
    assert methods_line("operations", None, {}, "") == ""

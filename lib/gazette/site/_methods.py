"""Which method is used where and holds where: a page of the edition, to which every subject's page leads."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from gazette.site._text import front_matter, raw_html

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gazette.params import Experiment, Metric

__all__ = ["methods_line", "methods_page"]

TITLE = "Methods: which one, where it holds, what is done elsewhere"


def methods_page() -> str:
    """docs/statistics.md as it was when this edition was made."""
    html = (files("gazette.site") / "methods.html").read_text(encoding="utf-8")
    return f"{front_matter(title=TITLE)}\n\n{raw_html(html)}"


def methods_line(kind: str, plan: Experiment | None, metrics: Mapping[str, Metric], up: str) -> str:
    """Where a subject's page says by which methods it was read; empty for pages that have none.

    Args:
        kind: Of its page.
        plan: The test that it is of; None where it is of none.
        metrics: Definitions by id.
        up: From the page to the edition's root.
    """
    sections = {
        "model": [("measures-of-models", "measures of models")],
        "portfolio": [("sums-of-shipped-tests-effects-after-an-early-stop", "sums of shipped tests")],
    }.get(kind, [])
    if plan is not None:
        sections = [*_of_test(plan, metrics)]
    links = ", ".join(f'<a href="{up}methods.html#{place}">{escape(words)}</a>' for place, words in sections)
    return f'<p class="gz-methods">Plan and method: {links}.</p>' if links else ""


def _of_test(plan: Experiment, metrics: Mapping[str, Metric]) -> Iterator[tuple[str, str]]:
    """Anchors and words, those of its metrics first."""
    kinds = {_section(metrics[m]) for m in plan.metrics if m in metrics}
    yield from (pair for pair in SECTIONS if pair[0] in kinds)
    if plan.design != "fixed":
        yield "looks-at-a-test", "looks"
    if plan.triggered is not None:
        yield "only-users-who-met-the-change", "only users who met the change"
    yield "the-split-of-a-test", "the split"
    yield "planning", "planning"


SECTIONS = (
    ("two-shares", "shares"),
    ("means-ratios-what-a-covariate-leaves", "means"),
    ("ratios-and-clusters-of-unequal-size", "ratios"),
    ("what-a-covariate-leaves-of-a-ratio", "ratios less a covariate"),
    ("quantiles", "quantiles"),
)


def _section(metric: Metric) -> str:
    """Of the method by which a metric is compared."""
    if metric.quantile is not None:
        return "quantiles"
    if metric.denominator is not None and metric.covariate is not None:
        return "what-a-covariate-leaves-of-a-ratio"
    if metric.denominator is not None:
        return "ratios-and-clusters-of-unequal-size"
    if metric.proportion and metric.covariate is None:
        return "two-shares"
    return "means-ratios-what-a-covariate-leaves"

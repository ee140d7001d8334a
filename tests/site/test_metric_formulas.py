"""The formula that a metric's page prints, computed by hand on raw rows, is what the code published; in one edition of a small project."""

from __future__ import annotations

import html
import json
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pytest
import yaml

from gazette.record import NotPublished, Record
from program import gazette

if TYPE_CHECKING:
    from pathlib import Path

    from small import SmallProject

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("formulas")]  # what they share is built once
FACT = {"table": "buys", "unit": "unit_id", "time": "happened_at", "arrived": "loaded_at"}
SUM, COUNT, ANY = (
    {**FACT, "aggregation": a} | ({"value": "price"} if a == "sum" else {}) for a in ("sum", "count", "any")
)
ORDER = [{"column": "kind", "equals": "order"}]
METRICS: dict[str, dict[str, Any]] = {
    "yes": {"unit": "fraction", "fact": {**ANY, "where": ORDER}},
    "often": {"unit": "count", "fact": COUNT},
    "spent": {"unit": "money", "fact": SUM},
    "spent-on-orders": {"unit": "money", "fact": {**SUM, "where": ORDER}},
    "capped": {"unit": "money", "fact": SUM, "cap": 30.0},
    "capped-count": {"unit": "count", "fact": COUNT, "cap": 2.0},
    "winsorised": {"unit": "money", "fact": SUM, "cap_quantile": 0.9},
    "per-order": {"unit": "money", "fact": SUM, "denominator": {**COUNT, "where": ORDER}},
    "per-buyer": {"unit": "number", "fact": COUNT, "denominator": ANY},
    "per-euro": {"unit": "number", "fact": COUNT, "denominator": SUM},
    "yes-per-order": {"unit": "number", "fact": ANY, "denominator": COUNT},
    "most": {"unit": "money", "fact": SUM, "quantile": 0.9},
    "most-often": {"unit": "count", "fact": COUNT, "quantile": 0.8},
    "adjusted": {"unit": "money", "fact": SUM, "covariate": {"table": "before", "unit": "unit_id", "column": "spent"}},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    """Every kind of metric as a secondary of one test, built once."""
    from small import SmallProject  # noqa: PLC0415

    small = SmallProject(tmp_path_factory.mktemp("formulas") / "project", users=60)
    small.experiment["secondary"] = list(METRICS)
    small.write()
    for name, shape in METRICS.items():
        small.add_metric(name, **{"title": name, "direction": "higher", **shape})
    rng = np.random.default_rng(5)
    with duckdb.connect(str(small.root / "warehouse.duckdb")) as db:
        units = db.execute("SELECT unit_id, assigned_at FROM experiment_assignments ORDER BY 1").fetchall()
        db.execute(
            "CREATE TABLE buys (unit_id VARCHAR, happened_at TIMESTAMP, loaded_at TIMESTAMP, kind VARCHAR, price DOUBLE)"
        )
        db.execute("CREATE TABLE before (unit_id VARCHAR, spent DOUBLE)")
        for unit, at in units:
            for minutes in [-5, *range(1, 1 + int(rng.poisson(1.5)))]:  # one row before the assignment does not count
                row = (
                    unit,
                    at,
                    minutes,
                    at,
                    minutes,
                    "order" if rng.random() < 0.5 else "other",
                    float(rng.gamma(2, 10)),
                )
                db.execute("INSERT INTO buys SELECT ?, ? + to_minutes(?), ? + to_minutes(? + 1), ?, ?", row)
            db.execute("INSERT INTO before VALUES (?, ?)", [unit, float(rng.gamma(2, 10))])
    gazette("build", "2026-W47", project=small.root)
    return small


def page(root: Path, name: str) -> str:
    return (root / "_site/editions/2026-W47/metrics" / f"{name}.html").read_text()


def text_of(fragment: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", fragment))).strip()


def printed(root: Path, name: str) -> tuple[str, list[str]]:
    """The formula and the lines that say what its signs mean, as the page prints them."""
    text = page(root, name)
    shown = re.search(r'<p class="gz-formula">(.*?)</p>', text, re.DOTALL)
    signs = re.search(r'<ul class="gz-signs">(.*?)</ul>', text, re.DOTALL)
    assert shown is not None
    assert signs is not None
    return text_of(shown[1]), [text_of(line) for line in re.findall(r"<li>(.*?)</li>", signs[1], re.DOTALL)]


def of_units(root: Path, line: str) -> dict[str, float]:
    """A line such as 'xi = sum of price over the rows of buys of unit i where kind is order; 0 …', computed on the raw rows."""
    found = re.fullmatch(
        r"[xy]i = (?P<how>1 where there is at least one of the|number of the|sum of (?P<column>\w+) over the) rows of (?P<table>\w+) of unit i"
        r"(?: where (?P<where>\w+) is (?P<equals>\w+))?(?:; 0 where there is none)?\.",
        line,
    )
    assert found, line
    values: dict[str, float] = defaultdict(float)
    with duckdb.connect(str(root / "warehouse.duckdb"), read_only=True) as db:
        column = found["column"] or "1"
        test = f"AND b.{found['where']} = '{found['equals']}'" if found["where"] else ""
        sql = f"SELECT a.unit_id, {column} FROM experiment_assignments a JOIN {found['table']} b USING (unit_id) WHERE happened_at >= assigned_at {test}"
        for unit, value in db.execute(sql).fetchall():
            values[unit] = 1.0 if found["how"].startswith("1 where") else values[unit] + float(value)
    return values


def by_hand(root: Path, name: str, arm: str) -> float:
    """The value of an arm, from nothing but what the page prints and the raw rows."""
    shown, signs = printed(root, name)
    meaning = {line.split(" = ")[0]: line for line in signs if " = " in line}
    with duckdb.connect(str(root / "warehouse.duckdb"), read_only=True) as db:
        arms = dict(db.execute("SELECT unit_id, variant FROM experiment_assignments").fetchall())
    x = of_units(root, meaning["xi"])
    everyone = np.array([x.get(u, 0.0) for u in arms])
    mine = [u for u, variant in arms.items() if variant == arm]
    values = np.array([x.get(u, 0.0) for u in mine])
    if shown == "Σi xi ÷ Σi yi":
        y = of_units(root, meaning["yi"])
        return float(values.sum() / sum(y.get(u, 0.0) for u in mine))
    if share := re.fullmatch(r"smallest v with #\{i : xi ≤ v\} ÷ n ≥ ([\d.]+) %", shown):
        return float(min(v for v in values if np.mean(values <= v) >= float(share[1]) / 100 - 1e-12))
    if shown == "(1 ÷ n) Σi min(xi, c)":
        words = meaning["c"]
        if share := re.search(
            r"the value that ([\d.]+) % of the units of all arms stay at or below, between two", words
        ):
            limit = float(np.quantile(everyone, float(share[1]) / 100))
        else:
            stated = re.match(r"c = \D*([\d.]+)\D*:", words)
            assert stated, words
            limit = float(stated[1])
        return float(np.minimum(values, limit).mean())
    assert shown == "(1 ÷ n) Σi xi", shown
    return float(values.mean())


@pytest.mark.parametrize("name", METRICS)
def test_the_printed_formula_gives_the_published_values(made: SmallProject, name: str) -> None:
    record = Record.from_json((made.root / "editions/2026-W47/records/button.json").read_bytes())
    for part, arm in (("control", "blue"), ("treatment", "green")):
        number = record.number(f"button.{name}.{part}")
        assert not isinstance(number.value, NotPublished), number.value
        if name == "adjusted" and part == "treatment":  # only the difference is adjusted, or both arms by their own z
            continue
        assert number.value == pytest.approx(by_hand(made.root, name, arm), rel=1e-9), part


@pytest.mark.parametrize("name", [n for n, m in METRICS.items() if "quantile" not in m])
def test_the_worked_example_ends_in_the_published_value(made: SmallProject, name: str) -> None:
    text = page(made.root, name)
    assert "A worked example" in text
    passports = re.findall(r'data-number="metrics\.[^"]*\.example\.(\w+)" data-passport="([^"]+)"[^>]*>([^<]+)<', text)
    shown = {part: html.unescape(label) for part, _, label in passports}
    record = Record.from_json((made.root / "editions/2026-W47/records/button.json").read_bytes())
    value = record.number(f"button.{name}.control").value
    assert not isinstance(value, NotPublished)

    def real(label: str) -> float:
        return float(re.sub(r"[^\d.]", "", label))

    under = real(shown.get("denominator", shown["units"]))
    top = real(shown["sum"])
    slack = 0.5 + 0.02 * top  # what is shown is rounded
    assert top / under == pytest.approx(value, abs=slack / under + 0.01 * abs(value))
    assert ("units had it" in text) == (name == "yes")


def test_the_adjustment_for_a_covariate_is_as_the_page_says(made: SmallProject) -> None:
    said = text_of(page(made.root, "adjusted"))
    assert "xi − θ (zi − z̄) is compared, zi being spent of before" in said
    assert "θ the covariance of x and z over the variance of z" in said
    record = Record.from_json((made.root / "editions/2026-W47/records/button.json").read_bytes())
    with duckdb.connect(str(made.root / "warehouse.duckdb"), read_only=True) as db:
        rows = db.execute(
            "SELECT variant, coalesce(x, 0), spent FROM experiment_assignments a JOIN before USING (unit_id) LEFT JOIN "
            "(SELECT unit_id, sum(price) x FROM buys JOIN experiment_assignments USING (unit_id) WHERE happened_at >= assigned_at GROUP BY 1) "
            "USING (unit_id)"
        ).fetchall()
    x, z = (np.array([r[i] for r in rows], dtype=float) for i in (1, 2))
    arm = np.array([r[0] for r in rows])
    parts = [(x[arm == a] - x[arm == a].mean(), z[arm == a] - z[arm == a].mean()) for a in ("blue", "green")]
    theta = sum(float(a @ b) for a, b in parts) / sum(float(b @ b) for _, b in parts)
    adjusted = x - theta * (z - z.mean())
    difference = record.number("button.adjusted.difference").value
    by_page = adjusted[arm == "green"].mean() - adjusted[arm == "blue"].mean()
    assert difference == pytest.approx(by_page, rel=1e-6)


def test_metrics_file_has_no_kind_that_is_not_tried_here() -> None:
    from small import REPOSITORY  # noqa: PLC0415

    shipped = yaml.safe_load((REPOSITORY / "params" / "metrics.yml").read_text())["metrics"]

    def kind(m: dict[str, Any]) -> str:
        shapes = [k for k in ("quantile", "cap", "cap_quantile", "covariate") if m.get(k) is not None]
        under = m.get("denominator") or {}
        return json.dumps([m["fact"]["aggregation"], under.get("aggregation"), shapes])

    tried = {kind(m) for m in METRICS.values()}
    assert {kind(m) for m in shipped.values() if m.get("fact") and len(m) and kind(m)} - tried <= {
        json.dumps(["sum", None, ["cap", "covariate"]]),
        json.dumps(["any", None, ["covariate"]]),
    }

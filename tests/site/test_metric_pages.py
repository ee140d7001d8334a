"""Pages of metrics, in whole editions of a small project."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
import yaml

from gazette.record import Record
from gazette.snapshot import reopen
from program import gazette

if TYPE_CHECKING:
    from small import SmallProject

pytestmark = pytest.mark.integration
EVIL = "<script>alert(1)</script> `{=html}` :::"
BEFORE = {"table": "taps", "unit": "unit_id", "time": "happened_at", "aggregation": "any"}


def define(small: SmallProject, **more: dict[str, Any]) -> None:
    """Write the small project's metric, and more."""
    content = {"metrics": {"ctr": small.metric, **more}}
    text = yaml.safe_dump(json.loads(json.dumps(content)), sort_keys=False, allow_unicode=True)
    (small.root / "params" / "metrics.yml").write_text(re.sub(r"'(\d{4}-\d\d-\d\d)'", r"\1", text))


def page(small: SmallProject, name: str, week: str = "2026-W47") -> str:
    return (small.root / "_site" / "editions" / week / "metrics" / f"{name}.html").read_text()


def words(text: str) -> str:
    body = text[text.index("<main") :]
    return html.unescape(
        re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<script.*?</script>", "", body, flags=re.DOTALL)))
    )


def second(small: SmallProject) -> None:
    """Half of those who clicked had tapped too, and a tap was what counted until version 2."""
    with duckdb.connect(str(small.root / "warehouse.duckdb")) as db:
        db.execute(
            "CREATE TABLE taps AS SELECT * FROM (SELECT *, row_number() OVER (ORDER BY happened_at, unit_id) AS k FROM events) WHERE k % 2 = 0"
        )
    entry = {
        "version": 2,
        "date": "2026-11-02",
        "author": "growth",
        "change": "Clicks instead of taps.",
        "before": {"fact": BEFORE},
    }
    small.metric["changelog"].append(entry)
    define(small)


def test_a_page_says_all_that_a_reviewer_asks(small: SmallProject) -> None:
    second(small)
    spare = {
        **small.metric,
        "title": "Spare",
        "fact": None,
        "changelog": small.metric["changelog"][:1],
        "formula": "hits ÷ tries",
        "code": "gazette.stats.mean",
    }
    spare = {k: v for k, v in spare.items() if v is not None}
    define(small, spare=spare)
    gazette("build", "2026-W46..2026-W47", project=small.root)
    text = page(small, "ctr")
    said = words(text)

    # definition, formula, owner, changelog
    assert "Share of users who clicked." in said
    assert "Owner: growth. Definition 2, in force since 2026-11-02" in said
    assert "(1 ÷ n) Σ i x i" in said
    assert "x i = 1 where there is at least one of the rows of events of unit i; 0 where there is none" in said
    assert "2 2026-11-02 growth Clicks instead of taps." in said
    assert "1 2026-01-05 office First definition." in said

    # the worked example ends in the published number
    record = Record.from_json((small.root / "editions/2026-W47/records/button.json").read_bytes())
    value = record.number("button.ctr.control")
    arms = reopen(small.root / "editions/2026-W47/snapshot/button").table("arms").set_index("variant")
    assert arms.loc["blue", "m_ctr_mean"] == pytest.approx(value.value)
    assert "arm Blue, 2026-W47: 200 units; 20 units had it. 20 ÷ 200 = 10" in said
    assert 'data-number="button.ctr.control"' in text

    # the SQL as frozen
    for query in reopen(small.root / "editions/2026-W47/snapshot/button").queries:
        if query.name == "arms":
            assert html.escape(query.sql.strip()[:200]) in text

    # where used, with links
    assert 'href="../experiments/button.html"' in text
    assert "Experiment, primary Green button" in said

    # earlier editions, linked where they are on the published site, each value under an id of its own
    assert 'href="../../2026-W46/experiments/button.html"' in text
    assert (small.root / "_site/editions/2026-W46/experiments/button.html").is_file()
    assert 'data-number="button.2026-w46.ctr.control"' in text
    assert 'data-name="history-ctr-button"' in text
    ids = re.findall(r'data-number="([^"]+)" data-passport="([^"]+)"', text)
    shown = {}
    for number, passport in ids:
        assert shown.setdefault(number, passport) == passport

    # nobody uses the spare one
    other = words(page(small, "spare"))
    assert "hits ÷ tries" in other
    assert "Computed by gazette.stats.mean" in other
    assert "Nothing in this edition uses it." in other
    assert "No edition has published a value of it yet." in other
    assert "No row of the translation matrix names it." in other
    assert "No query of this edition measured it." in other

    # the list, in the navigation
    index = (small.root / "_site/editions/2026-W47/metrics.html").read_text()
    assert 'href="metrics/spare.html"' in index
    assert "Spare" in words(index)
    assert re.search(r'<a[^>]+href="(\./)?metrics\.html"[^>]*>\s*(<span[^>]*>)?Definitions', index)

    # the first edition has no history, and says what it has
    assert "2026-W45" not in page(small, "ctr", "2026-W46")


def test_a_bridge_shows_both_definitions_over_the_same_weeks(small: SmallProject) -> None:
    second(small)
    gazette("build", "2026-W47", project=small.root)
    said = words(page(small, "ctr"))
    rows = reopen(small.root / "editions/2026-W47/snapshot/metrics").table("bridge_m_ctr_v2")
    with duckdb.connect(str(small.root / "warehouse.duckdb"), read_only=True) as db:
        by_hand = db.execute(
            "SELECT date_trunc('week', e.happened_at)::DATE, count(DISTINCT e.unit_id), count(DISTINCT t.unit_id) FROM events e "
            "LEFT JOIN taps t USING (unit_id) GROUP BY 1 ORDER BY 1"
        ).fetchall()
    assert [(f"{w:%Y-%m-%d}", n) for w, n in zip(rows.week, rows.n, strict=True)] == [
        (f"{w:%Y-%m-%d}", n) for w, n, _ in by_hand
    ]
    assert rows.new.tolist() == [1.0, 1.0]
    assert rows.old.tolist() == pytest.approx([taps / n for _, n, taps in by_hand])
    last = by_hand[-1]
    assert "Bridge from definition 1 to 2" in said
    assert f"In 2026-W47, the new definition read {last[1] / last[2]:.2f}"[:-1] in said
    assert 'data-name="bridge-ctr-v2"' in page(small, "ctr")
    assert 'data-number="metrics.ctr.v2.2026-w47.ratio"' in page(small, "ctr")


def test_a_bridge_whose_table_is_gone_is_said_and_stops_nothing(small: SmallProject) -> None:
    second(small)
    with duckdb.connect(str(small.root / "warehouse.duckdb")) as db:
        db.execute("DROP TABLE taps")
    gazette("build", "2026-W47", project=small.root)
    assert "The bridge cannot be computed: the warehouse has no table 'taps'." in words(page(small, "ctr"))


def test_a_definition_changed_without_an_entry_stops_the_build_and_the_check(small: SmallProject) -> None:
    gazette("build", "2026-W46", project=small.root)
    small.metric["fact"]["aggregation"] = "count"
    define(small)
    for command in (("build", "2026-W47"), ("check",)):
        done = gazette(*command, project=small.root, code=1)
        said = done.stdout + done.stderr
        assert "metric 'ctr': 'fact' changed without a new version in its changelog" in said
        assert "'aggregation': 'any'" in said
        assert "'aggregation': 'count'" in said
    assert not (small.root / "editions" / "2026-W47").exists()
    before = {**small.metric["fact"], "aggregation": "any"}
    small.metric["changelog"].append(
        {
            "version": 2,
            "date": "2026-11-16",
            "author": "growth",
            "change": "Every click counts.",
            "before": {"fact": before},
        }
    )
    define(small)
    gazette("build", "2026-W47", project=small.root)
    assert "Every click counts." in words(page(small, "ctr"))


def test_hostile_words_are_shown_as_words(small: SmallProject) -> None:
    for key in ("title", "owner", "definition"):
        small.metric[key] = EVIL
    small.metric["formula"] = EVIL
    small.metric["changelog"][0] |= {"author": EVIL, "change": EVIL}
    define(small)
    gazette("build", "2026-W47", project=small.root)
    for text in (page(small, "ctr"), (small.root / "_site/editions/2026-W47/metrics.html").read_text()):
        assert "<script>alert(1)" not in text
        assert "<script>alert(1)</script>" in words(text)


def test_the_same_inputs_give_the_same_pages(small: SmallProject) -> None:
    second(small)
    gazette("build", "2026-W47", "--no-publish", project=small.root)
    place = small.root / "editions/2026-W47"
    first = {p.name: p.read_bytes() for p in sorted((place / "site/metrics").iterdir())}
    gazette("build", "2026-W47", "--no-publish", "--force", project=small.root)
    assert {p.name: p.read_bytes() for p in sorted((place / "site/metrics").iterdir())} == first


def test_shipped_code_references_name_real_functions() -> None:
    import importlib  # noqa: PLC0415

    from gazette.params import load  # noqa: PLC0415
    from small import REPOSITORY  # noqa: PLC0415

    for name, metric in load(REPOSITORY / "params").metrics.items():
        assert metric.fact or metric.formula, name
        if metric.code:
            module, _, attribute = metric.code.rpartition(".")
            named = getattr(importlib.import_module(module), attribute, None)
            assert named is not None or importlib.import_module(metric.code), metric.code

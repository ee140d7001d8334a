"""Decisions in whole editions and on the shelf: watched, decided, due, in the portfolio; one project, built over three weeks."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date
from typing import TYPE_CHECKING

import duckdb
import pytest
import yaml

from gazette.editions import Store
from gazette.record import Record
from gazette.register import due, faults_of, load_register
from gazette.snapshot import reopen
from program import gazette
from small import SmallProject

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("register_build")]  # what they share is built once
EVIL = "<script>alert('x')</script>{{< include secret >}} `code`"
BY = ("--by", "Ada")
COLUMNS = "test, title, ended, decision, metric, effect, effect_error, realised, realised_error, realised_on"


def past(name: str, metric: str, promised: float) -> str:
    """A shipped test of which half came true."""
    days = "DATE '2026-10-01'", "DATE '2026-10-20'"
    return (
        f"('{name}', 'Past {name}', {days[0]}, 'ship', '{metric}', {promised}, 0.004, {promised / 2}, 0.004, {days[1]})"
    )


ROSY = [
    *(past(f"c{i}", "ctr", 0.05 + 0.002 * i) for i in range(6)),
    *(past(f"b{i}", "bounce", -0.05 - 0.002 * i) for i in range(6)),
    past("unknown", "forgotten", 0.5),
]


def decide(root: Path, experiment: str, choice: str, *more: str, because: str = "A clear gain.") -> None:
    gazette("decide", experiment, choice, *BY, "--because", because, *more, project=root)


def record(root: Path, week: str, page: str) -> Record:
    return Record.from_json((root / "editions" / week / "records" / f"{page}.json").read_bytes())


def site(root: Path, week: str, page: str) -> str:
    return (root / "editions" / week / "site" / page).read_text()


def shelf(root: Path) -> str:
    return (root / "_site" / "decisions.html").read_text()


def text_of(html: str) -> str:
    """What a reader sees; inline tags part no words."""
    inline = re.sub(r"</?(?:span|small|strong|code|a)\b[^>]*>", "", html)
    return " ".join(re.sub(r"<[^>]+>", " ", inline).split())


def earlier(root: Path, what: str, days: int = 7, where: str = "") -> None:
    """Move times of a table back."""
    with duckdb.connect(str(root / "warehouse.duckdb")) as warehouse:
        warehouse.execute(f"UPDATE {what} - INTERVAL ({days}) DAY {where}")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Decided on W45: ``button`` (watched: held), ``worse`` (watched metric lost), ``over`` (ended), ``broken`` (its notebook fails).

    ``waiting`` is decided by nobody.
    """
    small = SmallProject(tmp_path_factory.mktemp("decided") / "project", users=1200)
    small.site["ended_weeks"] = 0
    small.experiment |= {"start": "2026-11-02", "end": "2026-11-15"}
    earlier(small.root, "experiment_assignments SET assigned_at = assigned_at")
    earlier(small.root, "events SET loaded_at = loaded_at - INTERVAL 7 DAY, happened_at = happened_at")
    small.site["history"] = "past_tests"
    small.write()
    small.add_pages("portfolio")
    small.add_metrics("win-rate", "cumulative-effect", "realised-share")
    with duckdb.connect(str(small.root / "warehouse.duckdb")) as warehouse:
        warehouse.execute(f"CREATE TABLE past_tests AS SELECT * FROM (VALUES {', '.join(ROSY)}) v({COLUMNS})")
    small.add_metric("bounce", title="Bounces", direction="lower")
    small.add_experiment("worse", guardrails=[{"metric": "bounce", "margin": 0.02}], title="Worse")
    small.add_experiment("over", end="2026-11-08", title="Over", planned_units=1000)
    small.add_experiment("broken", title="Broken")
    small.add_experiment("waiting", title="Waiting")
    root = small.root
    gazette("build", "2026-W45", project=root)
    watch = "ctr:0.05:2026-11-15:growth"
    decide(root, "button", "ship-with-monitoring", "--watch", watch, because=EVIL)
    decide(root, "worse", "ship-with-monitoring", "--override", because="Clicks matter more.")
    decide(root, "over", "ship-with-monitoring", "--watch", watch)
    decide(root, "broken", "ship-with-monitoring", "--watch", watch)
    gazette("sign-off", "button-2026-W45", "--by", "Ben", "--note", EVIL, project=root)
    small.template("fails", "raise RuntimeError('it broke')")
    path = root / "params/experiments/broken.yml"
    path.write_text(path.read_text() + "notebook: fails.ipynb\n")
    gazette("build", "2026-W46", project=root, code=1)
    return root


def test_an_edition_seals_the_register_that_it_read(project: Path) -> None:
    manifest = json.loads((project / "editions/2026-W46/manifest.json").read_text())
    for name in ("button-2026-W45.yml", "sign-offs/"):
        assert any(f.startswith(f"reports/decisions/{name}") for f in manifest["files"]), name
    kept = project / "editions/2026-W46/reports/decisions/button-2026-W45.yml"
    assert kept.read_bytes() == (project / "reports/decisions/button-2026-W45.yml").read_bytes()
    assert "reports/decisions" not in str(
        json.loads((project / "editions/2026-W45/manifest.json").read_text())["files"]
    )


def rule(root: Path, page: str, ident: str, week: str = "2026-W46") -> str:
    return next(f.rule for f in record(root, week, page).findings if f.id == ident)


def test_a_watch_that_holds_is_on_the_tests_page_with_value_range_and_margin(project: Path) -> None:
    assert rule(project, "button", "button.watch.2026-w45.ctr") == "watch-held"
    page = site(project, "2026-W46", "experiments/button.html")
    row = text_of(page[page.index('data-name="watches"') :].split("</table>")[0])
    number = record(project, "2026-W46", "button").number("button.ctr.relative")
    assert number.interval is not None
    assert "Held" in row
    assert "5 %" in row
    assert "15 November 2026" in row
    assert "growth" in row
    assert record(project, "2026-W46", "button").number("button.watch.2026-w45.ctr.margin").value == 0.05
    assert "watch" not in {
        f.rule.partition("-")[0] for f in record(project, "2026-W46", "executive").findings if "button" in f.id
    }


def test_a_breached_watch_is_a_risk_on_the_summary(project: Path) -> None:
    assert rule(project, "worse", "worse.watch.2026-w45.bounce") == "watch-breached"
    assert rule(project, "executive", "worse.watch.2026-w45.bounce") == "watch-breached"
    page = site(project, "2026-W46", "index.html")
    risks = page[page.index('data-name="risks"') :].split("</table>")[0]
    assert "✗" in risks
    assert "Breached" in risks
    assert "a loss beyond the agreed" in text_of(risks)
    assert 'data-number="worse.bounce.relative"' in risks


def test_a_test_that_ended_before_it_was_shipped_stays_and_says_that_there_is_no_data(project: Path) -> None:
    """It ended the week before, and site.yml keeps no ended tests; its watch keeps it."""
    assert rule(project, "over", "over.watch.2026-w45.ctr") == "watch-no-data"
    risks = text_of(site(project, "2026-W46", "index.html"))
    assert "the arms were last compared on 8 November 2026" in risks


def test_a_watched_test_whose_analysis_failed_is_named_not_dropped(project: Path) -> None:
    assert rule(project, "executive", "broken.watch.2026-w45.ctr") == "watch-no-data"
    assert "its analysis failed this week" in text_of(site(project, "2026-W46", "index.html"))


def test_what_is_decided_is_said_on_the_summary_and_no_more_due(project: Path) -> None:
    found = {f.id: f for f in record(project, "2026-W46", "executive").findings}
    assert found["summary.decision.button"].rule == "decision-taken"
    assert found["summary.decision.button"].terms["by"] == "Ada"
    assert found["summary.decision.waiting"].rule != "decision-taken"
    assert "Green button: decided on edition 2026-W45 by Ada: ship and watch" in text_of(
        site(project, "2026-W46", "index.html")
    )
    draft = (project / "editions/2026-W46/site/share/email.html").read_text()
    headline = record(project, "2026-W46", "executive").findings[0]
    ready = next(n for n in record(project, "2026-W46", "executive").numbers if n.id == "executive.tests-ready")
    assert ready.value == 1, "only the one that waits is ready to ship"
    assert "{executive.tests-decided}" in headline.text
    decided = "Decided: ship with monitoring, on edition 2026-W45, by Ada"
    for page in ("index.html", "experiments.html", "experiments/button.html"):
        assert decided in text_of(site(project, "2026-W46", page)), page
    assert "The advice was: ship." in text_of(site(project, "2026-W46", "experiments/button.html"))
    assert "Decided" not in text_of(site(project, "2026-W46", "experiments/waiting.html"))
    assert decided in text_of(draft)
    assert decided in text_of((project / "_site" / "index.html").read_text())
    assert "Ship with monitoring, on edition 2026-W45" in text_of(site(project, "2026-W46", "portfolio.html"))
    assert "decided on edition 2026-W45 by Ada" in text_of(draft)


def test_decisions_due_name_the_test_the_wait_and_the_command(project: Path) -> None:
    waiting = {d.experiment: d for d in due(load_register(project), Store(project / "editions"))}
    assert set(waiting) == {"waiting"}
    one = waiting["waiting"]
    assert (one.since, one.days, one.choice, one.before) == ("2026-W45", 7, "ship", None)
    page = shelf(project)
    part = page[page.index('id="gz-due"') :].split("</table>")[0]
    assert "7 days, since edition 2026-W45" in text_of(part)
    assert "gazette decide waiting ship --edition 2026-W46" in text_of(part)
    assert 'href="editions/2026-W46/experiments/waiting.html"' in part


def test_a_decision_is_due_again_when_the_advice_has_changed_since(project: Path, tmp_path: Path) -> None:
    root = copied(project, tmp_path)
    path = root / "reports/decisions/button-2026-W45.yml"
    path.write_text(path.read_text().replace("  action: ship\n", "  action: keep running\n"))
    found = {d.experiment: d for d in due(load_register(root), Store(root / "editions"))}
    assert found["button"].before is not None
    assert (found["button"].since, found["button"].days) == ("2026-W46", 0)


def test_the_register_shows_each_decision_and_escapes_what_people_wrote(project: Path) -> None:
    page = shelf(project)
    table = page[page.index('id="gz-decided"') :].split("</table>")[0]
    row = next(text_of(r) for r in table.split("<tr>") if "button-2026-W45" in r)
    for words in ("Green button", "ship with monitoring", "Ada", "Ben", "Click-through rate: +", "fits its edition"):
        assert words in row, words
    worse = next(text_of(r) for r in table.split("<tr>") if "worse-2026-W45" in r)
    for words in ("Against the advice", "Clicks matter more.", "not signed off", "don&#x27;t ship"):
        assert words in worse, words
    assert 'href="editions/2026-W45/experiments/button.html"' in table
    assert "<script>alert(" not in page
    detail = text_of(
        page[page.index('<details class="gz-fold gz-decision" id="button-2026-W45"') :].split("</details>")[0]
    )
    for words in (
        "ship with monitoring (chosen), stop, continue",
        "alert(",
        "Held",
        "Expected effects",
        "rule benefit",
    ):
        assert words in detail, words


def copied(project: Path, place: Path) -> Path:
    shutil.copytree(project, place / "project")
    return place / "project"


def test_a_planted_over_optimistic_series_shows_on_the_page(project: Path, tmp_path: Path) -> None:
    """Half of the tests are on a metric of which less is better: read the wrong way round they would cancel the others."""
    root = copied(project, tmp_path)
    shutil.rmtree(root / "reports/decisions")  # the history alone
    gazette("build", "2026-W46", project=root)
    page = shelf(root)
    assert "No decision is recorded yet" in page
    assert "gazette decide EXPERIMENT ship" in page
    said = text_of(page[page.index("gz-scores") :].split("</ul>")[0])
    assert "Too sure" in said
    assert "Too much was promised" in said
    assert re.search(r"Promised less realised, on average: \+2\.\d+ % \(\+2\.", said), said
    assert "Winner’s curse" in said
    assert re.search(r"Of what 12 shipped tests promised, 50(?:\.0+)? %", said), said
    table = page[page.index('id="gz-outcomes"') :].split("</table>")[0]
    assert table.count("less than promised") == 12
    assert "Past unknown" not in table, "a metric without a definition has no good direction, so it is not scored"
    bounce = next(text_of(row) for row in table.split("<tr>") if "Past b0" in row)
    assert "−5.0" in bounce, "figures stand as they were measured"


def edited(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda p: edited(p, "A clear gain", "A clearer gain"), "Ben signed another text"),
        (lambda p: edited(p, "edition_digest: ", "edition_digest: " + "a" * 64 + " #"), "its digest is another"),
        (
            lambda p: edited(p, "  action: ship", "  action: don't ship"),
            "recommendation in the file is not the edition's",
        ),
        (
            lambda p: p.write_text(re.sub(r"(relative:\n    value: )\S+", r"\g<1>9.5", p.read_text())),
            "expected effect on",
        ),
    ],
)
def test_a_decision_that_does_not_fit_is_flagged_and_cannot_be_signed(
    project: Path, tmp_path: Path, change: object, says: str
) -> None:
    root = copied(project, tmp_path)
    path = root / "reports/decisions/button-2026-W45.yml"
    signed = next((root / "reports/decisions/sign-offs").glob("*.yml"))
    if "signed another" in says:
        signed.write_text(re.sub(r"decision_digest: \w+", f"decision_digest: {'a' * 64}", signed.read_text()))
    else:
        signed.unlink()
        change(path)  # type: ignore[operator]
    entry = load_register(root).entry("button-2026-W45")
    faults = faults_of(entry, Store(root / "editions"))
    assert any(says in f for f in faults), faults
    code = 1 if "digest" in says else 2
    refused = gazette("sign-off", "button-2026-W45", "--by", "Cleo", project=root, code=code).stderr
    assert "is not the one that was decided on" in refused or says in refused
    gazette("build", "2026-W46", project=root)  # sealed already; only the shelf is made anew
    page = shelf(root)
    assert "does not fit" in page
    assert "✗" in page
    assert says.replace("'", "&#x27;") in page


def test_a_decision_on_an_edition_that_was_removed_is_flagged(project: Path, tmp_path: Path) -> None:
    root = copied(project, tmp_path)
    shutil.rmtree(root / "editions/2026-W45")
    entry = load_register(root).entry("button-2026-W45")
    assert faults_of(entry, Store(root / "editions")) == ("edition 2026-W45 is not there any more",)


def test_a_watch_is_over_after_its_last_day_and_the_portfolio_keeps_the_decision(project: Path, tmp_path: Path) -> None:
    root = copied(project, tmp_path)
    gazette(
        "score", "button-2026-W45", "--realised", "0.4", "--error", "0.1", "--source", "hold-out", "--by", "Ben",
        "--measured", "2026-11-20", project=root,
    )  # fmt: skip
    for name in ("worse", "over", "broken"):
        (root / f"params/experiments/{name}.yml").unlink()
    path = root / "params/experiments/waiting.yml"
    content = yaml.safe_load(path.read_text()) | {"start": date(2026, 11, 16), "end": date(2026, 11, 29)}
    path.write_text(yaml.safe_dump(content))
    moved = "experiment_assignments SET assigned_at = assigned_at"
    earlier(root, moved, days=-14, where="WHERE experiment = 'waiting'")
    edited(root / "params/site.yml", "button.ctr.treatment", "waiting.ctr.treatment")
    gazette("build", "2026-W47", project=root)
    snapshot = reopen(root / "editions/2026-W47/snapshot/executive")
    assert not snapshot.has("watches") or "ctr" not in set(snapshot.table("watches")["metric"])
    assert not (root / "editions/2026-W47/records/button.json").exists()
    assert "its last day is past" in shelf(root)
    found = record(root, "2026-W47", "portfolio").number("portfolio.test.button.realised")
    assert found.value == 0.4
    page = site(root, "2026-W47", "portfolio.html")
    assert 'href="../2026-W46/experiments/button.html"' in page
    row = next(text_of(r) for r in page.split("<tr>") if "../2026-W46/experiments/button.html" in r)
    assert "Ship with monitoring, on edition 2026-W45" in row
    assert "+40 %" in row
    left = [f for f in record(root, "2026-W47", "executive").findings if f.id == "worse.watch.2026-w45.bounce"]
    assert [f.rule for f in left] == (["watch-no-data"] if "bounce" in str(snapshot.queries) else [])

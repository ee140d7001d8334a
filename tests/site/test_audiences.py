"""Each audience has a site of its own, from the same records, and nothing on it that it may not see."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest

from gazette.params import Audience, load, problems
from gazette.record import Record
from gazette.site._access import Access
from gazette.site._audiences import leaks
from program import gazette
from small import WEEK

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from small import SmallProject

EVERYONE = {"name": "everyone", "title": "Everyone", "experiments": "all"}


def declare(small: SmallProject, *audiences: Mapping[str, object]) -> None:
    small.site["audiences"] = list(audiences)
    small.write()


@pytest.mark.parametrize(
    ("audience", "key", "what"),
    [
        ({**EVERYONE, "models": ["nobody"]}, "audiences.1.models.0", "no model 'nobody'"),
        ({**EVERYONE, "experiments": ["nobody"]}, "audiences.1.experiments.0", "no experiment 'nobody'"),
        ({**EVERYONE, "owners": ["nobody"]}, "audiences.1.owners.0", "'nobody' owns no model and no test"),
        ({"name": "blind", "title": "Blind"}, "audiences.1", "sees no model and no test"),
        ({**EVERYONE, "name": "first"}, "audiences.1.name", "declared twice; the first stands in line"),
        ({**EVERYONE, "name": "../up"}, "audiences.1.name", "pattern"),
        ({**EVERYONE, "sees": ["all"]}, "audiences.1.sees.0", "'money', 'segments' or 'operations'"),
    ],
)
def test_a_wrong_audience_is_named(small: SmallProject, audience: dict[str, object], key: str, what: str) -> None:
    declare(small, {**EVERYONE, "name": "first"}, audience)
    (found,) = problems(small.root / "params")[1]
    assert (found.file, found.key) == ("site.yml", key)
    assert what in found.what


def record_of(root: Path, subject: str) -> Record:
    return Record.from_json((root / "editions" / WEEK / "records" / f"{subject}.json").read_bytes())


def test_money_segments_and_operations_are_taken_out_of_a_record(built: Path) -> None:
    params, record = load(built / "params"), record_of(built, "recommender")
    plain = Access(Audience(name="a", title="A", models="all"), params).record(record)
    assert plain is not None
    left = {n.id for n in plain.numbers}
    assert "recommender.ndcg-5" in left
    for gone in (
        "recommender.revenue-effect",
        "recommender.revenue-per-unit.vs-baseline",
        "recommender.ndcg-5.worth.revenue-per-unit",
        "recommender.segment.device-mobile.vs-baseline",
        "recommender.availability",
    ):
        assert gone not in left
        assert gone in {n.id for n in record.numbers}
    assert {r for f in plain.findings for r in f.references} <= left
    whole = Access(Audience(name="a", title="A", models="all", sees=["money", "segments", "operations"]), params)
    reduced = whole.record(record)
    assert reduced is not None
    assert reduced.numbers == record.numbers
    assert Access(Audience(name="a", title="A", experiments="all"), params).record(record) is None


@pytest.mark.integration
def test_one_site_an_audience_from_sealed_editions(published: SmallProject) -> None:
    """The edition was sealed before there were audiences; what readers see of it are figures of the whole site."""
    root = published.root
    declare(published, EVERYONE, {"name": "growth", "title": "Growth", "owners": ["growth"]})
    gazette("build", WEEK, project=root)
    for name in ("everyone", "growth"):
        site = root / f"_site-{name}"
        page = (site / "editions" / WEEK / "experiments" / "button.html").read_text()
        assert (site / "index.html").is_file()
        shown = dict(re.findall(r'data-number="([^"]*)"[^>]*>([^<]*)<', page))
        whole = (root / "_site" / "editions" / WEEK / "experiments" / "button.html").read_text()
        ids = {n.id for n in record_of(root, "button").numbers}
        assert set(shown) == ids
        assert f">{shown['button.ctr.treatment']}<" in whole
        assert "data-passport" not in page
    marks = {p: p.stat().st_mtime_ns for p in (root / "_site-growth").rglob("*.html")}
    gazette("build", WEEK, project=root)
    assert {p: p.stat().st_mtime_ns for p in marks} == marks  # nothing changed, nothing is made
    first = {p.name: p.read_bytes() for p in (root / "_site-growth").glob("*.*")}
    shutil.rmtree(root / "_site-growth")
    gazette("build", WEEK, project=root)
    assert {p.name: p.read_bytes() for p in (root / "_site-growth").glob("*.*")} == first  # made again: the same bytes


@pytest.mark.integration
def test_a_leak_stops_publishing(published: SmallProject) -> None:
    """The id of a withheld test stands in a text that pages of every audience carry."""
    root = published.root
    published.site["notice"] = "Ask about button.ctr.treatment."
    published.site["audiences"] = [{**EVERYONE, "experiments": [], "models": [], "owners": ["other"]}]
    published.write()
    other = {**published.experiment, "id": "other", "owner": "other", "start": "2027-01-04", "end": "2027-01-17"}
    (root / "params" / "experiments" / "other.yml").write_text(json.dumps(other))
    before = (root / "_site" / "index.html").read_bytes()
    said = gazette("build", WEEK, project=root, code=1).stderr
    assert "index.html holds what is withheld: subject" in said
    assert "button.ctr.treatment" not in said
    assert not (root / "_site-everyone").exists()
    assert (root / "_site" / "index.html").read_bytes() == before


@pytest.mark.integration
def test_a_folder_that_is_not_ours_is_left_alone(published: SmallProject) -> None:
    declare(published, EVERYONE)
    mine = published.root / "_site-everyone" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    assert "holds something else" in gazette("build", WEEK, project=published.root, code=1).stderr
    assert mine.read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("page.html", "<p>It was 0.123456789.</p>"),
        ("page.html", '<p title="a &quot;0.123456789&quot;"></p>'),
        ("data/table.csv", "a,b\n1,0.123456789\n"),
        ("chart.json", '{"y":[0.123456789]}'),
        ("search.js", 'window.x = ["0.123456789"];'),
        ("0.123456789", ""),
    ],
)
def test_a_planted_figure_is_found_wherever_it_lies(tmp_path: Path, name: str, text: str) -> None:
    place = tmp_path / name
    place.parent.mkdir(exist_ok=True)
    place.write_text(text)
    assert leaks(tmp_path, {"0.123456789": "money"}) == [f"{name} holds what is withheld: money"]
    assert leaks(tmp_path, {"0.12345678": "money"}) == []

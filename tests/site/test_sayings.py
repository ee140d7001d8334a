from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from gazette.display import number_span
from gazette.params import GlossaryFile
from gazette.record import Interval, Number, Record
from gazette.site._glossary import glossary_page, glossary_terms, inline_words
from gazette.site._passports import cell_names
from gazette.site._sayings import lint_sayings, same_numbers
from gazette.site._words import finish_words

AS_OF = datetime(2026, 11, 23)  # noqa: DTZ001


def number(value: float = 0.5, **more: Any) -> Number:
    content: dict[str, Any] = {
        "id": "t.a",
        "label": "A",
        "value": value,
        "unit": "fraction",
        "interval": Interval(low=0.4, high=0.6, level=0.95, method="t"),
        "metric": "m",
        "metric_version": 1,
        "cell": "c",
        "query": None,
        "snapshot": "s",
        "as_of": AS_OF,
    }
    return Number(**{**content, **more})


def record(subject: str, *numbers: Number) -> Record:
    return Record(
        subject=subject,
        kind="model",
        title=subject,
        owner="o",
        edition="2026-W47",
        week_start=AS_OF.date(),
        as_of=AS_OF,
        snapshot="s",
        numbers=numbers,
    )


def lint(folder: Path, body: str, page: str = "index.html", **more: Any) -> list[str]:
    place = folder / page
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"<!DOCTYPE html><html lang='en'><body><main>{body}</main></body></html>")
    return lint_sayings(folder, **more)


def test_one_number_has_one_value_in_all_records() -> None:
    same = {"a": record("a", number()), "b": record("b", number(cell="other"))}
    assert same_numbers(same) == []
    problems = same_numbers({"a": record("a", number()), "b": record("b", number(0.51))})
    assert len(problems) == 1
    for part in ("'t.a'", "a: 0.5 fraction", "b: 0.51 fraction"):
        assert part in problems[0]
    narrower = number(interval=Interval(low=0.45, high=0.6, level=0.95, method="t"))
    assert len(same_numbers({"a": record("a", number()), "b": record("b", narrower)})) == 1


def test_one_number_has_one_value_on_all_pages(tmp_path: Path) -> None:
    lint(tmp_path, f"<p>{number_span(number())}</p>", "a.html")
    assert lint(tmp_path, f"<p>{number_span(number(), 'interval')}</p>", "b.html") == []
    problems = lint(tmp_path, f"<p>{number_span(number(0.51))}</p>", "b.html")
    assert len(problems) == 1
    for part in ("'t.a'", "a.html", "b.html", "50.0 %", "51.0 %"):
        assert part in problems[0]


def test_a_span_shows_what_its_record_says(tmp_path: Path) -> None:
    span = number_span(number())
    assert lint(tmp_path, f"<p>{span}</p>", records=[record("t", number())]) == []
    problems = lint(tmp_path, f"<p>{span.replace('>50.0 %<', '>55.0 %<')}</p>", records=[record("t", number())])
    assert ["shown as '55.0 %'" in p for p in problems] == [True]


@pytest.mark.parametrize(
    "body",
    [
        "<ul class='gz-findings'><li>Up 3 % this week.</li></ul>",
        "<p class='gz-headline'>This week <b>2</b> tests are ready.</p>",
        "<div class='gz-panel'><p class='gz-reason'>It won by 4 points.</p></div>",
        "<div class='gz-panel'><p class='gz-advice'>Ship to 100 users.</p></div>",
    ],
)
def test_a_digit_typed_in_a_rendered_conclusion_is_found(tmp_path: Path, body: str) -> None:
    assert ["a digit is typed" in p for p in lint(tmp_path, body)] == [True]


def test_numbers_names_and_dates_are_no_typed_digits(tmp_path: Path) -> None:
    span = number_span(number())
    body = (
        f"<ul class='gz-findings'><li>Up {span} since <span class='gz-term'>22 November</span>. "
        "<small class='gz-rule'>rule: harm-p99</small></li></ul><p>Week 47 of 2026.</p>"
    )
    assert lint(tmp_path, body, records=[record("t", number())]) == []


def test_a_number_is_not_followed_by_a_per_cent_sign_of_its_own(tmp_path: Path) -> None:
    assert ["percent-of-points" in p for p in lint(tmp_path, f"<p>{number_span(number())} %</p>")] == [True]
    assert lint(tmp_path, f"<p>{number_span(number())} of users</p>") == []


@pytest.mark.parametrize(
    ("page", "body", "found"),
    [
        ("index.html", "<p>We are 95 % sure.</p>", True),
        ("index.html", "<p>We are <b>95 %</b> sure.</p>", True),
        (
            "index.html",
            "<p>A <q>95 % sure</q> winner</p><blockquote>It proves all.</blockquote><pre>proves</pre>",
            False,
        ),
        ("glossary.html", "<dl><dd>Nobody is 95 % sure.</dd></dl>", False),
        ("index.html", "<p>statistically significant</p>", True),
        ("experiments/a.html", "<p>statistically significant</p>", False),
        ("models/a.html", "<p>It caused a rise.</p>", True),
        ("experiments/a.html", "<p>It caused a rise.</p>", False),
        ("index.html", "<p>proves</p>" * 3, True),
        (
            "index.html",
            "<table><tr><td>a note in the data that proves nothing of ours, no effect</td></tr></table>",
            False,
        ),
    ],
)
def test_pages_are_read_for_wordings_that_mislead(tmp_path: Path, page: str, body: str, found: bool) -> None:
    problems = lint(tmp_path, body, page)
    assert len(problems) == found, problems
    assert all(p.startswith(f"{page}: ") for p in problems)


def words(folder: Path, body: str, language: str = "british", page: str = "index.html", **own: Any) -> str:
    place = folder / page
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(
        f'<!DOCTYPE html>\n<html lang="en"><body><main>{body}</main><footer>drift 2 %</footer></body></html>'
    )
    terms = glossary_terms(GlossaryFile.model_validate(own))
    finish_words(folder, language=language, words=inline_words(terms))
    return place.read_text()


def test_a_word_is_explained_once_a_page_and_only_in_running_text(tmp_path: Path) -> None:
    made = words(
        tmp_path, "<h2>Drift</h2><p>No drift &amp; <code>drift</code>.</p><p>More drift.</p>", page="models/a.html"
    )
    assert made.count("gz-gloss") == 1
    assert '<p>No <a class="gz-gloss" href="../glossary.html#drift"' in made
    assert "&amp; <code>drift</code>" in made
    assert "<h2>Drift</h2>" in made
    assert "<p>More drift.</p>" in made
    assert "<footer>drift 2 %</footer>" in made


def test_words_inside_links_numbers_and_names_stay_as_they_are(tmp_path: Path) -> None:
    body = "<p><a href='#x'>drift</a> <span class='gz-term'>AUC drift</span> driftwood re-drift</p>"
    assert "gz-gloss" not in words(tmp_path, body)


def test_a_pass_in_british_changes_nothing_but_the_language_tag(tmp_path: Path) -> None:
    body = "<p>a &lt; b &#8211; 2 % <br/> <img alt='x'> <!-- c --></p><script>if (a<b) {'drift'}</script>"
    made = words(tmp_path, body, shipped=False)
    assert f"<main>{body}</main>" in made
    assert 'lang="en-GB"' in made


def test_an_american_page_is_american_throughout_and_code_stays_as_it_is(tmp_path: Path) -> None:
    body = (
        f"<p title='colour'>Colour, 22 November 2026: {number_span(number(label='Behaviour'))}</p><code>colour 2 %</code>"
        '<script type="application/json">{"mark":{"color":"grey"},"title":"Colour","axis":{"format":"%d %b"}}</script>'
    )
    made = words(tmp_path, body, "american", shipped=False)
    assert "Color, November 22, 2026" in made
    assert 'title="color"' in made
    assert ">50.0%<" in made
    assert "Behavior" in made
    assert "Behaviour" not in made
    assert "<code>colour 2 %</code>" in made
    assert '"color":"grey"' in made, "a colour's name is code"
    assert '"title":"Color"' in made
    assert '"%b %-d"' in made
    assert 'lang="en-US"' in made
    assert lint_sayings(tmp_path, records=[record("t", number(label="Behaviour"))], language="american") == []


def test_own_words_replace_shipped_ones_and_can_stand_alone() -> None:
    own = {"id": "drift", "term": "drift", "definition": "<script>alert(1)</script>"}
    terms = glossary_terms(GlossaryFile.model_validate({"terms": [own]}))
    assert [t.definition for t in terms if t.id == "drift"] == ["<script>alert(1)</script>"]
    assert "<script>" not in glossary_page(terms)
    assert 'id="drift"' in glossary_page(terms)
    assert [t.id for t in glossary_terms(GlossaryFile.model_validate({"shipped": False, "terms": [own]}))] == ["drift"]
    assert "No word" in glossary_page([])


def test_the_shipped_glossary_has_the_words_of_the_trade() -> None:
    terms = {t.id for t in glossary_terms(GlossaryFile())}
    assert {"auc", "ndcg", "range", "guardrail", "hold-out", "look", "drift"} <= terms
    assert "drift" in inline_words(glossary_terms(GlossaryFile()))


def test_cells_are_named_by_what_they_call() -> None:
    assert cell_names("test.scorecard()", "c1") == ["c1", "scorecard"]
    assert cell_names("# model.secret()\nmodel.quality_table()", "quality") == ["quality", "quality-table"]
    assert cell_names("x = 1", '"><script>') == ["script"]

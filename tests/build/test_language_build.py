"""A small project from end to end: what is typed by hand, what contradicts itself and what misleads is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gazette.build import build, check, open_project
from gazette.editions import Week
from gazette.errors import ParamsError, SiteError
from small import NOW, WEEK

if TYPE_CHECKING:
    from gazette.build import Report
    from small import SmallProject

pytestmark = pytest.mark.integration


def made(small: SmallProject) -> Report:
    return build(open_project(small.root), [Week.parse(WEEK)], now=NOW)


def site_of(small: SmallProject) -> Path:
    return small.root / "editions" / WEEK / "site"


OPEN = "from gazette.workbench import open_experiment\ntest = open_experiment(subject, edition=edition, root=root)"


def plant(small: SmallProject, *cells: str) -> None:
    small.template("mine", OPEN, "test.verdict()", *cells, "test.emit()")
    small.experiment["notebook"] = "mine.ipynb"
    small.write()


def test_a_digit_typed_in_a_finding_fails_its_notebook_and_the_build_says_where(small: SmallProject) -> None:
    plant(small, "from gazette.record import Finding\nFinding(id='x', rule='mine', text='Clicks rose by 12 per cent.')")
    report = made(small)
    failed = report.editions[0].failed
    assert [o.page for o in failed] == ["button"]
    assert failed[0].failure is not None
    assert "typed in the text" in failed[0].failure.what + failed[0].failure.traceback
    assert "Clicks rose by" not in (site_of(small) / "index.html").read_text()


def test_a_digit_typed_in_a_shown_conclusion_stops_the_edition(small: SmallProject) -> None:
    plant(
        small,
        "from gazette.display import Block\nBlock('<ul class=\"gz-findings\"><li>Clicks rose by 12 %.</li></ul>')",
    )
    with pytest.raises(
        SiteError, match=r"experiments/button.html: a digit is typed in the conclusion 'Clicks rose by 12 %"
    ):
        made(small)
    assert not site_of(small).exists()


def test_a_result_typed_in_markdown_stops_the_edition(small: SmallProject) -> None:
    plant(small)
    path = small.root / "notebooks" / "mine.ipynb"
    content = json.loads(path.read_text())
    cell = {"cell_type": "markdown", "id": "words", "metadata": {}, "source": "Revenue rose by $4,000."}
    content["cells"].insert(2, cell)
    path.write_text(json.dumps(content))
    with pytest.raises(SiteError, match=r"'\$4,000' is typed in its text"):
        made(small)


def test_two_values_of_one_number_stop_the_edition(small: SmallProject) -> None:
    small.add_experiment("other")
    small.site["executive"]["cards"] = ["button.ctr.treatment"]
    small.template(
        "liar",
        OPEN,
        "test.verdict()",
        "n = test._numbers['other.ctr.treatment']\n"
        "test._numbers['button.ctr.treatment'] = n.model_copy(update={'id': 'button.ctr.treatment', 'value': 0.9})",
        "test.emit()",
    )
    small.write()
    path = small.root / "params" / "experiments" / "other.yml"
    path.write_text(path.read_text() + "notebook: liar.ipynb\n")
    with pytest.raises(
        SiteError, match=r"number 'button.ctr.treatment' has different values: button: .*; other: 0.9 fraction"
    ):
        made(small)
    assert not site_of(small).exists()


def test_params_that_can_be_misread_are_reported_with_their_line_and_stop_the_build(small: SmallProject) -> None:
    small.site["notice"] = "This proves it."
    small.experiment["hypothesis"] = "We are 95 % sure."
    small.metric["definition"] = "A statistically significant share."
    small.write()
    found = check(small.root)
    assert [(p.file, p.key) for p in found] == [
        ("experiments/button.yml", "hypothesis"),
        ("metrics.yml", "metrics.ctr.definition"),
        ("site.yml", "notice"),
    ]
    for problem in found:
        line = (small.root / "params" / problem.file).read_text().splitlines()[problem.line - 1]
        assert line.strip().startswith(problem.key.rpartition(".")[2])
        assert problem.mend
    with pytest.raises(ParamsError, match="3 wordings in the parameters"):
        made(small)


def test_a_glossary_may_name_the_wrong_wording(small: SmallProject) -> None:
    text = "terms:\n  - {id: sure, term: clicked, definition: Nobody is 95 % sure; data prove nothing.}\n"
    (small.root / "params" / "glossary.yml").write_text(text)
    assert check(small.root) == []
    (small.root / "params" / "glossary.yml").write_text(text + "  - {id: sure, term: CLICKED, definition: x}\n")
    assert ["duplicate id" in p.what for p in check(small.root)] == [True]


def test_an_american_site_is_american_on_every_page(small: SmallProject) -> None:
    small.site["language"] = "american"
    small.write()
    assert made(small).editions[0].failed == []
    pages = {
        p.relative_to(site_of(small)).as_posix(): p.read_text()
        for p in site_of(small).rglob("*.html")
        if p.parent.name != "theme"
    }
    assert "November 16–22, 2026" in pages["index.html"]
    assert "glossary.html" in pages
    for name, text in pages.items():
        assert "16–22 November" not in text, name
        assert " %<" not in text.replace("<code", "<"), name
        assert 'lang="en-US"' in text, name
    shelf = (small.root / "_site" / "index.html").read_text()
    assert "November 16–22, 2026" in shelf


def test_every_cell_that_a_number_names_has_its_anchor(small: SmallProject) -> None:
    made(small)
    page = (site_of(small) / "experiments" / "button.html").read_text()
    record = json.loads((small.root / "editions" / WEEK / "records" / "button.json").read_text())
    cells = {n["cell"] for n in record["numbers"]}
    assert len(cells) > 2
    assert [c for c in cells if f'id="cell-{c}"' not in page] == []
    provenance = (site_of(small) / "provenance.html").read_text()
    queries = {n["query"] for n in record["numbers"] if n["query"]}
    assert [q for q in queries if f'id="query-button-{q.replace("_", "-")}"' not in provenance] == []
    assert 'id="snapshot-button"' in provenance

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gazette.record import in_lines
from gazette.site import lint_site, lint_sources
from gazette.site._text import raw_html

if TYPE_CHECKING:
    from pathlib import Path

FRONT = {"cell_type": "raw", "id": "front-matter", "metadata": {}, "source": "---\ntitle: T\n---"}
PAGE = "<!doctype html><html><head><title>t</title></head><body><h1 id='top'>T</h1>{}</body></html>"


def site(folder: Path, body: str) -> list[str]:
    (folder / "index.html").write_text(PAGE.format(body))
    (folder / "other.html").write_text(PAGE.format("<p id='there'>x</p>"))
    (folder / "a.csv").write_text("a\n")
    return lint_site(folder, allowed={"../../archive.html"})


@pytest.mark.parametrize(
    "body",
    [
        "<a href='other.html#there'>x</a> <a href='#top'>x</a> <a href='a.csv'>x</a> <a href='../../archive.html'>x</a>",
        "<a href='https://example.com/paper'>a link that a reader may follow</a> <a href='mailto:a@b.c'>x</a>",
        "<img src='data:image/png;base64,AAAA'>",
        "<pre>nan</pre><code>NaN</code><script>var a = NaN;</script>",
        "<p>Nancy, info@inf.example, banana, undefinedness</p>",
    ],
)
def test_sound_pages_pass(tmp_path: Path, body: str) -> None:
    assert site(tmp_path, body) == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("<script src='https://cdn.example/x.js'></script>", "loads https://cdn.example/x.js from another host"),
        ("<img src='//cdn.example/x.png'>", "from another host"),
        ("<link rel='stylesheet' href='http://cdn.example/x.css'>", "from another host"),
        ("<img srcset='http://cdn.example/x.png 2x'>", "from another host"),
        ("<iframe src='https://example.com'></iframe>", "from another host"),
        ("<style>@import 'https://fonts.example/a.css';</style>", "its style loads https://fonts.example"),
        ("<p style='background: url(https://x.example/a.png)'>x</p>", "its style loads https://x.example"),
        ("<a href='gone.html'>x</a>", "links to gone.html, which is not there"),
        ("<a href='other.html#gone'>x</a>", "no such anchor"),
        ("<a href='#gone'>x</a>", "no such anchor"),
        ("<a href='../secret.html'>x</a>", "outside the site"),
        ("<a href='javascript:alert(1)'>x</a>", "no reader can follow safely"),
        ("<img src='gone.png'>", "needs the file gone.png"),
        ("<script src='theme/gone.js'></script>", "needs the file theme/gone.js"),
        ("<td>nan</td>", "shows 'nan' to readers"),
        ("<td>NaN</td>", "shows 'NaN'"),
        ("<td>-inf</td>", "shows '-inf'"),
        ("<td>NaT</td>", "shows 'NaT'"),
        ("<p>undefined</p>", "shows 'undefined'"),
    ],
)
def test_what_engines_leave_silent_is_found(tmp_path: Path, body: str, says: str) -> None:
    problems = site(tmp_path, body)
    assert [says in p for p in problems] == [True], problems
    assert problems[0].startswith("index.html: ")


@pytest.mark.parametrize(
    "body",
    [
        "<p>It is undefined, not nan, where nobody clicked in that week.</p>",
        "<td>“nan”</td>",
        "<code>nan</code>",
        "<p>a nanosecond</p>",
    ],
)
def test_words_that_somebody_wrote_are_no_numbers(tmp_path: Path, body: str) -> None:
    assert site(tmp_path, body) == []


@pytest.mark.parametrize("body", ["<p>it is nan (nan to 3.2) points</p>", "<span>nan %</span>", "<p>+inf points</p>"])
def test_a_figure_without_a_number_is_none_with_its_unit_too(tmp_path: Path, body: str) -> None:
    assert len(site(tmp_path, body)) == 1


def test_style_sheets_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("@font-face { src: url('https://fonts.example/a.woff2'); }")
    assert lint_site(tmp_path) == ["a.css: loads https://fonts.example/a.woff2"]


def notebook(source: str, kind: str = "code", html: str = "") -> dict[str, Any]:
    data = {"text/markdown": raw_html(html)}
    outputs = [{"output_type": "display_data", "data": data, "metadata": {}}] if html else []
    cell = {"cell_type": kind, "id": "c1", "metadata": {}, "source": source}
    return in_lines({"cells": [FRONT, cell | ({"outputs": outputs} if kind == "code" else {})]})


def sources(folder: Path, content: dict[str, Any] | str) -> list[str]:
    if isinstance(content, str):
        (folder / "page.qmd").write_text(f"---\ntitle: T\n---\n{content}")
    else:
        (folder / "page.ipynb").write_text(json.dumps(content))
    return lint_sources(folder)


@pytest.mark.parametrize(
    "content",
    [
        "::: {.note}\ntext\n:::\n",
        "```\n::: not a div\n```\n",
        "```{=html}\n<div><p>one<p>two</div>\n```\n",
        notebook("#| code-fold: true\nx = 1"),
        notebook("#|\n#| label: a\nx"),
        notebook("x", html="<table><tr><td>1</td></tr></table>"),
        notebook("::: {.a}\n:::: {.b}\n::::\n:::", "markdown"),
    ],
)
def test_sound_sources_pass(tmp_path: Path, content: dict[str, Any] | str) -> None:
    assert sources(tmp_path, content) == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("::: {.note}\ntext\n", "the div opened in line 4 is never closed"),
        ("text\n:::\n", "line 5 closes a div that is not open"),
        ("```python\nx = 1\n", "a code fence is never closed"),
        ("```{=html}\n<div>\n```\n", "<div> is never closed"),
        ("```{=html}\n</details>\n```\n", "</details> closes nothing"),
        (notebook("#| code-fold: [\nx"), "are not YAML"),
        (notebook("#| just words\nx"), "not 'key: value' lines"),
        (notebook("#| code-flod: true\nx"), "unknown cell option 'code-flod'"),
        (notebook("::: {.a}", "markdown"), "never closed"),
        (notebook("x", html="<details><summary>s</summary>"), "<details> is never closed"),
    ],
)
def test_what_would_break_a_page_is_found_before_rendering(
    tmp_path: Path, content: dict[str, Any] | str, says: str
) -> None:
    problems = sources(tmp_path, content)
    assert [says in p for p in problems] == [True], problems
    assert problems[0].startswith("page.")


def test_downloads_are_not_pages(tmp_path: Path) -> None:
    (tmp_path / "_data").mkdir()
    (tmp_path / "_data" / "notebook.ipynb").write_text(json.dumps(notebook("#| nonsense: 1")))
    assert lint_sources(tmp_path) == []

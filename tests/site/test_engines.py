"""What engines are given, and what is said of an engine that does not work; Quarto itself is not needed here."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from smalldocs.config import HTML_OPTIONS
from smalldocs.quarto_keys import QUARTO_PAGE_OPTIONS
from smalldocs.site import build as smalldocs_build

from gazette.errors import SiteError
from gazette.record import RECORD_MIME
from gazette.site import Engine, choose_engine, lint_sources, try_engine, write_alone
from gazette.site._config import read_config, write_config
from gazette.site._engine import render
from gazette.site._notebook import to_page
from gazette.site._text import GUARD, front_matter, plain, raw_html
from gazette.site._theme import lay_theme
from program import gazette
from small import REPOSITORY

if TYPE_CHECKING:
    from small import SmallProject

QUARTO, EMBEDDED = Engine("quarto", "quarto 1.9.38", "quarto"), Engine("embedded", "smalldocs")


def notebook(*outputs: dict[str, Any], source: Any = "x = 1\nx") -> dict[str, Any]:
    cell = {
        "cell_type": "code",
        "id": "c1",
        "metadata": {},
        "source": source,
        "outputs": [*outputs],
        "execution_count": 1,
    }
    text = {"cell_type": "markdown", "id": "m1", "metadata": {}, "source": "Some *words*.\n\nAnd more."}
    return {"cells": [text, cell]}


def display(**data: Any) -> dict[str, Any]:
    return {
        "output_type": "display_data",
        "data": {k.replace("_", "/"): v for k, v in data.items()},
        "metadata": {"gazette.name": "t"},
    }


OUTPUTS = {
    "html": display(text_html="<p>a</p>\n<p>b</p>"),
    "html in lines": display(text_html=["<p>a</p>\n", "<p>b</p>"]),
    "html with a fence": display(text_html="<pre>```\n````</pre>"),
    "a table": display(text_html="<table><tr><td>1</td></tr></table>", text_csv="a\n1\n"),
    "markdown": display(text_markdown="A *word*\n\n- one\n- two"),
    "shortcodes in html": display(text_html="<p>{{< env HOME >}} {{% meta title %}}</p>"),
    "shortcodes in markdown": display(text_markdown="{{< include /etc/hostname >}} and {{< env HOME >}}"),
    "text": display(text_plain="a < b\nc"),
    "a stream": {"output_type": "stream", "name": "stdout", "text": ["one\n", "two\n"]},
    "an error": {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["a", "b"]},
    "a picture": display(image_png="iVBORw0KGgo="),
    "what nobody knows": display(**{"application_x-json": {"a": 1}}),
}


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    """A staged shelf, but for its ``_quarto.yml``."""
    lay_theme(REPOSITORY, tmp_path, cache=tmp_path, charts=False)
    for name in ("index", "archive", "decisions", "restatements"):
        (tmp_path / f"{name}.qmd").write_text(f"{front_matter(title='T')}\n\n{raw_html('<p>text</p>')}")
    return tmp_path


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
def test_a_staged_notebook_is_as_both_engines_read_it(stage: Path, output: dict[str, Any]) -> None:
    page = to_page(notebook(output), header={"title": "T"}, lead="<p>lead</p>", data="data/x", record="{}")
    (stage / "page.ipynb").write_text(json.dumps(page.notebook))
    assert lint_sources(stage) == []
    for cell in page.notebook["cells"]:
        assert isinstance(cell["source"], list)
        for made in cell.get("outputs", ()):
            assert made["data"].keys() <= {"text/markdown", "image/png"}
    anchors = "".join("".join(c["source"]) for c in page.notebook["cells"] if c["cell_type"] == "markdown")
    assert page.cells == {"c1"}
    assert anchors.count('id="cell-c1"') == 1, "numbers lead there"
    download = json.loads(page.files["notebook.ipynb"])
    assert all(isinstance(c["source"], list) for c in download["cells"]), "a download too may be rendered by Quarto"


def test_no_engine_finds_a_shortcode_in_what_people_and_data_wrote(stage: Path) -> None:
    """It would read a file or a variable of the machine that renders; Quarto looks for it in raw blocks too."""
    content = notebook(OUTPUTS["shortcodes in html"], OUTPUTS["shortcodes in markdown"])
    content["cells"][0]["source"] = "Words {{< env HOME >}} and {{% env HOME %}}."
    title = "T {{< env HOME >}}"
    page = to_page(content, header={"title": plain(title)}, lead=f"<p>{title}</p>", data="data/x", record="{}")
    staged = json.dumps(page.notebook, ensure_ascii=False)
    assert not re.search(r"(?:\{|&#123;){2}(?:[<%]|&#60;|&#37;)|(?:[>%]|&#62;|&#37;)(?:\}|&#125;){2}", staged)
    (stage / "index.qmd").unlink()
    (stage / "index.ipynb").write_text(json.dumps(page.notebook))
    config_for(stage, EMBEDDED)
    render(stage, stage / "out", EMBEDDED)
    text = unescape((stage / "out" / "index.html").read_text())
    assert text.count("{{< env HOME >}}") >= 5, "in title, heading, lead, words and outputs, as it was written"
    assert GUARD not in text
    assert os.environ["HOME"] not in text


def test_no_engine_finds_mathematics_whose_library_lies_on_another_host(stage: Path) -> None:
    """In code dollars stay; elsewhere they show as they were typed, amounts of money too."""
    content = notebook(display(text_markdown="About $a_1$ and $b_1$."))
    content["cells"][0]["source"] = (
        "Let $x^2$ be $$y$$, from $4.64 to $5.53; \\$z\\$.\n\n`$HOME`\n\n```sh\necho $A $B\n```\n\n    indented $C\n"
    )
    page = to_page(content, header={"title": "T"}, lead="", data="data/x", record="{}")
    (stage / "index.qmd").unlink()
    (stage / "index.ipynb").write_text(json.dumps(page.notebook))
    config_for(stage, EMBEDDED)
    render(stage, stage / "out", EMBEDDED)
    rendered = (stage / "out" / "index.html").read_text()
    assert "katex" not in rendered
    text = unescape(re.sub(r"<[^>]+>", "", rendered))
    sentences = (
        "Let $x^2$ be $$y$$, from $4.64 to $5.53; $z$.",
        "$HOME",
        "echo $A $B",
        "indented $C",
        "$a_1$ and $b_1$",
    )
    for shown in sentences:
        assert shown in text


def test_a_sites_title_with_signs_of_markup_is_a_title(stage: Path) -> None:
    write_config(stage, read_config(REPOSITORY), title="Smith & Sons' *shop*", edition=False, engine=EMBEDDED)
    render(stage, stage / "out", EMBEDDED)
    (title,) = re.findall(r"<title>(.*?)</title>", (stage / "out" / "archive.html").read_text())
    assert unescape(title).endswith("Smith & Sons' *shop*")


def test_quartos_error_names_the_page_and_the_cause(stage: Path, tmp_path: Path) -> None:
    said = "\\033[1m[ 1/3] a.qmd\\033[22m\\n[ 2/3] b.qmd\\nERROR: no such file\\nstack traceback:\\n\\t[C]: in ?\\n    at main (quarto.js:1:2)"
    path = program(tmp_path / "bin", f"{TRIES}printf '{said}' >&2; exit 1")
    with pytest.raises(SiteError) as caught:
        render(stage, tmp_path / "out", Engine("quarto", "quarto 1.9.38", path))
    assert caught.value.what == "quarto failed: [ 2/3] b.qmd\nERROR: no such file"


def broken(page: dict[str, Any], how: str) -> dict[str, Any]:
    code = next(c for c in page["cells"] if c["cell_type"] == "code")
    lead = next(c for c in page["cells"] if c["id"] == "lead")
    anchor = next(c for c in page["cells"] if c["id"] == "at-c1")
    if how == "one string":
        code["source"] = "".join(code["source"])
    elif how == "a line break within":
        code["source"] = ["a\nb"]
    elif how == "html":
        code["outputs"] = [display(text_html=["<p>x</p>"])]
    elif how == "an open raw block":
        lead["source"] = lead["source"][:-1]
    elif how == "an open block in an output":
        code["outputs"][0]["data"]["text/markdown"] = ["```{=html}\n", "<p>x</p>\n"]
    elif how == "an output of one string":
        code["outputs"][0]["data"]["text/markdown"] = "one\ntwo"
    elif how == "no title":
        page["cells"][0]["source"] = ["---\n", "toc: false\n", "---"]
    elif how == "no front matter":
        page["cells"].pop(0)
    elif how == "an anchor twice":
        page["cells"].append({**anchor, "id": "again"})
    return page


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("one string", "not a list of lines"),
        ("a line break within", "not a list of lines"),
        ("html", "an output of type text/html: to such pages Quarto adds scripts from the web"),
        ("an open raw block", "a code fence is never closed"),
        ("an open block in an output", "a code fence is never closed"),
        ("an output of one string", "not a list of lines"),
        ("no title", "does not begin with front matter that has a title"),
        ("no front matter", "does not begin with front matter that has a title"),
        ("an anchor twice", "the anchor cell-c1 stands 2 times"),
    ],
)
def test_what_quarto_would_misread_is_found_without_it(stage: Path, how: str, says: str) -> None:
    made = to_page(notebook(OUTPUTS["html"]), header={"title": "T"}, lead="<p>lead</p>", data="data/x", record="{}")
    (stage / "page.ipynb").write_text(json.dumps(broken(made.notebook, how)))
    problems = lint_sources(stage)
    assert [says in p for p in problems] == [True], problems


def config_for(stage: Path, engine: Engine, config: dict[str, Any] | None = None) -> dict[str, Any]:
    write_config(stage, config or read_config(REPOSITORY), title="T", edition=False, engine=engine)
    return dict(yaml.safe_load((stage / "_quarto.yml").read_text()))


def test_quarto_is_given_a_list_of_inputs_and_no_key_of_others(stage: Path) -> None:
    config = config_for(stage, QUARTO)
    assert config.keys() == {"project", "website", "format"}
    assert config["project"].pop("render") == ["**/*.qmd", "**/*.ipynb", "!_data/"], "its walk skips our stages"
    assert config["project"] == {"type": "website", "output-dir": "_site", "resources": ["theme/**"]}, (
        "no script is run"
    )
    html = config["format"]["html"]
    assert html.keys() <= QUARTO_PAGE_OPTIONS, "a list of Quarto's options that we did not write"
    assert html["html-table-processing"] == "none"
    assert html["respect-user-color-scheme"] is True
    for name in ("css", "include-in-header", "include-before-body", "include-after-body"):
        assert (stage / html[name]).is_file(), "the stage has the theme at its top"


def test_the_embedded_engine_is_given_what_it_knows(stage: Path) -> None:
    config = config_for(stage, EMBEDDED)
    assert config["format"]["html"].keys() <= HTML_OPTIONS
    assert "render" not in config["project"]
    assert list(smalldocs_build(stage, quiet=True).warnings) == []


def test_an_older_project_file_still_serves(stage: Path) -> None:
    """Projects that were made before have the theme's places as a stage has them, and no key of Quarto's alone."""
    old = read_config(REPOSITORY)
    html = old["format"]["html"]
    for name in ("html-table-processing", "respect-user-color-scheme"):
        del html[name]
    html |= {k: v.removeprefix("reports/") for k, v in html.items() if isinstance(v, str)}
    assert config_for(stage, QUARTO, old) == config_for(stage, QUARTO)


def test_an_option_that_no_engine_knows_is_named(tmp_path: Path) -> None:
    text = (REPOSITORY / "_quarto.yml").read_text()
    (tmp_path / "_quarto.yml").write_text(text.replace("    toc-depth: 2", "    toc-dpeth: 2"))
    with pytest.raises(SiteError, match="unknown option 'toc-dpeth'") as caught:
        read_config(tmp_path)
    assert "did you mean 'toc-depth'?" in caught.value.mend


def program(folder: Path, script: str) -> str:
    """A program called quarto."""
    folder.mkdir(exist_ok=True)
    path = folder / "quarto"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


TRIES = 'if [ "$1" = --version ]; then echo 1.9.38; exit; fi\n'
RENDERS_TRIAL = 'mkdir -p "$2/_site"; cp "$2/index.qmd" "$2/_site/index.html" 2>/dev/null || echo "<html></html>" > "$2/_site/index.html"'


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo 1.6.42", "quarto 1.6.42 is too old: pages need 1.7 or newer"),
        ("echo 0.9", "too old"),
        ("echo what is that", "does not say its version"),
        ("echo no libraries >&2; exit 3", "quarto failed: no libraries"),
        (TRIES + "echo cannot open deno >&2; exit 1", "quarto failed: cannot open deno"),
        (TRIES + "exit 4", "quarto failed: exit code 4, without a word"),
        (TRIES + "exit 0", "rendered a page of ours to nothing"),
        (
            TRIES + 'mkdir -p "$2/_site"; echo "<html></html>" > "$2/_site/index.html"',
            "rendered a page of ours to nothing",
        ),
    ],
)
def test_a_quarto_that_does_not_work_is_named_before_any_work(
    small: SmallProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, says: str
) -> None:
    program(tmp_path / "bin", script)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    said = gazette("build", "2026-W47", "--engine", "auto", project=small.root, code=1).stderr
    assert says in said
    assert "mend: " in said
    assert "--engine embedded" in said
    assert "Freezing" not in said
    assert not list((small.root / "editions").glob("2026*"))


def test_a_quarto_that_was_tried_is_not_tried_again(tmp_path: Path) -> None:
    path = program(tmp_path / "bin", f'echo "$1" >> "{tmp_path}/calls"\n{TRIES}{RENDERS_TRIAL}')
    engine, kept = Engine("quarto", "quarto 1.9.38", path), tmp_path / "cache" / "engine.json"
    calls = tmp_path / "calls"
    for _ in range(2):
        try_engine(engine, tmp_path / "work", kept)
    assert calls.read_text().split() == ["render"]
    os.utime(path, (1, 1))  # another program of the same name
    try_engine(engine, tmp_path / "work", kept)
    assert calls.read_text().split() == ["render", "render"]


def test_pages_that_an_engine_leaves_out_are_named_and_the_stage_is_kept(stage: Path, tmp_path: Path) -> None:
    """Quarto ends with exit code 0 where it found nothing to render."""
    (stage / "models").mkdir()
    (stage / "models" / "a.qmd").write_text(f"{front_matter(title='A')}\n")
    (stage / "_data").mkdir()
    (stage / "_data" / "notebook.ipynb").write_text("{}")  # a download, no page
    engine = Engine("quarto", "quarto 1.9.38", program(tmp_path / "bin", TRIES + RENDERS_TRIAL))
    with pytest.raises(SiteError, match=r"left out 4 of 5 pages, such as archive\.html") as caught:
        render(stage, tmp_path / "out", engine)
    assert caught.value.where == str(stage)
    assert (stage / "models" / "a.qmd").is_file()


def test_a_build_keeps_the_stage_when_pages_fail_and_says_where(small: SmallProject) -> None:
    code = "from IPython.display import HTML\nHTML('<img src=\"https://example.com/a.png\">')"
    emit = "from gazette.workbench import open_experiment\ntest = open_experiment(subject, edition=edition, root=root)\ntest.emit()"
    small.template("experiment", code, emit)
    said = gazette("build", "2026-W47", project=small.root, code=1).stderr
    kept = small.root / ".gazette" / "work" / "2026-W47-pages"
    assert f"the pages as the engine was given them are in {kept}" in said
    assert (kept / "experiments" / "button.ipynb").is_file()


def test_a_build_says_which_engine_renders(small: SmallProject) -> None:
    done = gazette("build", "2026-W47", "--json", project=small.root)
    assert done.stderr.splitlines()[0].endswith(f"Pages are rendered by {choose_engine('embedded').label}")
    assert json.loads(done.stdout)["engine"] == choose_engine("embedded").label


def test_sealed_folders_are_read_only(small: SmallProject) -> None:
    gazette("build", "2026-W47", "--no-publish", project=small.root)
    edition = small.root / "editions" / "2026-W47"
    assert [
        p for p in (edition, *edition.rglob("*")) if p.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
    ] == []
    gazette("build", "2026-W47", "--force", project=small.root)  # one that nobody has seen can be made anew
    assert not edition.stat().st_mode & stat.S_IWUSR
    published = small.root / "_site" / "editions" / "2026-W47"
    assert all(p.stat().st_mode & stat.S_IWUSR for p in published.rglob("*")), (
        "a copy, which the next build may replace"
    )
    gazette("verify", project=small.root)
    gazette("replay", "2026-W47", project=small.root)


def test_editions_of_earlier_versions_become_read_only_when_they_are_published(small: SmallProject) -> None:
    gazette("build", "2026-W47", project=small.root)
    edition = small.root / "editions" / "2026-W47"
    for path in (edition, *edition.rglob("*")):
        path.chmod(path.stat().st_mode | stat.S_IWUSR)
    (small.root / "_site" / ".gazette-site.json").unlink()
    gazette("build", "2026-W47", project=small.root)
    assert not edition.stat().st_mode & stat.S_IWUSR


def preview(project: Path, engine: str) -> None:
    """What people type in the project's folder."""
    command = ["quarto", "render"] if engine == "quarto" else [sys.executable, "-m", "smalldocs.cli", "render", "."]
    environment = {**os.environ, "QUARTO_PYTHON": sys.executable}
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_rendering_the_project_by_hand_shows_the_shelf_and_touches_nothing_published(
    small: SmallProject, engine: str
) -> None:
    gazette("build", "2026-W47", project=small.root)
    (small.root / ".gitignore").write_bytes((REPOSITORY / ".gitignore").read_bytes())
    kept = {name: files(small.root / name) for name in ("_site", "editions", "params", "notebooks", "reports")}
    preview(small.root, engine)
    assert {name: files(small.root / name) for name in kept} == kept
    assert (small.root / ".gitignore").read_bytes() == (REPOSITORY / ".gitignore").read_bytes()
    made = small.root / "_preview" / "reports"
    assert {p.stem for p in made.glob("*.html")} == {p.stem for p in (REPOSITORY / "reports").glob("*.qmd")}
    for page in made.glob("*.html"):
        text = page.read_text()
        assert "GZ_" not in text
        assert "<!-- gazette:" not in text
    archive = (made / "archive.html").read_text()
    assert 'href="../../_site/editions/2026-W47/index.html"' in archive
    assert (made / "../../_site/editions/2026-W47/index.html").is_file()
    assert (made / "theme" / "gazette.js").is_file()


def test_a_preview_before_the_first_edition_says_that_there_is_none(small: SmallProject) -> None:
    preview(small.root, "embedded")
    assert "GZ_" not in (small.root / "_preview" / "reports" / "index.html").read_text()


def test_a_forks_notebook_is_rendered_with_its_title_and_without_scripts_from_the_web(tmp_path: Path) -> None:
    """What Quarto gets from the filter in a fork's folder, which any Python runs."""
    (tmp_path / "fork.json").write_text(json.dumps({"title": "Tea & <b>coffee</b>"}))
    write_alone(REPOSITORY, tmp_path, said="A <fork>", cache=tmp_path / "cache")
    config = yaml.safe_load((tmp_path / "_quarto.yml").read_text())
    assert config["ipynb-filters"] == ["page.py"]
    assert config["format"]["html"].keys() <= QUARTO_PAGE_OPTIONS | {"code-fold"}
    for name in ("css", "include-in-header", "include-before-body", "include-after-body"):
        assert "GZ_" not in (tmp_path / config["format"]["html"][name]).read_text().replace("GZ_EDITION", "", 1)
    assert "A &lt;fork&gt;" in (tmp_path / "theme" / "before.html").read_text()
    content = notebook(OUTPUTS["html"], display(**{RECORD_MIME.replace("/", "_"): {"a": 1}}))
    done = subprocess.run(
        ["python3", "-I", "page.py"],
        cwd=tmp_path,
        input=json.dumps(content),
        capture_output=True,
        text=True,
        check=True,
    )
    made = json.loads(done.stdout)["cells"]
    assert "".join(made[0]["source"]) == '---\ntitle: "Tea &#38; &#60;b&#62;coffee&#60;/b&#62;"\n---'
    assert [[*o["data"]] for o in made[2]["outputs"]] == [["text/markdown"]], "the record is for programs"
    assert all(isinstance(c["source"], list) for c in made)

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gazette.errors import ParamsError
from gazette.params import Problem, load, problems, schemas
from small import REPOSITORY, SmallProject


def found(small: SmallProject) -> list[Problem]:
    return problems(small.root / "params")[1]


def edit(small: SmallProject, name: str, old: str, new: str) -> None:
    path = small.root / "params" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


EXPERIMENT = "experiments/button.yml"


def test_the_demo_s_parameters_have_no_problem() -> None:
    assert problems(REPOSITORY / "params")[1] == []


def test_the_small_project_has_no_problem(small: SmallProject) -> None:
    assert found(small) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "key", "what", "mend"),
    [
        (EXPERIMENT, "primary: ctr", "primray: ctr", "primray", "unknown key 'primray'", "did you mean 'primary'?"),
        (EXPERIMENT, "primary: ctr", "primary: ctrr", "primary", "unknown metric 'ctrr'", "did you mean 'ctr'?"),
        (
            EXPERIMENT,
            "end: 2026-11-22",
            "end: 2026-11-01",
            "",
            "dates run backwards: end 2026-11-01 is before start 2026-11-09",
            "",
        ),
        (EXPERIMENT, "weight: 0.5", "weight: 0.6", "", "variant weights add up to 1.1, not to 1", ""),
        (EXPERIMENT, "weight: 0.5", "weight: yes", "variants.0.weight", "valid number", ""),
        (EXPERIMENT, "planned_units: 400", "planned_units: many", "planned_units", "valid integer", ""),
        (EXPERIMENT, "control: blue", "control: red", "", "control 'red' is not one of the variants", ""),
        (EXPERIMENT, "id: button", "id: knob", "id", "is not the file's name", "rename the file to knob.yml"),
        (EXPERIMENT, "id: button", "id: ../button", "id", "match pattern", ""),
        (EXPERIMENT, "owner: growth\n", "", "owner", "missing key 'owner'", "add 'owner: …' here"),
        ("metrics.yml", "    owner: growth\n", "", "metrics.ctr.owner", "missing key 'owner'", "add 'owner"),
        (
            "metrics.yml",
            "    definition: Share of users who clicked.\n",
            "",
            "metrics.ctr.definition",
            "missing key 'definition'",
            "",
        ),
        ("metrics.yml", "title: Click-through rate", "title: ''", "metrics.ctr.title", "is empty", ""),
        ("metrics.yml", "    fact:\n", "    fakt:\n", "metrics.ctr.fakt", "unknown key 'fakt'", "did you mean 'fact'?"),
        (
            "site.yml",
            "- button.ctr.treatment",
            "- knob.ctr",
            "executive.cards.0",
            "no subject 'knob'",
            "start it with one of: button",
        ),
        ("site.yml", "engine: embedded", "engine: word", "engine", "'auto', 'quarto' or 'embedded'", ""),
        ("site.yml", "timeout_seconds: 60", "timeout_seconds: 0", "timeout_seconds", "greater than 0", ""),
    ],
)
def test_a_fault_is_named_with_its_line_and_its_mend(
    small: SmallProject, name: str, old: str, new: str, key: str, what: str, mend: str
) -> None:
    edit(small, name, old, new)
    matching = [p for p in found(small) if p.file == name and what in p.what]
    assert matching, [str(p) for p in found(small)]
    problem = matching[0]
    assert key in problem.key
    assert mend in problem.mend
    assert problem.mend
    lines = (small.root / "params" / name).read_text().splitlines()
    first = next(
        (
            i
            for i, line in enumerate(lines, 1)
            if new.strip().splitlines()[:1] == [line.strip().lstrip("- ")] or (new.strip() and new.strip() in line)
        ),
        None,
    )
    if key and first:
        assert problem.line == first


def test_a_missing_changelog_is_named(small: SmallProject) -> None:
    del small.metric["changelog"]
    small.write()
    assert [(p.file, p.key) for p in found(small)] == [("metrics.yml", "metrics.ctr.changelog")]


def test_all_problems_are_reported_at_once(small: SmallProject) -> None:
    edit(small, EXPERIMENT, "primary: ctr", "primary: ctrr")
    edit(small, EXPERIMENT, "owner: growth\n", "")
    edit(small, "metrics.yml", "direction: higher", "direction: up")
    edit(small, "site.yml", "title: Small", "titel: Small")
    (small.root / "params" / "alerts.yml").write_text("alerts: [")
    (small.root / "params" / "translations.yml").unlink()
    files = {p.file for p in found(small)}
    assert files == {EXPERIMENT, "metrics.yml", "site.yml", "alerts.yml", "translations.yml"}
    with pytest.raises(ParamsError) as error:
        load(small.root / "params")
    for name in files:
        assert name in str(error.value)


def test_a_fault_in_one_place_hides_none_in_another(small: SmallProject) -> None:
    """Missing keys, rules between keys and rules between files, all in the same two files."""
    edit(small, EXPERIMENT, "primary: ctr", "primary: ctrr")
    edit(small, EXPERIMENT, "owner: growth\n", "")
    edit(small, EXPERIMENT, "end: 2026-11-22", "end: 2026-11-01")
    edit(small, EXPERIMENT, "weight: 0.5", "weight: 0.7")
    edit(small, "metrics.yml", "    definition: Share of users who clicked.\n", "")
    edit(small, "metrics.yml", "version: 1", "version: 2")
    keys = {(p.file, p.key) for p in found(small)}
    assert keys == {
        (EXPERIMENT, "primary"),
        (EXPERIMENT, "owner"),
        (EXPERIMENT, "end"),
        (EXPERIMENT, "variants"),
        ("metrics.yml", "metrics.ctr.definition"),
        ("metrics.yml", "metrics.ctr.changelog"),
    }


def test_ids_are_unique_over_all_files(small: SmallProject) -> None:
    text = (small.root / "params" / EXPERIMENT).read_text()
    (small.root / "params" / "experiments" / "copy.yml").write_text(text)
    assert "duplicate id 'button'" in found(small)[0].what


LATER = "reallocations:\n- since: {}\n  weights: {{blue: 0.5, green: 0.5}}\n"
MOVED = "planned_units: 400\n"


@pytest.mark.parametrize(
    ("name", "old", "new", "key", "what"),
    [
        (EXPERIMENT, "start: 2026-11-09", 'start: "2026-11-09"', "", ""),
        (EXPERIMENT, "start: 2026-11-09", "start: 2026-11-09T00:00:00", "", ""),
        (EXPERIMENT, "end: 2026-11-22", 'end: "2026-11-22"', "", ""),
        (EXPERIMENT, "end: 2026-11-22", 'end: "2026-11-01"', "end", "dates run backwards: end 2026-11-01"),
        (EXPERIMENT, "end: 2026-11-22", 'end: "22 November"', "end", "valid date"),
        (EXPERIMENT, "start: 2026-11-09", "start: 2026-11-09T09:30:00", "start", "zero time"),
        (EXPERIMENT, MOVED, MOVED + LATER.format('"2026-11-16"'), "", ""),
        (EXPERIMENT, MOVED, MOVED + LATER.format('"2026-11-09"'), "reallocations", "2026-11-09 is not after"),
        (EXPERIMENT, MOVED, MOVED + LATER.format("2026-11-22"), "", ""),
        (EXPERIMENT, MOVED, MOVED + LATER.format("2026-11-23"), "reallocations", "2026-11-23 is after the test's end"),
        (EXPERIMENT, MOVED, MOVED + LATER.format("soon"), "reallocations.0.since", "valid date"),
        ("metrics.yml", "date: 2026-01-05", 'date: "2026-01-05"', "", ""),
        ("metrics.yml", "date: 2026-01-05", "date: 5 January", "metrics.ctr.changelog.0.date", "valid date"),
    ],
)
def test_a_date_in_quotes_is_a_date_and_what_is_none_is_one_problem(
    small: SmallProject, name: str, old: str, new: str, key: str, what: str
) -> None:
    path = small.root / "params" / "metrics.yml"
    text = path.read_text()
    assert text.endswith("First definition.\n")
    path.write_text(
        f"{text}    - version: 2\n      date: 2026-02-01\n      author: office\n      change: Another text.\n"
    )
    edit(small, name, old, new)
    problems_found = found(small)
    if not what:
        assert problems_found == []
        return
    (problem,) = problems_found
    assert (problem.file, problem.key) == (name, key)
    assert what in problem.what
    line = (small.root / "params" / name).read_text().split("\n")[problem.line - 1]
    assert key.rsplit(".", 1)[-1] in line


def test_money_of_a_triggered_test_needs_an_effect_that_can_be_spread(small: SmallProject) -> None:
    fact = {"table": "clicks", "unit": "unit_id", "time": "clicked_at"}
    small.experiment |= {"triggered": fact, "impact": {"value_per_unit": 1.0, "units_per_month": 9.0, "base": "all"}}
    small.write()
    assert found(small) == []
    edit(
        small,
        "metrics.yml",
        "    changelog:",
        "    denominator: {table: clicks, unit: unit_id, time: clicked_at, aggregation: count}\n    changelog:",
    )
    (problem,) = found(small)
    assert (problem.file, problem.key) == (EXPERIMENT, "impact")
    assert "'ctr' has a denominator" in problem.what
    small.experiment["triggered"] = {**fact, "value": "x"}
    small.write()
    assert [(p.key, p.what) for p in found(small)] == [("triggered.value", "unknown key 'value'")]


@pytest.mark.parametrize(
    ("primary", "other", "where", "named"),
    [
        ("order", "order-den", "secondary", "'order' and 'order-den'"),
        ("order-pre", "order", "primary", "'order' and 'order-pre'"),
        ("order", "order-lack", "guardrails", "'order' and 'order-lack'"),
        ("order", "order-den-absent", "secondary", "'order' and 'order-den-absent'"),
        ("order", "order-untimed", "secondary", "'order' and 'order-untimed'"),
        ("order", "order-den-unarrived", "secondary", "'order' and 'order-den-unarrived'"),
        ("n", "order", "primary", "'n'"),
        ("order", "missing", "secondary", "'missing'"),
        ("order", "order-value", "secondary", ""),
        ("lack", "lack-of-order", "secondary", ""),
    ],
)
def test_metrics_that_a_test_cannot_tell_apart_are_both_named(
    small: SmallProject, primary: str, other: str, where: str, named: str
) -> None:
    small.experiment |= {
        "primary": primary,
        **({"guardrails": [{"metric": other, "margin": 0.02}]} if where == "guardrails" else {"secondary": [other]}),
    }
    small.write()
    for name in (primary, other):
        small.add_metric(name)
    what = [(p.file, p.key, p.what) for p in found(small)]
    assert len(what) == bool(named), what
    for file, key, said in what:
        assert (file, key) == (EXPERIMENT, where)
        assert named in said
        assert "another name" in said


def test_dates_on_one_day_are_not_backwards(small: SmallProject) -> None:
    edit(small, EXPERIMENT, "end: 2026-11-22", "end: 2026-11-09")
    assert found(small) == []


def test_an_arm_called_off_is_to_stand_in_quotes(small: SmallProject) -> None:
    edit(small, EXPERIMENT, "control: blue", "control: off")
    edit(small, EXPERIMENT, "id: blue", "id: off")
    problems = [p for p in found(small) if "found False" in p.what]
    assert [p.key for p in problems] == ["control", "variants.0.id"]
    assert all("in quotes" in p.mend and "off" in p.mend for p in problems)
    edit(small, EXPERIMENT, "control: off", "control: 'off'")
    edit(small, EXPERIMENT, "id: off", "id: 'off'")
    assert found(small) == []


@pytest.mark.parametrize(
    ("name", "old", "written", "key", "mend"),
    [
        (EXPERIMENT, "planned_units: 400", "04000", "planned_units", "write 4000"),
        (EXPERIMENT, "planned_units: 400", "-0400", "planned_units", "write -400"),
        (EXPERIMENT, "planned_units: 400", "1:20", "planned_units", "without colons"),
        (EXPERIMENT, "minimum_effect: 0.2", "1:20.5", "minimum_effect", "without colons"),
        ("metrics.yml", "version: 1", "01", "metrics.ctr.changelog.0.version", "write 1"),
        (EXPERIMENT, "title: Green button", "007", "title", "'007' in quotes"),
    ],
)
def test_numbers_that_yaml_reads_otherwise_than_they_are_written_are_refused(
    small: SmallProject, name: str, old: str, written: str, key: str, mend: str
) -> None:
    edit(small, name, old, f"{old.partition(':')[0]}: {written}")
    problem = next(p for p in found(small) if "would be read as a number of base" in p.what)
    assert (problem.file, problem.key) == (name, key)
    assert problem.what.startswith(written)
    assert mend in problem.mend
    line = (small.root / "params" / name).read_text().split("\n")[problem.line - 1]
    assert written in line


@pytest.mark.parametrize("written", ['"04000"', "0x10", "1_000", "0", "0.5", "08"])
def test_numbers_that_are_read_as_they_are_written_are_no_misreadings(small: SmallProject, written: str) -> None:
    edit(small, EXPERIMENT, "planned_units: 400", f"planned_units: {written}")
    assert not [p for p in found(small) if "would be read" in p.what]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "empty"),
        (b"- a\n- b\n", "not a mapping"),
        (b"title: a\n\ttab: b\n", "not YAML"),
        (b"title: a\ntitle: b\n", "written twice"),
        (b"? [a]\n: b\n", "a key is a list or a mapping"),
        (b"title: \xff\xfe", "cannot be read"),
        (b"title: [a, b\n", "not YAML"),
        (b"x: !!python/object/apply:os.system [ls]\n", "not YAML"),
        (b"x" * 1_000_001, "larger than 1 MB"),
        (b"a: " + b"[" * 5000, ""),
    ],
)
def test_what_is_not_a_parameter_file_is_refused_without_a_crash(
    small: SmallProject, content: bytes, what: str
) -> None:
    (small.root / "params" / "site.yml").write_bytes(content)
    named = [p for p in found(small) if p.file == "site.yml"]
    assert named
    assert what in named[0].what


def test_an_alias_bomb_ends_quickly(small: SmallProject) -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"] + [
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)
    ]
    (small.root / "params" / "site.yml").write_text("\n".join(rows))
    assert [p for p in found(small) if p.file == "site.yml"]


def test_a_missing_folder_says_where_to_run(tmp_path: Path) -> None:
    params, named = problems(tmp_path / "nowhere")
    assert params is None
    assert "no such folder" in named[0].what


def test_the_committed_schemas_are_what_the_models_say() -> None:
    for name, text in schemas().items():
        assert (REPOSITORY / "params" / "schemas" / name).read_text() == text, "run 'gazette schemas'"


def test_every_parameter_file_tells_editors_its_schema() -> None:
    for path in (REPOSITORY / "params").rglob("*.yml"):
        first = path.read_text().splitlines()[0]
        assert first.startswith("# yaml-language-server: $schema=")
        schema = json.loads((path.parent / first.split("=")[1]).read_text())
        assert schema["additionalProperties"] is False


@pytest.mark.parametrize(
    ("sign", "says"), [(r"\ud800", "U+D800"), (r"\udfff", "U+DFFF"), (r"\0", "U+0000"), (r"\x1b", "U+001B")]
)
def test_what_no_file_can_hold_is_refused_with_its_place(small: SmallProject, sign: str, says: str) -> None:
    path = small.root / "params" / "site.yml"
    lines = path.read_text(encoding="utf-8").splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("title:"))
    lines[at] = f'title: "Acme {sign}"'
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (problem,) = (p for p in found(small) if says in p.what)
    assert (problem.file, problem.line, problem.key) == ("site.yml", at + 1, "title")
    str(problem).encode("utf-8")


def test_signs_that_need_two_halves_may_be_written_as_one_escape(small: SmallProject) -> None:
    path = small.root / "params" / "site.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("title:", 'title: "\\U0001F600" #', 1), encoding="utf-8")
    assert found(small) == []

"""A definition changes only with an entry in its changelog."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from gazette.params import changes

if TYPE_CHECKING:
    from pathlib import Path

FACT = {"table": "events", "unit": "unit_id", "time": "at", "value": "value", "aggregation": "sum"}
FIRST = {"version": 1, "date": "2026-01-05", "author": "office", "change": "First definition."}
SECOND = {"version": 2, "date": "2026-11-02", "author": "finance", "change": "Without a cap."}
SPEND = {
    "title": "Spend",
    "owner": "finance",
    "definition": "Spend per user.",
    "unit": "money",
    "direction": "higher",
    "fact": FACT,
    "cap": 100.0,
    "changelog": [FIRST],
}
AUC = {
    "title": "AUC",
    "owner": "science",
    "definition": "A chance.",
    "unit": "score",
    "direction": "higher",
    "changelog": [FIRST],
}


def found(tmp_path: Path, **after: Any) -> list[str]:
    """Problems, where the metric ``spend`` (or ``auc``, as a mapping) changed so; None takes a key away."""
    new: dict[str, Any] = copy.deepcopy({"spend": SPEND, "auc": AUC})
    for key, value in after.items():
        target, name = (new["auc"], key.removeprefix("auc_")) if key.startswith("auc_") else (new["spend"], key)
        if value is None:
            target.pop(name)
        else:
            target[name] = value
    for folder, content in (("old", {"spend": SPEND, "auc": AUC}), ("new", new)):
        (tmp_path / folder).mkdir()
        text = (
            yaml.safe_dump({"metrics": content}, sort_keys=False)
            .replace("'2026-01-05'", "2026-01-05")
            .replace("'2026-11-02'", "2026-11-02")
        )
        (tmp_path / folder / "metrics.yml").write_text(text)
    return [str(p) for p in changes(tmp_path / "new", tmp_path / "old", "2026-W46")]


def test_nothing_changed(tmp_path: Path) -> None:
    assert found(tmp_path) == []


def test_an_edit_without_an_entry_names_metric_key_and_both_values(tmp_path: Path) -> None:
    [problem] = found(tmp_path, cap=50.0)
    assert "metrics.yml:" in problem
    for part in ("'spend'", "'cap'", "100.0 in edition 2026-W46", "now 50.0", "add an entry to its changelog"):
        assert part in problem


@pytest.mark.parametrize(
    "change",
    [
        {"unit": "number"},
        {"direction": "lower"},
        {"fact": {**FACT, "table": "other"}},
        {"covariate": {"table": "t", "unit": "u", "column": "c"}},
        {"auc_direction": "lower"},
        {"cap": None},
    ],
)
def test_every_key_of_a_definition_counts(tmp_path: Path, change: dict[str, Any]) -> None:
    assert len(found(tmp_path, **change)) == 1


def test_title_owner_words_beside_a_fact_and_written_defaults_are_free(tmp_path: Path) -> None:
    assert found(tmp_path, title="Spending", owner="office", definition="Words.", fact={**FACT, "where": []}) == []


def test_without_a_fact_the_words_are_the_definition(tmp_path: Path) -> None:
    assert "'definition' changed without a new version" in found(tmp_path, auc_definition="Another chance.")[0]


def test_spaces_and_a_first_formula_are_no_change(tmp_path: Path) -> None:
    assert found(tmp_path, auc_definition="A  chance.", auc_formula="pairs ÷ all") == []


def test_a_new_version_is_accepted(tmp_path: Path) -> None:
    assert found(tmp_path, direction="lower", changelog=[FIRST, SECOND]) == []
    (tmp_path / "more").mkdir()
    assert (
        found(tmp_path / "more", cap=None, changelog=[FIRST, {**SECOND, "before": {"fact": FACT, "cap": 100.0}}]) == []
    )


def test_what_is_measured_changes_only_with_what_was_before(tmp_path: Path) -> None:
    [problem] = found(tmp_path, cap=None, changelog=[FIRST, SECOND])
    assert "has no 'before'" in problem
    assert "'cap': 100.0" in problem


def test_a_wrong_before_is_refused(tmp_path: Path) -> None:
    [problem] = found(tmp_path, cap=None, changelog=[FIRST, {**SECOND, "before": {"fact": FACT, "cap": 90.0}}])
    assert "has 90.0 as 'cap', but edition 2026-W46 had 100.0" in problem


@pytest.mark.parametrize("entries", [[{**FIRST, "author": "someone"}], [{**FIRST, "date": "2026-11-02"}]])
def test_a_published_entry_is_not_rewritten(tmp_path: Path, entries: list[dict[str, Any]]) -> None:
    [problem] = found(tmp_path, changelog=entries)
    assert "restore the entry" in problem


def test_a_metric_that_is_new_or_gone_is_no_change(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "metrics.yml").write_text(yaml.safe_dump({"metrics": {"x": AUC}}))
    (tmp_path / "b" / "metrics.yml").write_text(yaml.safe_dump({"metrics": {"y": AUC}}))
    assert changes(tmp_path / "a", tmp_path / "b", "2026-W46") == []


@pytest.mark.parametrize("text", ["", "metrics: [", "metrics: 3", "metrics: {spend: 4}"])
def test_an_old_file_that_says_nothing_refuses_nothing(tmp_path: Path, text: str) -> None:
    for name, content in (("a", yaml.safe_dump({"metrics": {"spend": SPEND}})), ("b", text)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "metrics.yml").write_text(content)
    assert changes(tmp_path / "a", tmp_path / "b", "2026-W46") == []

"""The translation matrix as people write it: every fault is named with its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gazette.params import problems
from program import copy_project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("old", "new", "key", "what"),
    [
        ("    coverage: 0.8\n", "", "translations.0.coverage", "a sensitivity needs 'coverage'"),
        ("    observed: [-0.02, 0.03]\n", "", "translations.0.observed", "a sensitivity needs 'observed'"),
        ("observed: [-0.02, 0.03]", "observed: [0.03, -0.02]", "translations.0.observed", "runs backwards"),
        ("observed: [-0.02, 0.03]", "observed: [0.0, 0.0]", "translations.0.observed", "holds no change"),
        ("    low: 0.003", "    low: 0.3", "translations.0.low", "above high"),
        ("    low: 0.003", "    estimate: 0.004\n    low: 0.003", "translations.0.estimate", "not both"),
        ("    coverage: 0.8", "    stated: Well.\n    coverage: 0.8", "translations.0.stated", "not both"),
        (
            "    stated: Drift above its threshold triggers a review.\n",
            "",
            "translations.5.stated",
            "give a sensitivity",
        ),
        ("technical_unit: points", "technical_unit: ms", "translations.0.technical_unit", "does not change in ms"),
        (
            "unit: relative\n    technical: ndcg-5",
            "unit: points\n    technical: ndcg-5",
            "targets.0.unit",
            "is a money",
        ),
        ("business: ctr", "business: auc", "translations.0.business", "into itself"),
        ("business: ctr", "business: ctrr", "translations.0.business", "unknown metric 'ctrr'"),
        ("metric: revenue-per-unit", "metric: revenue", "bases.0.metric", "unknown metric"),
        ("models: [recommender] ", "models: [nobody] ", "translations.0.models", "no model 'nobody'"),
        ("change: 0.15", "change: 0.0", "targets.0.change", "needs nothing"),
        ("version: 1", "version: 2", "translations.0.changelog", "1, 2, 3"),
        ("id: ndcg-to-session-length", "id: auc-to-ctr", "translations.1.id", "duplicate id"),
    ],
)
def test_a_fault_of_the_matrix_is_named(tmp_path: Path, old: str, new: str, key: str, what: str) -> None:
    root = copy_project(tmp_path / "p")
    path = root / "params" / "translations.yml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    _, found = problems(root / "params")
    assert any(p.key == key and what in p.what and p.line > 1 and p.mend for p in found), list(map(str, found))


def test_all_faults_of_the_matrix_are_named_at_once(tmp_path: Path) -> None:
    root = copy_project(tmp_path / "p")
    path = root / "params" / "translations.yml"
    text = path.read_text().replace("    low: 0.003", "    low: 0.3", 1).replace("owner: web-platform", "owner: ''", 1)
    path.write_text(
        text.replace("business: nps", "business: npx", 1).replace(
            "unit: relative\n    technical", "unit: ms\n    technical"
        )
    )
    _, found = problems(root / "params")
    assert {p.key.split(".")[-1] for p in found} >= {"low", "owner", "business", "unit"}

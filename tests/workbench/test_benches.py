from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from gazette.errors import EditionError, GazetteError
from gazette.record import NotPublished, Record
from gazette.workbench import open_experiment, open_model, open_summary

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration
WEEK = "2026-W47"


@pytest.fixture
def edition(built: Path) -> Path:
    return built / "editions" / WEEK


def record(edition: Path, page: str) -> Record:
    return Record.from_json((edition / "records" / f"{page}.json").read_bytes())


def test_the_click_through_test_is_told_as_it_is(edition: Path) -> None:
    numbers = {n.id: n for n in record(edition, "ranking-v3-2").numbers}
    control, treatment = (numbers[f"ranking-v3-2.ctr.{arm}"] for arm in ("control", "treatment"))
    assert (control.value, treatment.value) == (1463 / 62500, 1569 / 62500)
    effect = numbers["ranking-v3-2.ctr.difference"].interval
    assert effect is not None
    assert effect.low < 0 < effect.high
    (verdict,) = [v for v in record(edition, "ranking-v3-2").verdicts if v.primary]
    assert verdict.state != "benefit shown", "its interval holds zero"


@pytest.mark.parametrize(
    ("page", "state"),
    [
        ("checkout-one-page", "benefit shown"),
        ("discount-banner", "harm shown"),
        ("search-autocomplete", "not trustworthy"),
        ("email-digest", "no worthwhile benefit"),
    ],
)
def test_each_simulated_test_gets_the_verdict_that_its_truth_deserves(edition: Path, page: str, state: str) -> None:
    assert next(v for v in record(edition, page).verdicts if v.primary).state == state


def test_a_running_test_publishes_no_verdict_on_its_effect(edition: Path) -> None:
    (verdict,) = [v for v in record(edition, "diverse-recommendations").verdicts if v.primary]
    assert verdict.action in {"keep running", "wait"}


def test_every_number_of_every_record_has_its_passport(edition: Path) -> None:
    metrics = set()
    for path in (edition / "records").glob("*.json"):
        snapshot = path.stem
        places = {
            hashlib.sha256(p.read_bytes()).hexdigest(): p.parent for p in (edition / "snapshot").glob("*/snapshot.json")
        }
        for number in Record.from_json(path.read_bytes()).numbers:
            assert number.metric_version >= 1
            assert number.cell
            cutoff = "2026-11-16T00:00:00" if number.id.startswith("executive.before.") else "2026-11-23T00:00:00"
            assert number.as_of.isoformat() == cutoff
            metrics.add(number.metric)
            if path.stem != "executive":
                if snapshot not in {"portfolio", "translation"}:  # which read what others froze
                    assert places[number.snapshot].name == snapshot
                if number.query:
                    assert (places[number.snapshot] / f"{number.query}.sql").is_file(), number.id
            if isinstance(number.value, NotPublished):
                assert len(number.value.reason) > 10
    assert metrics


def test_the_summary_names_a_failed_analysis(edition: Path) -> None:
    assert record(edition, "executive").findings


@pytest.mark.parametrize("opener", [open_experiment, open_model])
def test_an_unknown_subject_is_named_with_those_there_are(edition: Path, opener: object) -> None:
    with pytest.raises(GazetteError, match="nobody"):
        opener("nobody", edition=WEEK, root=edition)  # type: ignore[operator]


def test_another_week_than_the_folder_s_is_refused(edition: Path) -> None:
    with pytest.raises(EditionError, match="holds edition 2026-W47, not 2026-W46"):
        open_experiment("ranking-v3-2", edition="2026-W46", root=edition)


def test_a_folder_that_is_no_edition_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GazetteError):
        open_summary("executive", edition=WEEK, root=tmp_path)


def test_early_weeks_publish_no_effect_of_labels_that_had_not_arrived(built: Path) -> None:
    for week in ("2026-W45", "2026-W46", "2026-W47"):
        found = Record.from_json((built / "editions" / week / "records" / "flight-delay.json").read_bytes())
        assert any(n.id == "flight-delay.auc" and n.interval is not None for n in found.numbers)

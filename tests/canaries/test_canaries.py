"""Hidden tests: what is planted is caught, a library with a blind check keeps editions back, counts go on from edition to edition."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from scipy.stats import binomtest, chi2_contingency

from gazette.build import Silent, build, open_project
from gazette.canaries import FILE, Certificate, Count, certify, read_certificate
from gazette.canaries._run import _counted, _refuse
from gazette.editions import Store, Week
from gazette.errors import EditionError
from gazette.replay import Tolerances, replay
from small import NOW, WEEK

if TYPE_CHECKING:
    from pathlib import Path

    from gazette.build import Project
    from gazette.replay import Replay
    from small import SmallProject

AT = Week.parse(WEEK)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certify(AT, before=None, scratch=tmp_path_factory.mktemp("hidden"))


def test_everything_planted_is_caught_and_the_same_week_gives_the_same(
    certificate: Certificate, tmp_path: Path
) -> None:
    assert [c.id for c in certificate.canaries if c.caught] == [
        "canary-lift",
        "canary-same",
        "canary-split",
        "canary-unit",
        "canary-lost-one",
        "canary-lost-5",
        "canary-lost-10",
    ]
    assert certify(AT, before=None, scratch=tmp_path) == certificate
    assert read_certificate(certificate.model_dump_json().encode(), "") == certificate


def test_another_week_draws_other_users(certificate: Certificate, tmp_path: Path) -> None:
    other = certify(AT.next(), before=certificate, scratch=tmp_path)
    assert other.smallest[0].of != certificate.smallest[0].of
    assert (other.false_alarms.editions, other.false_alarms.draws) == (2, 2)
    back = other.earlier()
    assert back is not None
    assert (back.false_alarms, back.missed) == (certificate.false_alarms, certificate.missed)
    assert certificate.earlier() is None


def test_the_smallest_biases_are_real_ones(certificate: Certificate) -> None:
    rows, users = certificate.smallest
    assert (rows.lost, rows.share) == (1, 1 / rows.of)
    assert users.share is not None
    # scipy's own test of such a split, read once, is surer than the check that is watched every day, and not by orders
    p = binomtest(users.of - users.lost, 2 * users.of - users.lost).pvalue
    assert 1e-6 < p < 0.01
    table = [[users.of, users.of - users.lost], [users.of, users.of]]
    assert chi2_contingency(table)[1] < 0.01


BLIND = [
    ("gazette.workbench._checks.SPLIT_ALPHA", 0.0, "canary-split"),
    ("gazette.canaries._run.SPLIT_ALPHA", 0.0, "users whose assignment is lost"),
    ("gazette.recompute._compare._agree", lambda *_: True, "canary-lost-10"),
]


@pytest.mark.parametrize(("what", "blind", "named"), BLIND, ids=[b[2] for b in BLIND])
def test_a_library_with_a_blind_check_is_found(
    what: str, blind: object, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(what, blind)
    with pytest.raises(EditionError, match=named) as found:
        certify(AT, before=None, scratch=tmp_path)
    assert "canaries: false" in str(found.value)


def counted(wrong: int, draws: int) -> Count:
    return Count(editions=draws, draws=draws, wrong=wrong, stated=0.05, chance=1.0, here=0)


def test_chance_is_judged_over_all_editions_by_an_exact_test(certificate: Certificate) -> None:
    for before, draws in ((9, 99), (0, 400), (40, 500)):
        found = _counted(counted(before, draws), wrong=True, stated=0.05)
        assert (found.wrong, found.draws, found.editions, found.here) == (before + 1, draws + 1, draws + 1, 1)
        exact = binomtest(before + 1, draws + 1, 0.05, alternative="greater").pvalue
        assert found.chance == pytest.approx(exact, abs=1e-11)
    _refuse(certificate.model_copy(update={"missed": _counted(counted(9, 99), wrong=True, stated=0.05)}))
    many = certificate.model_copy(update={"missed": _counted(counted(13, 99), wrong=True, stated=0.05)})
    with pytest.raises(EditionError, match="14 of 100 hidden ranges did not hold a known lift, over 100 editions"):
        _refuse(many)


@pytest.mark.integration
def test_a_build_seals_the_certificate_and_is_held_back_without(
    small: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.site["canaries"] = True
    small.write()
    project = open_project(small.root)
    with monkeypatch.context() as patch:
        patch.setattr("gazette.workbench._checks.SPLIT_ALPHA", 0.0)
        with pytest.raises(EditionError, match="canary-split"):
            build(project, [AT], now=NOW)
    assert not Store(small.root / "editions").weeks()
    assert not (small.root / "editions" / ".staging" / WEEK).exists()
    build(project, [AT], now=NOW)
    edition = small.root / "editions" / WEEK
    assert FILE in json.loads((edition / "manifest.json").read_text())["files"]
    page = (edition / "site" / "provenance.html").read_text()
    assert "A biased query: it loses 10 % of the rows of one arm." in page
    assert "7 of 7 came out as they have to." in page
    assert not (edition / "hidden").exists()
    with monkeypatch.context() as patch:
        patch.setattr("gazette.canaries._people.LIFT", 0.26)
        assert _replayed(project).hidden == "differs"
    again = _replayed(project)
    assert (again.hidden, again.state) == ("identical", "identical")


def _replayed(project: Project) -> Replay:
    tolerances = Tolerances.parse([], project.params.metrics)
    return replay(project.store, AT, state=project.state, tolerances=tolerances, listener=Silent())

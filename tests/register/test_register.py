from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest
import yaml
from scipy.stats import ttest_1samp

from gazette.cli import main
from gazette.editions import Store
from gazette.params import load
from gazette.params._across import BUILT_IN, BUILT_IN_WITH
from gazette.params._model import AT_THRESHOLD, BESIDES, MEASURES
from gazette.record import NotPublished
from gazette.register import load_register, new_subject, open_watches, outcomes
from gazette.register._definitions import DEFINED
from gazette.stats import Prediction, score
from program import gazette
from small import REPOSITORY, SmallProject

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("register")]  # what they share is built once
SAY = ("--by", "Ada", "--because", "A clear gain.")
STEM = "button-2026-W47"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    small = SmallProject(tmp_path_factory.mktemp("register") / "project", users=2000)
    gazette("build", "2026-W47", project=small.root)
    return small.root


@pytest.fixture
def project(sealed: Path, tmp_path: Path) -> Path:
    shutil.copytree(sealed, tmp_path / "project")
    return tmp_path / "project"


def decide(project: Path, *more: str, choice: str = "ship", code: int = 0) -> subprocess.CompletedProcess[str]:
    return gazette("decide", "button", choice, *SAY, *more, project=project, code=code)


def test_a_decision_keeps_what_the_edition_said_and_is_bound_to_it(project: Path) -> None:
    decide(project)
    written = yaml.safe_load((project / "reports/decisions" / f"{STEM}.yml").read_text())
    manifest = json.loads((project / "editions/2026-W47/manifest.json").read_text())
    record = json.loads((project / "editions/2026-W47/records/button.json").read_text())
    numbers = {n["id"]: n for n in record["numbers"]}
    assert written["edition_digest"] == manifest["digest"]
    assert written["recommendation"]["action"] == record["verdicts"][0]["action"] == "ship"
    assert written["recommendation"]["rule"] == record["verdicts"][0]["action_rule"]
    assert written["options"] == ["ship", "ship-with-monitoring", "stop", "continue"]
    for key in ("difference", "relative"):
        number = numbers[f"button.ctr.{key}"]
        assert written["expected"][0][key]["value"] == number["value"]
        assert written["expected"][0][key]["low"] == number["interval"]["low"]
    assert gazette("check", project=project)


def test_against_the_recommendation_needs_override_and_only_then(project: Path) -> None:
    assert "recommends 'ship'" in decide(project, choice="stop", code=2).stderr
    assert "leave --override out" in decide(project, "--override", code=2).stderr
    decide(project, "--override", choice="stop")
    assert load_register(project).entries[0].decision.override


def test_a_second_decision_is_refused_unless_it_supersedes(project: Path) -> None:
    decide(project)
    assert "is decided on 2026-W47" in decide(project, code=2).stderr
    decide(project, "--supersede", "--override", choice="stop")
    new, old = load_register(project).entries[1], load_register(project).entries[0]
    assert {new.superseded_by, old.superseded_by} == {"", f"{STEM}-2"}
    assert [e.decision.id for e in load_register(project).of("button")] == [f"{STEM}-2"]


def test_of_two_decisions_at_once_one_is_refused_and_nothing_is_half_written(project: Path) -> None:
    command = [sys.executable, "-m", "gazette", "decide", "button", "ship", *SAY, "--project", str(project)]
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(subprocess.run, command, capture_output=True, text=True, check=False) for _ in range(4)]
    assert sorted(r.result().returncode for r in runs) == [0, 2, 2, 2]
    assert [p.name for p in (project / "reports/decisions").iterdir()] == [f"{STEM}.yml"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("buttn", "ship"), "there is no experiment 'buttn'"),
        (("button", "ship", "--edition", "2026-W40"), "there is no edition 2026-W40"),
        (("../../etc", "ship"), "there is no experiment"),
        (("button", "ship-with-monitoring"), "there is nothing to watch"),
        (("button", "ship-with-monitoring", "--watch", "ctr:x"), "cannot be read"),
        (("button", "ship-with-monitoring", "--watch", "nps:0.1"), "does not measure 'nps'"),
    ],
)
def test_wrong_use_says_how_to_mend(project: Path, arguments: tuple[str, ...], says: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gazette", "decide", *arguments, *SAY, "--project", str(project)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {1, 2}
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((project / "reports").glob("decisions/*.yml"))


def test_hostile_text_is_kept_as_text_in_a_file_that_still_reads(project: Path) -> None:
    hostile = "<script>alert(1)</script>\n: - {x} \x1b[31m 'a' \"b\" # c"
    gazette("decide", "button", "ship", "--by", "A: b", "--because", hostile, project=project)
    kept = load_register(project).entries[0].decision
    assert kept.because == "<script>alert(1)</script> : - {x} [31m 'a' \"b\" # c"


def test_sign_off_is_by_another_and_bound_to_what_was_signed(project: Path) -> None:
    decide(project)
    assert "a second person" in gazette("sign-off", STEM, "--by", " ada ", project=project, code=2).stderr
    gazette("sign-off", STEM, "--by", "Ben", project=project)
    entry = load_register(project).entries[0]
    assert entry.sign_offs[0].decision_digest == entry.digest
    assert "already" in gazette("sign-off", STEM, "--by", "Ben", project=project, code=2).stderr
    path = project / "reports/decisions" / f"{STEM}.yml"
    path.write_text(path.read_text().replace("A clear gain", "A clearer gain"))
    changed = load_register(project).entries[0]
    assert changed.sign_offs[0].decision_digest != changed.digest


def test_sign_off_of_a_removed_edition_is_refused(project: Path) -> None:
    decide(project)
    shutil.rmtree(project / "editions/2026-W47")
    assert "there is no edition 2026-W47" in gazette("sign-off", STEM, "--by", "Ben", project=project, code=1).stderr


@pytest.mark.parametrize("content", ["", "- 1", "id: [", "id: x\nid: y", "\x00", "decision: shp\n"])
def test_a_malformed_decision_is_named_with_file_and_line_and_leaves_the_site(project: Path, content: str) -> None:
    before = (project / "_site/index.html").read_bytes()
    path = project / "reports/decisions" / f"{STEM}.yml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    assert f"reports/decisions/{STEM}.yml:" in gazette("check", project=project, code=1).stdout
    assert f"reports/decisions/{STEM}.yml:" in gazette("build", "2026-W47", project=project, code=1).stderr
    assert (project / "_site/index.html").read_bytes() == before


def test_a_watch_is_open_for_later_editions_until_its_day(project: Path) -> None:
    decide(project, "--watch", "ctr:0.05:2026-12-02:growth", choice="ship-with-monitoring")
    register = load_register(project)
    open_in = [w for w in ("2026-W47", "2026-W48", "2026-W49", "2026-W50") if open_watches(register, w)]
    assert open_in == ["2026-W48", "2026-W49"]


def test_a_measurement_becomes_an_outcome_once(project: Path) -> None:
    decide(project)
    given = ("--realised", "0.4", "--error", "0.1", "--source", "hold-out", "--by", "Ben", "--measured", "2026-12-20")
    gazette("score", STEM, *given, project=project)
    (outcome,) = outcomes(load_register(project), Store(project / "editions"), {"ctr": "higher"})
    assert (outcome.prediction.realised, outcome.prediction.realised_error, outcome.shipped) == (0.4, 0.1, True)
    assert "scored already" in gazette("score", STEM, *given, project=project, code=2).stderr


def series(kept: float, n: int = 40) -> list[Prediction]:
    """Tests that were shipped; of what they promised, so large a share came true."""
    noise = np.random.default_rng(4).normal(0, 0.01, (2, n))
    return [Prediction(0.06 + a, 0.01, kept * 0.06 + b, 0.01) for a, b in noise.T]


def test_a_planted_over_optimistic_series_shows_and_an_honest_one_does_not() -> None:
    rosy, honest = score(series(0.5)), score(series(1.0))
    assert not isinstance(rosy.factor, NotPublished)
    assert not isinstance(rosy.bias, NotPublished)
    assert not isinstance(rosy.coverage, NotPublished)
    assert rosy.factor.high < 0.7
    assert rosy.bias.low > 0.02
    assert rosy.coverage.high < 0.95
    assert not isinstance(honest.factor, NotPublished)
    assert not isinstance(honest.bias, NotPublished)
    assert not isinstance(honest.coverage, NotPublished)
    assert honest.factor.low < 1 < honest.factor.high
    assert honest.bias.low < 0 < honest.bias.high
    assert honest.coverage.high > 0.95


def test_the_ends_of_the_factor_are_where_a_paired_t_test_turns() -> None:
    pairs = series(0.7, 12)
    factor = score(pairs).factor
    assert not isinstance(factor, NotPublished)
    for end in (factor.low, factor.high):
        assert ttest_1samp([p.realised - end * p.promised for p in pairs], 0).pvalue == pytest.approx(0.05, rel=1e-6)


def test_nothing_is_scored_from_too_little() -> None:
    assert isinstance(score([]).coverage, NotPublished)
    assert isinstance(score(series(1.0, 1)).factor, NotPublished)
    flat = [Prediction(x, 0.01, 0.0, 0.01) for x in (0.01, -0.02)]
    assert isinstance(score(flat).factor, NotPublished)


def test_an_annotation_keeps_comments_and_adds_one_row(project: Path) -> None:
    path = project / "params/annotations.yml"
    head = "# ours\nannotations:\n  # a storm\n  - id: a\n    subject: button\n    day: 2026-11-10   # a Tuesday\n    author: 'x'\n    text: \"Y\"\n"
    path.write_text(head)
    hostile = "<script>alert(1)</script>: # no"
    number = ("--number", "button.ctr.difference")
    gazette("annotate", "button", *number, "--by", "Ben", "--text", hostile, project=project)
    assert path.read_text().startswith(head)
    old, new = load(project / "params").annotations
    assert (old.id, new.text, new.number, new.author) == ("a", hostile, "button.ctr.difference", "Ben")


def test_annotations_at_once_lose_nothing(project: Path) -> None:
    def one(i: int) -> int:
        text = ["--text", f"Remark {i}", "--by", "Ben", "--project", str(project)]
        return subprocess.run([sys.executable, "-m", "gazette", "annotate", "button", *text], check=False).returncode

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(4))) == [0] * 4
    assert {a.text for a in load(project / "params").annotations} == {f"Remark {i}" for i in range(4)}


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("nobody",), "no subject 'nobody'"),
        (("button", "--number", "other.ctr"), "not one of button's"),
    ],
)
def test_wrong_annotations_change_nothing(project: Path, more: tuple[str, ...], says: str) -> None:
    done = gazette("annotate", *more, "--by", "B", "--text", "T", project=project, code=2)
    assert says in done.stderr
    assert not (project / "params/annotations.yml").exists()


def test_new_subjects_pass_check_and_names_are_theirs_alone(project: Path) -> None:
    gazette("new", "experiment", "red-button", project=project)
    assert "No problem" in gazette("check", project=project).stdout
    assert "already" in gazette("new", "experiment", "red-button", project=project, code=2).stderr
    assert "already" in gazette("new", "model", "red-button", project=project, code=2).stderr
    for name in ("Bad Name", "../up", "x" * 81, "executive"):
        assert gazette("new", "experiment", name, project=project, code=2).stderr
    assert {p.name for p in (project / "params/experiments").iterdir()} == {"button.yml", "red-button.yml"}


def test_a_new_model_passes_check_where_its_metrics_are_defined(tmp_path: Path) -> None:
    for name in ("params", "notebooks", "reports"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    gazette("new", "model", "late-parcel", "--owner", "it's: us", project=tmp_path)
    assert "No problem" in gazette("check", project=tmp_path).stdout


def test_a_new_model_brings_the_metrics_that_the_project_lacks(
    small: SmallProject, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing of the demo's is needed; what stood in metrics.yml stands there as it was, and a second model adds nothing."""
    path = small.root / "params/metrics.yml"
    path.write_text(f"# ours\n{path.read_text().rstrip()}  # the end")
    before = path.read_text()
    main(["new", "model", "oracle", "--owner", "us: all", "--project", str(small.root)])
    said = capsys.readouterr().out
    assert "Added to params/metrics.yml, for you to go through: auc, pr-auc," in said
    assert path.read_text().startswith(before)
    added = yaml.safe_load(path.read_text())["metrics"]
    assert {"auc", "pr-auc", "log-loss", "calibration-gap", "label-completeness", "model-age"} < set(added)
    assert {m["owner"] for k, m in added.items() if k != "ctr"} == {"us: all"}
    for kind, more in (("classifier", set()), ("regressor", {"mae", "rmse", "bias"}), ("ranker", {"quality"})):
        known = set(yaml.safe_load(path.read_text())["metrics"])
        params = load(small.root / "params")
        made = new_subject(small.root, params, "model", f"a-{kind}", today=date(2026, 11, 23), predicts=kind)
        assert set(made.metrics) == more
        assert set(yaml.safe_load(path.read_text())["metrics"]) == known | more
    assert [m.kind for m in load(small.root / "params").models.values()] == [
        "classifier",
        "ranker",
        "regressor",
        "classifier",
    ]


def test_a_project_begins_with_a_model_alone(small: SmallProject, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a metric, a test or a card; each error on the way says what to do next."""
    params, check = small.root / "params", ["check", "--project", str(small.root)]
    (params / "experiments" / "button.yml").unlink()
    (params / "metrics.yml").unlink()
    site = yaml.safe_load((params / "site.yml").read_text())
    del site["executive"]["cards"]
    mlflow = site.pop("mlflow")
    (params / "site.yml").write_text(yaml.safe_dump(site))
    assert main(check) == 1
    assert "create metrics.yml with the line 'metrics: {}'" in capsys.readouterr().out
    (params / "metrics.yml").write_text("# ours\nmetrics: {}\n")
    assert main(check) == 1
    assert "1 problem\n" in (said := capsys.readouterr().out)
    assert "begin one by 'gazette new model NAME'" in said
    new = ["new", "model", "oracle", "--project", str(small.root)]
    assert main(new) == 2
    assert "no 'mlflow', which models are read from (models/oracle.yml)" in capsys.readouterr().err
    (params / "site.yml").write_text(yaml.safe_dump({**site, "mlflow": mlflow}))
    assert main(new) == 0
    assert main(check) == 0
    assert (params / "metrics.yml").read_text().startswith("# ours\nmetrics:\n  auc:\n")
    (params / "models" / "oracle.yml").write_text("id: [")
    capsys.readouterr()
    assert main(check) == 1
    assert "no model and no experiment" not in capsys.readouterr().out, "there is one, which cannot be read"


def test_every_metric_that_a_model_may_need_has_a_definition_to_begin_with() -> None:
    """But those of features, telemetry and business, which no new file has."""
    assert set(DEFINED) == {
        *(m for group in (*MEASURES.values(), *BESIDES.values()) for m in group),
        *AT_THRESHOLD,
        *BUILT_IN,
        *BUILT_IN_WITH["labels"],
        "quality",
    }


def test_metrics_that_are_not_written_line_by_line_are_left_alone_with_what_to_add(
    small: SmallProject, capsys: pytest.CaptureFixture[str]
) -> None:
    path = small.root / "params/metrics.yml"
    path.write_text(json.dumps(yaml.safe_load(path.read_text()), default=str))
    before = path.read_text()
    assert main(["new", "model", "oracle", "--project", str(small.root)]) == 2
    said = capsys.readouterr().err
    assert "params/metrics.yml: metrics cannot be added at the end of the file" in said
    assert "\nauc:\n  title: Ranking quality (AUC)" in said
    assert path.read_text() == before
    assert not (small.root / "params/models/oracle.yml").exists()


def git(project: Path, *arguments: str) -> None:
    settings = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *settings, *arguments], cwd=project, check=True, capture_output=True)


def test_the_trail_says_who_changed_decided_signed_and_published_what(project: Path) -> None:
    decide(project)
    gazette("sign-off", STEM, "--by", "Ben", "--note", "Read it.", project=project)
    gazette("annotate", "button", "--text", "Bots\x1b[31m were out.", "--by", "Cleo", project=project)
    untold = gazette("log", project=project).stdout
    assert "Not read: changes of settings" in untold, "a project that is not in git says so"
    git(project, "init")
    git(project, "add", "params", "notebooks")
    git(project, "commit", "-m", "First: settings\u202e")
    site = project / "params" / "site.yml"
    site.write_text(site.read_text() + "# a word\n")
    git(project, "commit", "-am", "=SUM(A1)")
    (project / "notebooks" / "more.md").write_text("no setting")
    git(project, "add", "notebooks")
    git(project, "commit", "-m", "Elsewhere")
    content = json.loads(gazette("log", "--json", project=project).stdout)
    assert content["missing"] == []
    rows = {(e["kind"], e["who"]): e for e in content["events"]}
    manifest = json.loads((project / "editions/2026-W47/manifest.json").read_text())
    assert rows["published", ""]["digest"] == rows["decision", "Ada"]["digest"] == manifest["digest"]
    assert rows["decision", "Ada"]["what"] == "ship (advice: ship): A clear gain."
    assert rows["sign-off", "Ben"]["what"] == "signed: Read it."
    assert rows["remark", "Cleo"]["about"] == "button"
    assert {e["kind"] for e in content["events"]} >= {"definition", "settings"}
    settings = [(e["about"], e["what"]) for e in content["events"] if e["kind"] == "settings"]
    assert ("params/site.yml", "=SUM(A1)") in settings
    assert len(settings) == 2, "a commit that touches no setting is none of its events"
    assert [e["day"] for e in content["events"]] == sorted(e["day"] for e in content["events"])
    said = gazette("log", "--kind", "remark", "--about", "button", project=project).stdout
    assert "Cleo: Bots" in said
    assert "\x1b" not in said
    table = list(csv.DictReader(gazette("log", "--csv", "--kind", "settings", project=project).stdout.splitlines()))
    assert [r["what"] for r in table if r["about"] == "params/site.yml"] == ["'=SUM(A1)"], (
        "no formula for a spreadsheet"
    )
    assert "Nothing was found." in gazette("log", "--since", "2090-01-01", project=project).stdout


def test_the_trail_says_that_a_signature_is_of_another_text_and_that_an_edition_cannot_be_read(project: Path) -> None:
    decide(project)
    gazette("sign-off", STEM, "--by", "Ben", project=project)
    file = project / "reports/decisions" / f"{STEM}.yml"
    file.write_text(file.read_text().replace("A clear gain.", "A clear loss."))
    assert "Ben: signed another text than the one that is there" in gazette("log", project=project).stdout
    (project / "editions/2026-W47/manifest.json").write_text("{")
    said = gazette("log", project=project).stdout
    assert "Not read: " in said
    assert "cannot be trusted" in said
    assert "there is no kind 'deed'" in gazette("log", "--kind", "deed", project=project, code=2).stderr
    file.write_text("id: [")
    assert f"{STEM}.yml" in gazette("log", project=project, code=1).stderr


def test_the_newest_edition_that_is_gone_with_all_its_marks_is_known_from_the_decision_on_it(project: Path) -> None:
    decide(project)
    digest = str(json.loads((project / "editions/2026-W47" / "manifest.json").read_text())["digest"])
    shutil.rmtree(project / "editions")
    (project / "editions").mkdir()
    found = json.loads(gazette("verify", "--json", project=project, code=1).stdout)["problems"]
    assert [(p["edition"], p["recorded"]) for p in found] == [("2026-W47", digest)]
    assert "the edition is missing; decision " in found[0]["what"]

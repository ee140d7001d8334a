"""A new subject: a parameter file with comments, valid from the start."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import yaml
from pydantic import TypeAdapter, ValidationError

from gazette.errors import WrongUseError
from gazette.params import SubjectId as Id
from gazette.params import metrics_of_model, problems
from gazette.register._definitions import DEFINED, with_definitions
from gazette.register._files import create, replace
from gazette.snapshot import scratch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gazette.params import Params

__all__ = ["NewSubject", "new_subject"]

EXPERIMENT = """\
# yaml-language-server: $schema=../schemas/experiment.json
# A new test. Every line is valid as it stands; go through them and say what is true. 'gazette check' reports what does not fit.
id: {name}                      # name of this file, of the page and of its numbers
title: {title}
owner: {owner}                  # team or person to ask
description: >-
  What is changed, for whom.
hypothesis: >-
  What the change will do to the primary metric, and why.
start: {start}
end: {end}                      # last day, inclusive; whole weeks, for weekdays differ
assignments: experiment_assignments   # table with experiment, unit_id, variant, assigned_at
control: control
variants:                             # weights add up to 1
  - {{id: control, title: As today, weight: 0.5}}
  - {{id: treatment, title: New, weight: 0.5}}
primary: {primary}              # the one metric that decides; from metrics.yml
# secondary: {secondary}
# guardrails:                         # may not lose more than the margin (0.02 for 2 %)
#   - {{metric: {guardrail}, margin: 0.02}}
alpha: 0.05
# planned_units: 50000                # users of all arms at the end; with it looks are paid for group-sequentially
window_days: 7                        # each user counts for so many days since assignment; let nobody new in so many days before the end
minimum_effect: 0.02                  # relative: the smallest effect worth having
rollout_days: 7
"""
MODEL = """\
# yaml-language-server: $schema=../schemas/model.json
# A new model. Every line is valid as it stands; go through them and say what is true. 'gazette check' reports what does not fit.
id: {name}                      # name of this file, of the page and of its numbers
title: {title}
owner: {owner}                  # team or person to ask
description: >-
  What it predicts, for whom, and what is done with it.
kind: {kind}                    # classifier, regressor or ranker
registry: {{name: {name}, live: champion, baseline: baseline}}   # the registered model in the MLflow of site.yml, and aliases of its versions
max_age_days: 90                      # days since training after which it counts as old
scores:
  table: predictions                  # one row a prediction
  id: prediction_id
  time: predicted_at                  # UTC; decides the week
  arrived: loaded_at
  version: model_version              # MLflow's number, 1, 2 and so on, of the version that scored
{measured}# sla: {{latency_p99_ms: 250, availability: 0.99}}
# card:
#   intended_use: What it is for, and what not.
#   limits: Where it is known to fail.
#   data: What it was trained on.
"""
LABELLED = """\
  score: score                        # probability (classifier) or prediction (regressor)
# segments: [country]
labels:
  table: labels                       # what really happened; it arrives later
  id: prediction_id
  label: label
  arrived: known_at
"""
RANKED = """\
  quality:                            # scores a request, ready in a column
    - {{metric: {metric}, column: quality}}
"""


class NewSubject(NamedTuple):
    """What was written: the subject's file, and the metrics that metrics.yml got for it."""

    path: Path
    metrics: tuple[str, ...] = ()


def new_subject(
    root: Path, params: Params, kind: str, name: str, *, today: date, owner: str = "", predicts: str = ""
) -> NewSubject:
    """Write a parameter file for a new model or experiment, with this project's own metrics.

    A model's page shows metrics that a project of tests has not: those are added to metrics.yml.

    Args:
        root: The project.
        params: Its parameters.
        kind: ``model`` or ``experiment``.
        name: The new id.
        today: A test begins on the Monday after.
        owner: By default that of the page for leadership.
        predicts: Of a model: ``classifier``, ``regressor`` or ``ranker``; by default the first that lacks no metric, else a classifier.

    Raises:
        WrongUseError: The name is bad or taken, no metric of the project fits a test, or metrics cannot be added.
    """
    try:
        TypeAdapter(Id).validate_python(name)
    except ValidationError as error:
        mend = "lower-case words and digits with single hyphens, 80 signs at most: discount-banner"
        raise WrongUseError(f"{name!r} is no id", mend=mend) from error
    if name in {**params.models, **params.experiments}:
        raise WrongUseError(f"there is a subject {name!r} already", mend="choose another name")
    if predicts and kind != "model":
        raise WrongUseError("only a model predicts", mend="leave --kind out")
    path = root / "params" / f"{kind}s" / f"{name}.yml"
    owner = owner or params.site.executive.owner
    lacks: tuple[str, ...] = ()
    if kind == "model":
        text, lacks = _model(params, name, owner, predicts)
    else:
        text = _experiment(params, name, today, owner)
    written = {path: text}
    listed = root / "params" / "metrics.yml"
    if lacks:
        known = listed.read_text(encoding="utf-8")
        written[listed] = with_definitions(known, lacks, owner=owner, today=today, where="params/metrics.yml")
    wrong = _wrong(root, written)
    if wrong:
        raise WrongUseError(
            "the new file would not pass:\n" + "\n".join(wrong), mend="mend params/ first, or choose another name"
        )
    if lacks:
        replace(listed, written[listed])
    create(path, text, taken=f"there is a file for {name!r} already", mend="choose another name")
    return NewSubject(path, lacks)


def _wrong(root: Path, written: Mapping[Path, str]) -> list[str]:
    """Problems that the project would have with the files."""
    with scratch() as folder:
        copy = folder / "params"
        shutil.copytree(root / "params", copy)
        for path, text in written.items():
            place = copy / path.relative_to(root / "params")
            place.parent.mkdir(exist_ok=True)
            place.write_text(text, encoding="utf-8")
        return [f"  - {p}" for p in problems(copy)[1]]


def _titled(name: str) -> str:
    return name.replace("-", " ").capitalize()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _experiment(params: Params, name: str, today: date, owner: str) -> str:
    usable = [k for k, m in params.metrics.items() if m.fact]
    if not usable:
        raise WrongUseError(
            "no metric has a fact, so no experiment can measure one", mend="add 'fact:' to a metric in metrics.yml"
        )
    start = today + timedelta(days=7 - today.weekday())
    return EXPERIMENT.format(
        name=name,
        title=_quoted(_titled(name)),
        owner=_quoted(owner),
        start=start,
        end=start + timedelta(days=27),
        primary=usable[0],
        secondary=f"[{', '.join(usable[1:3])}]",
        guardrail=usable[-1],
    )


def _model(params: Params, name: str, owner: str, predicts: str) -> tuple[str, tuple[str, ...]]:
    """Its file, and the metrics that its page shows and the project lacks."""
    ready = [k for k, m in params.metrics.items() if not m.fact and m.unit in {"fraction", "number", "score"}]
    ready = [k for k in ready if k not in DEFINED] or ["quality"]
    tried = []
    for kind in (predicts,) if predicts else ("classifier", "regressor", "ranker"):
        measured = RANKED.format(metric=ready[0]) if kind == "ranker" else LABELLED
        text = MODEL.format(kind=kind, measured=measured, name=name, title=_quoted(_titled(name)), owner=_quoted(owner))
        lacks = tuple(k for k in metrics_of_model(yaml.safe_load(text)) if k not in params.metrics)
        tried.append((text, lacks))
    return next((one for one in tried if not one[1]), tried[0])

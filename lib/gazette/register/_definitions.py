"""What a model's page measures, as entries of metrics.yml: a new model brings those that a project has not defined."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

import yaml

from gazette.errors import WrongUseError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

__all__ = ["DEFINED", "with_definitions"]

# id: title, unit, direction, definition
DEFINED: dict[str, tuple[str, str, str, str]] = {
    "auc": (
        "Ranking quality (AUC)",
        "score",
        "higher",
        "Chance that a randomly chosen positive row was scored higher than a randomly chosen negative one; a coin would reach one half.",
    ),
    "pr-auc": (
        "Average precision (PR-AUC)",
        "score",
        "higher",
        "Mean over positive rows of the share of positive ones among all rows scored at least as high; a model that knows nothing reaches the share of positive rows.",
    ),
    "log-loss": (
        "Log loss",
        "score",
        "lower",
        "Mean negative log likelihood of what really happened under the predicted probabilities, in nats.",
    ),
    "calibration-gap": (
        "Predicted less observed share",
        "points",
        "zero",
        "Mean predicted probability less the share that really was positive; nought is right on average.",
    ),
    "calibration-error": (
        "Calibration error",
        "fraction",
        "lower",
        "Mean gap between predicted and observed share of positive rows over ten score bands, weighted by rows.",
    ),
    "precision": (
        "Flagged rows that were positive (precision)",
        "fraction",
        "higher",
        "Share of positive rows among those scored at or above the operating threshold.",
    ),
    "recall": (
        "Positive rows that were flagged (recall)",
        "fraction",
        "higher",
        "Share of rows scored at or above the operating threshold among the positive ones.",
    ),
    "mae": (
        "Mean absolute error",
        "number",
        "lower",
        "Mean distance of the prediction from what really happened, whichever way.",
    ),
    "rmse": (
        "Root mean squared error",
        "number",
        "lower",
        "Square root of the mean squared distance of the prediction from what really happened; large errors weigh more.",
    ),
    "bias": (
        "Mean error",
        "number",
        "zero",
        "Mean prediction less what really happened; nought is right on average.",
    ),
    "quality": (
        "Quality of a request",
        "score",
        "higher",
        "Score of the items that were shown, averaged over requests; say here which.",
    ),
    "quality-drop": (
        "Loss of the main measure",
        "relative",
        "lower",
        "Mean of the main measure in the four weeks before less its value this week, over that mean; positive where the model got worse.",
    ),
    "data-check": (
        "Data check",
        "number",
        "lower",
        "A measured property of the model's data against the limits in the model's file, from which it warns and fails.",
    ),
    "model-age": (
        "Age of the live model",
        "days",
        "lower",
        "Days from the end of training to the data cut-off.",
    ),
    "label-completeness": (
        "Outcomes known",
        "fraction",
        "higher",
        "Share of scored rows of the week whose outcome had arrived by the data cut-off.",
    ),
}


def with_definitions(text: str, ids: Iterable[str], *, owner: str, today: date, where: str) -> str:
    """The text of metrics.yml with entries added at its end; what stands there, comments too, stays.

    Args:
        text: Of the file.
        ids: Of ``DEFINED``, none of them defined in the file.
        owner: Of the entries.
        today: Of their first changelog entry.
        where: The file, for the error.

    Raises:
        WrongUseError: The file is not a mapping ``metrics:`` written line by line, so nothing can be added at its end.
    """
    entries = {}
    for name in ids:
        title, unit, direction, definition = DEFINED[name]
        entries[name] = {
            "title": title,
            "owner": owner,
            "definition": definition,
            "unit": unit,
            "direction": direction,
            "changelog": [{"version": 1, "date": today, "author": owner, "change": "First definition."}],
        }
    added = "".join(  # one by one: together, equal dates would become anchors
        yaml.safe_dump({name: entry}, sort_keys=False, allow_unicode=True, width=110) for name, entry in entries.items()
    )
    step = re.search(r"^metrics:[^\n]*\n(?:\s*(?:#[^\n]*)?\n)*( +)", text, re.MULTILINE)
    begun = re.sub(r"^metrics: *\{ *\} *$", "metrics:", text.rstrip(), flags=re.MULTILINE)
    made = f"{begun}\n{textwrap.indent(added, step[1] if step else '  ')}"
    before = yaml.safe_load(text)
    try:
        whole = yaml.safe_load(made) == {**before, "metrics": {**before["metrics"], **entries}}
    except yaml.YAMLError:
        whole = False
    if not whole:
        raise WrongUseError(
            "metrics cannot be added at the end of the file, as its last key is not 'metrics:' with one metric below the other",
            where=where,
            mend=f"add below 'metrics:'\n{added}",
        )
    return made

"""Which numbers of a record stand for a metric."""

from __future__ import annotations

from gazette.record._model import Number, Record

__all__ = ["SUBJECTS", "headline_numbers"]

SUBJECTS = frozenset(
    {"model", "experiment", "operations", "portfolio"}
)  # kinds of pages that publish metrics of their own

MOST = 6
ARMS = ("control", "treatment", "relative")


def headline_numbers(record: Record, metric: str) -> list[Number]:
    """A subject's own numbers of a metric: a model's value; an experiment's arms and their relative difference; else the first few.

    Changes, comparisons with a baseline, p-values, plans and limits are left to the subject's page.
    """
    subject = record.subject
    mine = [
        n for n in record.numbers if n.metric == metric and ".worth." not in n.id
    ]  # others' changes, translated into it
    if record.kind == "experiment":
        found = []
        for number in mine:
            words = number.id.removeprefix(f"{subject}.").split(".")
            if metric in words and words[-1] in ARMS and words.index(metric) == len(words) - 2:
                found.append(number)
        return found
    exact = [n for n in mine if n.id == f"{subject}.{metric}"]
    return exact or mine[:MOST]

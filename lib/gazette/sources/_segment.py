"""Ask a warehouse about a part of the units or rows alone: a segment that the subject's parameters name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazette.errors import WrongUseError
from gazette.params import Model
from gazette.sources._units import same

if TYPE_CHECKING:
    from gazette.params import Experiment
    from gazette.sources._warehouse import Warehouse

__all__ = ["narrow_to_segment", "segment_names"]

SHOWN = 20


def segment_names(subject: Model | Experiment) -> list[str]:
    """The properties by which the subject can be narrowed."""
    return [*subject.scores.segments] if isinstance(subject, Model) else [s.title for s in subject.segments]


def narrow_to_segment(warehouse: Warehouse, subject: Model | Experiment, segment: str) -> None:
    """Let the warehouse answer for one segment of a subject only.

    A model's predictions and their features are narrowed; an experiment's assignments are.

    Args:
        warehouse: An open warehouse.
        subject: The model or experiment.
        segment: ``Property=value``, such as ``Device=mobile``; properties are those of the parameters.

    Raises:
        WrongUseError: No such property, or nothing has the value.
        SourceError: A table or column is missing.
    """
    name, sign, value = (part.strip() for part in segment.partition("="))
    known = {n.casefold(): n for n in segment_names(subject)}
    if not sign or not value or name.casefold() not in known:
        could = ", ".join(f"{n}=…" for n in known.values()) or "its parameters name no segments"
        raise WrongUseError(f"segment {segment!r} cannot be read", where=subject.id, mend=f"write one of: {could}")
    if isinstance(subject, Model):
        _narrow_model(warehouse, subject, known[name.casefold()], value)
    else:
        _narrow_experiment(warehouse, subject, known[name.casefold()], value)


def _narrow_experiment(warehouse: Warehouse, test: Experiment, title: str, value: str) -> None:
    file = f"params/experiments/{test.id}.yml"
    segment = next(s for s in test.segments if s.title == title)
    table = warehouse.table(segment.table, {"unit": segment.unit, "column": segment.column}, file=file)
    own = table.select(of_unit=table[segment.unit], value=table[segment.column].cast("string"))
    own = own.group_by("of_unit").aggregate(value=own.value.max())  # one value a unit, as the page's segments have it
    _refuse_unknown(own.value, f"{title}={value}", value)
    assigned = warehouse.table(test.assignments, {"unit_id": "unit_id"}, file=file)
    chosen = own.filter(own.value == value)
    warehouse.narrow(test.assignments, assigned.semi_join(chosen, same(assigned.unit_id, chosen.of_unit)))


def _narrow_model(warehouse: Warehouse, model: Model, column: str, value: str) -> None:
    file, scores = f"params/models/{model.id}.yml", model.scores
    table = warehouse.table(scores.table, {"id": scores.id, "segments": column}, file=file)
    _refuse_unknown(table[column].cast("string"), f"{column}={value}", value)
    chosen = table.filter(table[column].cast("string") == value)
    features = model.features
    if features is not None and features.table != scores.table:
        inputs = warehouse.table(features.table, {"id": features.id}, file=file)
        ids = chosen.select(of_row=chosen[scores.id]).distinct()
        warehouse.narrow(features.table, inputs.semi_join(ids, inputs[features.id] == ids.of_row))
    warehouse.narrow(scores.table, chosen)


def _refuse_unknown(values: Any, segment: str, value: str) -> None:
    found = [
        str(v) for v in values.name("value").as_table().distinct().to_pyarrow()["value"].to_pylist() if v is not None
    ]
    if value not in found:
        shown = ", ".join(sorted(found)[:SHOWN]) + ("…" if len(found) > SHOWN else "")
        raise WrongUseError(f"no row has {segment!r}", mend=f"values are: {shown or 'none'}")

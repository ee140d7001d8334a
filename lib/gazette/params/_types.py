"""Pieces that several parameter files share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

__all__ = [
    "Changelog",
    "Column",
    "Cost",
    "Count",
    "Fraction",
    "Id",
    "Page",
    "Positive",
    "Sheet",
    "Spelling",
    "Text",
    "Unit",
    "Window",
    "as_day",
    "sum_faults",
]


def _one_line(text: str) -> str:
    if not text.strip():
        msg = "is empty"
        raise ValueError(msg)
    return text.strip()


def _not_empty(text: str) -> str:
    _one_line(text)
    return text


Text = Annotated[str, AfterValidator(_one_line)]
Spelling = Annotated[str, AfterValidator(_not_empty)]  # of a value in a table: blanks are part of it
Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$", max_length=80)]
Column = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.]*$")]
Fraction = Annotated[float, Field(gt=0, lt=1, strict=True)]
Positive = Annotated[float, Field(gt=0, strict=True, allow_inf_nan=False)]
Count = Annotated[int, Field(gt=0, strict=True)]


class Sheet(BaseModel):
    """Base of every parameter model: unknown keys are errors, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def faults(cls, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:  # noqa: ARG003  for those that have rules
        """What is wrong between keys: the key to blame and what to say, from the content as it is written."""
        yield from ()

    @model_validator(mode="wrap")
    @classmethod
    def _all_at_once(cls, raw: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Report faults between keys beside those of single keys, where pydantic would wait until the latter are mended."""
        errors: list[InitErrorDetails] = []
        value = None
        try:
            value = handler(raw)
        except ValidationError as error:
            errors = [_error(e["type"], e["msg"], e["loc"], e["input"]) for e in error.errors()]
        if isinstance(raw, dict):
            try:
                errors += [_error("fault", what, (key,), None) for key, what in cls.faults(raw)]
            except (KeyError, TypeError, AttributeError):
                if not errors:  # else a part is malformed, which its own error says
                    raise
        if errors or value is None:
            raise ValidationError.from_exception_data(cls.__name__, errors)
        return value


_DAY = TypeAdapter(date)


def as_day(written: Any) -> date | None:
    """A date as the files may write it: bare, in quotes, or with midnight; None where it is none, which its own error says."""
    try:
        return _DAY.validate_python(written)
    except ValidationError:
        return None


def sum_faults(raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Of rows that are added up or counted: only a sum adds up a column."""
    if (raw["aggregation"] == "sum") != (raw.get("value") is not None):
        yield "aggregation", "aggregation 'sum' needs a value column, and the others take none"


def _error(kind: str, what: str, location: tuple[int | str, ...], found: Any) -> InitErrorDetails:
    return InitErrorDetails(
        type=PydanticCustomError(kind, "{what}", {"what": what}),
        loc=location,
        input=found,
    )


class Page(Sheet):
    """What every subject says of itself."""

    id: Id = Field(description="Name of the file, of the page and of its numbers; lower case with hyphens.")
    title: Text
    owner: Text = Field(description="Team or person to ask.")
    description: Text
    notebook: str | None = Field(default=None, description="Template in notebooks/; by default the kind's own.")
    parameters: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="Values for further names in the template's parameters cell."
    )


class Cost(Sheet):
    """What building and running something costs, in the site's currency: stated, never assumed."""

    build: Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)]
    build_months: Count = Field(description="Months over which the cost of building is spread.")
    run_per_month: Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)]
    source: Text = Field(description="Who says so.")

    @property
    def per_month(self) -> float:
        """Cost of a month, the building spread evenly."""
        return self.build / self.build_months + self.run_per_month


class Changelog(Sheet):
    """One change of a definition."""

    version: Count
    date: date
    author: Text
    change: Text


class Window(Sheet):
    """A condition on columns of a table: column name to the value it must equal."""

    column: Column
    equals: str | int | bool


Unit = Literal["fraction", "points", "relative", "count", "score", "money", "days", "hours", "minutes", "ms", "number"]

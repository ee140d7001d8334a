"""``site.yml``: where things are and how a build behaves."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gazette.params._types import Count, Sheet, Text

__all__ = ["ExecutiveParams", "SiteParams"]


class ExecutiveParams(Sheet):
    """The page for leadership."""

    title: Text = "Executive summary"
    owner: Text
    cards: list[str] = Field(
        min_length=1, max_length=5, description="Ids of the numbers shown as cards: <subject>.<metric>."
    )


class SiteParams(Sheet):
    """Settings of the whole site."""

    title: Text
    organisation: Text
    notice: str = Field(default="", description="A line on every page, such as what is simulated.")
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    engine: Literal["auto", "quarto", "embedded"] = "auto"
    warehouse: Text = Field(description="An ibis connection URL, such as duckdb:///path/to/file.duckdb.")
    mlflow: Text = Field(description="An MLflow tracking URI, such as sqlite:///path/to/mlflow.db.")
    editions: Text = "editions"
    output: Text = "_site"
    state: Text = ".gazette"
    cutoff_hours: Annotated[int, Field(ge=0, le=167, strict=True)] = Field(
        default=0, description="Hours after the end of the week until which data may arrive."
    )
    workers: Count = 2
    timeout_seconds: Count = 300
    ended_weeks: Annotated[int, Field(ge=0, le=52, strict=True)] = Field(
        default=4, description="Weeks for which an experiment that ended stays in the editions."
    )
    history_weeks: Annotated[int, Field(ge=2, le=104, strict=True)] = 12
    executive: ExecutiveParams

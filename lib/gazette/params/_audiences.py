"""Who may see what: audiences of ``site.yml``, each with a site of its own."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gazette.params._types import Id, Sheet, Text

__all__ = ["TIERS", "Audience", "Tier"]

Tier = Literal["money", "segments", "operations"]
TIERS: tuple[Tier, ...] = ("money", "segments", "operations")


class Audience(Sheet):
    """Readers who see a part of the record, on a site of their own; what is not named here they do not see."""

    name: Annotated[Id, Field(description="Name of its site's folder: small letters, digits and hyphens.")]
    title: Text
    models: Literal["all"] | list[Id] = Field(default=[], description="Models that it sees: 'all', or their ids.")
    experiments: Literal["all"] | list[Id] = Field(default=[], description="Tests that it sees: 'all', or their ids.")
    owners: list[Text] = Field(default=[], description="It sees the models and tests of these owners too.")
    sees: list[Tier] = Field(
        default=[],
        description="money: amounts and all figures of metrics of money; segments: figures of segments; operations: figures of telemetry.",
    )

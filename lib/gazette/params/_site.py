"""``site.yml``: where things are and how a build behaves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from gazette.params._audiences import Audience
from gazette.params._types import Column, Count, Sheet, Text
from gazette.secrets import SIGNING_KEY, Address

__all__ = ["ExecutiveParams", "Operations", "SiteParams"]

LONGEST = 2000  # characters of an address that every program takes


class ExecutiveParams(Sheet):
    """The page for leadership."""

    title: Text = "Executive summary"
    owner: Text
    cards: list[str] = Field(
        default=[],
        max_length=5,
        description="Ids of the numbers shown as cards: <subject>.<metric>; three to five where a model has business figures, else none to five.",
    )
    max_words: Count = Field(
        default=450,
        description="Words that the page may have, tables and folded parts not counted; a longer page stops the build.",
    )


class Operations(Sheet):
    """The page for those on call; each source is optional, and what is missing is said there.

    Tables have these columns: telemetry (hourly) at, service, requests, errors, and as far as there are any latency_p50_ms,
    latency_p95_ms, latency_p99_ms, cpu, memory, gpu, cache_hits, cache_misses, feature_store_ms, oom_kills, model_version;
    deployments at, model, model_version, environment, deployed_by, note; alert_events alert, tier, service, started_at,
    acknowledged_at, resolved_at, actionable; pipeline_runs pipeline, started_at, finished_at, status.
    """

    title: Text = "Operations"
    owner: Text
    telemetry: Column | None = None
    prometheus: Address | None = Field(
        default=None, description="Address of a Prometheus server to read telemetry from instead of a table."
    )
    token_file: Text | None = Field(
        default=None, description="File with the bearer token for Prometheus, outside of the project."
    )
    deployments: Column | None = None
    alert_events: Column | None = None
    pipeline_runs: Column | None = None
    dashboard: Text | None = Field(
        default=None,
        description="Address of the live dashboard; {from} and {to} become milliseconds since 1970, {service} the service.",
    )

    @classmethod
    def faults(cls, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """One source of telemetry."""
        if raw.get("telemetry") and raw.get("prometheus"):
            yield "prometheus", "give one of 'telemetry' and 'prometheus'"
        if raw.get("prometheus") and not str(raw["prometheus"]).startswith(("http://", "https://", "${")):
            yield "prometheus", "an address starts with http:// or https://"


class RestatementParams(Sheet):
    """How far back a build computes earlier editions again."""

    editions: Annotated[int, Field(ge=0, le=52, strict=True)] = Field(
        default=4,
        description="How many earlier editions each build computes again on today's data and definitions; 0: none.",
    )


class SiteParams(Sheet):
    """Settings of the whole site."""

    title: Text
    organisation: Text
    address: Text | None = Field(
        default=None, description="Where the published site is on the web, for links in e-mails and messages."
    )
    notice: str = Field(default="", description="A line on every page, such as what is simulated.")
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    language: Literal["british", "american"] = Field(
        default="british", description="Spelling, dates and per cent signs of the pages."
    )
    engine: Literal["auto", "quarto", "embedded"] = "auto"
    warehouse: Address = Field(
        description="An ibis connection URL, such as duckdb:///path/to/file.duckdb; secrets are named, as ${WAREHOUSE_PASSWORD}."
    )
    mlflow: Address | None = Field(
        default=None,
        description="An MLflow tracking URI, such as sqlite:///path/to/mlflow.db; needed where there is a model. Secrets are named, as ${MLFLOW_PASSWORD}.",
    )
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
    restatements: RestatementParams = RestatementParams()
    recompute: bool = Field(
        default=True,
        description="Compute the numbers of models and tests twice, the second time by plain SQL; a disagreement stops the edition.",
    )
    canaries: bool = Field(
        default=True,
        description="Run hidden tests whose answer is known through each build; one that is not caught stops the edition.",
    )
    smallest_cell: Annotated[int, Field(ge=0, le=1000, strict=True)] = Field(
        default=10,
        description="Users that an arm, a segment or a day must have to be kept and shown, or rows of a model's segment or word; 0: any.",
    )
    history_weeks: Annotated[int, Field(ge=2, le=104, strict=True)] = 12
    public_keys: list[Text] = Field(
        default=[],
        description="Keys whose signatures under editions are trusted: files (PEM) or 64 hexadecimal digits each.",
    )
    notebook_variables: list[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]] = Field(
        default=[],
        description="Environment variables that notebooks see beside PATH, HOME, LANG, TZ and the like. They see no other one, and the signing key never.",
    )
    no_secrets: list[Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]] = Field(
        default=[],
        description="Texts that only look like secrets, by the first twelve hexadecimal digits of their SHA-256, as the message names them.",
    )
    executive: ExecutiveParams
    operations: Operations | None = Field(default=None, description="Without it there is no operations page.")
    audiences: list[Audience] = Field(
        default=[],
        description="Readers who see a part of the record; each has a site of its own, '<output>-<name>'. None: there is one site.",
    )

    @classmethod
    def faults(cls, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """An address that links can be made of; no notebook that sees the signing key."""
        named = raw.get("notebook_variables")
        if isinstance(named, list) and SIGNING_KEY in named:
            yield "notebook_variables", "the signing key is for no notebook"
        address = raw.get("address")
        if isinstance(address, str) and (parted := urlsplit(address)):
            if parted.scheme not in {"http", "https"} or not parted.netloc or len(address) > LONGEST:
                yield "address", "an address starts with http:// or https:// and a host"
            elif parted.query or parted.fragment or any(c.isspace() or c in '<>"|' for c in address):
                yield "address", "an address ends with the folder of the site: no spaces, no '?', no '#'"

    history: Column | None = Field(
        default=None,
        description="Table of past tests, one row a test: test, title, ended, decision, metric, effect, effect_error (relative, with "
        "its standard error), and as far as known technical, technical_change, technical_error, realised, realised_error, realised_on.",
    )

"""Telemetry from a Prometheus server: range queries of its HTTP API, one point an hour."""

from __future__ import annotations

import base64
import json
import math
import urllib.error
import urllib.parse
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazette.errors import SourceError
from gazette.params import SIGNALS, quantile
from gazette.secrets import keep_value
from gazette.sources._answer import Answer
from gazette.sources._opened import opened
from gazette.sources._telemetry import DAYS, MEASURES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gazette.params import Operations
    from gazette.sources._warehouse import Period

__all__ = ["read_prometheus"]

TIMEOUT = 30
STEP = 3600
FILE = "params/site.yml: operations.prometheus"


def _expressions(own: Mapping[str, str]) -> dict[str, str]:
    """Column of the telemetry to PromQL over an hour; expressions of your own (``promql:`` in alerts.yml) come first."""
    latency = "model_request_duration_seconds"

    def known(signal: str) -> str:
        return own.get(signal, SIGNALS[signal].promql)

    def counted(metric: str) -> str:
        return f"sum by (service) (increase({metric}[{{w}}]))"

    found = {
        "requests": counted("model_requests_total"),
        "errors": counted("model_request_errors_total"),
        "cache_hits": counted("model_cache_hits_total"),
        "cache_misses": counted("model_cache_misses_total"),
        "oom_kills": counted("model_oom_kills_total"),
        "latency_p50_ms": quantile(0.5, latency),
        "latency_p95_ms": quantile(0.95, latency),
        "latency_p99_ms": known("latency_p99"),
        "feature_store_ms": known("feature_store_p99"),
        "cpu": known("cpu"),
        "memory": known("memory"),
        "gpu": known("gpu"),
        "versions": known("versions"),
    }
    return {column: text.replace("{w}", "1h") for column, text in found.items()}


def read_prometheus(operations: Operations, period: Period, own: Mapping[str, str], *, project: Path) -> Answer:
    """Ask for four weeks until the edition's end.

    Args:
        operations: Address and token file.
        period: The edition's week.
        own: PromQL of your own by signal.
        project: Folder that a relative token file starts from.

    Returns:
        The answer ``telemetry``; a point at the end of an hour is that hour's row.

    Raises:
        SourceError: The server cannot be reached, refuses a query or answers something else.
    """
    import pyarrow as pa  # noqa: PLC0415  slow to import

    end = period.end.replace(tzinfo=UTC)
    rows: dict[tuple[datetime, str], dict[str, Any]] = {}
    asked = _expressions(own)
    for column, query in asked.items():
        times = {"start": (end - timedelta(days=DAYS)).timestamp() + STEP, "end": end.timestamp(), "step": STEP}
        for series in _ask(operations, {"query": query, **times}, project):
            service = series["metric"].get("service", "")
            for at, text in series["values"]:
                value = float(text)
                if math.isfinite(value):
                    hour = datetime.fromtimestamp(float(at) - STEP, UTC).replace(tzinfo=None)
                    rows.setdefault((hour, service), {"at": hour, "service": service})[column] = value
    schema = [("at", pa.timestamp("us")), ("service", pa.string()), *((m, pa.float64()) for m in MEASURES)]
    ordered = [rows[k] for k in sorted(rows, key=lambda k: (k[1], k[0]))]
    text = "".join(f"{column}: {query}\n" for column, query in asked.items())
    return Answer(
        "telemetry", f"Prometheus, one point an hour:\n{text}", pa.Table.from_pylist(ordered, schema=pa.schema(schema))
    )


def _ask(operations: Operations, query: Mapping[str, Any], project: Path) -> list[dict[str, Any]]:
    where = str(operations.prometheus)
    server = urllib.parse.urlsplit(opened(operations.prometheus or "", "operations.prometheus", project))
    if server.scheme not in {"http", "https"}:
        raise SourceError(
            "the address of Prometheus starts with no http:// or https://", where=where, mend=f"check {FILE}"
        )
    login, _, host = server.netloc.rpartition("@")
    base = urllib.parse.urlunsplit(server._replace(netloc=host)).rstrip("/")  # errors of urllib quote it
    request = urllib.request.Request(f"{base}/api/v1/query_range?{urllib.parse.urlencode(query)}")  # noqa: S310  http or https
    try:
        if login:
            word = base64.b64encode(urllib.parse.unquote(login).encode()).decode()
            request.add_header("Authorization", f"Basic {word}")
        if operations.token_file:
            token = (project / Path(operations.token_file)).read_text(encoding="utf-8").strip()
            keep_value("token_file", token)
            request.add_header("Authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
            content = json.loads(answer.read())
        result = content["data"]["result"]
        if not isinstance(result, list):
            raise TypeError("no list of series")
    except urllib.error.HTTPError as error:
        said = error.read(500).decode("utf-8", "replace")
        raise SourceError(
            f"Prometheus refused a query ({error.code}): {said}",
            where=where,
            mend=f"check 'promql:' in alerts.yml; the query was {query['query']}",
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SourceError(
            f"Prometheus cannot be asked: {error}",
            where=where,
            mend=f"check {FILE} and the network; is it a Prometheus server?",
        ) from error
    return result

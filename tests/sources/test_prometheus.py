"""Telemetry from a real Prometheus on loopback, from past samples written with promtool."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from gazette.errors import SourceError
from gazette.params import Operations
from gazette.sources import Period, read_prometheus
from servers import free_port, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

END = datetime(2026, 11, 23)  # noqa: DTZ001  the clock of editions is UTC without zone
PERIOD = Period(END - timedelta(days=7), END, 2)
HOURS = 6


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Six hours until the edition's end: 600 requests a minute, one in ten fails, all answers within 0.2 s; the gauge has a gap."""
    place = tmp_path_factory.mktemp("prometheus")
    lines, first = [], END.replace(tzinfo=UTC) - timedelta(hours=HOURS + 1)
    names = {
        'model_requests_total{service="shop"}': 600,
        'model_request_errors_total{service="shop"}': 60,
        'model_request_duration_seconds_bucket{service="shop",le="0.2"}': 600,
        'model_request_duration_seconds_bucket{service="shop",le="+Inf"}': 600,
    }
    for name, step in names.items():
        family = name.partition("{")[0]
        lines.append(f"# TYPE {family} unknown")
        minutes = range(60 * (HOURS + 1) + 1)
        lines += [f"{name} {step * m} {(first + timedelta(minutes=m)).timestamp():.0f}" for m in minutes]
    lines.append("# TYPE model_cpu_utilisation_ratio gauge")
    lines += [
        f'model_cpu_utilisation_ratio{{service="shop"}} 0.5 {(first + timedelta(minutes=m)).timestamp():.0f}'
        for m in range(60 * (HOURS + 1) + 1)
        if m <= 240
    ]
    (place / "samples.txt").write_text("\n".join(dict.fromkeys(lines)) + "\n# EOF\n")
    subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", "samples.txt", "tsdb"],
        cwd=place,
        check=True,
        capture_output=True,
        timeout=120,
    )
    port = free_port()
    (place / "prometheus.yml").write_text("global: {}\n")
    arguments = [
        "prometheus",
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=tsdb",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    address = f"http://127.0.0.1:{port}"
    with running(*arguments, "--storage.tsdb.retention.time=100y", place=place, ready=f"{address}/-/ready"):
        yield address


def test_hours_are_read_as_the_table_would_hold_them(server: str, tmp_path: Path) -> None:
    found = read_prometheus(Operations(owner="o", prometheus=server), PERIOD, {}, project=tmp_path)
    rows = {r["at"]: r for r in found.table.to_pylist() if r["service"] == "shop"}
    last = rows[END - timedelta(hours=1)]
    assert last["requests"] == pytest.approx(36000, rel=0.02)
    assert last["errors"] == pytest.approx(3600, rel=0.02)
    assert last["latency_p99_ms"] == pytest.approx(198)
    assert last["latency_p50_ms"] == pytest.approx(100)
    assert last["cpu"] is None, "a gap stays a gap"
    assert rows[END - timedelta(hours=5)]["cpu"] == pytest.approx(0.5)
    assert last["gpu"] is None
    assert max(rows) < END
    assert "histogram_quantile(0.99" in found.sql


def test_a_query_of_your_own_that_is_wrong_is_named(server: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="refused a query") as error:
        read_prometheus(Operations(owner="o", prometheus=server), PERIOD, {"cpu": "sum by ("}, project=tmp_path)
    assert "sum by (" in str(error.value)


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "http://127.0.0.1:9/x?y"])
def test_a_server_that_does_not_answer_is_one_clear_error(address: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be asked"):
        read_prometheus(Operations(owner="o", prometheus=address), PERIOD, {}, project=tmp_path)


def test_a_token_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nowhere"):
        read_prometheus(
            Operations(owner="o", prometheus="http://127.0.0.1:9", token_file="nowhere.token"),  # noqa: S106
            PERIOD,
            {},
            project=tmp_path,
        )

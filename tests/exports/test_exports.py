"""Exported files against the real programs: promtool, amtool, Prometheus, Alertmanager."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
import urllib.parse
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from grafana_foundation_sdk.models import dashboard as models

from gazette import exports
from gazette.params import SIGNALS, AlertsFile, Params, load
from program import gazette
from servers import free_port, get, running, wait
from small import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def params() -> Params:
    return load(REPOSITORY / "params")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command writes for the demo."""
    place = tmp_path_factory.mktemp("exported")
    for target in ("prometheus", "alertmanager", "grafana"):
        gazette("export", target, "--to", str(place), project=REPOSITORY)
    return place


def tool(*arguments: str, place: Path, code: int = 0) -> str:
    done = subprocess.run(arguments, cwd=place, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.server
def test_rules_pass_promtool(exported: Path) -> None:
    assert "SUCCESS" in tool("promtool", "check", "rules", "gazette-rules.yml", place=exported)


@pytest.mark.server
def test_every_alert_has_a_unit_test_that_fires_and_one_that_does_not(exported: Path, params: Params) -> None:
    content = yaml.safe_load((exported / "gazette-rules-test.yml").read_text())
    for alarm in params.alerts.alerts:
        names = [t["name"] for t in content["tests"] if t["name"].startswith(f"{alarm.id} ")]
        assert len(names) == 2, alarm.id
        assert sum("does not fire" in n for n in names) == 1
    assert "SUCCESS" in tool("promtool", "test", "rules", "gazette-rules-test.yml", place=exported)


@pytest.mark.server
def test_the_unit_tests_can_fail(exported: Path, tmp_path: Path) -> None:
    """With every limit turned round, promtool must object."""
    text = (exported / "gazette-rules.yml").read_text()
    (tmp_path / "gazette-rules.yml").write_text(re.sub(r"(\]\)) > ", r"\1 < ", text))
    (tmp_path / "gazette-rules-test.yml").write_bytes((exported / "gazette-rules-test.yml").read_bytes())
    assert "FAILED" in tool("promtool", "test", "rules", "gazette-rules-test.yml", place=tmp_path, code=1)


def test_the_twelve_conditions_of_the_article_are_in_their_tiers(params: Params) -> None:
    wanted = {
        "critical": {"model-not-serving", "latency-critical", "pipeline-failed", "out-of-memory"},
        "warning": {"drift", "quality-drop", "latency-rising", "cache-cold"},
        "info": {"quality-normal", "new-version", "weekly-summary", "maintenance-soon"},
    }
    for tier, ids in wanted.items():
        assert ids <= {a.id for a in params.alerts.alerts if a.tier == tier}
    assert all(a.owner and a.runbook for a in params.alerts.alerts)


def test_promql_takes_rates_of_buckets_and_ratios_of_errors(params: Params) -> None:
    found = {r["record"]: r["expr"] for g in exports.rules(params)["groups"] for r in g["rules"] if "record" in r}
    assert (
        found["gazette:latency_p99"]
        == "1000 * histogram_quantile(0.99, sum by (service, le) (rate(model_request_duration_seconds_bucket[5m])))"
    )
    assert (
        found["gazette:error_ratio"]
        == "sum by (service) (rate(model_request_errors_total[5m])) / (sum by (service) (rate(model_requests_total[5m])))"
    )
    assert set(SIGNALS) <= {name.removeprefix("gazette:") for name in found}


@pytest.mark.server
def test_an_expression_of_your_own_replaces_ours_and_hostile_text_stays_text(params: Params, tmp_path: Path) -> None:
    first = params.alerts.alerts[0].model_copy(
        update={"title": 'He said {{ .Evil }} and "quoted"', "only": ['a"b', "c.d|e"], "runbook": "{{ fail }}"}
    )
    alerts = params.alerts.model_copy(
        update={"alerts": [first], "promql": {"cpu": "avg by (service) (rate(mine[{w}]))"}}
    )
    changed = Params(**{**vars(params), "alerts": alerts})
    made = exports.rules(changed)
    assert {r["record"]: r["expr"] for r in made["groups"][0]["rules"]}["gazette:cpu"].endswith("rate(mine[5m]))")
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(made))
    assert "SUCCESS" in tool("promtool", "check", "rules", "rules.yml", place=tmp_path)


@pytest.mark.server
def test_maintenance_silences_its_services_for_its_time_alone(params: Params, tmp_path: Path) -> None:
    """The window lies in the first hours of 1970, where promtool's clock starts."""
    window = {
        "id": "move",
        "start": "1970-01-01T01:00:00",
        "until": "1970-01-01T02:00:00",
        "services": ["a"],
        "owner": "o",
        "reason": "r",
    }
    content = {"alerts": [params.alerts.alerts[0].model_dump()], "maintenance": [window]}
    changed = Params(**{**vars(params), "alerts": AlertsFile.model_validate(content)})
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(exports.rules(changed)))
    series = [
        {"series": f'{name}{{service="{s}"}}', "values": f"0+{step}x240"}
        for s in ("a", "b")
        for name, step in (("model_requests_total", 600), ("model_request_errors_total", 300))
    ]
    firing = 'count by (service) (ALERTS{alertstate="firing",alertname="ModelNotServing"})'

    def at(time_: str, *services: str) -> dict[str, Any]:
        samples = [{"labels": f'{{service="{s}"}}', "value": 1} for s in services]
        return {"expr": firing, "eval_time": time_, "exp_samples": samples}

    tests = [
        {
            "interval": "1m",
            "input_series": series,
            "promql_expr_test": [at("30m", "a", "b"), at("90m", "b"), at("150m", "a", "b")],
        }
    ]
    (tmp_path / "tests.yml").write_text(
        yaml.safe_dump({"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": tests})
    )
    assert "SUCCESS" in tool("promtool", "test", "rules", "tests.yml", place=tmp_path)


@pytest.mark.server
def test_routes_pass_amtool_and_lead_to_their_tier(exported: Path) -> None:
    assert "SUCCESS" in tool("amtool", "check-config", "alertmanager.yml", place=exported)
    for tier in ("critical", "warning", "info"):
        routed = tool(
            "amtool",
            "config",
            "routes",
            "test",
            "--config.file=alertmanager.yml",
            f"severity={tier}",
            "alertname=X",
            place=exported,
        )
        assert routed.splitlines()[0] == tier
    unknown = tool(
        "amtool", "config", "routes", "test", "--config.file=alertmanager.yml", "alertname=X", place=exported
    )
    assert unknown.splitlines()[0] == "warning"
    text = (exported / "alertmanager.yml").read_text()
    assert "api_url_file" in text
    assert not re.search(r"^\s*(api_url|routing_key|service_key):", text, re.MULTILINE)


def test_the_dashboard_is_of_the_sdk_s_types_and_has_every_panel(exported: Path) -> None:
    content = json.loads((exported / "gazette-serving.json").read_text())
    board = models.Dashboard.from_json(content)
    titles = [p.title for p in board.panels or []]
    for words in (
        "Answer time",
        "Requests a second",
        "Requests that failed",
        "Processor",
        "Memory",
        "Graphics processor",
    ):
        assert words in titles
    for words in ("Cache hits", "Feature store", "Time since a pipeline went well", "Alerts that fire"):
        assert words in titles
    assert len({p["id"] for p in content["panels"] if p.get("id") is not None}) in {0, len(content["panels"])}
    assert [a["name"] for a in content["annotations"]["list"]] == ["Deployments"]


class Receiver(ThreadingHTTPServer):
    """Stands for the pager, the channel and the digest: keeps what arrives per path."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.arrived: dict[str, list[dict[str, Any]]] = {}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert isinstance(self.server, Receiver)
        self.server.arrived.setdefault(self.path, []).extend(body["alerts"])
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Be quiet."""


class Exposed(BaseHTTPRequestHandler):
    """A service whose requests fail one time in two, and whose answers take two seconds."""

    start = time.monotonic()

    def do_GET(self) -> None:
        n = int(1000 * (time.monotonic() - self.start)) + 1000
        text = (
            f'model_requests_total{{service="shop"}} {n}\nmodel_request_errors_total{{service="shop"}} {n // 2}\n'
            f'model_request_duration_seconds_bucket{{service="shop",le="1"}} 0\n'
            f'model_request_duration_seconds_bucket{{service="shop",le="2"}} {n}\n'
            f'model_request_duration_seconds_bucket{{service="shop",le="+Inf"}} {n}\n'
            'gazette_drift_distance{model="shop"} 0.6\ngazette_quality_drop{model="shop"} 0.01\n'
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@contextmanager
def threaded(server: ThreadingHTTPServer) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


@pytest.mark.integration
@pytest.mark.server
def test_alerts_travel_from_prometheus_through_alertmanager_to_the_receiver_of_their_tier(
    exported: Path, params: Params, tmp_path: Path
) -> None:
    """The exported files with shorter times, on loopback; Grafana's queries are put to the same Prometheus."""
    receiver = Receiver()
    with threaded(receiver) as address, threaded(ThreadingHTTPServer(("127.0.0.1", 0), Exposed)) as target:
        channels = {t: {"webhook": f"{address}/{t}"} for t in ("critical", "warning", "info")}
        content = {**params.alerts.model_dump(mode="json"), "channels": channels}
        mine = Params(**{**vars(params), "alerts": AlertsFile.model_validate(content)})
        config = exports.alertmanager(mine)
        for route in (config["route"], *config["route"]["routes"]):
            route |= {"group_wait": "1s", "group_interval": "1s"}
        rules = yaml.safe_load((exported / "gazette-rules.yml").read_text())
        for group in rules["groups"]:
            group["interval"] = "1s"
            for rule in group["rules"]:
                rule["expr"] = rule["expr"].replace("[5m]", "[10s]")
                if "for" in rule:
                    rule["for"] = "2s" if rule["alert"] != "TelemetryMissing" else "1h"
        (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules))
        (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(config))
        alert_port, port = free_port(), free_port()
        (tmp_path / "prometheus.yml").write_text(
            yaml.safe_dump(
                {
                    "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                    "rule_files": ["rules.yml"],
                    "scrape_configs": [
                        {"job_name": "shop", "static_configs": [{"targets": [target.removeprefix("http://")]}]}
                    ],
                    "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alert_port}"]}]}]},
                }
            )
        )
        manager = [
            "prometheus-alertmanager",
            "--config.file=alertmanager.yml",
            "--storage.path=am",
            "--cluster.listen-address=",
        ]
        manager += [f"--web.listen-address=127.0.0.1:{alert_port}"]
        server = [
            "prometheus",
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=tsdb",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        base = f"http://127.0.0.1:{port}"
        with (
            running(*manager, place=tmp_path, ready=f"http://127.0.0.1:{alert_port}/-/ready"),
            running(*server, place=tmp_path, ready=f"{base}/-/ready"),
        ):

            def names(tier: str) -> set[str]:
                return {a["labels"]["alert_id"] for a in receiver.arrived.get(f"/{tier}", [])}

            wait(lambda: "model-not-serving" in names("critical"), what="the page of a service that fails", seconds=90)
            wait(lambda: "drift" in names("warning"), what="the warning of drift", seconds=60)
            wait(lambda: "quality-normal" in names("info"), what="the digest", seconds=60)
            tiers = {a.id: a.tier for a in params.alerts.alerts}
            for tier in ("critical", "warning", "info"):
                assert {tiers.get(i, "warning") for i in names(tier)} == {tier}
            # the parent explains the slow answers of the same service, so nobody is told twice
            active = get(f"http://127.0.0.1:{alert_port}/api/v2/alerts")
            slow = [a for a in active if a["labels"]["alert_id"] in {"latency-critical", "latency-limit"}]
            assert all(a["status"]["inhibitedBy"] for a in slow if a["status"]["state"] != "unprocessed")
            assert slow
            for query in grafana_queries(exported):
                answer = get(f"{base}/api/v1/query?" + urllib.parse.urlencode({"query": query}))
                assert answer is not None, query
                assert answer["status"] == "success", query


def grafana_queries(exported: Path) -> list[str]:
    board = json.loads((exported / "gazette-serving.json").read_text())
    found = [t["expr"] for p in board["panels"] for t in p.get("targets", [])]
    found += [a["expr"] for a in board["annotations"]["list"] if a.get("expr")]
    assert len(found) > 15
    return [q.replace("$service", ".*") for q in found]


def test_metrics_of_the_newest_edition_pass_promtool(built: Path, tmp_path: Path) -> None:
    gazette("export", "metrics", "--to", str(tmp_path), project=built)
    text = (tmp_path / "gazette.prom").read_text()
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    for wanted in (
        'gazette_drift_distance{model="flight-delay"}',
        "gazette_edition_timestamp_seconds",
        'window="cache-upgrade"',
    ):
        assert wanted in text


def test_without_channels_or_editions_the_error_says_what_to_add(small: Any) -> None:
    done = gazette("export", "alertmanager", project=small.root, code=1)
    assert "channels" in done.stderr
    done = gazette("export", "metrics", project=small.root, code=1)
    assert "gazette build" in done.stderr

"""``gazette analyse`` on real files with published results, on made ones with known answers, and on bad ones."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from gazette.stats import difference_of_proportions, proportion
from program import gazette
from small import REPOSITORY

DATA = REPOSITORY.parent / "shared" / "data"
real = pytest.mark.skipif(not DATA.is_dir(), reason="not run: the folder of real data sets is not beside the project")


def analyse(*arguments: str | Path, code: int = 0) -> Any:
    done = gazette("analyse", "--json", *map(str, arguments), project=REPOSITORY, code=code)
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)


def refused(*arguments: str | Path, code: int = 1) -> str:
    error = analyse(*arguments, code=code)["error"]
    assert error["mend"], "an error says how to mend it"
    return f"{error['where']}: {error['what']} | {error['mend']}"


def metric(found: Any, name: str, arm: str | None = None) -> Any:
    return next(m for m in found["metrics"] if m["metric"] == name and arm in {None, m["treatment"]})


@pytest.fixture
def users(tmp_path: Path) -> Path:
    rng = np.random.default_rng(5)
    n = 4000
    before = rng.gamma(2, 10, n)
    arm = np.where(np.arange(n) % 2 == 0, "A", "B")
    spend = before * rng.uniform(0.5, 1.5, n) + 3 * (arm == "B")
    frame = pd.DataFrame(
        {
            "user": np.arange(n),
            "arm": arm,
            "clicked": rng.random(n) < np.where(arm == "B", 0.13, 0.1),
            "spend": spend,
            "orders": rng.poisson(2, n) + 1,
            "before": before,
            "device": rng.choice(["phone", "desktop"], n),
        }
    )
    path = tmp_path / "users.parquet"
    frame.to_parquet(path)
    return path


BASE = ("--variant", "arm", "--control", "A")


@real
class TestRealData:
    def test_cookie_cats_is_stopped_by_its_split(self) -> None:
        found = analyse(
            DATA / "cookie_cats.csv", "--variant", "version", "--control", "gate_30", "--unit", "userid",
            "--metric", "r7:proportion:retention_7", "--metric", "r1:proportion:retention_1",
        )  # fmt: skip
        numbers = {n["id"]: n["value"] for n in found["record"]["numbers"]}
        assert round(numbers["analysis.r7.control"], 4) == 0.1902
        assert round(numbers["analysis.r7.treatment"], 4) == 0.1820
        assert round(numbers["analysis.r1.control"], 4) == 0.4482
        assert round(numbers["analysis.r1.treatment"], 4) == 0.4423
        assert metric(found, "r7")["p_value"] == pytest.approx(0.00155, abs=6e-6)
        assert round(metric(found, "r1")["p_value"], 4) == 0.0744
        assert round(numbers["analysis.split"], 4) == 0.0086
        (verdict,) = found["record"]["verdicts"]
        assert (verdict["state"], verdict["action"]) == ("not trustworthy", "fix the test first")
        assert verdict["rule"] == "gate-sample-ratio"
        assert found["record"]["findings"] == []

    def test_hillstrom_with_three_arms(self) -> None:
        found = analyse(
            DATA / "hillstrom.csv", "--variant", "segment", "--control", "No E-Mail",
            "--metric", "visit:proportion:visit", "--metric", "conversion:proportion:conversion", "--metric", "spend:mean:spend",
        )  # fmt: skip
        men, women = "Mens E-Mail", "Womens E-Mail"
        by_label = {n["label"]: n["value"] for n in found["record"]["numbers"]}
        assert [round(by_label[f"visit, {a}"], 4) for a in ("No E-Mail", men, women)] == [0.1062, 0.1828, 0.1514]
        assert [round(by_label[f"conversion, {a}"], 4) for a in ("No E-Mail", men, women)] == [0.0057, 0.0125, 0.0088]
        assert round(metric(found, "spend", men)["difference"], 3) == 0.770
        assert round(metric(found, "spend", women)["difference"], 3) == 0.424
        assert f"{metric(found, 'spend', men)['p_value']:.1e}" == "1.2e-07"
        assert round(metric(found, "spend", women)["p_value"], 4) == 0.0011
        assert [v["state"] for v in found["record"]["verdicts"]] == ["benefit shown"] * 2
        frame = pd.read_csv(DATA / "hillstrom.csv")
        for arm in (men, women):
            a, b = (frame.spend[frame.segment == name].to_numpy() for name in ("No E-Mail", arm))
            test = scipy_stats.ttest_ind(b, a, equal_var=False)
            assert metric(found, "spend", arm)["p_value"] == pytest.approx(test.pvalue, rel=1e-2), "arms differ by few"
            off = np.concatenate([a - a.mean(), b - b.mean()])
            skew = np.mean(off**3) / (off @ off / (len(off) - 2)) ** 1.5  # about 20
            lean = skew * (len(b) ** -2 - len(a) ** -2) / (1 / len(a) + 1 / len(b)) ** 1.5
            t = test.statistic + lean * test.statistic**2 / 3 + lean**2 * test.statistic**3 / 27 + lean / 6
            p = 2 * scipy_stats.t.sf(abs(t), test.df)
            assert metric(found, "spend", arm)["p_value"] == pytest.approx(p, rel=1e-8)

    def test_asos_under_peeking_and_under_the_confidence_sequence(self) -> None:
        """Metric 1 of 99 comparisons: 26 significant at the end, 46 ever when peeking, 21 ever under the confidence sequence."""
        from gazette.stats import Design, Moments, compare  # noqa: PLC0415

        frame = duckdb.sql(
            f"SELECT * FROM '{DATA / 'asos_digital_experiments_dataset.parquet'}' WHERE metric_id = 1 ORDER BY experiment_id, variant_id, time_since_start"
        ).df()
        end = peek = always = 0
        groups = frame.groupby(["experiment_id", "variant_id"])
        for _, part in groups:
            naive, sequence = [], []
            total = int(part.iloc[-1].count_c + part.iloc[-1].count_t)
            for row in part.itertuples():
                arms = [
                    Moments(int(row.count_c), row.mean_c, row.variance_c),
                    Moments(int(row.count_t), row.mean_t, row.variance_t),
                ]
                units = arms[0].n + arms[1].n
                if not (min(m.n for m in arms) > 1 and min(m.variance for m in arms) > 0):
                    continue
                for method, kept in (("fixed", naive), ("confidence-sequence", sequence)):
                    design = Design(method=method, alpha=0.05, units=units, tightest=total)  # type: ignore[arg-type]
                    kept.append(compare(*arms, design).excludes_zero)
            end += naive[-1]
            peek += any(naive)
            always += any(sequence)
        assert len(groups) == 99
        assert (end, peek, always) == (26, 46, 21)


def test_the_article_s_test_is_not_resolved() -> None:
    found = analyse("--counts", "A=1463/62500", "--counts", "B=1569/62500", "--control", "A")
    (verdict,) = found["record"]["verdicts"]
    assert (verdict["state"], verdict["action"]) == ("not resolved", "stop: no winner")
    assert found["metrics"][0]["p_value"] == pytest.approx(0.0513, abs=5e-5)  # of these counts


def test_the_article_s_rates_give_the_p_value_and_ranges_of_the_design() -> None:
    """2.34 % and 2.51 % of 62,500 are no whole clicks; taken as rates they give the design's p = 0.0507."""
    found: Any = difference_of_proportions((0.0234 * 62500, 62500), (0.0251 * 62500, 62500))  # type: ignore[arg-type]
    assert found.p_value == pytest.approx(0.0507, abs=5e-5)
    assert (found.low, found.high) == (pytest.approx(-0.0000055, abs=5e-8), pytest.approx(0.0034069, abs=5e-8))
    for rate, low, high in ((0.0234, 0.022215, 0.024585), (0.0251, 0.023874, 0.026326)):
        one: Any = proportion(rate * 62500, 62500)  # type: ignore[arg-type]
        wald = 1.959964 * (rate * (1 - rate) / 62500) ** 0.5
        assert (rate - wald, rate + wald) == (pytest.approx(low, abs=5e-7), pytest.approx(high, abs=5e-7))
        assert one.low == pytest.approx(low, rel=3e-3), "Wilson's, which the page shows, lies near Wald's"


class TestAgreement:
    def test_means_with_scipy(self, users: Path) -> None:
        found = metric(analyse(users, *BASE, "--metric", "spend:mean:spend"), "spend")
        frame = pd.read_parquet(users)
        a, b = (frame.spend[frame.arm == k] for k in "AB")
        test = scipy_stats.ttest_ind(b, a, equal_var=False)
        assert found["difference"] == pytest.approx(b.mean() - a.mean(), rel=1e-9)
        assert found["p_value"] == pytest.approx(test.pvalue, rel=1e-9)
        assert [found["low"], found["high"]] == pytest.approx(list(test.confidence_interval()), rel=1e-9)

    def test_proportions_with_statsmodels(self, users: Path) -> None:
        from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest  # noqa: PLC0415

        found = metric(analyse(users, *BASE, "--metric", "ctr:proportion:clicked"), "ctr")
        frame = pd.read_parquet(users)
        x, n = ([int(f(frame.clicked[frame.arm == k])) for k in "BA"] for f in (sum, len))
        assert found["p_value"] == pytest.approx(proportions_ztest(x, n)[1], rel=5e-3)
        low, high = confint_proportions_2indep(x[0], n[0], x[1], n[1], method="score", compare="diff")
        assert [found["low"], found["high"]] == pytest.approx([low, high], abs=5e-3 * (high - low)), "less the skewness"

    def test_a_covariate_narrows(self, users: Path) -> None:
        plain, adjusted = (
            metric(analyse(users, *BASE, "--metric", "spend:mean:spend", *more), "spend")
            for more in ((), ("--covariate", "before"))
        )
        assert adjusted["high"] - adjusted["low"] < 0.7 * (plain["high"] - plain["low"])
        assert adjusted["low"] < 3 < adjusted["high"]

    def test_a_ratio_of_clusters_is_wider_than_of_rows(self, users: Path, tmp_path: Path) -> None:
        frame = pd.read_parquet(users)
        rows = frame.loc[frame.index.repeat(3)]
        path = tmp_path / "rows.csv"
        rows.to_csv(path, index=False)
        whole = metric(analyse(users, *BASE, "--metric", "spend:mean:spend"), "spend")
        clusters = metric(analyse(path, *BASE, "--metric", "spend:mean:spend", "--cluster", "user"), "spend")
        naive = metric(analyse(path, *BASE, "--metric", "spend:mean:spend"), "spend")
        assert clusters["low"] == pytest.approx(whole["low"], rel=2e-3)
        assert naive["high"] - naive["low"] < 0.7 * (clusters["high"] - clusters["low"])

    def test_quantiles_and_capped_means(self, users: Path) -> None:
        found = analyse(users, *BASE, "--metric", "p90:p90:spend", "--metric", "capped:capped99:spend")
        frame = pd.read_parquet(users)
        marks = [np.quantile(frame.spend[frame.arm == k], 0.9, method="inverted_cdf") for k in "AB"]
        assert metric(found, "p90")["difference"] == pytest.approx(marks[1] - marks[0], rel=1e-9)
        limit = frame.spend.quantile(0.99)
        a, b = (frame.spend.clip(upper=limit)[frame.arm == k].mean() for k in "AB")
        assert metric(found, "capped")["difference"] == pytest.approx(b - a, rel=1e-9)

    def test_csv_and_parquet_agree(self, users: Path, tmp_path: Path) -> None:
        pd.read_parquet(users).to_csv(tmp_path / "users.csv", index=False)
        one, two = (analyse(p, *BASE, "--metric", "s:mean:spend")["metrics"] for p in (users, tmp_path / "users.csv"))
        assert one[0]["difference"] == pytest.approx(two[0]["difference"], rel=1e-9)


class TestOptions:
    def test_segments_guardrails_and_direction(self, users: Path) -> None:
        found = analyse(
            users, *BASE, "--metric", "ctr:proportion:clicked", "--metric", "orders:count:orders", "--metric", "spend:mean:spend",
            "--segment", "device", "--guardrail", "orders=0.05", "--lower", "spend",
        )  # fmt: skip
        assert {s["value"] for s in found["segments"]} == {"phone", "desktop"}
        assert metric(found, "orders")["state"].startswith("guardrail")
        assert metric(found, "spend")["state"] == "harm shown", "it rose, and less is better"

    def test_the_expected_ratio_decides_the_split(self, users: Path) -> None:
        found = analyse(users, *BASE, "--metric", "ctr:proportion:clicked", "--expected-ratio", "A=0.6,B=0.4")
        assert found["record"]["verdicts"][0]["state"] == "not trustworthy"

    @pytest.mark.parametrize("method", ["group-sequential", "confidence-sequence"])
    def test_looks_before_the_end_ask_for_more(self, users: Path, method: str) -> None:
        fixed, early = (
            metric(analyse(users, *BASE, "--metric", "s:mean:spend", *more), "s")
            for more in ((), ("--method", method, "--planned-n", "20000"))
        )
        assert early["high"] - early["low"] > 1.3 * (fixed["high"] - fixed["low"])

    def test_a_page_that_needs_nothing_else(self, users: Path, tmp_path: Path) -> None:
        out = tmp_path / "page.html"
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "gazette",
                "analyse",
                users,
                *BASE,
                "--metric",
                "ctr:proportion:clicked",
                "--html",
                out,
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        text = out.read_text()
        assert "<svg" in text
        assert "http" not in text.replace("http://www.w3.org/", "")
        assert json.loads(text.split('id="record">')[1].split("</script>")[0])["subject"] == "analysis"
        assert "BENEFIT SHOWN" in done.stdout

    def test_units_in_several_arms_are_left_out_and_counted(self, users: Path, tmp_path: Path) -> None:
        frame = pd.read_parquet(users)
        frame.loc[1, "user"] = 0
        frame.to_parquet(tmp_path / "crossed.parquet")
        found = analyse(tmp_path / "crossed.parquet", *BASE, "--unit", "user", "--metric", "s:mean:spend")
        (said,) = found["exclusions"]
        assert said.startswith("1 units seen in several arms were left out (take a unit's first row")

    def test_missing_and_infinite_values_count_against_their_metric_alone(self, users: Path, tmp_path: Path) -> None:
        frame = pd.read_parquet(users)
        frame.loc[:4, "spend"] = np.nan
        frame.loc[5, "spend"] = np.inf
        frame.loc[10:12, "arm"] = None
        frame.to_parquet(tmp_path / "holes.parquet")
        found = analyse(tmp_path / "holes.parquet", *BASE, "--metric", "s:mean:spend")
        (said,) = found["exclusions"]
        assert said.startswith("3 rows have no arm in 'arm'")
        numbers = {n["id"]: n["value"] for n in found["record"]["numbers"]}
        assert numbers["analysis.units"] == 4000 - 3, "who has no value was assigned all the same"
        assert [(m["arm"], m["missing"]) for m in found["missing"]] == [("A", 3), ("B", 3)]
        declared = analyse(tmp_path / "holes.parquet", *BASE, "--metric", "s:mean:spend", "--exclude-arm", "no variant")
        assert declared["record"]["verdicts"][0]["state"] != "not trustworthy"


class TestNames:
    def test_without_a_column_the_name_is_the_columns(self, users: Path) -> None:
        frame = pd.read_parquet(users).rename(columns={"spend": "Spend_7d"})
        frame.to_parquet(users)
        named = ("--metric", "clicked:proportion:clicked", "--metric", "spend-7d:mean:Spend_7d")
        short = ("--metric", "clicked:proportion", "--metric", "Spend_7d:mean")
        guarded = analyse(users, *BASE, *short, "--guardrail", "Spend_7d=0.5", "--lower", "clicked")
        longhand = analyse(users, *BASE, *named, "--guardrail", "spend-7d=0.5", "--lower", "clicked")
        assert guarded["metrics"] == longhand["metrics"]
        assert [m["metric"] for m in guarded["metrics"]] == ["clicked", "spend-7d"]


class TestBadInput:
    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (("--metric", "s:mean:spent"), "no column 'spent'"),
            (("--metric", "s:mean:device"), "holds text in 4,000 rows, such as"),
            (("--metric", "s:proportion:spend"), "other values than 0 and 1"),
            (("--metric", "s:mean:spend", "--segment", "user"), "too many for segments"),
        ],
    )
    def test_wrong_columns(self, users: Path, arguments: tuple[str, ...], says: str) -> None:
        assert says in refused(users, *BASE, *arguments)

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (("--variant", "arm", "--control", "C"), "no row is of the control 'C' | --control is one of: A, B"),
            (("--variant", "user", "--control", "1"), "too many for arms"),
            (("--variant", "armm", "--control", "A"), "no column 'armm'"),
        ],
    )
    def test_wrong_arms(self, users: Path, arguments: tuple[str, ...], says: str) -> None:
        assert says in refused(users, *arguments, "--metric", "s:mean:spend")

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (("--metric", "spend"), "is not a metric"),
            (("--metric", "spend:mean:"), "is not a metric"),
            (("--metric", "___:mean"), "is not a metric"),
            (("--metric", "aov:ratio"), "a ratio takes two columns"),
            (("--metric", "s:ratio:spend"), "a ratio takes two columns"),
            (("--metric", "s:p0:spend"), "a quantile lies between"),
            (("--metric", "s:mean:spend", "--metric", "s:mean:orders"), "same name"),
            (("--metric", "s:mean:spend", "--alpha", "1.5"), "does not lie between"),
            (("--metric", "s:mean:spend", "--method", "group-sequential"), "give --planned-n"),
            (("--metric", "s:mean:spend", "--expected-ratio", "A=0.5,B=0.6"), "add up to 1.1"),
            (("--metric", "s:mean:spend", "--expected-ratio", "A=0.5,C=0.5"), "differ in 'C', 'B'"),
            (("--metric", "s:mean:spend", "--guardrail", "t=0.1"), "no metric 't'"),
            (("--metric", "s:mean:spend", "--counts", "A=1/2"), "either a FILE or --counts"),
            ((), "at least one --metric"),
        ],
    )
    def test_wrong_options(self, users: Path, arguments: tuple[str, ...], says: str) -> None:
        assert says in refused(users, *BASE, *arguments, code=2)

    def test_one_arm(self, users: Path, tmp_path: Path) -> None:
        frame = pd.read_parquet(users)
        frame[frame.arm == "A"].to_csv(tmp_path / "one.csv", index=False)
        assert "only one arm, 'A'" in refused(tmp_path / "one.csv", *BASE, "--metric", "s:mean:spend")

    def test_text_among_numbers(self, users: Path, tmp_path: Path) -> None:
        frame = pd.read_parquet(users).astype({"spend": str})
        frame.loc[7, "spend"] = "n/a"
        frame.to_csv(tmp_path / "text.csv", index=False)
        assert "such as 'n/a'" in refused(tmp_path / "text.csv", *BASE, "--metric", "s:mean:spend")

    def test_units_on_several_rows(self, users: Path, tmp_path: Path) -> None:
        frame = pd.read_parquet(users)
        pd.concat([frame, frame.iloc[:3]]).to_parquet(tmp_path / "twice.parquet")
        says = refused(tmp_path / "twice.parquet", *BASE, "--unit", "user", "--metric", "s:mean:spend")
        assert "3 units have several rows" in says
        assert "--cluster" in says

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("a.csv", b""),
            ("a.parquet", b"PAR1 torn"),
            ("a.xlsx", b"x"),
            ("a.csv", b"arm,spend\n"),
            ("a.parquet", b"\x00" * 100),
        ],
    )
    def test_files_that_cannot_be_read(self, tmp_path: Path, name: str, content: bytes) -> None:
        (tmp_path / name).write_bytes(content)
        assert refused(tmp_path / name, *BASE, "--metric", "s:mean:spend")

    def test_no_file(self, tmp_path: Path) -> None:
        assert "no such file" in refused(tmp_path / "gone.csv", *BASE, "--metric", "s:mean:spend")

    @pytest.mark.parametrize(
        "counts",
        [["A=1/2"], ["A=3/2", "B=1/2"], ["A=1", "B=1/2"], ["A=1/0", "B=1/2"], ["A=1/2", "A=1/2"], ["B=1/2", "C=1/2"]],
    )
    def test_wrong_counts(self, counts: list[str]) -> None:
        assert refused(*[x for c in counts for x in ("--counts", c)], "--control", "A", code=2)

    def test_hostile_names_are_text(self, users: Path, tmp_path: Path) -> None:
        frame = pd.read_parquet(users).rename(columns={"arm": 'a"; DROP TABLE x; --', "spend": "s'p\"end"})
        frame.iloc[:, 1] = frame.iloc[:, 1].replace({"B": "<script>alert(1)</script>"})
        path = tmp_path / "it's.parquet"
        frame.to_parquet(path)
        out = tmp_path / "o.html"
        found = analyse(
            path, "--variant", 'a"; DROP TABLE x; --', "--control", "A", "--metric", "s:mean:s'p\"end", "--html", out
        )
        assert found["metrics"][0]["treatment"] == "<script>alert(1)</script>"
        assert "<script>alert" not in out.read_text()


def test_metrics_that_cannot_be_told_apart_are_refused_by_name(users: Path) -> None:
    asked = (users, "--variant", "arm", "--control", "A")
    said = refused(*asked, "--metric", "aov:mean:spend", "--metric", "aov-den:mean:before", code=2)
    assert "--metric: metrics 'aov' and 'aov-den' cannot be told apart" in said
    assert "aov-den-value:mean:" in said
    assert "called 'n'" in refused(*asked, "--metric", "n:mean:spend", code=2)
    assert "called 'n'" in refused(
        "--counts", "A=10/100", "--counts", "B=20/100", "--control", "A", "--metric", "n:proportion", code=2
    )


@pytest.mark.parametrize(("spread", "rule"), [(1.0, "skew-bent"), (2.5, "skew-withheld")])
def test_a_metric_that_rests_on_few_says_on_whom_and_what_would_be_needed(
    tmp_path: Path, spread: float, rule: str
) -> None:
    rng, n = np.random.default_rng(5), 2000
    frame = pd.DataFrame({"arm": np.where(np.arange(n) < 1800, "A", "B")})
    frame["spend"] = (rng.random(n) < 0.1) * np.exp(spread * rng.normal(size=n))
    frame.to_csv(tmp_path / "shop.csv", index=False)
    kept = analyse(tmp_path / "shop.csv", *BASE, "--expected-ratio", "A=0.9,B=0.1", "--metric", "spend:mean:spend")[
        "record"
    ]
    (said,) = [f for f in kept["findings"] if f["rule"] == rule]
    numbers = {n["id"].removeprefix("analysis.spend."): n["value"] for n in kept["numbers"]}
    top = frame.groupby("arm").spend.apply(lambda x: x.nlargest(len(x) // 100).sum()).sum() / frame.spend.sum()
    assert numbers["largest"] == pytest.approx(top)
    assert numbers["effective"] == pytest.approx(frame.spend.sum() ** 2 / (frame.spend**2).sum())
    assert numbers["compared"] == n
    assert {"largest", "effective", "compared"} <= {
        part.partition("}")[0] for part in said["text"].split("{analysis.spend.")
    }
    if rule == "skew-withheld":
        assert 200 < numbers["unskewed"] < 2000
        assert "{analysis.spend.unskewed}" in said["text"]
        assert "{analysis.spend.unskewed} users in the smaller arm" in kept["verdicts"][0]["advice"]["text"]


@pytest.mark.parametrize("cluster", [False, True])
def test_a_ratio_or_clusters_that_rest_on_few_say_so_of_what_is_divided(tmp_path: Path, cluster: bool) -> None:
    rng, n = np.random.default_rng(6), 2000
    frame = pd.DataFrame({"arm": np.where(np.arange(n) < 1800, "A", "B"), "shop": np.arange(n)})
    frame["visits"] = 3 + rng.poisson(2, n)
    frame["spend"] = (rng.random(n) < 0.1) * np.exp(1.2 * rng.normal(size=n))
    told = ["--metric", "spend:ratio:spend/visits"]
    if cluster:
        frame = frame.loc[frame.index.repeat(frame.visits)].assign(spend=lambda t: t.spend / t.visits)
        told = ["--metric", "spend:mean:spend", "--cluster", "shop"]
    frame.to_csv(tmp_path / "shop.csv", index=False)
    kept = analyse(tmp_path / "shop.csv", *BASE, "--expected-ratio", "A=0.9,B=0.1", *told)["record"]
    (said,) = [f for f in kept["findings"] if f["rule"].startswith("skew-")]
    numbers = {n["id"].removeprefix("analysis.spend."): n["value"] for n in kept["numbers"]}
    each = frame.groupby(["arm", "shop"]).spend.sum()
    top = each.groupby("arm").apply(lambda x: x.nlargest(len(x) // 100).sum()).sum() / each.sum()
    assert numbers["largest"] == pytest.approx(top)
    assert numbers["effective"] == pytest.approx(each.sum() ** 2 / (each**2).sum())
    word = "clusters" if cluster else "users"
    assert f"largest in a hundred {word} hold {{analysis.spend.largest}} of the total that is divided" in said["text"]
    assert f"{{analysis.spend.compared}} {word} vary" in said["text"]
    assert "a cap" not in said["text"], "which a ratio does not take"

"""Files as people have them: each number of ``gazette analyse`` as pandas, scipy or statsmodels has it, or a stated exclusion or refusal."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats as scipy_stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

from gazette.cli import main

Analyse = Callable[..., Any]
BASE = ("--variant", "arm", "--control", "A")


@pytest.fixture
def analyse(capsys: pytest.CaptureFixture[str]) -> Analyse:
    """The command in this process; its JSON."""

    def run(*arguments: str | Path, code: int = 0) -> Any:
        assert main(["analyse", "--json", *map(str, arguments)]) == code
        return json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def refused(analyse: Analyse) -> Callable[..., str]:
    def run(*arguments: str | Path, code: int = 1) -> str:
        error = analyse(*arguments, code=code)["error"]
        assert error["mend"], "an error says how to mend it"
        return f"{error['where']}: {error['what']} | {error['mend']}"

    return run


def metric(found: Any, name: str) -> Any:
    return next(m for m in found["metrics"] if m["metric"] == name)


def numbers(found: Any) -> dict[str, Any]:
    return {n["id"].removeprefix("analysis."): n["value"] for n in found["record"]["numbers"]}


def check(found: Any, name: str, of: str | None = None) -> Any:
    return next(c for c in found["checks"] if c["check"] == name and c["of"] == of)


def verdict(found: Any) -> tuple[str, str, str]:
    (one,) = found["record"]["verdicts"]
    return one["state"], one["action"], one["rule"]


def write(path: Path, head: str, rows: list[tuple[Any, ...]]) -> Path:
    path.write_text(head + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
    return path


def arms(frame: pd.DataFrame, column: str) -> tuple[pd.Series, pd.Series]:
    return tuple(frame.loc[frame.arm == arm, column] for arm in "AB")  # type: ignore[return-value]


class TestTypes:
    def test_decimals_that_come_late_are_not_rounded(self, analyse: Analyse, tmp_path: Path) -> None:
        rows = [(i, "AB"[i % 2], i // 2 % 2 if i < 30000 else (0.4, 0.6)[i % 2]) for i in range(60000)]
        path = write(tmp_path / "late.csv", "uid,arm,revenue", rows)
        found = analyse(path, *BASE, "--unit", "uid", "--metric", "revenue:mean")
        a, b = arms(pd.read_csv(path), "revenue")
        test = scipy_stats.ttest_ind(b, a, equal_var=False)
        assert numbers(found)["revenue.control"] == pytest.approx(a.mean(), rel=1e-12) == pytest.approx(0.45)
        assert numbers(found)["revenue.treatment"] == pytest.approx(0.55)
        mine = metric(found, "revenue")
        assert [mine["low"], mine["high"]] == pytest.approx(list(test.confidence_interval()), rel=1e-9)

    def test_text_that_comes_late_is_found_and_can_be_declared(
        self, analyse: Analyse, refused: Any, tmp_path: Path
    ) -> None:
        rows = [(i, "AB"[i % 2], "NA" if i >= 29990 else i % 7) for i in range(30000)]
        path = write(tmp_path / "late.csv", "uid,arm,x", rows)
        says = refused(path, *BASE, "--metric", "x:mean")
        assert "column 'x' holds text in 10 rows, such as 'NA', not numbers" in says
        assert "--missing NA" in says
        found = analyse(path, *BASE, "--metric", "x:mean", "--missing", "NA")
        a, b = arms(pd.read_csv(path), "x")
        assert metric(found, "x")["difference"] == pytest.approx(b.mean() - a.mean(), rel=1e-9)

    @pytest.mark.parametrize("kind", ["csv", "parquet"])
    def test_ids_are_text(self, analyse: Analyse, tmp_path: Path, kind: str) -> None:
        """Ids of twenty digits, and those that are one number but not one text."""
        ids = [str(12345678901234567890 + i) for i in range(4000)]
        ids[:8] = ["007", "7", "7.0", "07", "1.10", "1.1", "1e3", "1000"]
        frame = pd.DataFrame({"uid": ids, "arm": ["A", "B"] * 2000})
        frame["clicked"] = [int(i % 20 < (2, 4)[i % 2]) for i in range(4000)]
        path = tmp_path / f"ids.{kind}"
        frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path)
        found = analyse(path, *BASE, "--unit", "uid", "--metric", "clicked:proportion")
        assert numbers(found)["units"] == 4000
        a, b = arms(frame, "clicked")
        assert (numbers(found)["clicked.control"], numbers(found)["clicked.treatment"]) == (a.mean(), b.mean())
        p = proportions_ztest([b.sum(), a.sum()], [2000, 2000])[1]
        assert metric(found, "clicked")["p_value"] == pytest.approx(p, rel=1e-9)
        assert check(found, "exposure")["passed"] is True

    def test_arms_and_segments_are_text(self, analyse: Analyse, tmp_path: Path) -> None:
        rows = [(i, ("1.10", "1.1")[i % 2], ("01", "1")[i // 2 % 2], i % 4 // 2) for i in range(4000)]
        path = write(tmp_path / "arms.csv", "uid,arm,zone,x", rows)
        found = analyse(
            path, "--variant", "arm", "--control", "1.10", "--metric", "x:mean", "--segment", "zone", "--unit", "uid"
        )
        assert [a["arm"] for a in found["arms"]] == ["1.10", "1.1"]
        assert {a["users"] for a in found["arms"]} == {2000}

    def test_a_double_that_cannot_hold_its_ids_is_refused(self, analyse: Analyse, refused: Any, tmp_path: Path) -> None:
        path = tmp_path / "double.parquet"
        sql = "SELECT {} AS uid, if(i % 2 = 0, 'A', 'B') AS arm, (i % 3)::DOUBLE AS x FROM range(3000) t(i)"
        duckdb.sql(sql.format("(1750000000000000000 + i)::DOUBLE")).write_parquet(str(path))
        says = refused(path, *BASE, "--unit", "uid", "--metric", "x:mean")
        assert "column 'uid' is a double, which cannot tell large whole numbers apart: 3,000 ids" in says
        duckdb.sql(sql.format("(1750000000000000000 + i)::HUGEINT")).write_parquet(str(path))
        for exact in ("(1750000000000000000 + i)::BIGINT", "i::DOUBLE", "(i / 4)::DECIMAL(9, 2)::VARCHAR"):
            duckdb.sql(sql.format(exact)).write_parquet(str(path))
            assert numbers(analyse(path, *BASE, "--unit", "uid", "--metric", "x:mean"))["units"] == 3000

    @pytest.mark.parametrize("name", ["users[1].csv", "u*.csv", "u?.csv", "{a,b}.csv", "arm=B.csv", "a b's.csv"])
    def test_a_file_name_is_a_name(self, analyse: Analyse, tmp_path: Path, name: str) -> None:
        folder = tmp_path / "day=1"  # nor is its folder a column
        folder.mkdir()
        for i, other in enumerate((name, "users1.csv", "uu.csv", "a.csv", "b.csv")):
            clicked = [int(k % 10 in ((0, 2) if i == 0 else (1, 3))) for k in range(2000)]
            write(folder / other, "uid,arm,clicked", [(f"u{k}", "AB"[k % 2], clicked[k]) for k in range(2000)])
        found = numbers(analyse(folder / name, *BASE, "--unit", "uid", "--metric", "clicked:proportion"))
        assert (found["clicked.control"], found["clicked.treatment"], found["units"]) == (0.4, 0.0, 2000)

    @pytest.mark.parametrize("separator", [";", "\t", "|"])
    def test_other_separators(self, analyse: Analyse, tmp_path: Path, separator: str) -> None:
        path = tmp_path / "x.csv"
        path.write_text(
            separator.join(["uid", "arm", "x", "note"]) + "\n"
            + "".join(separator.join([f"u{i}", "AB"[i % 2], str(i % 5), "a,b"]) + "\n" for i in range(200))
        )  # fmt: skip
        assert numbers(analyse(path, *BASE, "--unit", "uid", "--metric", "x:mean"))["x.control"] == 2.0

    @pytest.mark.parametrize(
        ("encoding", "option"), [("utf-8-sig", "utf-8"), ("utf-16", "utf-16"), ("latin-1", "latin-1")]
    )
    def test_encodings(self, analyse: Analyse, tmp_path: Path, encoding: str, option: str) -> None:
        rows = "".join(f"ü{i},{('A', 'Bé')[i % 2]},{i % 5}\n" for i in range(200))
        (tmp_path / "x.csv").write_bytes(("uid,arm,größe\n" + rows).encode(encoding))
        found = analyse(tmp_path / "x.csv", *BASE, "--unit", "uid", "--metric", "g:mean:größe", "--encoding", option)
        assert [a["arm"] for a in found["arms"]] == ["A", "Bé"]
        assert numbers(found)["g.control"] == 2.0


class TestMissing:
    @pytest.mark.parametrize("kind", ["csv", "parquet"])
    def test_a_value_counts_against_its_own_metric(self, analyse: Analyse, tmp_path: Path, kind: str) -> None:
        bought = [i // 2 % 100 < (10, 12)[i % 2] for i in range(20000)]
        frame = pd.DataFrame(
            {"uid": [f"u{i}" for i in range(20000)], "arm": ["A", "B"] * 10000, "bought": np.int8(bought)}
        )
        nothing = [np.nan, np.inf, -np.inf]
        frame["value"] = [20.0 + i % 7 if b else nothing[i % 3] for i, b in enumerate(bought)]
        path = tmp_path / f"value.{kind}"
        frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path)
        found = analyse(path, *BASE, "--unit", "uid", "--metric", "bought:proportion", "--metric", "value:mean")
        seen = numbers(found)
        assert (seen["bought.control"], seen["bought.treatment"], seen["split"]) == (0.10, 0.12, 1.0)
        assert (seen["n.control"], seen["n.arm1"]) == (10000, 10000)
        assert verdict(found)[0] == "benefit shown"
        there = frame[np.isfinite(frame.value)]
        test = scipy_stats.ttest_ind(*reversed(arms(there, "value")), equal_var=False)
        mine = metric(found, "value")
        assert [mine["low"], mine["high"]] == pytest.approx(list(test.confidence_interval()), rel=1e-5), "but for skew"
        assert round(seen["value.control"], 2) == round(seen["value.treatment"], 2) == 23.00
        counts = [(m["metric"], m["arm"], m["rows"], m["missing"]) for m in found["missing"]]
        assert counts == [("value", "A", 10000, 9000), ("value", "B", 10000, 8800)]
        p = scipy_stats.chi2_contingency([[9000, 1000], [8800, 1200]], correction=False).pvalue
        assert seen["missing.value"] == pytest.approx(p, rel=1e-9)
        assert check(found, "missing-values", "no value")["passed"] is False
        assert mine["state"] == "not trustworthy", "of value alone nothing is said"
        assert metric(found, "bought")["state"] == "benefit shown"

    def test_a_primary_metric_that_is_missing_unevenly_gives_no_verdict(self, analyse: Analyse, tmp_path: Path) -> None:
        rows = [(i, "AB"[i % 2], "" if i % 2 and i % 5 == 0 else i % 7, i % 3) for i in range(3000)]
        path = write(tmp_path / "x.csv", "uid,arm,x,y", rows)
        found = analyse(path, *BASE, "--metric", "x:mean", "--metric", "y:mean", "--guardrail", "y=0.5")
        assert verdict(found) == ("not trustworthy", "fix the test first", "gate-missing-values")
        turned = analyse(path, *BASE, "--metric", "y:mean", "--metric", "x:mean", "--guardrail", "x=0.5")
        assert verdict(turned)[0] == "not resolved"
        assert [f["rule"] for f in turned["record"]["findings"] if "x.finding" in f["id"]] == [
            "values-missing-unevenly"
        ]
        assert metric(turned, "x")["state"] == "not trustworthy"

    def test_a_ratio_is_taken_over_rows_with_both(self, analyse: Analyse, tmp_path: Path) -> None:
        rng = np.random.default_rng(3)
        frame = pd.DataFrame({"arm": ["A", "B"] * 2000, "x": rng.gamma(2, 3, 4000), "y": rng.poisson(3, 4000) + 1.0})
        frame.loc[rng.random(4000) < 0.2, "x"] = np.nan
        frame.loc[rng.random(4000) < 0.1, "y"] = np.nan
        frame.to_csv(tmp_path / "x.csv", index=False)
        found = analyse(tmp_path / "x.csv", *BASE, "--metric", "r:ratio:x/y")
        whole, sides = frame.dropna(), []
        for arm in "AB":
            one = whole[whole.arm == arm]
            left = one.x - one.x.sum() / one.y.sum() * one.y
            sides.append((one.x.sum() / one.y.sum(), left.var() / one.y.mean() ** 2 / len(one)))
        mine = metric(found, "r")
        assert mine["difference"] == pytest.approx(sides[1][0] - sides[0][0], rel=1e-9)
        assert mine["high"] - mine["low"] == pytest.approx(2 * 1.9606 * (sides[0][1] + sides[1][1]) ** 0.5, rel=1e-3)
        assert {m["rows"] for m in found["missing"]} == {2000}
        assert sum(m["missing"] for m in found["missing"]) == 4000 - len(whole)

    def test_clusters_are_read_over_rows_with_a_value(self, analyse: Analyse, tmp_path: Path) -> None:
        rows = [
            (f"s{s}", "AB"[s % 2], "" if s % 2 and k % 2 else 10 + (s + k) % 3 - 1)
            for s in range(200)
            for k in range(20)
        ]
        path = write(tmp_path / "clusters.csv", "store,arm,score", rows)
        found = analyse(path, *BASE, "--cluster", "store", "--metric", "score:mean")
        frame = pd.read_csv(path)
        a, b = arms(frame.dropna(), "score")
        assert numbers(found)["score.control"] == pytest.approx(a.mean(), rel=1e-12) == pytest.approx(9.9995)
        assert numbers(found)["score.treatment"] == pytest.approx(b.mean(), rel=1e-12) == pytest.approx(10.0)
        assert [(m["arm"], m["rows"], m["missing"]) for m in found["missing"]] == [("A", 2000, 0), ("B", 2000, 1000)]
        assert check(found, "missing-values", "no score")["passed"] is False
        assert 0 < numbers(found)["missing.score"] < 1e-9

    def test_shares_missing_in_clusters_are_compared_by_cluster(self, analyse: Analyse, tmp_path: Path) -> None:
        """Rows of a cluster are missing together: by rows the shares would differ, by clusters they do not."""
        rng = np.random.default_rng(6)
        gone = rng.random(120) < 0.3
        rows = [(f"s{s}", "AB"[s % 2], "" if gone[s] and k else k % 3) for s in range(120) for k in range(50)]
        path = write(tmp_path / "clusters.csv", "store,arm,score", rows)
        found = analyse(path, *BASE, "--cluster", "store", "--metric", "score:mean")
        frame = pd.read_csv(path)
        shares = frame.assign(gone=frame.score.isna()).groupby(["arm", "store"]).gone.mean()
        p = scipy_stats.ttest_ind(shares["B"], shares["A"], equal_var=False).pvalue
        assert numbers(found)["missing.score"] == pytest.approx(p, rel=1e-9)
        by_row = scipy_stats.chi2_contingency(pd.crosstab(frame.arm, frame.score.isna()), correction=False).pvalue
        assert by_row < 0.01 < p
        assert verdict(found)[0] == "not resolved"

    def test_users_without_a_covariate_stay(self, analyse: Analyse, tmp_path: Path) -> None:
        """Those who lack it lose by the change; left out, the verdict would turn over."""
        rng = np.random.default_rng(8)
        n = 6000
        arm, gone = np.arange(n) % 2 == 1, rng.random(n) < 0.4
        before = np.where(gone, np.nan, rng.gamma(2, 10, n))
        spend = np.where(gone, 50 - 6.0 * arm, np.nan_to_num(before) + 1.0 * arm) + rng.normal(0, 4, n)
        frame = pd.DataFrame({"uid": range(n), "arm": np.where(arm, "B", "A"), "spend": spend, "before": before})
        frame.to_csv(tmp_path / "x.csv", index=False)
        found = analyse(tmp_path / "x.csv", *BASE, "--unit", "uid", "--metric", "spend:mean", "--covariate", "before")
        filled = np.where(gone, np.nanmean(before), before)
        fit = sm.OLS(spend, sm.add_constant(np.column_stack([arm, filled, gone]).astype(float))).fit(cov_type="HC3")
        mine = metric(found, "spend")
        assert mine["difference"] == pytest.approx(fit.params[1], rel=1e-8)
        assert [mine["low"], mine["high"]] == pytest.approx(list(fit.conf_int()[1]), rel=5e-3)
        assert verdict(found)[0] == "harm shown"
        assert numbers(found)["units"] == n
        left = frame.dropna()
        assert (
            sm.OLS(left.spend, sm.add_constant(np.column_stack([left.arm == "B", left.before]).astype(float)))
            .fit()
            .params.iloc[1]
            > 0.5
        )
        p = scipy_stats.chi2_contingency(pd.crosstab(frame.arm, frame.before.isna()), correction=False).pvalue
        assert numbers(found)["missing.of-all-0"] == pytest.approx(p, rel=1e-9)

    def test_who_lacks_metric_or_covariate(self, analyse: Analyse, tmp_path: Path) -> None:
        rng = np.random.default_rng(12)
        n = 3000
        frame = pd.DataFrame({"arm": ["A", "B"] * (n // 2), "before": rng.normal(20, 5, n)})
        frame["spend"] = frame.before + rng.normal(0, 3, n) + 0.3 * (frame.arm == "B")
        frame.loc[rng.random(n) < 0.2, "before"] = np.nan
        frame.loc[rng.random(n) < 0.2, "spend"] = np.nan
        frame.to_parquet(tmp_path / "x.parquet")
        found = analyse(tmp_path / "x.parquet", *BASE, "--metric", "spend:mean", "--covariate", "before")
        there = frame.dropna(subset="spend")
        design = np.column_stack([there.arm == "B", there.before.fillna(there.before.mean()), there.before.isna()])
        fit = sm.OLS(there.spend, sm.add_constant(design.astype(float))).fit()
        assert metric(found, "spend")["difference"] == pytest.approx(fit.params.iloc[1], rel=1e-8)

    def test_nothing_that_could_be_missing_is_not_a_check(self, analyse: Analyse, tmp_path: Path) -> None:
        path = write(tmp_path / "x.csv", "uid,arm,x", [(i, "AB"[i % 2], i % 5) for i in range(100)])
        found = analyse(path, *BASE, "--metric", "x:mean")
        assert [c["check"] for c in found["checks"]] == ["accounted", "sample-ratio", "exposure"]
        assert found["missing"] == []


class TestAccounted:
    @pytest.fixture
    def messy(self, tmp_path: Path) -> Path:
        rows: list[tuple[Any, ...]] = []
        for i in range(4000):
            at = f"2026-11-01 {i // 60 % 24:02d}:{i % 60:02d}:00"
            rows.append((f"{i:05d}", "AB"[i % 2], ("old", "new")[i % 2], at, int(i % 10 < (2, 3)[i % 2])))
        rows += [(f"{i:05d}", "AB"[i % 2], ("old", "new")[i % 2], "2026-11-02 00:00:00", 1) for i in range(30)]
        rows += [(f"{i:05d}", "BA"[i % 2], ("new", "old")[i % 2], "2026-11-03 00:00:00", 1) for i in range(100, 140)]
        rows += [(f"{i:05d}", "AB"[i % 2], ("new", "old")[i % 2], "2026-11-01 00:00:00", 1) for i in range(5000, 5060)]
        rows += [("", "A", "old", "2026-11-01 00:00:00", 1)] * 7
        rows += [(f"{i:05d}", " b", "new", "2026-11-01 00:00:00", 1) for i in range(6000, 6005)]
        rows += [(f"{i:05d}", "", "new", "2026-11-01 00:00:00", 1) for i in range(7000, 7003)]
        return write(tmp_path / "messy.csv", "uid,arm,page,at,clicked", rows)

    ASKED = (*BASE, "--unit", "uid", "--metric", "clicked:proportion")
    KINDS = (
        "30 units have several rows", "3 rows have no arm", "5 rows are of ' b', which differs from 'B'", "7 rows without a value of 'uid'",
        "40 units seen in several arms", "60 rows have a 'page' that is not that of most rows of their arm",
    )  # fmt: skip

    def test_every_kind_is_named_at_once_with_what_can_be_declared(self, refused: Any, messy: Path) -> None:
        says = refused(messy, *self.ASKED)
        for kind in self.KINDS:
            assert kind in says
        for remedy in (
            "--first COLUMN",
            "--alias ' b=B'",
            "--exclude-arm 'no variant'",
            "--exclude-arm 'no id'",
            "--matches page",
        ):
            assert remedy in says

    def test_what_is_declared_is_done(self, analyse: Analyse, messy: Path) -> None:
        declared = (
            "--first",
            "at",
            "--matches",
            "page",
            "--alias",
            " b=B",
            "--exclude-arm",
            "no variant",
            "--exclude-arm",
            "no id",
        )
        found = analyse(messy, *self.ASKED, *declared)
        frame = pd.read_csv(messy, dtype=str, keep_default_na=False, skipinitialspace=False)
        frame = frame[frame.arm != ""].assign(
            arm=lambda f: f.arm.replace(" b", "B"), clicked=lambda f: f.clicked.astype(float)
        )
        frame["fits"] = frame.page == frame.arm.map({"A": "old", "B": "new"})
        nameless = frame[frame.uid == ""]
        first = frame[frame.uid != ""].sort_values(["fits", "at"], ascending=[False, True]).groupby("uid").first()
        a, b = arms(first[first.fits], "clicked")
        seen = numbers(found)
        assert (seen["clicked.control"], seen["clicked.treatment"]) == (a.mean(), b.mean())
        assigned = pd.concat([first, nameless]).arm.value_counts()
        assert (seen["n.control"], seen["n.arm1"]) == (assigned["A"], assigned["B"]), (
            "the split is of all who were assigned"
        )
        assert seen["split"] == pytest.approx(scipy_stats.chisquare(assigned).pvalue, rel=1e-9)
        low, high = confint_proportions_2indep(b.sum(), len(b), a.sum(), len(a), method="score", compare="diff")
        assert [metric(found, "clicked")[k] for k in ("low", "high")] == pytest.approx(
            [low, high], abs=5e-3 * (high - low)
        )
        gone = [(m["arm"], m["missing"]) for m in found["missing"] if m["what"] == "no uid or another page"]
        assert gone == [("A", 37), ("B", 30)]
        assert all(c["passed"] for c in found["checks"])
        assert "60 rows whose 'page' is not that of their arm were left out (A: 30, B: 30)" in found["exclusions"]

    def test_what_is_not_declared_fails_a_check(self, analyse: Analyse, messy: Path) -> None:
        found = analyse(messy, *self.ASKED, "--first", "at")
        assert verdict(found) == ("not trustworthy", "fix the test first", "gate-accounted")
        assert numbers(found)["unaccounted"] == 3 + 5 + 7
        assert check(found, "accounted")["passed"] is False
        text = " ".join(found["exclusions"])
        for kind in ("3 rows have no arm", "5 rows are of ' b'", "7 rows without a value of 'uid'"):
            assert kind in text

    def test_an_arm_can_be_left_out(self, analyse: Analyse, refused: Any, tmp_path: Path) -> None:
        rows = [(i, ("A", "B", "holdout")[i % 3 if i < 300 else i % 2], i % 5) for i in range(3000)]
        path = write(tmp_path / "x.csv", "uid,arm,x", rows)
        found = analyse(path, *BASE, "--unit", "uid", "--metric", "x:mean", "--exclude-arm", "holdout")
        assert [a["arm"] for a in found["arms"]] == ["A", "B"]
        assert found["exclusions"] == ["100 rows of 'holdout' were left out, as declared"]
        assert check(found, "accounted")["passed"] is True
        says = refused(path, *BASE, "--metric", "x:mean", "--exclude-arm", "hold-out", "--alias", "b=B")
        assert "no row is of 'hold-out', which --exclude-arm names" in says
        assert "no row is of 'b', which --alias names" in says
        assert "no row is of the control" not in says

    def test_spellings_of_the_control_are_no_arms(self, analyse: Analyse, tmp_path: Path) -> None:
        spelt = ("blue", "green", "Blue", "green", "blue", "GREEN ")
        path = write(tmp_path / "x.csv", "uid,arm,x", [(i, spelt[i % 6], i % 7) for i in range(6000)])
        asked = (path, "--variant", "arm", "--control", "Blue", "--metric", "x:mean")
        found = analyse(*asked)
        assert [a["arm"] for a in found["arms"]] == ["Blue", "green"]
        assert numbers(found)["unaccounted"] == 3000
        assert verdict(found)[2] == "gate-accounted"
        mended = analyse(*asked, "--alias", "blue=Blue", "--alias", "GREEN =green")
        assert [a["users"] for a in mended["arms"]] == [3000, 3000]
        assert check(mended, "accounted")["passed"] is True

    def test_the_first_row_of_a_unit_counts(self, analyse: Analyse, refused: Any, tmp_path: Path) -> None:
        """By time and not by text: 9:30 with a zone comes before 08:00 without."""
        rows = [(i, "AB"[i % 2], "2026-11-02T08:00:00", i % 5) for i in range(1000)]
        rows += [(i, "BA"[i % 2], "2026-11-02 09:30:00+02:00", 9) for i in range(20)]
        rows += [(i, "AB"[i % 2], "2026-11-02 09:30:00", 9) for i in range(20, 50)]
        path = write(tmp_path / "x.csv", "uid,arm,at,x", rows)
        found = analyse(path, *BASE, "--unit", "uid", "--metric", "x:mean", "--first", "at")
        frame = pd.read_csv(path).assign(at=lambda f: pd.to_datetime(f["at"], utc=True, format="mixed"))
        a, b = arms(frame.sort_values("at").groupby("uid").first(), "x")
        assert (numbers(found)["x.control"], numbers(found)["x.treatment"]) == (a.mean(), b.mean())
        assert "holds no time in 1 rows, such as 'soon'" in refused(
            write(tmp_path / "y.csv", "uid,arm,at,x", [*rows, (1, "B", "soon", 1)]), *BASE, "--unit", "uid", "--metric", "x:mean", "--first", "at"
        )  # fmt: skip
        tied = write(
            tmp_path / "z.csv",
            "uid,arm,at,x",
            [*rows, (60, "A", "2026-11-02T08:00:00", 8), (61, "A", "2026-11-02T08:00:00", 1)],
        )
        assert "1 units have several first rows that differ" in refused(
            tied, *BASE, "--unit", "uid", "--metric", "x:mean", "--first", "at"
        )

    def test_rows_that_are_alike_count_once_where_declared(
        self, analyse: Analyse, refused: Any, tmp_path: Path
    ) -> None:
        rows = [(i, "AB"[i % 2], i % 5) for i in range(1000)]
        path = write(tmp_path / "x.csv", "uid,arm,x", [*rows, *rows[:40]])
        asked = (path, *BASE, "--unit", "uid", "--metric", "x:mean")
        assert "40 units have several rows (80 rows, 40 of them alike in every column)" in refused(*asked)
        assert numbers(analyse(*asked, "--distinct"))["units"] == 1000

    def test_pages_are_declared_where_rows_do_not_say(self, analyse: Analyse, refused: Any, tmp_path: Path) -> None:
        rows = [(i, "AB"[i % 2], ("old", "new")[i % 2 if i % 3 else 0], i % 5) for i in range(900)]
        rows += [(i, "B", "old", 2) for i in range(900, 1000)]
        path = write(tmp_path / "x.csv", "uid,arm,page,x", rows)
        asked = (path, *BASE, "--unit", "uid", "--metric", "x:mean", "--matches")
        flat = write(tmp_path / "y.csv", "uid,arm,page,x", [(i, "AB"[i % 2], "old", i % 5) for i in range(100)])
        assert "'page' does not tell the arms apart (A=old, B=old)" in refused(
            flat, *BASE, "--metric", "x:mean", "--matches", "page"
        )
        found = analyse(*asked, "page:A=old,B=new")
        frame = pd.read_csv(path)
        fits = frame[frame.page == frame.arm.map({"A": "old", "B": "new"})]
        a, b = arms(fits, "x")
        assert (numbers(found)["x.control"], numbers(found)["x.treatment"]) == (a.mean(), b.mean())
        p = scipy_stats.chi2_contingency([[0, 450], [250, 300]], correction=False).pvalue
        assert numbers(found)["missing.of-all-0"] == pytest.approx(p, rel=1e-9)
        assert verdict(found)[2] == "gate-sample-ratio", "and the arms are uneven too"
        assert "differ in 'B', 'C'" in refused(*asked, "page:A=old,C=new")

    def test_without_units_one_arm_each_is_not_run(self, analyse: Analyse, tmp_path: Path) -> None:
        path = write(tmp_path / "x.csv", "uid,arm,x", [(i, "AB"[i % 2], i % 5) for i in range(100)])
        assert check(analyse(path, *BASE, "--metric", "x:mean"), "exposure")["passed"] is None
        assert check(analyse(path, *BASE, "--metric", "x:mean", "--unit", "uid"), "exposure")["passed"] is True
        assert (
            check(analyse("--counts", "A=10/100", "--counts", "B=12/100", "--control", "A"), "exposure")["passed"]
            is None
        )

    def test_clusters_in_several_arms_are_left_out_and_fail_the_check(self, analyse: Analyse, tmp_path: Path) -> None:
        rows = [(f"s{s}", "AB"[(s + (s < 5 and k == 0)) % 2], (s + k) % 5) for s in range(100) for k in range(10)]
        found = analyse(
            write(tmp_path / "x.csv", "store,arm,x", rows), *BASE, "--cluster", "store", "--metric", "x:mean"
        )
        assert numbers(found)["crossed"] == 5
        assert numbers(found)["units"] == 95
        assert verdict(found)[2] == "gate-exposure"

    def test_all_that_is_wrong_with_columns_is_said_at_once(self, refused: Any, tmp_path: Path) -> None:
        rows = [(i, ("A", "A", "A")[i % 3], f"t{i}", i % 3) for i in range(30)]
        path = write(tmp_path / "x.csv", "uid,arm,text,x", rows)
        says = refused(
            path, *BASE, "--metric", "text:mean", "--metric", "x:proportion", "--metric", "gone:mean", "--unit", "id"
        )
        for part in ("no column 'gone' (--metric), 'id' (--unit)", "column 'text' holds text in 30 rows"):
            assert part in says
        says = refused(path, *BASE, "--metric", "text:mean", "--metric", "x:proportion")
        for part in ("column 'text' holds text in 30 rows", "there is only one arm, 'A'"):
            assert part in says


class TestMeasures:
    def test_a_median_of_a_segment_is_the_segments(self, analyse: Analyse, tmp_path: Path) -> None:
        base = {(0, 0): 10, (1, 0): 14, (0, 1): 20, (1, 1): 16}
        rows = [
            (f"u{i}", "AB"[i % 2], ("DE", "US")[i // 2 % 2], base[i % 2, i // 2 % 2] + (i // 4 % 100) / 100)
            for i in range(8000)
        ]
        path = write(tmp_path / "x.csv", "uid,arm,country,secs", rows)
        found = analyse(path, *BASE, "--unit", "uid", "--metric", "secs:median", "--segment", "country")
        marks = pd.read_csv(path).groupby(["country", "arm"]).secs.quantile(0.5, interpolation="lower").unstack()  # noqa: PD010  of a series
        mine = {s["value"]: s["difference"] for s in found["segments"]}
        assert mine == pytest.approx((marks.B - marks.A).to_dict(), rel=1e-9)
        assert mine == pytest.approx({"DE": 4.0, "US": -4.0}, rel=1e-9)

    def test_a_quantile_is_of_those_who_have_a_value(self, analyse: Analyse, tmp_path: Path) -> None:
        rng = np.random.default_rng(2)
        frame = pd.DataFrame({"arm": ["A", "B"] * 1000, "x": rng.gamma(2, 10, 2000)})
        frame.loc[rng.random(2000) < 0.3, "x"] = np.nan
        frame.to_parquet(tmp_path / "x.parquet")
        found = analyse(tmp_path / "x.parquet", *BASE, "--metric", "x:p90")
        a, b = (np.quantile(v.dropna(), 0.9, method="inverted_cdf") for v in arms(frame, "x"))
        assert metric(found, "x")["difference"] == pytest.approx(b - a, rel=1e-9)

    def test_medians_of_whole_numbers_are_ties(self, analyse: Analyse, tmp_path: Path) -> None:
        path = write(tmp_path / "x.csv", "uid,arm,x", [(i, "AB"[i % 2], i // 2 % 5) for i in range(2000)])
        found = analyse(path, *BASE, "--metric", "x:median")
        assert (numbers(found)["x.control"], numbers(found)["x.treatment"]) == (2, 2)
        assert "(ties)" in numbers(found)["x.difference"]["reason"]
        (one,) = found["record"]["verdicts"]
        assert "(ties)" in str(one["reason"]["terms"])

    def test_a_cap_is_shown_and_taken_above_nought_where_it_would_be_nought(
        self, analyse: Analyse, tmp_path: Path
    ) -> None:
        rng = np.random.default_rng(4)
        frame = pd.DataFrame(
            {"arm": ["A", "B"] * 20000, "x": np.where(rng.random(40000) < 0.004, rng.gamma(2, 30, 40000), 0)}
        )
        frame["y"] = rng.gamma(2, 30, 40000)
        frame.to_parquet(tmp_path / "x.parquet")
        found = analyse(tmp_path / "x.parquet", *BASE, "--metric", "x:capped99", "--metric", "y:capped99")
        caps = {"x": frame.x[frame.x > 0].quantile(0.99), "y": frame.y.quantile(0.99)}
        for name, cap in caps.items():
            a, b = arms(frame.assign(**{name: frame[name].clip(upper=cap)}), name)
            test = scipy_stats.ttest_ind(b, a, equal_var=False)
            mine = metric(found, name)
            assert [mine["low"], mine["high"]] == pytest.approx(list(test.confidence_interval()), rel=1e-9)
        assert (
            f"x: capped at {caps['x']:.6g}, the quantile 0.99 of the values above 0, as that of all is not above 0"
            in found["exclusions"]
        )
        assert f"y: capped at {caps['y']:.6g}, the quantile 0.99 of all values" in found["exclusions"]

    def test_too_few_give_no_verdict(self, analyse: Analyse) -> None:
        found = analyse("--counts", "A=0/10", "--counts", "B=3/10", "--control", "A")
        assert scipy_stats.fisher_exact([[0, 10], [3, 7]]).pvalue > 0.2
        assert verdict(found)[0] == "not resolved"
        mine = metric(found, "rate")
        # Oracle: ratesci 1.1, scoreci(3, 10, 0, 10), which has no upper end for the ratio.
        assert [mine[k] for k in ("difference", "low", "high")] == pytest.approx(
            [0.3, -0.030586453, 0.619487269], abs=1e-8
        )
        assert mine["p_value"] == pytest.approx(0.0670850494191, rel=1e-8)
        assert mine["relative"] is None
        assert "too few" in numbers(found)["rate.relative"]["reason"]
        uneven = analyse(
            "--counts", "A=3/9900", "--counts", "B=1/100", "--control", "A", "--expected-ratio", "A=0.99,B=0.01"
        )
        assert verdict(uneven) == ("not published", "wait", "not-computable")
        assert "can expect 10" in numbers(uneven)["rate.difference"]["reason"]

    def test_what_a_covariate_does_not_adjust_is_said(self, analyse: Analyse, refused: Any, tmp_path: Path) -> None:
        path = write(tmp_path / "x.csv", "uid,arm,x,b", [(i, "AB"[i % 2], i % 7, i % 11) for i in range(200)])
        found = analyse(path, *BASE, "--metric", "x:mean", "--metric", "m:median:x", "--covariate", "b")
        assert found["exclusions"] == ["m: not adjusted by the covariate, as quantiles are not"]
        assert "clusters are not adjusted" in refused(
            path, *BASE, "--metric", "x:mean", "--covariate", "b", "--cluster", "uid", code=2
        )


def test_text_json_and_page_say_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        (f"u{i}", ("A", "B")[i % 2] if i % 50 else "", ("DE", "US")[i // 2 % 2], "" if i % 9 == 0 else i % 7)
        for i in range(3000)
    ]
    path, out = write(tmp_path / "x.csv", "uid,arm,country,x", rows), tmp_path / "x.html"
    asked = [
        "analyse",
        str(path),
        *BASE,
        "--unit",
        "uid",
        "--metric",
        "x:mean",
        "--metric",
        "m:capped90:x",
        "--segment",
        "country",
    ]
    asked += ["--exclude-arm", "no variant", "--expected-ratio", "A=0.49,B=0.51"]
    assert main([*asked, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert main([*asked, "--html", str(out)]) == 0
    text = re.sub(r"\s+", " ", capsys.readouterr().out.replace("│", " "))
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", out.read_text().split('<script type="application/json"')[0]))
    for line in told["exclusions"]:
        assert line in text
        assert line in page.replace("&#x27;", "'")
    for row in told["missing"]:
        shown = f"{row['what']} {row['arm']} {row['rows']:,} {row['missing']:,}"
        assert shown in text
        assert shown in page
    for row in told["arms"]:
        assert f"{row['arm']} {row['users']:,}" in text
        assert f"{row['arm']} {row['users']:,}" in page
    for row in told["metrics"]:
        for key in ("control_shown", "treatment_shown", "difference_shown"):
            assert row[key] in text
            assert row[key] in page
    for row in told["segments"]:
        assert f"{row['segment']} {row['value']} {row['users']:,}" in text
        assert f"{row['segment']} {row['value']} {row['users']:,}" in page
    words = {True: "passed", False: "FAILED", None: "not run"}
    for one in told["checks"]:
        assert words[one["passed"]].lower() in text.lower()
    assert text.count("Missing alike: no x passed") == 2
    assert page.count("Missing alike: no x") == 2


def test_units_whose_rows_differ_in_a_property_are_counted_and_the_first_row_counts(
    tmp_path: Path, analyse: Analyse
) -> None:
    rows = pd.DataFrame({"u": [*range(400)] * 2, "day": np.repeat([1, 2], 400)})
    rows["arm"] = np.where(rows.u % 2 == 0, "A", "B")
    rows["y"] = (rows.u % 7) + rows.day
    rows["x"] = rows.u % 5 + np.where((rows.day == 2) & (rows.u % 8 == 0), 3, 0)
    rows["land"] = np.where((rows.day == 2) & (rows.u % 10 == 1), "FR", "DE")
    path = tmp_path / "twice.csv"
    rows.to_csv(path, index=False)
    ask = (path, *BASE, "--unit", "u", "--first", "day", "--metric", "y:mean", "--covariate", "x", "--segment", "land")
    found = analyse(*ask)
    assert "40 units have several values of 'land' (B: 40); that of the first row counts" in found["exclusions"]
    assert "50 units have several values of 'x' (A: 50); that of the first row counts" in found["exclusions"]
    assert [s["value"] for s in found["segments"]] == ["DE"]


def test_a_segment_of_none_is_no_text_and_one_with_one_arm_is_named(tmp_path: Path, analyse: Analyse) -> None:
    i = np.arange(800)
    rows = pd.DataFrame({"arm": np.where(i % 2 == 0, "A", "B"), "y": i % 3})
    rows["land"] = np.select(
        [i % 5 == 0, i % 5 == 1, (i % 5 == 2) & (i % 2 == 0)], ["unknown", "no value", "FR"], default=""
    )
    path = tmp_path / "land.csv"
    rows.to_csv(path, index=False)
    found = analyse(path, *BASE, "--metric", "y:mean", "--segment", "land")
    sizes = rows.land.map({"unknown": "unknown", "no value": "'no value'", "FR": "FR", "": "no value"}).value_counts()
    assert {s["value"]: s["users"] for s in found["segments"]} == sizes.drop("FR").to_dict()
    assert found["segments_left_out"] == [{"segment": "land", "value": "FR", "why": "nobody in B"}]


def test_a_number_too_large_to_be_added_up_is_named(tmp_path: Path, refused: Callable[..., str]) -> None:
    path = tmp_path / "large.csv"
    pd.DataFrame({"arm": ["A", "B"] * 50, "y": [1.5] * 99 + [1e300]}).to_csv(path, index=False)
    said = refused(path, *BASE, "--metric", "y:mean")
    assert "column 'y' holds numbers too large to be added up in 1 rows, such as 1e+300" in said
    assert "--missing 1e+300" in said


@pytest.mark.parametrize(
    ("written", "mend"),
    [
        ("12,50", "with a decimal point"),
        ("1,250,000", "nothing between thousands"),
        ("12.5 %", "without a sign of a currency"),
        ("€12.50", "without a sign of a currency"),
        ("yes", "write 1 and 0"),
        ("NA", "--missing NA"),
    ],
)
def test_text_that_is_a_number_to_whoever_wrote_it_is_not_said_to_be_missing(
    tmp_path: Path, refused: Callable[..., str], written: str, mend: str
) -> None:
    path = tmp_path / "text.csv"
    pd.DataFrame({"arm": ["A", "B"] * 20, "y": [written] * 40}).to_csv(path, index=False)
    said = refused(path, *BASE, "--metric", "y:mean")
    assert mend in said
    assert ("--missing" in said) == (written == "NA")

"""Plant faults in a copy of the library and see that the tests notice each of them: ``make planted``.

A suite that grows quicker may grow blind. These are kinds of fault that would put a wrong number, or somebody else's markup, before
readers; each is to be seen by tests that run in seconds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from program import copy_checkout

if TYPE_CHECKING:
    from collections.abc import Iterator

LIBRARY = Path("lib", "gazette")


@dataclass(frozen=True)
class Fault:
    """One change of one line.

    Attributes:
        kind: In a few words.
        file: Below the library's folder.
        right: The text as it is, once in the file.
        wrong: What is planted instead.
        tests: What is to fail then, as arguments of pytest.
    """

    kind: str
    file: str
    right: str
    wrong: str
    tests: tuple[str, ...]

    def plant(self, library: Path) -> None:
        """Change the file.

        Raises:
            ValueError: The text is not there, or more than once.
        """
        path = library / self.file
        text = path.read_text(encoding="utf-8")
        if (times := text.count(self.right)) != 1:
            raise ValueError(f"{self.file} has {self.right!r} {times} times, not once; plant {self.kind!r} anew")
        path.write_text(text.replace(self.right, self.wrong), encoding="utf-8")


SECOND = "tests/recompute/test_second_queries.py::test_every_kind_of_metric_comes_out_the_same_on_untidy_tables"

FAULTS = (
    Fault(
        "looks that count users alone",
        "workbench/_looks.py",
        "min(days, self.units / self.plan.planned_units)",
        "self.units / self.plan.planned_units",
        ("tests/workbench/test_readings.py::TestDesign::test_a_look_without_new_users_is_a_look",),
    ),
    Fault(
        "information that falls as values grow",
        "stats/_design.py",
        "m**2 * square",
        "1 / square",
        ("tests/stats/test_looks_of_growing_tests.py::test_information_is_that_of_the_second_computation",),
    ),
    Fault(
        "an early end that releases all error",
        "workbench/_looks.py",
        "time=1.0 if self.complete",
        "time=1.0 if self.ended",
        ("tests/workbench/test_readings.py::TestDesign::test_a_changed_plan_shows_and_the_first_one_counts",),
    ),
    Fault(
        "a sign in an interval",
        "stats/_shares.py",
        "return self._end(contrast, critical, 1), self._end(contrast, critical, -1)",
        "return self._end(contrast, critical, -1), self._end(contrast, critical, 1)",
        ("tests/stats/test_shares.py::test_p_value_and_both_ranges_never_contradict_each_other",),
    ),
    Fault(
        "a range that bends to the wrong side",
        "stats/_skew.py",
        "(b * b - a * a)",
        "(a * a - b * b)",
        (
            "tests/stats/test_skew.py::test_the_bend_follows_what_repeated_samples_do",
            "tests/stats/test_skew.py::test_both_computations_bend_alike_and_no_range_contradicts_another",
        ),
    ),
    Fault(
        "a wrong cut-off",
        "sources/_measures.py",
        ".filter(y[labels.arrived] < period.cutoff)",
        ".filter(y[labels.arrived] < period.end)",
        ("tests/sources/test_equal_age.py::test_each_week_is_as_it_was_known_when_it_was_as_old_as_this_one",),
    ),
    Fault(
        "a dropped escape",
        "display/_html.py",
        "[*parts, escape(finding.text[end:])]",
        "[*parts, finding.text[end:]]",
        ("tests/display/test_display.py",),
    ),
    Fault(
        "an unsealed byte",
        "editions/verifier.py",
        "            total.update(part)",
        "            total.update(part[:-1])",
        ("tests/editions/test_store.py",),
    ),
    Fault(
        "a third moment",
        "sources/_thirds.py",
        "return mean(letters) - apart",
        "return mean(letters) + apart",
        (f"{SECOND}[1-fixed]",),
    ),
    Fault(
        "a second third moment",
        "recompute/_experiment.py",
        "AVG(({rest}) * ({rest}) * ({rest})) AS third",
        "AVG(({rest}) * ({rest})) AS third",
        (f"{SECOND}[1-fixed]",),
    ),
    Fault(
        "half of a covariance",
        "stats/_moments.py",
        "- 2 * theta * a.covariance + theta**2",
        "- theta * a.covariance + theta**2",
        ("tests/stats/test_moments.py::test_adjustment_agrees_with_tea_tasting_and_narrows",),
    ),
    Fault(
        "a ratio adjusted as its numerator",
        "stats/_explained.py",
        "(self.with_first - r * self.with_second) / m, lacking",
        "self.with_first / m, lacking",
        ("tests/stats/test_explained.py::test_an_adjusted_ratio_is_a_regression_of_linearised_values",),
    ),
    Fault(
        "an adjusted ratio of units of one size",
        "stats/_explained.py",
        "return widened(control.ratio, left), widened(",
        "return left, widened(",
        ("tests/stats/test_explained.py::test_an_adjusted_ratio_keeps_the_degrees_of_units_of_unequal_size",),
    ),
    Fault(
        "an indicator's moment",
        "sources/_measured.py",
        'found[f"{column}_lack_cov"] = value.cov(lack',
        'found[f"{column}_lack_cov"] = lack.cov(lack',
        (f"{SECOND}[1-fixed]",),
    ),
    Fault(
        "a slope of the second computation",
        "recompute/_experiment.py",
        "THEN (xp * ll - xl * pl)",
        "THEN (xp * ll + xl * pl)",
        (f"{SECOND}[1-fixed]",),
    ),
    Fault(
        "what was done before the trigger",
        "sources/_units.py",
        "assigned_at=ibis.greatest(first.met, first.since)",
        "assigned_at=first.since",
        ("tests/sources/test_triggered.py",),
    ),
    Fault(
        "a rank rounded inwards",
        "sources/_quantiles.py",
        "shift - reach * ranked.n.sqrt()).floor()",
        "shift - reach * ranked.n.sqrt()).ceil()",
        (f"{SECOND}[1-fixed]",),
    ),
    Fault(
        "a bridge's rank rounded inwards",
        "sources/_bridge.py",
        'shift - reach * units["size"].sqrt()).floor()',
        'shift - reach * units["size"].sqrt()).ceil()',
        ("tests/sources/test_bridge.py::test_a_quantile_in_a_bridge_has_the_range_of_its_order_statistics",),
    ),
    Fault(
        "a rank of the arithmetic rounded inwards",
        "stats/_quantile.py",
        "math.ceil(middle + half) + 1)",
        "math.floor(middle + half) + 1)",
        ("tests/stats/test_moments.py::test_order_statistics_bound_a_quantile_as_scipy_s_exact_test_has_it",),
    ),
    Fault(
        "a check of the split that never fails",
        "workbench/_checks.py",
        "SPLIT_ALPHA = 0.01",
        "SPLIT_ALPHA = 0.0",
        ("tests/canaries/test_canaries.py::test_everything_planted_is_caught_and_the_same_week_gives_the_same",),
    ),
    Fault(
        "a swapped arm",
        "workbench/_reading.py",
        "control, treatment, _, proportion = self.pair(metric, arm)",
        "treatment, control, _, proportion = self.pair(metric, arm)",
        ("tests/workbench/test_readings.py::TestKinds::test_a_comparison_is_the_treatment_less_the_control",),
    ),
)


def tested(checkout: Path, tests: tuple[str, ...]) -> tuple[int, str]:
    """Exit code of pytest on these tests with the library of this checkout, and the last line of what it said."""
    environment = {**os.environ, "PYTHONPATH": str(checkout / "lib")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", *tests],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return done.returncode, (failed or done.stdout.splitlines() or done.stderr.splitlines())[-1 if not failed else 0]


def rows(checkout: Path) -> Iterator[tuple[bool, str]]:
    """Of each fault: whether it was seen, and a row that says by what."""
    library = checkout / LIBRARY
    whole, says = tested(checkout, tuple(sorted({t for f in FAULTS for t in f.tests})))
    yield whole == 0, f"{'ok' if whole == 0 else 'FAILS':8}  {'nothing planted':24}  {says}"
    for fault in FAULTS:
        start, before = time.monotonic(), (library / fault.file).read_bytes()
        fault.plant(library)
        code, says = tested(checkout, fault.tests)
        (library / fault.file).write_bytes(before)
        seen = code == 1  # pytest's code for tests that failed; others say that it could not run them
        yield seen, f"{'seen' if seen else 'UNSEEN':8}  {fault.kind:24}  {says}  ({time.monotonic() - start:.0f} s)"


def main() -> int:
    """Print the table; 1 where a fault went unseen."""
    with tempfile.TemporaryDirectory() as folder:
        checkout = Path(folder) / "gazette"
        copy_checkout(checkout)
        all_seen = True
        for seen, row in rows(checkout):
            print(row, flush=True)
            all_seen = all_seen and seen
    return 0 if all_seen else 1


if __name__ == "__main__":
    sys.exit(main())

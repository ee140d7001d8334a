"""The rules of a test's page: its verdict, what to do, and further sentences."""

from __future__ import annotations

from gazette.conclusions._rule import rules

__all__ = ["ADVICE", "AROUND", "VERDICTS"]

GATES = "not trustworthy: fix the test first"
VERDICTS = rules(
    "Test: verdict",
    (
        "gate-plan-locked",
        "After the first look its start, control, variants, primary metric or what that measures was changed, a guardrail was dropped, or the end of a test that is read once was brought forward.",
        GATES,
    ),
    (
        "gate-accounted",
        "Somebody who was assigned is in no arm that is known, or has no id, and nothing is declared.",
        GATES,
    ),
    (
        "gate-sample-ratio",
        "The arms' sizes have a chance below 1 % under the planned split, where no day is known.",
        GATES,
    ),
    (
        "gate-sample-ratio-sequence",
        "Watched day by day, their sizes have a chance below 1 % over the whole test.",
        GATES,
    ),
    (
        "gate-sample-ratio-triggered",
        "The sizes of the arms among those triggered have a chance below 1 % over the whole test.",
        GATES,
    ),
    ("gate-exposure", "More than 1 % of users saw several arms.", GATES),
    ("gate-balance", "The arms differed before the test by more than a chance of 0.1 % allows.", GATES),
    ("gate-missing-days", "A day of the test has no users or no events.", GATES),
    (
        "gate-matched",
        "There are rows for the primary metric to count, and not one of them is of a user and has what it needs.",
        GATES,
    ),
    (
        "gate-missing-values",
        "The share without a value differs between arms by more than a chance of 1 % allows.",
        GATES,
    ),
    ("gate-minimum-run", "It has run for fewer days than agreed.", "not published: wait"),
    ("not-computable", "A figure has no value.", "not published, with the reason"),
    ("fixed-horizon-not-over", "The test is planned to be read once, and has not ended.", "not resolved: keep running"),
    (
        "interval-above-zero",
        "The whole range, read in the good direction, lies above no change.",
        "benefit shown; got better",
    ),
    ("interval-below-zero", "The whole range lies below no change.", "harm shown; got worse"),
    (
        "worthwhile-ruled-out",
        "The best of the range is less than the smallest effect worth having.",
        "no worthwhile benefit: stop, no winner",
    ),
    ("interval-includes-zero", "The range includes no change.", "not resolved"),
    (
        "crossed-at-earlier-look",
        "This look shows neither benefit nor harm, or the test is over, and an earlier look crossed its limit.",
        "what that look showed, and in which edition",
    ),
    (
        "final-look-is-over",
        "The final look was in an earlier edition and crossed no limit.",
        "what that look said; today's figures are shown and decide nothing",
    ),
)
ADVICE = rules(
    "Test: what to do",
    ("gate-failed", "A check failed.", "fix the test first, or wait"),
    ("harm-shown", "The primary metric got worse.", "don't ship"),
    (
        "benefit-does-not-pay",
        "Benefit shown, but its worth a month less its cost a month lies below zero, all of its range.",
        "don't ship",
    ),
    ("does-not-pay", "Not resolved, and its worth less its cost lies below zero, all of its range.", "stop: no winner"),
    ("test-not-over", "Not resolved, and its last day is to come.", "keep running"),
    ("ended-with-enough-units", "Not resolved, with the users that the smallest effect needs.", "stop: no winner"),
    (
        "ended-inconclusive",
        "Not resolved, and no smallest effect is named.",
        "stop: no winner, and more users need a new test; keep running where it may be read at any time",
    ),
    (
        "ended-too-small",
        "Not resolved, ended with too few users.",
        "stop: no winner, and how many a new test needs; keep running where it may be read at any time",
    ),
    ("guardrail-broken-first", "Not resolved, but a guardrail lost more than agreed.", "don't ship"),
    ("benefit-but-guardrail-broken", "Benefit shown, but a guardrail lost more than agreed.", "don't ship"),
    ("benefit-split-unknown", "Benefit shown, but the sizes of the arms could not be checked.", "wait"),
    ("benefit-guardrail-unknown", "Benefit shown, but a guardrail could not be read.", "wait"),
    (
        "benefit-secondary-lost",
        "Benefit shown and every guardrail holds, but a secondary metric got worse.",
        "ship with monitoring: decide whether the gain is worth that",
    ),
    (
        "benefit-guardrail-open",
        "Benefit shown, a guardrail may still lose more than agreed, and the test goes on.",
        "keep running",
    ),
    (
        "benefit-guardrail-not-shown",
        "Benefit shown, the test is over, and a guardrail that had the planned power to be shown to hold its margin was not.",
        "don't ship",
    ),
    (
        "benefit-guardrail-too-small",
        "Benefit shown, the test is over, and it was too small to show that a guardrail holds its margin.",
        "don't ship: which chance it had, and how many users it takes",
    ),
    (
        "benefit-guardrails-passed",
        "The rule in one line: ship only if the primary metric improved and every guardrail is shown not to be worse than its margin.",
        "ship; an effect below the smallest worth having is said",
    ),
)
AROUND = rules(
    "Test: further sentences",
    ("interval-rules-out", "The primary metric has a range.", "which changes the data rule out"),
    (
        "bayes-second-opinion",
        "There is an effect to read.",
        "chance that the variant is better, and what it costs on average if it is worse",
    ),
    (
        "skew-withheld",
        "A few users hold so much of a metric that no range from so few users would hold.",
        "what the largest users hold, how many users that is worth, and how many it takes",
    ),
    (
        "skew-bent",
        "They hold so much that a range reaches noticeably further on one side.",
        "what the largest users hold, and how many users that is worth",
    ),
    (
        "flips-none",
        "Every other way to analyse the test that the data allow gives the published state.",
        "how many ways there are",
    ),
    (
        "flips-single",
        "A way that differs from the plan in one choice gives another state.",
        "how many agree, and which choices change it, to what",
    ),
    (
        "flips-combined",
        "Only ways that differ in several choices give another state.",
        "how many agree, and that no single choice changes it",
    ),
    (
        "plan-deviation",
        "The plan changed after the first look.",
        "what changed, from what to what; error, size, end and margins are those of the first look",
    ),
    ("metric-redefined", "A metric other than the primary was defined anew after the first look.", "not read"),
    ("guardrail-passed", "A guardrail's range excludes a loss beyond its margin.", "it holds"),
    ("guardrail-broken", "Its whole range lies beyond the margin.", "it lost more than agreed"),
    (
        "rows-of-nobody",
        "There are rows for a metric to count, and not one that can be counted is of a user.",
        "not read",
    ),
    ("values-missing-unevenly", "A metric is missing more often in one arm.", "not read"),
    (
        "guardrail-open",
        "Its range reaches beyond the margin, or its difference includes no change.",
        "not excluded yet",
    ),
    ("guardrail-unknown", "It has no range.", "could not be computed, with the reason"),
)

"""Every rule that writes a sentence or a verdict: when it applies and what it says. Printed on the page rules.html of an edition."""

from __future__ import annotations

from gazette.conclusions._rule import Rule
from gazette.conclusions._rule import rules as _rules
from gazette.conclusions._test_rules import ADVICE, AROUND, VERDICTS

__all__ = ["RULES", "Rule"]


COMMON = _rules(
    "Summary: checks",
    (
        "check-fails-for-most",
        "Three or more subjects, and more than half of all tests or models, fail one and the same check.",
        "it is said once: look at what they share",
    ),
)
MODEL = _rules(
    "Model",
    *(
        (f"{change}-{word}", f"The {name}: {when}.", then)
        for change, name in (("change", "change on last week"), ("vs-baseline", "difference to the version before"))
        for word, when, then in (
            ("better", "its range excludes zero in the good direction", "better, with size and range"),
            ("worse", "its range excludes zero in the bad direction", "worse, with size and range"),
            ("steady", "its range includes zero", "within what chance brings"),
            ("other", "it moved, and neither way is good", "moved, with size and range"),
        )
    ),
    (
        "change-provisional",
        "Outcomes of this week and the last are neither of the same age nor complete.",
        "the level, and that it is not compared yet",
    ),
    (
        "too-few-for-a-range",
        "Too few rows of a class, or users, stand behind a measure for a range that covers what it says.",
        "the value, and what is missing",
    ),
    ("scores-constant", "Every row has the same score.", "that it separates nothing"),
    (
        "level-shift",
        "The largest change of level in the weeks is more than a steady series shows whose weeks are like the weeks before.",
        "since when, how much, and what lies near the date",
    ),
    (
        "segments-better",
        "A segment's range, held together with all others of the edition, lies above nought in the good direction.",
        "which, and by how much",
    ),
    (
        "segments-worse",
        "A segment's range, held together with all others of the edition, lies beyond nought in the bad direction.",
        "which, and by how much",
    ),
    (
        "drift",
        "Features have moved since training by more than their limit and more than chance, all features taken together.",
        "which moved most",
    ),
    ("drift-seasonal", "The same, and training saw no day of this month.", "the season explains at least part of it"),
    ("checks-warn", "A data check lies above its limit for warnings.", "which, with its value"),
    ("checks-fail", "A data check lies above its limit for failures.", "which, with its value"),
    ("labels-provisional", "Fewer outcomes are known than agreed.", "figures may still move"),
    ("model-too-old", "The live model is older than agreed.", "age and maximum"),
    ("model-age-within", "It is not.", "age and maximum"),
    ("review-missed", "The day of the review has passed.", "which day"),
    ("sla-broken", "Answer time or answered requests break the promise.", "value and promise"),
    ("sla-kept", "They keep it.", "value and promise"),
    ("revenue-better", "The revenue effect's range lies above zero.", "how much, with its range"),
    ("revenue-worse", "It lies below zero.", "how much, with its range"),
    ("revenue-steady", "It includes zero.", "not distinguishable from nothing"),
    ("revenue-moved", "It moved, and neither way is good.", "how much, with its range"),
)
OPERATIONS = _rules(
    "Operations",
    ("alerts-quiet", "No critical alert and no warning fires.", "so"),
    ("alerts-unknown", "Nothing was measured.", "nothing can be said"),
    ("alerts-firing-critical", "A critical alert fires.", "which, on what, since when"),
    ("alerts-firing-warning", "A warning fires.", "which, on what, since when"),
    ("alerts-firing-info", "A note for information applies.", "which"),
    ("alerts-fired", "An alert fired in the week and is over.", "which, from when to when"),
    ("alerts-waiting", "A value is beyond its limit, not yet for long enough.", "which"),
    ("alerts-near", "A value is near its limit.", "which"),
    ("alerts-suppressed", "A value is beyond its limit, but explained or in maintenance.", "which"),
    ("alerts-no-data", "Nothing is heard of a service, pipeline or model.", "which; that is no good news"),
    ("source-unread", "A source could not be read.", "which"),
    ("alerts-noisy", "Surely fewer than half of the alerts needed action.", "the share, with its range"),
    (
        "alarms-by-chance",
        "Always, where there are models.",
        "how many alarms on models chance alone would raise, by the rates that their pages keep to",
    ),
    ("alerts-precision", "The share of alerts that needed action is known.", "the share, with its range"),
)
SUMMARY = _rules(
    "Summary",
    (
        "headline-material",
        "An amount of money is sure.",
        "the largest two first, then the counts of tests by what to do",
    ),
    ("headline-count", "No amount of money is sure.", "the counts of tests by what to do"),
    (
        "cause-missing-data",
        "Two or more figures of a model miss for one reason.",
        "the reason once, and nothing else of the model",
    ),
    (
        "cause-shared-table",
        "Figures of two or more models and tests miss for one reason, and come from one table.",
        "the table once, with all whom it touches, in place of a sentence on each",
    ),
    (
        "cause-shared-event",
        "Two or more models got worse near an event that was noted for each of them.",
        "the event once, with all whom it may explain",
    ),
    (
        "cause-shared-inputs",
        "Two or more models got worse while features of one table have moved since training.",
        "the table once, with all whom it may explain",
    ),
    (
        "cause-shared-alert",
        "One firing alert explains alerts on two or more models.",
        "that alert, and how many it explains",
    ),
    (
        "cause-drift",
        "A measure got worse while inputs have moved since training.",
        "the cause once, for all that it may explain",
    ),
    (
        "cause-deployment",
        "A measure got worse near a deployment or a noted event.",
        "the event once, for all that it may explain",
    ),
    (
        "summary-revenue-about",
        "The revenue effect excludes zero, its range is a fifth of it to each side or less.",
        "about so much",
    ),
    ("summary-revenue-at-least", "It excludes zero, its range is wider.", "at least the end nearest to zero"),
    ("summary-revenue-may", "It includes zero.", "may have brought or cost, with the range alone"),
    ("summary-better", "A main measure is better by more than chance, without a common cause.", "by how much"),
    ("summary-worse", "A main measure is worse by more than chance, without a common cause.", "by how much"),
    ("summary-moved", "A main measure moved, and neither way is good.", "by how much"),
    (
        "summary-translation",
        "A stated translation turns a model's change into a business figure.",
        "the range, if it holds",
    ),
    (
        "decision-priced",
        "A test is to be decided and a user's worth is stated.",
        "what it takes, and what a week of waiting costs: what the best choice on what is known would bring",
    ),
    ("decision-unpriced", "Any other test.", "what it takes, and why no price is named"),
    ("review-due", "People are to look at a model again within four weeks.", "by which day, and how far that is"),
    ("news-currency", "Amounts are in another currency than in the edition before.", "so, and that none is compared"),
    ("news-verdict", "The verdict on a test changed.", "from what to what, why, and the figure that it rests on"),
    ("news-new", "A model or test was not in the edition before.", "which"),
    ("news-gone", "One of the edition before is not in this one.", "which"),
    (
        "news-card",
        "A card moved by more than both ranges explain.",
        "both values; that of then is a number of its edition",
    ),
    ("news-card-missing", "A card has no value now.", "why, and what it was"),
    ("news-card-back", "A card has a value again.", "which"),
    ("news-card-new", "A card was not in the edition before.", "its value"),
    (
        "decision-taken",
        "The register holds a decision on the test, and the advice is still what it was then.",
        "what was decided, on which edition, by whom",
    ),
    (
        "replays",
        "Replays of earlier editions were kept by the last day of the week.",
        "how many of the editions that were run again gave the same numbers, with the range of that share",
    ),
)
RECONCILIATION = _rules(
    "Sources compared",
    (
        "sources-agree",
        "Two systems differ by less than the tolerance this week.",
        "that they agree, and by how much they differ",
    ),
    (
        "sources-ruled",
        "They differ by more, within what a ruling in force explains.",
        "by how much, who ruled when, why, and which of them counts",
    ),
    ("sources-beyond-ruling", "They differ by more than a ruling in force explains.", "so, on the summary too"),
    ("sources-unruled", "They differ by more than the tolerance, and no ruling is in force.", "so, on the summary too"),
    (
        "sources-no-data",
        "One of them has no rows this week or cannot be read.",
        "so, with the reason, on the summary too",
    ),
)
PORTFOLIO = _rules(
    "All tests",
    ("portfolio-unread", "The history of past tests could not be read.", "so, and that nothing is said of it"),
    ("portfolio-empty", "No decided test is recorded.", "there is no win rate, sum or claim"),
    ("portfolio-short", "Fewer decided tests than a win rate needs.", "how many there are"),
    (
        "portfolio-win-rate",
        "Enough decided tests.",
        "the share that showed a benefit, with its range, and the share shipped",
    ),
    (
        "portfolio-cumulative",
        "Enough tests of a metric, shipped and stopped.",
        "what shipped tests add up to, as measured and corrected for the winner's curse",
    ),
    ("portfolio-only-shipped", "No stopped test is recorded.", "the winner's curse cannot be taken out, so no sum"),
    ("portfolio-sum-short", "Too few tests of a metric to add up.", "which metrics"),
    (
        "claims-overstated",
        "The share of claims that came true lies below one, with its range.",
        "claims promised too much",
    ),
    ("claims-exceeded", "It lies above one, with its range.", "more came than was promised"),
    ("claims-agree", "Its range holds one and excludes nought.", "it agrees with the claims"),
    ("claims-open", "Its range holds one and nought.", "it agrees with the claims and with no gain at all"),
    (
        "claims-unmeasured",
        "Too few shipped tests were measured again.",
        "claims cannot be held against what came of them",
    ),
    (
        "claims-coverage",
        "Ranges around claims held later effects as often as they should, or this cannot be told.",
        "how often",
    ),
    ("claims-too-sure", "They held fewer than they should, by more than chance.", "how often"),
    ("portfolio-left-out", "A recorded test is counted nowhere.", "which, and why"),
)
TRANSLATION = _rules(
    "What technical gains are worth",
    (
        "contradiction",
        "Two ways from one metric to another have 80 % ranges that do not meet.",
        "how many times they differ",
    ),
    (
        "forward",
        "A model's main measures were compared with the baseline.",
        "the worth with its range, or why there is none",
    ),
    ("backward", "A business target is stated.", "the change that it needs, and the chance of the largest one seen"),
    ("unexplained-change", "A row changed without an entry in its changelog.", "which, and since when"),
    (
        "learnt-sensitivity",
        "Enough past changes measured both sides of a row.",
        "learnt against stated, and whether they agree",
    ),
    ("history-too-short", "No row has enough of them.", "how many are needed"),
)
WATCHES = _rules(
    "Test, summary: watch lists",
    ("watch-held", "A watched metric's range excludes a loss beyond what was agreed.", "it holds"),
    ("watch-breached", "The whole range lies beyond the agreed loss.", "it lost more; decide again"),
    ("watch-open", "The range includes the agreed loss.", "that cannot be told yet"),
    (
        "watch-no-data",
        "A watched metric has no figure that may be read, or none newer than the decision.",
        "that there is no data, and why",
    ),
)
RULES: tuple[Rule, ...] = (
    *VERDICTS,
    *COMMON,
    *ADVICE,
    *AROUND,
    *MODEL,
    *OPERATIONS,
    *RECONCILIATION,
    *SUMMARY,
    *WATCHES,
    *PORTFOLIO,
    *TRANSLATION,
)

"""How predictions fared, in words and as tables: coverage, bias, how sure they were, winner's curse."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from gazette import display, stats
from gazette.record import NotPublished
from gazette.site._decided import span_text, toned
from gazette.site._text import table_html

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gazette.register import Outcome
    from gazette.stats import Estimate

__all__ = ["FEWEST", "scores_html"]

FEWEST = 5  # outcomes; a verdict on people's promises that rests on fewer would be gossip
MOST = 200  # rows of the table
LEVEL = 0.95


def scores_html(came: Sequence[Outcome], titles: Mapping[str, str]) -> str:
    """The section: sentences where there are enough outcomes, and the outcomes themselves.

    Args:
        came: Predictions with an outcome.
        titles: Of metrics, by id.
    """
    if not came:
        return (
            "<p>No prediction has an outcome yet, so nothing is scored. To record what came of a decision: "
            "<code>gazette score DECISION --realised X --error X --source 'WHERE' --by 'NAME'</code>.</p>"
        )
    count = display.format_value(len(came), "count")
    if len(came) < FEWEST:
        fewest = display.format_value(FEWEST, "count")
        verb = "prediction has" if len(came) == 1 else "predictions have"
        words = f"<p>{toned('unsure', '?', 'Too few to say')} {count} {verb} an outcome; from {fewest} on, this page says how predictions fare.</p>"
    else:
        scores = stats.score([o.prediction for o in came], level=LEVEL)
        said = "".join(f"<li>{s}</li>" for s in _sentences(scores, came))
        words = f'<ul class="gz-scores">{said}</ul>{_curve(scores)}'
    return words + _table(came, titles)


def _sentences(scores: stats.Scores, came: Sequence[Outcome]) -> list[str]:
    shipped = [o.prediction for o in came if o.shipped]
    return [_coverage(scores.coverage, len(came)), _bias(scores.bias), _sure(scores, came), _curse(shipped)]


def _coverage(found: Estimate | NotPublished, n: int) -> str:
    if isinstance(found, NotPublished):
        return _unsaid("How often ranges held", found)
    shown = span_text(found.value, found.low, found.high, "fraction", signed=False)
    count, meant = display.format_value(n, "count"), display.format_value(LEVEL, "fraction")
    text = f"Of {count} predictions, {shown} agree with what came within what chance explains; {meant} should."
    if found.high < LEVEL:
        return f"{toned('bad', '✗', 'Too sure')} {escape(text)} Ranges were narrower than they should have been."
    return f"{toned('good', '✓', 'Ranges hold')} {escape(text)}"


def _bias(found: Estimate | NotPublished) -> str:
    if isinstance(found, NotPublished):
        return _unsaid("Bias", found)
    shown = span_text(found.value, found.low, found.high, "relative")
    text = f"Promised less realised, on average: {shown}."
    if found.low > 0:
        return f"{toned('bad', '✗', 'Too much was promised')} {escape(text)}"
    if found.high < 0:
        return f"{toned('good', '✓', 'More came than was promised')} {escape(text)}"
    return f"{toned('neutral', '•', 'No bias seen')} {escape(text)} The range includes none at all."


def _sure(scores: stats.Scores, came: Sequence[Outcome]) -> str:
    """Whether the promised chances of a gain told more than how often gains came."""
    brier, against = scores.brier, scores.against
    if isinstance(brier, NotPublished):
        return _unsaid("How sure promises were", brier)
    shown = span_text(brier.value, max(0.0, brier.low), min(1.0, brier.high), "score", signed=False)
    text = f"How far the promised chances of a gain lay from what came (Brier score): {shown}; 0 is perfect, a coin scores 0.25."
    if isinstance(against, NotPublished) or isinstance(scores.reference, NotPublished):
        reason = (
            f" Whether that beats the usual rate cannot be said: {escape(against.reason)}."
            if isinstance(against, NotPublished)
            else ""
        )
        return f"{toned('neutral', '•', 'How sure')} {escape(text)}{reason}"
    gains = display.format_value(sum(o.prediction.realised > 0 for o in came) / len(came), "fraction")
    text += f" Always saying that {gains} of tests gain would score {display.format_value(scores.reference, 'score')}."
    if against.high < 0:
        return f"{toned('good', '✓', 'Promises tell more than the usual rate')} {escape(text)}"
    if against.low > 0:
        return f"{toned('bad', '✗', 'Promises tell less than the usual rate')} {escape(text)}"
    return f"{toned('neutral', '•', 'Not shown to beat the usual rate')} {escape(text)}"


def _curve(scores: stats.Scores) -> str:
    """How often ranges of each width held, beside how often they should."""
    rows = []
    for level, found in scores.curve:
        if isinstance(found, NotPublished):
            continue
        meant = display.format_value(level, "fraction")
        held = span_text(found.value, found.low, found.high, "fraction", signed=False)
        narrow, wide = found.high < level, found.low > level
        mark = (
            toned("bad", "✗", "too narrow")
            if narrow
            else toned("neutral", "•", "wider than needed")
            if wide
            else toned("good", "✓", "holds")
        )
        rows.append((meant, held, mark))
    heads = ("Ranges that should hold", "Ranges that held", "Reading")
    return table_html("How often ranges held, by how often they should", heads, rows, ident="gz-held")


def _curse(shipped: Sequence[stats.Prediction]) -> str:
    if len(shipped) < FEWEST:
        fewest = display.format_value(FEWEST, "count")
        text = f"only {display.format_value(len(shipped), 'count')} shipped tests have an outcome, fewer than {fewest}"
        return f"{toned('unsure', '?', 'Too few to say')} Winner's curse: {text}."
    found = stats.score(shipped, level=LEVEL).factor
    if isinstance(found, NotPublished):
        return _unsaid("Winner's curse", found)
    shown = span_text(found.value, found.low, found.high, "fraction", signed=False)
    count = display.format_value(len(shipped), "count")
    text = f"Of what {count} shipped tests promised, {shown} came true."
    if found.high < 1:
        return f"{toned('bad', '✗', 'Winner’s curse')} {escape(text)} Expect as much less of the next one."
    if found.low > 1:
        return f"{toned('good', '✓', 'More than promised')} {escape(text)}"
    return f"{toned('neutral', '•', 'No winner’s curse seen')} {escape(text)} The range includes all of it."


def _unsaid(what: str, why: NotPublished) -> str:
    return f"{toned('unsure', '?', 'Not said')} {escape(what)}: {escape(why.reason)}."


def _table(came: Sequence[Outcome], titles: Mapping[str, str]) -> str:
    rows = []
    for one in came[:MOST]:
        held = one.prediction.covered(LEVEL)
        less = one.prediction.realised < one.prediction.promised
        words = "agrees" if held else "less than promised" if less else "more than promised"
        mark = toned("good" if held or not less else "bad", "✓" if held or not less else "✗", words)
        sign = -1.0 if one.direction == "lower" else 1.0
        rows.append(
            [
                escape(one.title),
                escape(titles.get(one.metric, one.metric)),
                "shipped" if one.shipped else "not shipped",
                escape(_range(sign * one.prediction.promised, one.prediction.promised_error)),
                escape(_range(sign * one.prediction.realised, one.prediction.realised_error)),
                mark,
                escape(one.source),
            ]
        )
    heads = ("Test", "Metric", "Decision", "Promised", "Realised", "Reading", "Source")
    more = f"; the first {MOST} of {len(came):,}" if len(came) > MOST else ""
    caption = f"Predictions with an outcome; ranges of {display.format_value(LEVEL, 'fraction')}{more}"
    return table_html(caption, heads, rows, ident="gz-outcomes")


def _range(value: float, error: float) -> str:
    half = stats.z_of(LEVEL) * error
    return span_text(value, value - half, value + half, "relative")

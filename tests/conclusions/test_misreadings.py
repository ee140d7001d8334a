from __future__ import annotations

import pytest

from gazette.conclusions import misreadings


def rules(text: str, **how: bool) -> list[str]:
    return [m.rule for m in misreadings(text, **how)]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("We are 95 % sure that it helps.", "sure-percent"),
        ("With 95% confidence that B wins", "sure-percent"),
        ("There is a 95 per cent chance that the true effect lies in it.", "sure-percent"),
        ("This proves that green works.", "proves"),
        ("It was proven last week.", "proves"),
        ("The banner has no effect on revenue.", "no-effect"),
        ("There is no difference between them.", "no-effect"),
        ("It rose by 2 % points.", "percent-of-points"),
        ("0.3 per cent of points more", "percent-of-points"),
        ("It rose by 2 points %.", "percent-of-points"),
        ("Up 2.345 % (1 to 4 %).", "false-precision"),
        ("Up 2.34567 ± 0.5", "false-precision"),
        ("The share is 12.3456 %.", "false-precision"),
    ],
)
def test_wordings_that_mislead_are_found_with_a_mend(text: str, rule: str) -> None:
    found = list(misreadings(text))
    assert [m.rule for m in found] == [rule]
    assert found[0].text in text
    assert len(found[0].mend) > 10


@pytest.mark.parametrize(
    "text",
    [
        "Do not write “95 % sure”: a range holds the true value in about 95 of 100 tests.",
        'People read "no effect" where none was shown.',
        "`proves` is a word of logic.",
        "A test cannot prove that nothing changed; it never proves it.",
        "This does not prove the opposite.",
        "No effect is shown; the range is -1 to +2 %.",
        "Look by look: nothing is drawn, because no effect may be read.",
        "If there were no effect, one test in twenty would still show one.",
        "It improves the approval of proverbs.",
        "The surest way; 95 % of sure buyers come back.",
        "A rise of 0.17 percentage points, or 2.3 %.",
        "Up 2.3 % (1.1 to 3.5 %).",
        "99.95 % of requests were answered; 0.001 % were lost; version 1.2345 is live.",
        "In 80 % of cases it came true, with a probability of 80 %.",
        "",
    ],
)
def test_sound_wordings_and_quotations_pass(text: str) -> None:
    assert rules(text, leadership=True) == []


@pytest.mark.parametrize("text", ["A statistically significant rise.", "It is significant at 5 %.", "p < 0.05"])
def test_words_of_statistics_are_kept_from_leadership_alone(text: str) -> None:
    assert rules(text, leadership=True) == ["statistically-significant"]
    assert rules(text) == []


def test_a_cause_is_claimed_only_where_a_test_stands_behind_it() -> None:
    claim = "The new model caused revenue to rise."
    assert rules(claim, tested=False) == ["cause-untested"]
    assert rules(claim) == []
    for sound in ("It may have caused the rise.", "The test showed that it caused the rise.", "Nothing led to it."):
        assert rules(sound, tested=False) == []


def test_long_and_hostile_text_is_read_quickly() -> None:
    assert rules("“" * 20_000 + "no " * 20_000 + "<script>" * 5_000) == []

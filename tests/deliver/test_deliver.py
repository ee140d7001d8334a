"""The same edition elsewhere: the printed page, the e-mail and the Slack message say what the records say."""

from __future__ import annotations

import email
import html
import io
import json
import re
from datetime import datetime
from email import policy
from pathlib import Path
from typing import Any, cast

import pytest
from pypdf import PdfReader
from slack_sdk.models.blocks import Block

from gazette import deliver, display
from gazette.deliver import Digest
from gazette.errors import ParamsError
from gazette.params import Params, load
from gazette.record import Finding, Interval, NotPublished, Number, Record, Verdict
from small import SmallProject

CUTOFF = datetime(2026, 11, 23)  # noqa: DTZ001  the clock of editions is UTC without zone
HOSTILE = "<script>alert(1)</script> & #eval(1) *b* _i_ `c` $x$ \u202ereversed\x00 <!channel>"
WORLD = "Ελληνικά Кириллица עברית"


def number(name: str, value: Any, unit: Any = "relative", **more: Any) -> Number:
    spread = (
        None
        if isinstance(value, NotPublished)
        else Interval(low=value - 0.02, high=value + 0.03, level=0.95, method="test")
    )
    content: dict[str, Any] = {"label": name, "interval": spread, **more}
    return Number(
        id=name, value=value, unit=unit, metric="ctr", metric_version=1, cell="c", query=None, snapshot="s", as_of=CUTOFF, **content
    )  # fmt: skip


def record(subject: str, kind: Any, title: str, **more: Any) -> Record:
    return Record(
        subject=subject, kind=kind, title=title, owner="office", edition="2026-W47",
        week_start=CUTOFF.date(), as_of=CUTOFF, snapshot="s", **more,
    )  # fmt: skip


def experiment(subject: str, title: str, value: float = 0.123) -> Record:
    shown = number(f"{subject}.ctr.relative", value)
    reason = Finding(id=f"{subject}.reason", rule="r", text=f"It rose by {{{shown.id}|signed}}.")
    advice = Finding(id=f"{subject}.advice", rule="r", text=f"Roll out; expect {{{shown.id}|interval}}.")
    verdict = Verdict(
        metric="ctr", state="benefit shown", rule="r", action="ship", action_rule="r", reason=reason, advice=advice
    )
    return record(subject, "experiment", title, numbers=(shown,), verdicts=(verdict,))


def summary(*sentences: str, numbers: tuple[Number, ...] = ()) -> Record:
    said = tuple(Finding(id=f"summary.f-{i}", rule="r", text=t) for i, t in enumerate(sentences))
    return record("executive", "summary", "Executive summary", numbers=numbers, findings=said)


@pytest.fixture
def project(small: SmallProject) -> SmallProject:
    return small


def params_of(project: SmallProject, **site: Any) -> Params:
    project.site |= site
    project.write()
    return load(project.root / "params")


def made(
    params: Params,
    records: list[Record],
    failures: list[dict[str, str]] | None = None,
    before: tuple[str, str] | None = None,
) -> Digest:
    return deliver.digest(
        records,
        failures or [],
        params=params,
        week="2026-W47",
        dates="16–22 November 2026",
        cutoff=CUTOFF,
        before=before,
    )


def pdf_text(content: bytes) -> str:
    (page,) = PdfReader(io.BytesIO(content)).pages
    return " ".join(page.extract_text().split())


def mail(content: Digest) -> tuple[str, str]:
    """Text and HTML of the draft."""
    message = cast("Any", email.message_from_bytes(deliver.email_file(content), policy=policy.default))
    parts = {p.get_content_type(): p.get_content() for p in message.walk() if not p.is_multipart()}
    return parts["text/plain"], parts["text/html"]


def slack_text(content: Digest) -> str:
    message = deliver.slack(content)
    return html.unescape(json.dumps(message, ensure_ascii=False))


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def forms(content: Digest) -> dict[str, str]:
    files = deliver.share(content)
    text, body = mail(content)
    return {
        "pdf": pdf_text(files["summary.pdf"]),
        "text": text,
        "html": html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", body)),
        "slack": slack_text(content),
    }


def test_every_form_shows_each_number_as_the_record_is_formatted(project: SmallProject) -> None:
    params = params_of(project)
    card, change = (
        number("button.ctr.treatment", 0.2, "fraction"),
        number("button.ctr.treatment.change", -0.031, "points"),
    )
    tests = experiment("button", "Green button", 0.3417)
    page = summary(
        "Clicks rose by {button.ctr.relative|signed}.", "And {button.ctr.relative|interval}.", numbers=tests.numbers
    )
    content = made(params, [tests.model_copy(update={"numbers": (*tests.numbers, card, change)}), page])
    relative = tests.numbers[0]
    wanted = [
        display.format_number(card),
        display.format_number(card, "interval"),
        display.format_number(change, "signed"),
        display.format_number(relative, "signed"),
        display.format_number(relative, "interval"),
    ]
    for name, text in forms(content).items():
        for value in wanted:
            assert squeezed(value) in squeezed(text), (name, value)


def test_no_form_holds_a_digit_that_is_in_no_record(project: SmallProject) -> None:
    content = made(params_of(project), [experiment("button", "Green button", 0.3417), summary("Fine.")])
    known = squeezed("2026-W47 16–22 November 2026 23 November 2026, 00:00 " + " ".join(
        display.format_number(experiment("button", "", 0.3417).numbers[0], f) for f in ("", "signed", "interval")
    ))  # fmt: skip
    for name, text in forms(content).items():
        for found in re.findall(r"[\d.,]*\d", text):
            assert found.strip(".,") in known, (name, found)


def test_messages_carry_the_seal_of_the_edition_before_as_a_witness_elsewhere(project: SmallProject) -> None:
    records, seal = [experiment("button", "Green button"), summary("Fine.")], "0f" * 32
    shown = forms(made(params_of(project), records, before=("2026-W46", seal)))
    for name in ("text", "html", "slack"):
        assert f"The edition before, 2026-W46, is sealed as {seal}." in " ".join(shown[name].split()), name
    assert "is sealed as" not in slack_text(made(params_of(project), records)), "the first edition has none before it"


def test_same_digest_gives_the_same_bytes_and_the_page_has_its_fonts(project: SmallProject) -> None:
    content = made(params_of(project), [experiment("button", "Green button"), summary("Fine.")])
    first, second = deliver.share(content), deliver.share(content)
    assert first == second
    assert set(first) == {"summary.pdf", "email.html", "email.eml", "slack.json"}
    (page,) = PdfReader(io.BytesIO(first["summary.pdf"])).pages
    assert [round(float(x)) for x in (page.mediabox.width, page.mediabox.height)] == [595, 842]
    fonts = [f.get_object() for f in cast("Any", page["/Resources"])["/Font"].values()]
    assert fonts
    for font in fonts:
        descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert {"/FontFile2", "/FontFile3"} & set(descriptor), "not embedded"


def test_an_american_edition_is_printed_on_letter_and_written_american(project: SmallProject) -> None:
    params = params_of(project, language="american")
    tests = experiment("button", "Colour of the button", 0.3417)
    content = made(params, [tests, summary("Clicks rose by {button.ctr.relative|signed}.", numbers=tests.numbers)])
    (page,) = PdfReader(io.BytesIO(deliver.pdf(content))).pages
    assert [round(float(x)) for x in (page.mediabox.width, page.mediabox.height)] == [612, 792]
    for name, text in forms(content).items():
        assert "November 16–22, 2026" in text, name
        assert "November 23, 2026" in text, name
        assert "+34.2%" in text, name


@pytest.mark.parametrize("tests", [20, 32, 400])
def test_many_long_tests_stay_on_one_page_and_what_is_left_out_is_counted(project: SmallProject, tests: int) -> None:
    records = [experiment(f"test-{i}", f"{i} " + "A title that goes on and on " * 12) for i in range(tests)]
    failures = [
        {"page": f"f-{i}", "kind": "model", "title": "W" * 500, "owner": "o", "what": "boom " * 200} for i in range(40)
    ]
    content = made(
        params_of(project, title="T" * 300, notice="N " * 900), [*records, summary("So it is. " * 200)], failures
    )
    files = deliver.share(content)
    text = pdf_text(files["summary.pdf"])  # unpacks exactly one page
    shown = re.findall(r"and ([\d,]+) more on the site", text)
    assert len(shown) == 3
    assert len(files["email.html"]) < 100_000
    assert len(files["email.eml"]) < 200_000
    assert "more on the site" in files["email.html"].decode()
    check_slack(deliver.slack(content))


def check_slack(message: dict[str, Any]) -> None:
    """Limits as Slack documents them, and the models of its own library."""
    assert 0 < len(message["text"]) <= 3000
    assert 0 < len(message["blocks"]) <= 50
    for block in Block.parse_all(message["blocks"]):
        block.validate_json()
    for block in message["blocks"]:
        if block["type"] == "header":
            assert len(block["text"]["text"]) <= 150
        if block["type"] == "section":
            texts = [block["text"]] if "text" in block else block["fields"]
            assert all(0 < len(t["text"]) <= (3000 if "text" in block else 2000) for t in texts)
            assert len(block.get("fields", [])) <= 10


def test_hostile_texts_are_shown_and_never_markup(project: SmallProject) -> None:
    failures = [
        {"page": "button", "kind": "experiment", "title": HOSTILE, "owner": HOSTILE, "what": f"{HOSTILE}\nBcc: x@y"}
    ]
    written = HOSTILE.replace("\x00", "")  # which a parameter file may not hold
    params = params_of(project, title=f"{written}\r\nBcc: victim@example.org", notice=written)
    said = Finding(id="summary.headline", rule="r", text="{=name} is fine.", terms={"name": HOSTILE})
    page = record("executive", "summary", "Executive summary", findings=(said,))
    content = made(params, [experiment("other", HOSTILE), page], failures)
    text, body = mail(content)
    for part in (body, deliver.email_html(content)):
        assert "<script" not in part
        assert "&lt;script&gt;" in part
    for part in (text, body, pdf_text(deliver.pdf(content))):
        assert "\u202e" not in part
        assert "\x00" not in part
    assert "<script>alert(1)</script>" in pdf_text(deliver.pdf(content))
    message = deliver.slack(content)
    sent = [b for b in message["blocks"] if b["type"] != "header"]
    assert not re.search(r"[<>]", json.dumps(sent) + message["text"]), "Slack would read a mention or a link"
    check_slack(message)
    opened = email.message_from_bytes(deliver.email_file(content), policy=policy.default)
    assert opened["Bcc"] is None
    assert opened["To"] is None


def test_greek_cyrillic_and_hebrew_are_printed(project: SmallProject) -> None:
    content = made(params_of(project), [experiment("button", WORLD), summary("Fine.")])
    assert "Ελληνικά Кириллица" in pdf_text(deliver.pdf(content))
    assert WORLD in mail(content)[0]


def test_signs_that_no_font_has_are_said_to_be_missing_and_are_kept_in_the_mail(project: SmallProject) -> None:
    content = made(params_of(project), [experiment("button", "緑のボタン 🚀"), summary("Fine.")])
    assert "are in no font at hand" in pdf_text(deliver.pdf(content))
    assert "緑のボタン 🚀" in mail(content)[1]
    check_slack(deliver.slack(content))


def test_a_failed_summary_failed_tests_and_no_cards_are_said_in_words(project: SmallProject) -> None:
    failures = [{"page": "executive", "kind": "summary", "title": "Executive summary", "owner": "o", "what": "It broke."},
                {"page": "button", "kind": "experiment", "title": "Green button", "owner": "o", "what": "KeyError"}]  # fmt: skip
    for name, text in forms(made(params_of(project), [], failures)).items():
        assert "could not be made" in text, name
        assert "Green button failed: KeyError" in text, name
        assert "the analysis failed" in text, name
        assert "Tests" not in text or name == "html", name


def test_a_card_that_is_not_published_says_why(project: SmallProject) -> None:
    card = number("button.ctr.treatment", NotPublished(reason="too few users"), "fraction")
    content = made(
        params_of(project), [record("button", "experiment", "Green button", numbers=(card,)), summary("Fine.")]
    )
    for name, text in forms(content).items():
        assert "Not published" in text, name
        assert "too few users" in text, name


def test_links_lead_to_the_edition_where_the_address_is_known_and_are_left_out_where_not(project: SmallProject) -> None:
    records = [experiment("button", "Green button"), summary("Fine.")]
    without = made(params_of(project), records)
    assert "href" not in deliver.email_html(without)
    assert not any(b["type"] == "actions" for b in deliver.slack(without)["blocks"])
    known = made(params_of(project, address="https://gazette.example/site/"), records)
    place = "https://gazette.example/site/editions/2026-W47/"
    assert f'href="{place}experiments/button.html"' in deliver.email_html(known)
    (actions,) = [b for b in deliver.slack(known)["blocks"] if b["type"] == "actions"]
    assert actions["elements"][0]["url"] == f"{place}index.html"
    assert place in pdf_text(deliver.pdf(known))


def test_the_mail_needs_nothing_from_elsewhere_and_has_a_dark_look(project: SmallProject) -> None:
    body = deliver.email_html(made(params_of(project), [experiment("button", "Green button"), summary("Fine.")]))
    assert not re.search(r"<img|<link|<script|url\(|@import|src=", body)
    assert "prefers-color-scheme: dark" in body
    assert (
        "16–22 November 2026"
        in deliver.slack(made(params_of(project), [summary("Fine.")]))["blocks"][0]["text"]["text"]
    )


@pytest.mark.parametrize(
    "address", ["ftp://x.example", "gazette.example", "https://", "https://x.example/?a=b", "https://x y"]
)
def test_an_address_that_cannot_be_linked_is_refused(project: SmallProject, address: str) -> None:
    with pytest.raises(ParamsError, match="address"):
        params_of(project, address=address)


def test_a_fonts_folder_that_is_empty_changes_nothing(project: SmallProject, tmp_path: Path) -> None:
    content = made(params_of(project), [summary("Fine.")])
    empty = tmp_path / "fonts"
    empty.mkdir()
    assert deliver.pdf(content, fonts=empty) == deliver.pdf(content)

"""A pack's first page, as HTML and as Markdown: what was decided, on which evidence, how to verify it, how to compute it again."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from gazette import display

if TYPE_CHECKING:
    from gazette.display import Language
    from gazette.editions import Manifest
    from gazette.record import Record
    from gazette.register import Entry

__all__ = ["Story", "index_page", "read_me"]

CHOICES = {
    "ship": "Ship",
    "ship-with-monitoring": "Ship with monitoring",
    "stop": "Stop",
    "continue": "Continue the test",
}
LANGUAGES = {"british": "en-GB", "american": "en-US"}
STYLE = """\
:root { color-scheme: light dark }
body { font: 1rem/1.55 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .3rem .6rem .3rem 0; vertical-align: top;
border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent) }
code, pre { font-size: .85rem } pre { padding: .7rem; overflow-x: auto; border: 1px solid color-mix(in srgb, currentColor 25%, transparent) }
th { overflow-wrap: normal } pre { white-space: pre-wrap }
.first { font-size: 1.15rem }"""


@dataclass(frozen=True, kw_only=True)
class Story:
    """What the pages are written from."""

    entry: Entry
    record: Record
    manifest: Manifest
    title: str
    organisation: str
    currency: str
    language: Language
    home: str
    pages: str
    lock: str
    hashes: bool
    wheel: str
    library: bool
    tables: tuple[str, ...]

    @property
    def page(self) -> str:
        """The experiment's page in the pack."""
        return f"{self.pages}/experiments/{self.record.subject}.html"

    def verdict(self) -> str:
        """What the edition said, in its own words."""
        numbers = {n.id: n for n in self.record.numbers}
        found = next(v for v in self.record.verdicts if v.primary)
        return display.plain_sentence(found.reason, numbers, currency=self.currency, language=self.language)

    def decided(self) -> list[tuple[str, str]]:
        """The decision, line by line."""
        one, entry = self.entry.decision, self.entry
        rows = [
            ("Decision", CHOICES[one.decision]),
            ("Taken by", f"{one.by}, {one.decided:%d %B %Y}"),
            ("Because", one.because),
            ("The edition recommended", f"{one.recommendation.action} (rule {one.recommendation.rule})"),
            ("Followed", "no: it was taken against the recommendation" if one.override else "yes"),
        ]
        for sign in entry.sign_offs:
            what = "" if sign.decision_digest == entry.digest else "; of an earlier text of this decision"
            rows.append(
                ("Signed off by", f"{sign.by}, {sign.signed:%d %B %Y}{what}{f': {sign.note}' if sign.note else ''}")
            )
        if not entry.sign_offs:
            rows.append(("Signed off by", "nobody so far"))
        if entry.superseded_by:
            rows.append(("Superseded by", f"{entry.superseded_by}, which is not in this pack"))
        rows += [("Watched", f"{w.title}, until {w.until:%d %B %Y}, by {w.owner}") for w in one.watch]
        for real in entry.score.realised if entry.score else ():
            value = display.format_value(real.value, "relative", signed=True, spread=2 * real.standard_error)
            rows.append(("Measured afterwards", f"{real.metric}: {value}, {real.measured:%d %B %Y} ({real.source})"))
        return rows

    def expected(self) -> list[tuple[str, str, str, str]]:
        """Each metric with its difference, range and relative difference, as the edition had them."""
        rows = []
        for effect in self.entry.decision.expected:
            both = []
            for r in (effect.difference, effect.relative):
                if r is None:
                    both.append(("not published", "–"))
                    continue
                value, low, high = display.format_ranged(
                    r.value, r.low, r.high, r.unit, currency=self.currency, signed=True
                )
                both.append((value, f"{low} to {high}"))
            rows.append((effect.title, *both[0], f"{both[1][0]} ({both[1][1]})"))
        return rows

    def again(self) -> list[str]:
        """Commands that compute the numbers again."""
        if not self.lock or not (self.wheel or self.library):
            return []
        notebook = f"{self.home}/notebooks/{self.record.subject}.ipynb"
        hashes = "--require-hashes " if self.hashes else ""
        found = ["python3 -m venv env", f"env/bin/pip install {hashes}-r {self.lock}"]
        if self.wheel:
            found.append(f"env/bin/pip install --no-deps {self.wheel}")
        where = "" if self.wheel else "PYTHONPATH=library "
        asked = f"-p subject {self.record.subject} -p edition {self.manifest.edition} -p root {self.home}"
        return [*found, f"{where}env/bin/papermill {notebook} again.ipynb {asked} -k python3"]

    def caveats(self) -> list[str]:
        """What the pack cannot give, in words."""
        found = []
        if not self.lock:
            found.append(
                "No lock file of the environment is in this pack, because neither the edition nor the project has one."
            )
        elif self.lock.startswith("lock/"):
            found.append(
                "The edition holds no lock file of its own: the one here is the project's on the day of packing, which may be another."
            )
        if not (self.wheel or self.library):
            found.append(
                "The program that published the edition is not the one that made this pack, so it is not enclosed. "
                f"It is version {self.manifest.versions.get('gazette', '?')} with source digest {self.manifest.versions.get('library', '?')}."
            )
        return found

    def key(self) -> str:
        """Who signed the manifest."""
        if self.manifest.signer is None:
            return "The edition was not signed, so only the digests speak for it."
        return f"The edition is signed with the key {self.manifest.signer}. Get that key from somebody you trust and add --key KEY to the last command."

    def contents(self) -> list[tuple[str, str]]:
        """Place and what is there."""
        home, subject = self.home, self.record.subject
        return [
            (self.page, "the experiment's page, as it was published"),
            (f"{self.pages}/index.html", "the summary of that week, with all its pages"),
            (
                f"decision/{self.entry.decision.id}.yml",
                "the decision as it was written; sign-offs and scores beside it",
            ),
            ("numbers/numbers.csv", "every number of the page with where it comes from; record.json beside it"),
            ("tables/", "the frozen data (aggregates, no row about one user) as CSV, with the SQL that asked for it"),
            (f"{home}/snapshot/{subject}/", "the same as it was sealed"),
            (f"{home}/notebooks/{subject}.ipynb", "the notebook as it ran"),
            (f"{home}/manifest.json", "digests of every file of the edition; earlier editions' manifests beside it"),
            *([(self.lock, "the packages with which it ran")] if self.lock else []),
            *([(self.wheel, "the program that published the edition")] if self.wheel else []),
            ("verifier.py", "the check, which needs Python 3.8 or later and nothing else"),
        ]


def _checks(story: Story) -> tuple[tuple[str, str], ...]:
    return (
        ("python3 verifier.py .", "Is every file of this pack as it was packed?"),
        (f"python3 verifier.py {story.pages}", "Is every page as it was published?"),
        (
            "python3 verifier.py editions --partial",
            "Are data, notebook and numbers as they were sealed, and is the chain of editions whole?",
        ),
    )


def _binding(story: Story) -> str:
    return f"The decision names the edition by the digest of its manifest, {story.entry.decision.edition_digest}; the last command reads that very manifest."


def read_me(story: Story) -> str:
    """The page as Markdown."""
    one = story.entry.decision
    lines = [
        f"# {_plain(one.title)}: {CHOICES[one.decision].lower()}",
        "",
        f"Evidence of decision `{one.id}`, {_plain(story.organisation)}. Open `index.html` to read it in a browser.",
        "",
    ]
    lines += ["## What was decided", "", *(f"- {what}: {_plain(text)}" for what, text in story.decided()), ""]
    lines += [
        "## On which evidence",
        "",
        f"Edition {one.edition} ({story.manifest.facts.get('dates', '')}): {_plain(story.verdict())}",
        "",
    ]
    lines += [f"- {_plain(t)}: {d} ({r}); relative {rel}" for t, d, r, rel in story.expected()]
    lines += ["", "## What is in here", "", *(f"- `{place}`: {what}" for place, what in story.contents()), ""]
    lines += ["## How to verify it", "", "In this folder:", "", "```", *(c for c, _ in _checks(story)), "```", ""]
    lines += [
        *(f"{n}. {asks}" for n, (_, asks) in enumerate(_checks(story), 1)),
        "",
        _binding(story),
        "",
        story.key(),
        "",
    ]
    lines += ["## How to compute it again", ""]
    if story.again():
        lines += [
            "```",
            *story.again(),
            "```",
            "",
            "`again.ipynb` then ends with the same record as `numbers/record.json`.",
            "",
        ]
    return "\n".join([*lines, *(f"{c}\n" for c in story.caveats())])


def _plain(text: str) -> str:
    """Text of others as one line of Markdown that cannot become markup."""
    tidy = " ".join(text.split())
    return "".join(f"\\{c}" if c in "\\`*_[]<>#|~" else c for c in tidy)


def index_page(story: Story) -> str:
    """The page as HTML that needs no other file."""
    one = story.entry.decision
    rows = "".join(f'<tr><th scope="row">{escape(w)}</th><td>{escape(t)}</td></tr>' for w, t in story.decided())
    head = "".join(
        f'<th scope="col">{h}</th>' for h in ("Metric", "Difference", "Range that fits the data", "Relative")
    )
    body = "".join(f"<tr>{''.join(f'<td>{escape(c)}</td>' for c in row)}</tr>" for row in story.expected())
    effects = (
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        if body
        else "<p>No effect may be read from this test.</p>"
    )
    places = "".join(
        f"<li>{f'<code>{escape(p)}</code>' if p.endswith('/') else f'<a href={chr(34)}{escape(p)}{chr(34)}>{escape(p)}</a>'}: {escape(w)}</li>"
        for p, w in story.contents()
    )
    tables = ", ".join(f'<a href="tables/{escape(t)}">{escape(t)}</a>' for t in story.tables)
    checks = "".join(f"<p>{escape(asks)}</p><pre>{escape(command)}</pre>" for command, asks in _checks(story))
    again = (
        f"<pre>{escape(chr(10).join(story.again()))}</pre><p><code>again.ipynb</code> then ends with the same record as <code>numbers/record.json</code>.</p>"
        if story.again()
        else ""
    )
    caveats = "".join(f"<p>{escape(c)}</p>" for c in story.caveats())
    dates = escape(str(story.manifest.facts.get("dates", "")))
    return f"""<!doctype html>
<html lang="{LANGUAGES[story.language]}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>{escape(one.title)}: {CHOICES[one.decision].lower()}</title><style>{STYLE}</style></head><body>
<h1>{escape(one.title)}: {CHOICES[one.decision].lower()}</h1>
<p>Evidence of decision <code>{escape(one.id)}</code>, {escape(story.organisation)}.</p>
<p class="first"><a href="{escape(story.page)}">Read the page that it was decided on</a></p>
<h2>What was decided</h2><table><tbody>{rows}</tbody></table>
<h2>On which evidence</h2><p>Edition {escape(one.edition)} ({dates}): {escape(story.verdict())}</p>{effects}
<h2>What is in here</h2><ul>{places}</ul><p>Tables: {tables}.</p>
<h2>How to verify it</h2><p>In this folder, with Python alone:</p>{checks}<p>{escape(_binding(story))}</p><p>{escape(story.key())}</p>
<h2>How to compute it again</h2>{again}{caveats}
</body></html>
"""

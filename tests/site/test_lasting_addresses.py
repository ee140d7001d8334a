"""Addresses that last, as those who use them read them: a strict reader of feeds, links that are followed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

import atoma
import pytest
from bs4 import BeautifulSoup

from gazette.editions import Manifest
from gazette.params import SiteParams
from gazette.site._addresses import addresses, lost

SITE: dict[str, Any] = {
    "title": "Shop & <Weekly>",
    "organisation": "Shop",
    "warehouse": "duckdb://w.duckdb",
    "executive": {"owner": "office", "cards": []},
}
PAGES = (
    "site/index.html",
    "site/models/a.html",
    "site/experiments/b.html",
    "records/a.json",
    "site/theme/after.html",
    "site/share/email.html",
)


def manifest(edition: str, headline: str = "All is well.") -> Manifest:
    files = dict.fromkeys(PAGES, "0" * 64)
    return Manifest(edition, "1" * 64, None, files, {}, {"dates": "16–22 November 2026", "headline": headline})


def made(**more: Any) -> dict[str, str]:
    editions = [manifest("2026-W47", "Conversion <b>fell</b> & \x0b costs rose."), manifest("2026-W46")]
    return addresses(editions, SiteParams.model_validate({**SITE, **more}))


def test_each_page_of_the_newest_edition_has_an_address_that_stays() -> None:
    found = {name: text for name, text in made().items() if name.startswith("latest/")}
    assert set(found) == {"latest/index.html", "latest/models/a.html", "latest/experiments/b.html"}
    for name, text in found.items():
        page = BeautifulSoup(text, "html.parser")
        (link,) = page.find_all("a")
        (again,) = page.find_all("meta", attrs={"http-equiv": "refresh"})
        assert again["content"] == f"0; url={link['href']}"
        where = PurePosixPath("/top/here", name).parent
        parts: list[str] = []
        for part in (*where.parts, *PurePosixPath(str(link["href"])).parts):
            parts = parts[:-1] if part == ".." else [*parts, part]
        assert "/".join(parts[1:]) == f"top/here/editions/2026-W47/{name.removeprefix('latest/')}"


def test_a_strict_reader_takes_the_feed() -> None:
    text = made(address="https://reports.example.com/ml/", cutoff_hours=6)["feed.xml"]
    feed = atoma.parse_atom_bytes(text.encode())
    assert feed.title.value == SITE["title"]
    assert feed.id_ == "https://reports.example.com/ml/"
    assert [link.href for link in feed.links if link.rel == "self"] == ["https://reports.example.com/ml/feed.xml"]
    assert [e.id_ for e in feed.entries] == [f"https://reports.example.com/ml/editions/2026-W4{n}/" for n in (7, 6)]
    newest = feed.entries[0]
    assert newest.updated == feed.updated == datetime(2026, 11, 23, 6, tzinfo=UTC)
    assert newest.summary is not None
    assert newest.summary.value == "Conversion <b>fell</b> &  costs rose."
    assert newest.links[0].href == "https://reports.example.com/ml/editions/2026-W47/index.html"


def test_a_site_that_does_not_know_where_it_is_has_no_feed() -> None:
    assert "feed.xml" not in made()


@pytest.mark.parametrize(
    ("address", "root"), [(None, "/"), ("https://example.com", "/"), ("https://example.com/a/b/", "/a/b/")]
)
def test_who_is_lost_is_shown_the_way_from_any_depth(address: str | None, root: str) -> None:
    page = BeautifulSoup(
        lost(manifest("2026-W47"), SiteParams.model_validate({**SITE, "address": address})), "html.parser"
    )
    assert [a["href"] for a in page.find_all("a")] == [
        f"{root}latest/index.html",
        f"{root}index.html",
        f"{root}archive.html",
    ]
    assert not page.find_all(["script", "link", "img"]), "nothing that could be missing, too"

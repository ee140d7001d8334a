"""Addresses that last: ``latest/`` for the newest edition, a feed of all, and a page for addresses that lead nowhere."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gazette.editions import Week

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazette.editions import Manifest
    from gazette.params import SiteParams

__all__ = ["FEED", "LOST", "addresses", "feed", "lost", "redirects"]

FEED, LOST, LATEST = "feed.xml", "404.html", "latest"
ATOM = "http://www.w3.org/2005/Atom"
MOST = 52  # editions that the feed names
STYLE = (
    "body{font:1.05rem/1.5 system-ui,sans-serif;max-width:38rem;margin:12vh auto;padding:0 1rem;color:#1d2530;background:#fff}a{color:#1b5e9e}"
    "@media(prefers-color-scheme:dark){body{color:#e6e9ee;background:#14181f}a{color:#8fbdf0}}"
)


def addresses(manifests: Sequence[Manifest], site: SiteParams) -> dict[str, str]:
    """File name to content, laid beside the shelf's pages.

    Args:
        manifests: Sealed editions, newest first, at least one.
        site: Where the site is, and its title.
    """
    found = {**redirects(manifests[0], site), LOST: lost(manifests[0], site)}
    return {**found, FEED: feed(manifests, site)} if site.address else found


def _page(language: str, title: str, head: str, body: str) -> str:
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>{head}<style>{STYLE}</style></head>\n<body><main>{body}</main></body>\n</html>\n"
    )


def _language(site: SiteParams) -> str:
    return "en-GB" if site.language == "british" else "en-US"


def redirects(newest: Manifest, site: SiteParams) -> dict[str, str]:
    """A page under ``latest/`` for each page of the newest edition, which leads there; works without scripts and from ``file://``."""
    found = {}
    for name in sorted(newest.files):
        page = name.removeprefix("site/")
        if (
            page == name or not page.endswith(".html") or page.startswith(("theme/", "share/"))
        ):  # parts of pages, and mail
            continue
        up = "../" * (page.count("/") + 1)
        target = escape(f"{up}editions/{newest.edition}/{page}", quote=True)
        head = f'<meta http-equiv="refresh" content="0; url={target}"><link rel="canonical" href="{target}">'
        body = f'<p>The newest edition is {escape(newest.edition)}: <a href="{target}">go there</a>.</p>'
        found[f"{LATEST}/{page}"] = _page(_language(site), f"{site.title}: the newest edition", head, body)
    return found


def lost(newest: Manifest, site: SiteParams) -> str:
    """What a server shows for an address that leads nowhere; its links begin at the site's root, since it may be shown at any depth."""
    root = escape((urlsplit(site.address or "").path.rstrip("/") or "") + "/", quote=True)
    body = (
        "<h1>There is no such page</h1><p>The address may be cut short or misspelt, or the page was never part of this edition. Published editions are never taken away.</p>"
        f'<ul><li><a href="{root}{LATEST}/index.html">The newest edition, {escape(newest.edition)}</a></li>'
        f'<li><a href="{root}index.html">All editions</a></li><li><a href="{root}archive.html">The archive, with a filter</a></li></ul>'
    )
    return _page(_language(site), f"{site.title}: no such page", '<meta name="robots" content="noindex">', body)


def feed(manifests: Sequence[Manifest], site: SiteParams) -> str:
    """An Atom feed (RFC 4287) of the editions, newest first; an entry is as old as the edition's data."""
    home = f"{(site.address or '').rstrip('/')}/"
    ET.register_namespace("", ATOM)
    root = ET.Element(f"{{{ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": _language(site)})

    def add(parent: ET.Element, name: str, text: str = "", **attributes: str) -> ET.Element:
        child = ET.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
        child.text = _printable(text) or None
        return child

    add(root, "title", site.title)
    add(root, "id", home)
    add(root, "link", href=home)
    add(root, "link", rel="self", href=f"{home}{FEED}", type="application/atom+xml")
    add(root, "updated", _moment(manifests[0], site))
    add(add(root, "author"), "name", site.organisation)
    for manifest in manifests[:MOST]:
        facts: Any = manifest.facts
        entry, place = add(root, "entry"), f"{home}editions/{manifest.edition}/"
        add(entry, "title", f"{manifest.edition}, {facts['dates']}")
        add(entry, "id", place)
        add(entry, "link", href=f"{place}index.html")
        add(entry, "updated", _moment(manifest, site))
        add(entry, "summary", str(facts["headline"]))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _moment(manifest: Manifest, site: SiteParams) -> str:
    return f"{Week.parse(manifest.edition).cutoff(site.cutoff_hours):%Y-%m-%dT%H:%M:%SZ}"


def _printable(text: str) -> str:
    """Without signs that XML cannot hold."""
    return "".join(
        c for c in text if c in "\t\n" or (c >= " " and c not in "\ufffe\uffff" and not "\ud800" <= c <= "\udfff")
    )

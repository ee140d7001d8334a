"""What the edition before said in short, frozen so that the summary needs no other folder than its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

from gazette import conclusions, display
from gazette.sources import Answer

if TYPE_CHECKING:
    from gazette.build._project import Project
    from gazette.editions import Sealed, Week

__all__ = ["digest_before"]

NAMES = ("edition", "digest")


def digest_before(project: Project, week: Week) -> Answer:
    """The digest of the newest earlier edition, from its sealed records and parameters; no row where there is none."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, needed only here

    schema = pa.schema([(name, pa.string()) for name in NAMES])
    before = project.store.before(week)
    if before is None:
        return Answer("digest_before", "There is no earlier edition.\n", pa.Table.from_pylist([], schema))
    sealed = project.store.open(before)
    records = [r for r in sealed.records() if r.kind != "summary"]
    site = _sealed_site(sealed)
    currency = str(site.get("currency", "USD"))
    numbers = [n for r in records for n in r.numbers]
    ids = (site.get("executive") or {}).get("cards") or []
    cards = display.card_digest([str(i) for i in ids], numbers, currency=currency)
    whole = {n.id: n.model_dump(mode="json") for n in numbers}
    cards = [card | ({"number": whole[card["id"]]} if card["id"] in whole else {}) for card in cards]  # to be quoted
    digest = conclusions.digest_of(str(before), records, currency=currency, cards=cards)
    row = {"edition": str(before), "digest": json.dumps(digest, sort_keys=True, ensure_ascii=False)}
    asked = f"Digest of edition {before}: its records and params/site.yml as sealed.\n"
    return Answer("digest_before", asked, pa.Table.from_pylist([row], schema))


def _sealed_site(sealed: Sealed) -> dict[str, Any]:
    """Settings as they were sealed, by the rules of then: read as YAML, not checked by those of today."""
    found = yaml.safe_load(sealed.read("params/site.yml"))
    return found if isinstance(found, dict) else {}

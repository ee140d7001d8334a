"""JSON Schemas, so that editors complete and check the parameter files."""

from __future__ import annotations

import json

from gazette.params._challenge import Acceptance, Challenge
from gazette.params._decision import Decision, Score, SignOff
from gazette.params._load import FILES, FOLDERS, OPTIONAL
from gazette.params._replayed import Replayed

__all__ = ["schemas"]


def schemas() -> dict[str, str]:
    """File name to JSON Schema text, for the folder ``params/schemas``.

    >>> sorted(schemas())[:2]
    ['acceptance.json', 'alerts.json']
    """
    models = {name.removesuffix(".yml"): model for name, model in {**FILES, **OPTIONAL}.items()}
    models |= {folder.removesuffix("s"): model for folder, model in FOLDERS.items()}
    models |= {
        "decision": Decision,
        "score": Score,
        "sign-off": SignOff,
        "challenge": Challenge,
        "acceptance": Acceptance,
        "replayed": Replayed,
    }
    return {
        f"{name}.json": json.dumps(
            {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()},
            indent=2,
            sort_keys=True,
        )
        + "\n"
        for name, model in models.items()
    }

"""JSON Schemas, generated from the very models that read the documents."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from abverify.model.value import Value

SCHEMAS = {
    "contract": ("abverify.model.contract:Contract", "a gate's contract, contracts/*.yaml"),
    "fixture": ("abverify.model.corpus:FixtureSpec", "a task of a corpus, fixture.yaml"),
    "pin-lock": ("abverify.workspace.pins:PinLock", "pinned digests, contracts/pin.lock"),
    "experiment": ("abverify.model.experiment:Experiment", "an A/B, contracts/experiments/*.yaml"),
    "experiment-history": (
        "abverify.model.reported:History",
        "what was reported elsewhere, contracts/experiments/history.yaml",
    ),
    "policy": ("abverify.model.policy:Policy", "the amendment policy, contracts/policy.yaml"),
    "record": ("abverify.records.schema:AnyRecord", "a record of any kind, its signed payload"),
    "trust-root": ("abverify.records.trust:RootDocument", "a trust root, its signed payload"),
    "manifest": ("abverify.evidence.manifest:Manifest", "an evidence bundle, manifest.json"),
    "result": ("abverify.model.results.union:AnyResult", "what a verb prints in --format json"),
}
"""Each schema's name, with the model it comes from and what it describes."""

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_text(name: str) -> str:
    """The JSON Schema of a document as indented JSON.

    Raises:
        KeyError: for a name that is not in `SCHEMAS`.
    """
    location, meaning = SCHEMAS[name]
    module, _, attribute = location.partition(":")
    model: type[Value] = getattr(importlib.import_module(module), attribute)
    schema = model.model_json_schema(by_alias=True)
    head = {"$schema": _DIALECT, "$id": f"https://abverify.dev/schema/{name}.v1.schema.json"}
    return json.dumps({**head, **schema, "title": meaning}, indent=2) + "\n"

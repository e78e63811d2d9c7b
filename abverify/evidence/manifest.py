"""A bundle's manifest: which run this is, for which gates, and every file by digest."""

from typing import Annotated, Literal

from pydantic import Field

from abverify.model.identity import IdentityLevel
from abverify.model.ids import GATE_ID_PATTERN
from abverify.model.value import Count, Identifier, RelativePath, Sha256, Timestamp, Value

MANIFEST_SCHEMA: Literal["abverify/evidence/v1"] = "abverify/evidence/v1"
START_SCHEMA: Literal["abverify/run-start/v1"] = "abverify/run-start/v1"
MANIFEST = "manifest.json"
LOCK = "lock.json"
JOURNAL = "rows.jsonl"
SCORES = "scores.json"
START = "start.json"
ATTEMPTS = "attempts.jsonl"
IMPORTED = "imported.json"

Stage = Literal["calibrate", "smoke", "bench"]
GateName = Annotated[str, Field(pattern=GATE_ID_PATTERN)]


class FileDigest(Value):
    """A file of the bundle, by size in bytes and SHA-256."""

    name: RelativePath
    size: Count
    sha256: Sha256


class ChainHead(Value):
    """The newest record of a gate's chain when the run began; seq 0 and null before any."""

    gate: GateName
    seq: Count
    sha256: Sha256 | None


class ImportedFrom(Value):
    """Where imported evidence comes from, for a reader who wants to check."""

    tool: str
    reference: str


class RunFacts(Value):
    """What is known of a run from its beginning on."""

    run: Identifier
    stage: Stage
    offered_to: tuple[GateName, ...]
    identity: IdentityLevel
    started_at: Timestamp
    lock_sha256: Sha256
    began_after: tuple[ChainHead, ...]
    """Where the ledger stood when the run began: order is judged by this, not by clocks."""


class Start(RunFacts):
    """The document `start.json`: written when the run begins, and never again."""

    schema_: Annotated[Literal["abverify/run-start/v1"], Field(alias="schema")]


class Attempt(Value):
    """A line of `attempts.jsonl`: a trial was begun, whether or not it was ever finished."""

    fixture: str
    seed: Count
    at: Timestamp


class Manifest(RunFacts):
    """The document `manifest.json`; its digest stands for the whole bundle."""

    schema_: Annotated[Literal["abverify/evidence/v1"], Field(alias="schema")]
    finished_at: Timestamp
    attempts_total: Count
    """Every attempt at a trial of this run, abandoned ones included."""
    imported_from: ImportedFrom | None
    notes: tuple[str, ...]
    files: tuple[FileDigest, ...]

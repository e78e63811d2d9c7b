"""In-toto statements of six kinds: what is signed, and nothing that is not checked on reading."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError

from abverify._canonical import canonical_bytes
from abverify._frozen import frozen
from abverify.errors import UntrustedError
from abverify.model.ids import GateId
from abverify.model.value import Count, Identifier, Positive, RelativePath, Sha256, Version
from abverify.records.bodies import BODIES, Body, Kind, kind_of
from abverify.records.fields import Actor, Digest, GateName, Moment, Origin, Prose, RecordValue
from abverify.records.shape import Shape, built
from abverify.records.spelling import Spelling

STATEMENT: Literal["https://in-toto.io/Statement/v1"] = "https://in-toto.io/Statement/v1"
_PREDICATE = "https://abverify.dev/record/{}/v1"
PREDICATE_TYPES: Mapping[Kind, str] = {kind: _PREDICATE.format(kind) for kind in BODIES}
_KINDS = {uri: kind for kind, uri in PREDICATE_TYPES.items()}


class LedgerName(RecordValue):
    """The ledger that a record belongs to: no record counts in another."""

    origin: Origin


class GatePosition(RecordValue):
    """The gate, its contract version, and the record's place in the gate's chain.

    `seq` counts from 1; `prior` is the digest of the envelope before, null for the first.
    """

    id: GateName
    contract_version: Version
    seq: Positive
    prior: Digest | None


class Basis(RecordValue):
    """The log that the signers saw: how many records it held, and the root over them."""

    size: Count
    root: Sha256


class TrustRootName(RecordValue):
    """The trust root that the signer acted under."""

    version: Positive
    sha256: Sha256


class Common(RecordValue):
    """The block that every record carries."""

    ledger: LedgerName
    gate: GatePosition
    basis: Basis
    trust_root: TrustRootName
    actor: Actor
    issued_at: Moment
    reason: Prose
    milestone: Identifier | None


class Subject(RecordValue):
    """The one file a record is about: its path, and the SHA-256 of its raw bytes."""

    name: RelativePath
    digest: Digest


SHAPE = Shape(Common, Subject)
"""Reads statements as plain data, quickly; what it does not accept `judge_statement` judges."""

SPELLING = Spelling(Common, Subject)
"""Reads decisions in their usual spelling, quicker still; the others are for `SHAPE`."""


class _Head(RecordValue):
    """The outer layer of the statement; its names are in-toto's own."""

    type_: Literal["https://in-toto.io/Statement/v1"] = Field(alias="_type")
    subject: tuple[Subject]
    predicate_type: str
    predicate: dict[str, Any]


@frozen
class Statement:
    """One record's content: a subject, the common block, and the body of its kind."""

    subject: Subject
    common: Common
    body: Body

    @property
    def kind(self) -> Kind:
        """Which of the six kinds of record this is."""
        return kind_of(self.body)

    @property
    def gate(self) -> GateId:
        """The gate in whose chain the record stands."""
        return GateId.parse(self.common.gate.id)

    @property
    def contract_sha256(self) -> str:
        """Digest of the contract version that the record is about."""
        return self.subject.digest.sha256

    def to_json(self) -> dict[str, Any]:
        """The statement as in-toto writes it."""
        return {
            "_type": STATEMENT,
            "subject": [self.subject.to_json()],
            "predicateType": PREDICATE_TYPES[self.kind],
            "predicate": self.common.to_json() | self.body.to_json(),
        }

    def to_bytes(self) -> bytes:
        """The canonical bytes that get signed."""
        return canonical_bytes(self.to_json())


def parse_statement(payload: bytes, *, name: str) -> Statement:
    """Reads the payload of a verified envelope.

    Args:
        payload: the signed bytes.
        name: the file, for messages.

    Raises:
        UntrustedError: AV407 if the bytes are not the canonical form of exactly
            one statement of a known kind.
    """
    read = SHAPE.read(payload)
    return statement_of(*read) if read else judge_statement(payload, name=name)


def judge_statement(payload: bytes, *, name: str) -> Statement:
    """As `parse_statement`, model by model: slower, and it says what is wrong.

    Raises:
        UntrustedError: AV407.
    """
    try:
        statement = _read(payload)
    except (ValidationError, ValueError) as error:
        raise _malformed(name, error) from None
    if statement.to_bytes() != payload:
        raise _malformed(name, ValueError("bytes that are not the statement's canonical form"))
    return statement


def statement_of(kind: Kind, value: Mapping[str, Any]) -> Statement:
    """The statement in plain data that `SHAPE` accepted."""
    predicate = value["predicate"]
    return Statement(
        built(Subject, value["subject"][0]),
        built(Common, predicate),
        built(BODIES[kind], predicate),
    )


def _read(payload: bytes) -> Statement:
    head = _Head.model_validate_json(payload)
    if head.predicate_type not in _KINDS:
        raise ValueError(f"predicateType {head.predicate_type[:80]!r} is no record of ours")
    shared = {field.alias for field in Common.model_fields.values()}
    common = {name: item for name, item in head.predicate.items() if name in shared}
    own = {name: item for name, item in head.predicate.items() if name not in shared}
    body = BODIES[_KINDS[head.predicate_type]]
    return Statement(
        head.subject[0],
        Common.model_validate_json(json.dumps(common)),
        body.model_validate_json(json.dumps(own)),
    )


def _malformed(name: str, error: ValueError) -> UntrustedError:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        found = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    else:
        found = str(error)
    return UntrustedError(
        "not a record this version understands",
        rule="AV407",
        place=name,
        expected="an in-toto statement with one subject, of one of six predicate types",
        found=found[:300],
        next_step="restore the file from version control, or use a newer abverify",
    )

"""A verified record, and a fault: the two things that reading a ledger gives."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from abverify._clock import parse_timestamp
from abverify._frozen import frozen

if TYPE_CHECKING:
    from datetime import datetime

    from abverify.errors import AbverifyError
    from abverify.model.ids import GateId
    from abverify.records.bodies import Body, Kind
    from abverify.records.statement import Statement

RECORD_NAME = re.compile(r"[0-9]{6}\.[a-z-]+\.dsse\.json")
RECORD_PATH = re.compile(
    r"gates/(?P<namespace>[^/]+)/(?P<gate>[^/]+)/"
    r"(?P<seq>[0-9]{6})\.(?P<kind>[a-z-]+)\.dsse\.json"
)
ROOT_PATH = re.compile(r"gates/_trust/(?P<version>[1-9][0-9]*)\.root\.dsse\.json")
_TEMPORARY = ".abverify-"


@frozen
class Fault:
    """One thing that is wrong with the ledger.

    Attributes:
        file: the file it was found in, relative to the repository root.
        rule: the rule id (`AV…`).
        message: one sentence for a person.
        expected: what should have stood there.
        found: what stood there.
    """

    file: str
    rule: str
    message: str
    expected: str | None = None
    found: str | None = None

    @classmethod
    def of(cls, error: AbverifyError, file: str) -> Fault:
        """An error met while reading a file, as a fault of that file."""
        return cls(file, error.rule, error.message, error.expected, error.found)


@frozen
class Record:
    """A record whose signatures, place, order, subject and authority were all verified.

    Attributes:
        path: its file, relative to the repository root.
        seq: its place in its gate's chain, from 1.
        kind: which of the six kinds it is.
        sha256: digest of the envelope's bytes: what other records cite.
        statement: what it says.
        issuers: the people who signed it in the role that its kind needs.
    """

    path: str
    seq: int
    kind: Kind
    sha256: str
    statement: Statement
    issuers: tuple[str, ...]

    @property
    def gate(self) -> GateId:
        """The gate in whose chain it stands."""
        return self.statement.gate

    @property
    def body(self) -> Body:
        """What its kind says of its own."""
        return self.statement.body

    @property
    def issued_at(self) -> datetime:
        """When its signers say that it was issued."""
        return parse_timestamp(self.statement.common.issued_at)

    @property
    def contract_sha256(self) -> str:
        """Digest of the contract version that it is about."""
        return self.statement.contract_sha256


def is_unfinished(path: str) -> bool:
    """Whether a file is what a writer who was cut off left: no business of any reader."""
    return path.rpartition("/")[2].startswith(_TEMPORARY)


def record_path(gate: GateId, seq: int, kind: Kind) -> str:
    """Where a record stands, relative to the repository root."""
    return f"gates/{gate.namespace}/{gate.name}/{seq:06d}.{kind}.dsse.json"


def contract_path(gate: GateId, version: str) -> str:
    """Where a published contract version stands, relative to the repository root."""
    return f"contracts/_versions/{gate.namespace}/{gate.name}/{version}.yaml"

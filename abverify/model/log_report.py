"""The trail as a person reads it: records in order, and one record whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from abverify._frozen import frozen

if TYPE_CHECKING:
    from abverify.model.report import Reason

Standing = Literal["stands", "void", "past"]
"""Whether a record still has effect: it does, a retraction took it back, or its time is over."""


@frozen
class RecordLine:
    """One record of the trail.

    Attributes:
        path: its file, relative to the repository root.
        gate: the gate in whose chain it stands.
        seq: its place in that chain, from 1.
        kind: which of the six kinds it is.
        issued_at: when its signers say that it was issued.
        actor: the principal who issued it.
        version: the contract version it is about.
        sha256: digest of its envelope.
        standing: whether it still has effect.
        summary: what it says, in a few words.
        reason: the reason its actor gave.
        milestone: the milestone it belongs to, if any.
    """

    path: str
    gate: str
    seq: int
    kind: str
    issued_at: str
    actor: str
    version: str
    sha256: str
    standing: Standing
    summary: str
    reason: str
    milestone: str | None

    def to_json(self) -> dict[str, Any]:
        """The line as plain JSON data."""
        return {
            "path": self.path,
            "gate": self.gate,
            "seq": self.seq,
            "kind": self.kind,
            "issuedAt": self.issued_at,
            "actor": self.actor,
            "version": self.version,
            "sha256": self.sha256,
            "standing": self.standing,
            "summary": self.summary,
            "reason": self.reason,
            "milestone": self.milestone,
        }


@frozen
class LogReport:
    """The records of one gate or of all, oldest first; faults of the ledger come first.

    Attributes:
        gate: the gate asked for; None for all of them.
        lines: the records.
        reasons: the faults of the ledger.
        total: how many record files there are, faulty ones included.
    """

    gate: str | None
    lines: tuple[RecordLine, ...]
    reasons: tuple[Reason, ...]
    total: int

    @property
    def exit_code(self) -> int:
        """0; 4 when the ledger cannot be trusted; 5 when there is no record."""
        if self.reasons:
            return 4
        return 0 if self.lines else 5

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON data under the common head."""
        return {
            "schema": "abverify/log/v1",
            "verdict": "faults" if self.reasons else "clean" if self.lines else "nothing-to-check",
            "reasons": [reason.to_json() for reason in self.reasons],
            "checked": len(self.lines),
            "total": self.total,
            "gate": self.gate,
            "records": [line.to_json() for line in self.lines],
        }


@frozen
class RecordReport:
    """One verified record, whole.

    Attributes:
        line: the record as the log shows it.
        issuers: the people who signed it in the role its kind needs.
        statement: the in-toto statement that was signed.
        cited_by: the records that cite it.
    """

    line: RecordLine
    issuers: tuple[str, ...]
    statement: dict[str, Any]
    cited_by: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """Always 0: a record that does not verify is never shown as one."""
        return 0

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON data under the common head."""
        return {
            "schema": "abverify/show/v1",
            "verdict": "clean",
            "reasons": [],
            "checked": 1,
            "total": 1,
            "record": self.line.to_json(),
            "issuers": list(self.issuers),
            "citedBy": list(self.cited_by),
            "statement": self.statement,
        }

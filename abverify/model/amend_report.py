"""What lies between two versions of a contract, and what the law says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abverify._frozen import frozen
from abverify.model.change import fingerprint, headline

if TYPE_CHECKING:
    from abverify.model.change import Bump, Change
    from abverify.model.report import Reason, Verdict


@frozen
class ReplayLine:
    """One stored bundle judged by both versions."""

    path: str
    before: Verdict
    after: Verdict

    def to_json(self) -> dict[str, Any]:
        """The line as plain JSON data."""
        return {"path": self.path, "before": self.before, "after": self.after}


@frozen
class AmendDiffReport:
    """Two versions of a gate's contract, compared.

    Attributes:
        gate: the gate.
        old: how the old version was named, its version and the digest of its bytes.
        new: the same of the new one.
        changes: every change, in the order of the contract's fields.
        bump: the least version step needed; None when nothing changed.
        reasons: what the law has against it.
        replays: what both versions make of the stored evidence.
        succeeds: whether the new version opens a gate that takes the old one's place.
    """

    gate: str
    old: tuple[str, str, str]
    new: tuple[str, str, str]
    changes: tuple[Change, ...]
    bump: Bump | None
    reasons: tuple[Reason, ...]
    replays: tuple[ReplayLine, ...]
    succeeds: bool = False

    @property
    def verdict(self) -> str:
        """`unchanged`, `lawful` or `unlawful`."""
        if any(reason.severity == "error" for reason in self.reasons):
            return "unlawful"
        return "lawful" if self.changes else "unchanged"

    @property
    def exit_code(self) -> int:
        """0 when it may be published, 1 when the law forbids it."""
        return 1 if self.verdict == "unlawful" else 0

    @property
    def flips(self) -> tuple[ReplayLine, ...]:
        """The past verdicts that the new version would turn."""
        return tuple(line for line in self.replays if line.before != line.after)

    @property
    def approvals(self) -> int:
        """How many people must approve the whole."""
        return max((change.approvals for change in self.changes), default=0)

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON data under the common head."""
        return {
            "schema": "abverify/amend-diff/v1",
            "verdict": self.verdict,
            "reasons": [reason.to_json() for reason in self.reasons],
            "checked": len(self.changes),
            "total": len(self.changes),
            "gate": self.gate,
            "succeeds": self.succeeds,
            "old": dict(zip(("name", "version", "sha256"), self.old, strict=True)),
            "new": dict(zip(("name", "version", "sha256"), self.new, strict=True)),
            "class": headline(change.change_class for change in self.changes)
            if self.changes
            else None,
            "bump": self.bump,
            "approvals": self.approvals,
            "fingerprint": fingerprint(self.changes) if self.changes else None,
            "changes": [change.to_json() for change in self.changes],
            "replays": [line.to_json() for line in self.replays],
            "flips": len(self.flips),
        }

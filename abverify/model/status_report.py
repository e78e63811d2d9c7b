"""The state of every gate and scope, as folded from the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abverify._frozen import frozen, named

if TYPE_CHECKING:
    from abverify.model.report import Reason, ScopeLine


@frozen
class GateLine:
    """One gate: its state, why, and its newest record.

    Attributes:
        gate: the qualified id.
        state: as folded from the ledger.
        version: the newest published contract version; null before the introduction.
        model: the model the gate names.
        why: what the state rests on, in a few words.
        records: how many records its chain has.
    """

    gate: str
    state: str
    version: str | None
    model: str
    why: str
    records: int

    def to_json(self) -> dict[str, Any]:
        """The line as plain JSON data."""
        return named(self)


@frozen
class StatusReport:
    """Every gate and scope of the repository; faults of the ledger come first.

    Attributes:
        gates: every gate that has a contract.
        scopes: every scope that a suspension ever named.
        reasons: the faults of the ledger, and what waits for signatures.
        at: the moment looked back to; None for the present.
    """

    gates: tuple[GateLine, ...]
    scopes: tuple[ScopeLine, ...]
    reasons: tuple[Reason, ...]
    at: str | None = None

    @property
    def errors(self) -> tuple[Reason, ...]:
        """The faults among the reasons; the rest is only to be known."""
        return tuple(reason for reason in self.reasons if reason.severity == "error")

    @property
    def exit_code(self) -> int:
        """0; 4 when the ledger cannot be trusted; 5 when there is no gate."""
        if self.errors:
            return 4
        return 0 if self.gates else 5

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON data under the common head."""
        return {
            "schema": "abverify/status/v1",
            "verdict": "faults" if self.errors else "clean",
            "reasons": [reason.to_json() for reason in self.reasons],
            "checked": len(self.gates),
            "total": len(self.gates),
            "at": self.at,
            "gates": [line.to_json() for line in self.gates],
            "scopes": [line.to_json() for line in self.scopes],
        }

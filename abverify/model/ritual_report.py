"""The five steps that move with a contract, each kept, drifted, or not to be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from abverify._frozen import frozen

if TYPE_CHECKING:
    from abverify.model.report import Reason

StepStatus = Literal["kept", "drift", "cannot-evaluate", "not-applicable"]
CANNOT = frozenset(["cannot-evaluate", "mirror-unreachable"])
"""Codes of findings that leave the question open."""

STEPS: dict[str, str] = {
    "pinned": "the contract's bytes are pinned",
    "mirrored": "the mirror holds the same bytes",
    "mirror-commit": "the mirror's commit is pinned in full and reachable",
    "rolled-up": "every roll-up and generated region shows what is so",
    "verified": "versions, history and ledger hold together",
}
"""The steps in their order."""


@frozen
class Step:
    """One step of the ritual.

    Attributes:
        name: its key in `STEPS`.
        checked: how many things it looked at.
        reasons: what it found.
    """

    name: str
    checked: int
    reasons: tuple[Reason, ...]

    @property
    def status(self) -> StepStatus:
        """Drift outweighs what cannot be told; a step with nothing to look at is not passed."""
        codes = [reason.code for reason in self.reasons if reason.severity == "error"]
        if any(code not in CANNOT for code in codes):
            return "drift"
        if codes:
            return "cannot-evaluate"
        return "kept" if self.checked else "not-applicable"

    def to_json(self) -> dict[str, Any]:
        """The step as plain JSON data."""
        return {"name": self.name, "status": self.status, "checked": self.checked}


def ritual_exit_code(reasons: tuple[Reason, ...], checked: int) -> int:
    """1 for drift, 3 when only open questions are left, 5 when nothing was looked at, else 0."""
    codes = [reason.code for reason in reasons if reason.severity == "error"]
    if any(code not in CANNOT for code in codes):
        return 1
    if codes:
        return 3
    return 0 if checked else 5

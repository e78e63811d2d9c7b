"""What showing and rescoring an evidence bundle tells its user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from abverify.model.report import Reason


@dataclass(frozen=True, slots=True)
class TrialLine:
    """One trial of a bundle, in a few columns.

    Attributes:
        fixture: its fixture.
        seed: its declared seed.
        result: its outcome, or what rescoring found.
        detail: why, in a few words.
    """

    fixture: str
    seed: int
    result: str
    detail: str

    def to_json(self) -> dict[str, Any]:
        """The line as plain JSON data."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class BundleReport:
    """A bundle: facts about it, its trials, and every fault.

    Attributes:
        kind: `evidence-show`, `evidence-verify` or `evidence-rescore`.
        path: the bundle's folder.
        facts: pairs of a label and a text.
        trials: a line for each trial.
        reasons: what does not fit.
        checked: files or trials looked at.
        total: files or trials there are.
    """

    kind: str
    path: str
    facts: tuple[tuple[str, str], ...]
    trials: tuple[TrialLine, ...]
    reasons: tuple[Reason, ...]
    checked: int
    total: int

    @property
    def exit_code(self) -> int:
        """0 for a sound bundle, 4 for one with faults, 5 for one without anything."""
        if self.reasons:
            return 4
        return 0 if self.total else 5

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON data under the common head."""
        return {
            "schema": f"abverify/{self.kind}/v1",
            "verdict": "faults" if self.reasons else "sound",
            "reasons": [reason.to_json() for reason in self.reasons],
            "checked": self.checked,
            "total": self.total,
            "path": self.path,
            "facts": dict(self.facts),
            "trials": [line.to_json() for line in self.trials],
        }

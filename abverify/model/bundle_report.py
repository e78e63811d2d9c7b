"""What showing and rescoring an evidence bundle tells its user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abverify._frozen import frozen, named

if TYPE_CHECKING:
    from abverify.model.report import Reason


@frozen
class TrialLine:
    """One trial of a bundle, in a few columns.

    Attributes:
        fixture: its fixture.
        seed: its declared seed.
        result: its outcome, or what rescoring found.
        detail: why, in a few words.
        signs: what its turns show: loops, format loss, role leaks.
    """

    fixture: str
    seed: int
    result: str
    detail: str
    signs: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The line as plain JSON data."""
        plain = named(self)
        return {**plain, "signs": list(self.signs)}


@frozen
class SignTotal:
    """How many trials show a sign.

    Attributes:
        name: the sign.
        meaning: what counts as one, in a few words.
        found: trials that show it.
        total: trials that could have.
    """

    name: str
    meaning: str
    found: int
    total: int


@frozen
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
        signs: for trials that are shown, how many of them show which sign.
    """

    kind: str
    path: str
    facts: tuple[tuple[str, str], ...]
    trials: tuple[TrialLine, ...]
    reasons: tuple[Reason, ...]
    checked: int
    total: int
    signs: tuple[SignTotal, ...] = ()

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
            "signs": {sign.name: [sign.found, sign.total] for sign in self.signs},
        }

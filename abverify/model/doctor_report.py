"""What a machine has of what its contracts need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abverify._frozen import frozen, named
from abverify.model.report import Reason

if TYPE_CHECKING:
    from abverify.model.report import Severity


@frozen
class DoctorLine:
    """One thing that was looked for.

    Attributes:
        name: what it is.
        present: whether it is here and works.
        needed: whether what was asked about cannot do without it.
        purpose: what it is for.
        found: its version or place, or why it does not count.
        mend: the command that mends it; null when it is here.
    """

    name: str
    present: bool
    needed: bool
    purpose: str
    found: str
    mend: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The line as plain JSON data."""
        return named(self)


@frozen
class DoctorReport:
    """Every line, and whom the judgement is for.

    Attributes:
        judged_for: the gates whose contracts say what is needed, or what else does.
        lines: what was looked for, in the order shown.
    """

    judged_for: str
    lines: tuple[DoctorLine, ...]

    @property
    def lacking(self) -> tuple[DoctorLine, ...]:
        """What is needed and not here."""
        return tuple(line for line in self.lines if line.needed and not line.present)

    @property
    def verdict(self) -> str:
        """`ready` or `cannot-evaluate`."""
        return "cannot-evaluate" if self.lacking else "ready"

    @property
    def checked(self) -> int:
        """How many of the things looked for are here."""
        return sum(line.present for line in self.lines)

    @property
    def exit_code(self) -> int:
        """0 when everything needed is here, else 3."""
        return 3 if self.lacking else 0

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON data under the common head."""
        return {
            "schema": "abverify/doctor/v1",
            "verdict": self.verdict,
            "reasons": [_reason(line).to_json() for line in self.lines if not line.present],
            "checked": self.checked,
            "total": len(self.lines),
            "judgedFor": self.judged_for,
            "lines": [line.to_json() for line in self.lines],
        }


def _reason(line: DoctorLine) -> Reason:
    severity: Severity = "error" if line.needed else "note"
    return Reason(
        "missing",
        "AV810",
        severity,
        f"{line.name} is missing",
        expected=line.purpose,
        found=line.found,
        next=line.mend,
    )

"""The judgement on a change of the repository: what it does to contracts, and what it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abverify._frozen import frozen
from abverify.model.change import headline
from abverify.model.ritual_report import STEPS, ritual_exit_code

if TYPE_CHECKING:
    from abverify.model.amend_report import ReplayLine
    from abverify.model.change import Change
    from abverify.model.report import Reason
    from abverify.model.ritual_report import Step

_VERDICTS = {0: "lawful", 1: "unlawful", 3: "cannot-evaluate", 5: "nothing-to-check"}


@frozen
class ContractChange:
    """One contract that a change touches.

    Attributes:
        path: its file.
        gate: the gate, or None for a contract that is not in our schema.
        old_version: its version before; None when it is new.
        new_version: its version after; None when it is gone.
        changes: what changed, each classed; empty for one that is not in our schema.
        approvals: how many people signed its publication, and how many must.
        record: the record that publishes it.
    """

    path: str
    gate: str | None
    old_version: str | None
    new_version: str | None
    changes: tuple[Change, ...] = ()
    approvals: tuple[int, int] = (0, 0)
    record: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The line as plain JSON data."""
        classes = [change.change_class for change in self.changes]
        return {
            "path": self.path,
            "gate": self.gate,
            "oldVersion": self.old_version,
            "newVersion": self.new_version,
            "class": headline(classes) if classes else None,
            "changes": [change.to_json() for change in self.changes],
            "approvals": {"found": self.approvals[0], "needed": self.approvals[1]},
            "record": self.record,
        }


@frozen
class AmendCheckReport:
    """A range of commits judged as one change.

    Attributes:
        base: the commit that judges: its policy, its trust root.
        head: the commit judged.
        contracts: every contract that changed.
        steps: the five steps of the ritual.
        reasons: everything that was found outside the steps.
        lapses: the gates whose discharge ends with this change.
        replays: what the new criteria make of stored evidence, where they differ.
        looked_at: how many contracts, published versions and records were compared.
    """

    base: str
    head: str
    contracts: tuple[ContractChange, ...]
    steps: tuple[Step, ...]
    reasons: tuple[Reason, ...]
    lapses: tuple[str, ...] = ()
    replays: tuple[ReplayLine, ...] = ()
    looked_at: int = 0

    @property
    def all_reasons(self) -> tuple[Reason, ...]:
        """The findings of the steps and the others, in that order."""
        return (*(reason for step in self.steps for reason in step.reasons), *self.reasons)

    @property
    def total(self) -> int:
        """How many things were looked at."""
        return self.looked_at + sum(step.checked for step in self.steps)

    @property
    def exit_code(self) -> int:
        """0 lawful, 1 unlawful, 3 when a question stays open, 5 when there was nothing."""
        return ritual_exit_code(self.all_reasons, self.total)

    @property
    def verdict(self) -> str:
        """The word of the exit code."""
        return _VERDICTS[self.exit_code]

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON data under the common head."""
        broken = {reason.place for reason in self.all_reasons if reason.severity == "error"}
        return {
            "schema": "abverify/amend-check/v1",
            "verdict": self.verdict,
            "reasons": [reason.to_json() for reason in self.all_reasons],
            "checked": max(0, self.total - len(broken)),
            "total": self.total,
            "base": self.base,
            "head": self.head,
            "contracts": [line.to_json() for line in self.contracts],
            "steps": [{**step.to_json(), "meaning": STEPS[step.name]} for step in self.steps],
            "lapses": list(self.lapses),
            "replays": [line.to_json() for line in self.replays],
        }


@frozen
class HistoryLine:
    """One commit, judged against the one before it."""

    commit: str
    verdict: str
    codes: tuple[str, ...]
    classes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The line as plain JSON data."""
        return {
            "commit": self.commit,
            "verdict": self.verdict,
            "codes": list(self.codes),
            "classes": list(self.classes),
        }


@frozen
class HistoryReport:
    """Every commit of a range, judged in turn.

    Attributes:
        range: the range as it was asked for.
        lines: the commits, oldest first.
        reasons: the findings, each with its commit before the place.
    """

    range: str
    lines: tuple[HistoryLine, ...]
    reasons: tuple[Reason, ...]

    @property
    def exit_code(self) -> int:
        """1 when a commit is unlawful, 3 when one cannot be judged, 5 for an empty range."""
        verdicts = {line.verdict for line in self.lines}
        if not self.lines:
            return 5
        return 1 if "unlawful" in verdicts else 3 if "cannot-evaluate" in verdicts else 0

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON data under the common head."""
        sound = sum(line.verdict in ("lawful", "nothing-to-check") for line in self.lines)
        return {
            "schema": "abverify/amend-history/v1",
            "verdict": _VERDICTS[self.exit_code],
            "reasons": [reason.to_json() for reason in self.reasons],
            "checked": sound,
            "total": len(self.lines),
            "range": self.range,
            "commits": [line.to_json() for line in self.lines],
        }

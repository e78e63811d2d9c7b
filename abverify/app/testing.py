"""Gates and roll-ups as questions that a test runner asks, each with one true answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.app.check import decision_on, report_on
from abverify.app.docket import open_repository
from abverify.app.facts import gather
from abverify.app.regions import content_of
from abverify.model.policy import RollUp
from abverify.report.text import render
from abverify.verify.amendment.rollups import region_faults, rollup_faults
from abverify.workspace.policies import load_policy
from abverify.workspace.snapshot import WorkTree

if TYPE_CHECKING:
    from pathlib import Path

    from abverify.model.policy import Region
    from abverify.model.report import Reason

_WIDTH = 100
_CANNOT_BE_FOUND_OUT = "AV739"


@frozen
class Answer:
    """What is so.

    Attributes:
        holds: yes, no, or None when it cannot be said.
        text: why, for a person.
        facts: what a report may keep beside the result.
    """

    holds: bool | None
    text: str
    facts: tuple[tuple[str, str], ...]


@frozen
class Question:
    """One gate, or one declared place of a document.

    Attributes:
        id: the gate's qualified id, or the roll-up's or region's with its file.
        root: the repository.
        place: the roll-up or region; null for a gate.
    """

    id: str
    root: Path
    place: RollUp | Region | None = None

    def ask(self) -> Answer:
        """The answer as of now.

        Raises:
            AbverifyError: whatever keeps it from being answered.
        """
        return _gate(self.root, self.id) if self.place is None else _shown(self.root, self.place)


def questions(root: Path) -> tuple[Question, ...]:
    """Every gate that has a contract, every roll-up, every region.

    Raises:
        NothingToCheckError: AV004 when there is no contract.
        InvalidError: for a malformed contract or policy.
    """
    policy = load_policy(root)
    gates = (str(loaded.contract.gate) for loaded in open_repository(root).registry.all())
    return (
        *(Question(gate, root) for gate in gates),
        *(Question(f"rollup {item.id} in {item.file}", root, item) for item in policy.rollups),
        *(Question(f"region {item.name} in {item.file}", root, item) for item in policy.regions),
    )


def _gate(root: Path, name: str) -> Answer:
    repository = open_repository(root)
    loaded = repository.registry.find(name)
    report = report_on(repository, loaded, decision_on(repository, loaded))
    return Answer(
        holds={"met": True, "not-met": False, "cannot-evaluate": None}[report.verdict],
        text=render(report, width=_WIDTH, color=False).rstrip(),
        facts=(("verdict", report.verdict), ("state", report.state), ("model", report.model)),
    )


def _shown(root: Path, place: RollUp | Region) -> Answer:
    policy, files = load_policy(root), WorkTree(root)
    facts = gather(policy, files)
    data = files.read(place.file)
    text = None if data is None else data.decode("utf-8", "replace")
    if isinstance(place, RollUp):
        faults = tuple(rollup_faults(place, text, facts))
    else:
        faults = tuple(region_faults(place, text, content_of(place, facts)))
    unknown = any(fault.rule == _CANNOT_BE_FOUND_OUT for fault in faults)
    return Answer(
        None if unknown else not faults, "\n".join(map(_line, faults)), (("file", place.file),)
    )


def _line(reason: Reason) -> str:
    facts = (
        ("at", reason.place),
        ("expected", reason.expected),
        ("found", reason.found),
        ("next", reason.next),
    )
    said = "".join(f"\n  {label}: {value}" for label, value in facts if value is not None)
    return f"error[{reason.rule}]: {reason.message}{said}"

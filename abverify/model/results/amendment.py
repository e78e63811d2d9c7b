"""Results about changes of contracts: amend check, diff, history."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from abverify.model.change import Bump, ChangeClass, Consequence
from abverify.model.report import Verdict
from abverify.model.results.head import Head, Shape
from abverify.model.ritual_report import StepStatus


class ChangeShape(Shape):
    """One change, classed by its meaning; values are JSON texts."""

    path: str
    old: str | None
    new: str | None
    class_: ChangeClass = Field(alias="class")
    name: str
    bump: Bump
    approvals: int
    consequence: Consequence
    why: str
    old_place: str | None
    new_place: str | None
    witness: list[str]
    fingerprint: str


class ReplayShape(Shape):
    """One stored bundle judged by both versions."""

    path: str
    before: Verdict
    after: Verdict


class ApprovalsShape(Shape):
    """How many people approved, and how many must."""

    found: int
    needed: int


class ContractChangeShape(Shape):
    """One contract that a change of the repository touches."""

    path: str
    gate: str | None
    old_version: str | None
    new_version: str | None
    class_: ChangeClass | None = Field(alias="class")
    changes: list[ChangeShape]
    approvals: ApprovalsShape
    record: str | None


class StepShape(Shape):
    """One step of the ritual."""

    name: str
    status: StepStatus
    checked: int
    meaning: str


class AmendCheckResult(Head):
    """`abverify amend check`."""

    schema_: Literal["abverify/amend-check/v1"] = Field(alias="schema")
    base: str
    head: str
    contracts: list[ContractChangeShape]
    steps: list[StepShape]
    lapses: list[str]
    replays: list[ReplayShape]


class NamedVersionShape(Shape):
    """A version of a contract, as it was asked for."""

    name: str
    version: str
    sha256: str


class AmendDiffResult(Head):
    """`abverify amend diff`."""

    schema_: Literal["abverify/amend-diff/v1"] = Field(alias="schema")
    gate: str
    succeeds: bool
    old: NamedVersionShape
    new: NamedVersionShape
    class_: ChangeClass | None = Field(alias="class")
    bump: Bump | None
    approvals: int
    fingerprint: str | None
    changes: list[ChangeShape]
    replays: list[ReplayShape]
    flips: int


class CommitShape(Shape):
    """One commit, judged against the one before it."""

    commit: str
    verdict: str
    codes: list[str]
    classes: list[ChangeClass]


class AmendHistoryResult(Head):
    """`abverify amend history`."""

    schema_: Literal["abverify/amend-history/v1"] = Field(alias="schema")
    range: str
    commits: list[CommitShape]

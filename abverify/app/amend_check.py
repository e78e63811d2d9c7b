"""`amend check` and `amend history`: a range of commits judged, as one change or one by one."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from abverify._clock import now
from abverify.app.judgement import Judge
from abverify.errors import AbverifyError, UsageError
from abverify.model.amend_check_report import AmendCheckReport, HistoryLine, HistoryReport
from abverify.model.amend_report import ReplayLine
from abverify.model.change import headline
from abverify.model.ritual_report import ritual_exit_code
from abverify.records.carrying import CARRYING
from abverify.records.lifecycle import gate_state
from abverify.verify.amendment.replay import replay
from abverify.workspace.contracts import contract_from
from abverify.workspace.evidence_store import load_evidence
from abverify.workspace.git import open_git
from abverify.workspace.snapshot import CommitTree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from abverify.app.judgement import Judgement
    from abverify.model.amend_check_report import ContractChange
    from abverify.model.report import Reason

_WORDS = {0: "lawful", 1: "unlawful", 3: "cannot-evaluate", 5: "nothing-to-check"}


def amend_check(root: Path, revisions: str) -> AmendCheckReport:
    """Judges everything between two commits as one change, by the law of the first.

    Args:
        root: the repository.
        revisions: `BASE..HEAD`; `BASE` alone means up to `HEAD`.

    Raises:
        UsageError: AV701 for a revision that is not here.
        IndeterminateError: AV700 or AV702 if the history cannot be read.
        InvalidError: for a malformed policy.
    """
    with open_git(root) as git, ExitStack() as stack:
        base, head = _ends(revisions)
        old, new = git.commit(base), git.commit(head)
        judge = Judge(root, git, stack)
        found = judge.judge(old, new)
        before = CommitTree(git, old)
        return AmendCheckReport(
            base=old,
            head=new,
            contracts=found.contracts,
            steps=found.steps,
            reasons=found.reasons,
            lapses=_lapses(judge, before, found.contracts),
            replays=tuple(_replays(root, before, CommitTree(git, new), found.contracts)),
            looked_at=found.looked_at,
        )


def amend_history(root: Path, revisions: str) -> HistoryReport:
    """Judges every commit of a range against the one before it, along first parents.

    Raises:
        UsageError: AV701 for a revision that is not here.
        IndeterminateError: AV700 or AV702 if the history cannot be read.
    """
    with open_git(root) as git, ExitStack() as stack:
        base, head = _ends(revisions)
        judge, previous = Judge(root, git, stack), git.commit(base)
        lines: list[HistoryLine] = []
        reasons: list[Reason] = []
        for commit in git.commits(previous, git.commit(head)):
            line, found = _judged(judge, previous, commit)
            lines.append(line)
            reasons += found
            previous = commit
        return HistoryReport(revisions, tuple(lines), tuple(reasons))


def _judged(judge: Judge, old: str, new: str) -> tuple[HistoryLine, tuple[Reason, ...]]:
    try:
        found = judge.judge(old, new)
    except AbverifyError as error:
        return HistoryLine(new, "cannot-evaluate", (error.rule,), ()), ()
    reasons = _own(found)
    checked = found.looked_at + sum(step.checked for step in found.steps)
    placed = tuple(replace(r, place=f"{new[:12]}:{r.place or ''}") for r in reasons)
    codes = tuple(dict.fromkeys(r.code for r in reasons if r.severity == "error"))
    classes = tuple(
        headline(change.change_class for change in line.changes)
        for line in found.contracts
        if line.changes
    )
    return HistoryLine(new, _WORDS[ritual_exit_code(reasons, checked)], codes, classes), placed


def _own(found: Judgement) -> tuple[Reason, ...]:
    return (*(reason for step in found.steps for reason in step.reasons), *found.reasons)


def _ends(revisions: str) -> tuple[str, str]:
    base, dots, head = revisions.partition("..")
    if not base or head.startswith("."):
        raise UsageError(
            "no range of commits",
            rule="AV701",
            place="the range",
            expected="BASE..HEAD, for example origin/main..HEAD",
            found=revisions,
            next_step="abverify amend check origin/main..HEAD",
        )
    return base, head if dots and head else "HEAD"


def _lapses(
    judge: Judge, before: CommitTree, contracts: tuple[ContractChange, ...]
) -> tuple[str, ...]:
    """The gates that stood discharged and do not any more once their contract is amended."""
    ledger, moment = judge.ledger(before), now()
    changed = {
        line.gate
        for line in contracts
        if line.old_version is not None
        and headline(change.change_class for change in line.changes) not in CARRYING
    }
    return tuple(
        str(gate)
        for gate in ledger.gates
        if str(gate) in changed and gate_state(ledger, gate, moment).state == "discharged"
    )


def _replays(
    root: Path, before: CommitTree, after: CommitTree, contracts: tuple[ContractChange, ...]
) -> Iterator[ReplayLine]:
    """The stored evidence whose result the new criteria would turn."""
    changed = [line for line in contracts if line.changes and line.old_version]
    if not changed:
        return
    store = load_evidence(root)
    for line in changed:
        data = [files.read(line.path) for files in (before, after)]
        old, new = (contract_from(item or b"", line.path).contract for item in data)
        for item in replay(store.offered_to(new.gate), old, new):
            if item.flips:
                yield ReplayLine(item.path, item.before, item.after)

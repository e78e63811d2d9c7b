"""`amend check` and `amend history`: a range of commits judged, as one change or one by one."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from abverify._clock import now
from abverify.app.facts import contracts_at
from abverify.app.judgement import Judge
from abverify.errors import AbverifyError, UsageError
from abverify.model.amend_check_report import AmendCheckReport, HistoryLine, HistoryReport
from abverify.model.amend_report import ReplayLine
from abverify.model.change import headline
from abverify.model.report import Reason
from abverify.model.ritual_report import ritual_exit_code
from abverify.records.carrying import CARRYING
from abverify.records.lifecycle import gate_state
from abverify.verify.amendment.replay import replay
from abverify.workspace.evidence_store import load_evidence
from abverify.workspace.git import open_git
from abverify.workspace.root import search_in
from abverify.workspace.snapshot import CommitTree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from abverify.app.judgement import Judgement
    from abverify.model.amend_check_report import ContractChange
    from abverify.model.contract import Contract

_WORDS = {0: "lawful", 1: "unlawful", 3: "cannot-evaluate", 5: "nothing-to-check"}


def amend_check(root: Path, revisions: str, *, asked_at: str | None) -> AmendCheckReport:
    """Judges everything between two commits as one change, by the law of the first.

    Args:
        root: the repository, as the work tree's configuration finds it.
        revisions: `BASE..HEAD`; `BASE` alone means up to `HEAD`.
        asked_at: the value of `--root`; None where the root was searched for. The first
            commit's own configuration says which folder is judged.

    Raises:
        UsageError: AV701 for a revision that is not here.
        IndeterminateError: AV700 or AV702 if the history cannot be read.
        InvalidError: for a malformed policy.
    """
    with _bench(root, revisions, asked_at) as (judge, old, new):
        found = judge.judge(old, new)
        before, after = CommitTree(judge.git, old), CommitTree(judge.git, new)
        return AmendCheckReport(
            base=old,
            head=new,
            contracts=found.contracts,
            steps=found.steps,
            reasons=(*_behind(judge, old, new, revisions), *found.reasons),
            lapses=_lapses(judge, before, found.contracts),
            replays=tuple(_replays(root, before, after, found.contracts)),
            looked_at=found.looked_at,
        )


def amend_history(root: Path, revisions: str, *, asked_at: str | None) -> HistoryReport:
    """Judges every commit of a range against the one before it, along first parents.

    Raises:
        UsageError: AV701 for a revision that is not here.
        IndeterminateError: AV700 or AV702 if the history cannot be read.
    """
    with _bench(root, revisions, asked_at) as (judge, base, head):
        previous = base
        lines: list[HistoryLine] = []
        reasons: list[Reason] = []
        for commit in judge.git.commits(previous, head):
            line, found = _judged(judge, previous, commit)
            lines.append(line)
            reasons += found
            previous = commit
        return HistoryReport(revisions, tuple(lines), tuple(reasons))


@contextmanager
def _bench(root: Path, revisions: str, asked_at: str | None) -> Iterator[tuple[Judge, str, str]]:
    """The judge of a range, in the folder that its first commit names, and both ends."""
    with open_git(root) as here, ExitStack() as stack:
        base, head = _ends(revisions)
        old, new = here.commit(base), here.commit(head)
        search = search_in(here.top, asked_at)
        prefix = search.root_at(here.below(""), old) if search else None
        git = here if prefix is None else here.below(prefix)
        yield Judge(root, git, stack, search), old, new


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


def _contract_of(files: CommitTree, gate: str | None) -> Contract | None:
    """The contract of a gate, wherever its file stood then."""
    found = (loaded.contract for loaded in contracts_at(files).values())
    return next((contract for contract in found if str(contract.gate) == gate), None)


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


def _behind(judge: Judge, old: str, new: str, revisions: str) -> Iterator[Reason]:
    """That the base went on since: what it got then looks as if the change had removed it."""
    if judge.git.behind(new, old):
        base = _ends(revisions)[0]
        yield Reason(
            "behind-base",
            "AV748",
            "warning",
            f"{base} went on since this branch left it",
            expected=f"a branch that builds on {base}",
            found=f"one that lacks commits of {base}: what they added counts as removed",
            next=f"git rebase {base}, then ask again",
        )


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
        old, new = (_contract_of(files, line.gate) for files in (before, after))
        if old is None or new is None:
            continue
        for item in replay(store.offered_to(new.gate), old, new):
            if item.flips:
                yield ReplayLine(item.path, item.before, item.after)

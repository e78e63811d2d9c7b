"""Judging one state of a repository against the state before it, by the law of the one before.

The policy, the trust root and the tool's own configuration are those of the state
before: a change cannot loosen the judge that judges it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from abverify._canonical import sha256_hex
from abverify._frozen import frozen
from abverify.app.contract_side import committed_side
from abverify.app.facts import contracts_at, gather, ledger_at
from abverify.app.judge_edits import judge_edits, same
from abverify.app.judged_contracts import (
    contract_gone,
    gone_or_broken,
    side_by_side,
    unreadable,
)
from abverify.app.judged_pins import PinJudge
from abverify.app.publication import Publication, publication_faults
from abverify.app.reasons import ledger_reason
from abverify.app.ritual import Scene, opened_mirrors, ritual_steps
from abverify.model.amend_check_report import ContractChange
from abverify.model.policy import POLICY_PATH, Policy
from abverify.model.report import Reason
from abverify.model.ritual_report import Step
from abverify.verify.amendment.changes import changes_between
from abverify.verify.amendment.law import unlawful
from abverify.verify.amendment.rollups import evaluate
from abverify.verify.amendment.versions import Stated, version_faults
from abverify.workspace.documents import load_document
from abverify.workspace.foreign import read_foreign
from abverify.workspace.policies import no_policy
from abverify.workspace.snapshot import CommitTree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack
    from pathlib import Path

    from abverify.app.ritual import Mirrors
    from abverify.model.policy import ForeignContract
    from abverify.records.ledger import Ledger
    from abverify.workspace.contracts import LoadedContract
    from abverify.workspace.git import Entry, GitRepository
    from abverify.workspace.root import Search

_FROZEN = "contracts/_versions", "gates"


@frozen
class Judgement:
    """What was found of one change."""

    contracts: tuple[ContractChange, ...]
    steps: tuple[Step, ...]
    reasons: tuple[Reason, ...]
    looked_at: int


@dataclass(slots=True)
class Judge:
    """Judges changes of one repository; what was read once is kept.

    Attributes:
        root: the repository.
        git: its history.
        stack: keeps the mirrors open for as long as it judges.
        search: how the root was looked for, to find out whether a change leads elsewhere.
    """

    root: Path
    git: GitRepository
    stack: ExitStack
    search: Search | None = None
    _mirrors: dict[Entry | None, Mirrors] = field(default_factory=dict)
    _seen: dict[str, dict[str, str]] = field(default_factory=dict)
    _stated: dict[tuple[str, str], Stated] = field(default_factory=dict)
    _steps: dict[tuple[object, ...], tuple[Step, ...]] = field(default_factory=dict)
    _branches: dict[str, str | None] = field(default_factory=dict)
    _pins: PinJudge = field(default_factory=PinJudge)
    _loaded: dict[Entry | None, dict[str, LoadedContract]] = field(default_factory=dict)
    _policies: dict[Entry | None, Policy] = field(default_factory=dict)
    _ledgers: dict[tuple[object, ...], Ledger] = field(default_factory=dict)

    def judge(self, old: str, new: str) -> Judgement:
        """Judges the change from one commit to another.

        Raises:
            InvalidError: if the policy of the state before is malformed.
        """
        before, after = CommitTree(self.git, old), CommitTree(self.git, new)
        policy = self._policy(before)
        ours, publications = self._contracts(before, after, policy)
        foreign, versions = self._foreign(before, after, policy)
        ledger = (*_rewrites(before, after), *map(ledger_reason, self.ledger(after).faults))
        pins = self._pins.faults(after, self._contracts_at(after), self.ledger(after))
        verified = Step(
            "verified",
            len(publications) + len(policy.foreign) + bool(after.names("gates")),
            (*versions, *ledger, *publication_faults(self.ledger(after), publications), *pins),
        )
        return Judgement(
            contracts=(*ours, *foreign),
            steps=(*self._ritual(policy, before, after), verified),
            reasons=(
                *judge_edits(before, after, policy, self.search),
                *(r for p in publications for r in p.reasons),
                *unreadable(before, after),
            ),
            looked_at=len(ours) + len(foreign),
        )

    def ledger(self, files: CommitTree) -> Ledger:
        """The ledger of a commit, remembered by the trees that it stands in."""
        key = tuple(self.git.entry(files.commit, path) for path in _FROZEN)
        if key not in self._ledgers:
            self._ledgers[key] = ledger_at(files)
        return self._ledgers[key]

    def _contracts_at(self, files: CommitTree) -> dict[str, LoadedContract]:
        entry = self.git.entry(files.commit, "contracts")
        if entry not in self._loaded:
            self._loaded[entry] = contracts_at(files)
        return self._loaded[entry]

    def _contracts(
        self, before: CommitTree, after: CommitTree, policy: Policy
    ) -> tuple[tuple[ContractChange, ...], tuple[Publication, ...]]:
        """Our own contracts that differ, each with what must be published of it."""
        was, now = self._contracts_at(before), self._contracts_at(after)
        lines: list[ContractChange] = []
        publications: list[Publication] = []
        for old, new in side_by_side(was, now):
            if new is None and old is not None:
                gone = gone_or_broken(old.path, after)
                publications.append(Publication(old, None, reasons=gone))
                lines.append(_line(old.path, old, None))
            elif new is not None and (old is None or old.data != new.data):
                publication = self._publication(before, after, old, new, policy)
                publications.append(publication)
                lines.append(publication.line(self.ledger(after)))
        return tuple(lines), tuple(publications)

    def _publication(
        self,
        before: CommitTree,
        after: CommitTree,
        old: LoadedContract | None,
        new: LoadedContract,
        policy: Policy,
    ) -> Publication:
        if old is None:
            return Publication(None, new)
        sides = (
            committed_side(self.git, before.commit, old),
            committed_side(self.git, after.commit, new),
        )
        changes = changes_between(*sides)
        return Publication(
            old, new, changes, reasons=unlawful(*sides, changes, retarget=policy.retarget)
        )

    def _foreign(
        self, before: CommitTree, after: CommitTree, policy: Policy
    ) -> tuple[tuple[ContractChange, ...], tuple[Reason, ...]]:
        lines: list[ContractChange] = []
        reasons: list[Reason] = []
        for contract in policy.foreign:
            old, new = self._state(before, contract), self._state(after, contract)
            if new is None and old is not None:
                reasons.append(contract_gone(contract.path))
            if new is not None and new != old:
                reasons += version_faults(old, new, self._versions(contract, before.commit))
            if new != old:
                was, now = (state.version if state else None for state in (old, new))
                lines.append(ContractChange(contract.path, None, was, now))
            if new is not None:
                self._versions(contract, before.commit).setdefault(new.version, new.sha256)
        return tuple(lines), tuple(reasons)

    def _state(self, files: CommitTree, contract: ForeignContract) -> Stated | None:
        entry = self.git.entry(files.commit, contract.path)
        if entry is None:
            return None
        key = (contract.path, entry.sha)
        if key not in self._stated:
            self._stated[key] = _stated(contract, files.read(contract.path) or b"")
        return self._stated[key]

    def _versions(self, contract: ForeignContract, commit: str) -> dict[str, str]:
        """The digest under which each version was seen first, up to the state before."""
        if contract.path not in self._seen:
            seen: dict[str, str] = {}
            for touching in reversed(self.git.touching(commit, contract.path)):
                state = self._state(CommitTree(self.git, touching), contract)
                if state is not None:
                    seen.setdefault(state.version, state.sha256)
            self._seen[contract.path] = seen
        return self._seen[contract.path]

    def _policy(self, files: CommitTree) -> Policy:
        entry = self.git.entry(files.commit, POLICY_PATH)
        if entry not in self._policies:
            self._policies[entry] = policy_at(files)
        return self._policies[entry]

    def _ritual(self, policy: Policy, before: CommitTree, after: CommitTree) -> tuple[Step, ...]:
        """The first four steps, remembered by the objects that they look at."""
        law = self.git.entry(before.commit, POLICY_PATH)
        key = (law, *self._looked_at(policy, after))
        if key not in self._steps:
            if law not in self._mirrors:
                opened = opened_mirrors(policy, self.root)
                self._mirrors[law] = self.stack.enter_context(opened)
            self._steps[key] = ritual_steps(self._scene(policy, after, self._mirrors[law]))
        return self._steps[key]

    def _scene(self, policy: Policy, after: CommitTree, mirrors: Mirrors) -> Scene:
        return Scene(
            root=self.root,
            policy=policy,
            files=after,
            facts=gather(policy, after),
            mirrors=mirrors,
            git=self.git,
            protected=self._protected(policy.protected),
        )

    def _protected(self, branch: str) -> str | None:
        if branch not in self._branches:
            self._branches[branch] = self.git.find_commit(branch, f"origin/{branch}")
        return self._branches[branch]

    def _looked_at(self, policy: Policy, after: CommitTree) -> Iterator[object]:
        paths = ["contracts", "gates", *policy.corpora]
        paths += [contract.path for contract in policy.foreign]
        paths += [pin.file for pin in policy.pins]
        paths += [rollup.file for rollup in policy.rollups]
        paths += [region.file for region in policy.regions]
        return (self.git.entry(after.commit, path) for path in paths)


def policy_at(files: CommitTree) -> Policy:
    """The policy of a state; without one, the law of our own contracts alone.

    Raises:
        InvalidError: if it is malformed.
    """
    data = files.read(POLICY_PATH)
    return no_policy() if data is None else load_document(Policy, data, name=POLICY_PATH)


def _stated(contract: ForeignContract, data: bytes) -> Stated:
    document = read_foreign(data, contract.path)
    version = evaluate(contract.version, document) or ""
    return Stated(contract.path, version, sha256_hex(data), _history(contract, document))


def _history(contract: ForeignContract, document: Any) -> tuple[tuple[str, str], ...] | None:
    declared = contract.history
    if declared is None:
        return None
    import jmespath

    entries = jmespath.search(declared.entries, document) or []
    return tuple(
        (evaluate(declared.date, entry) or "", evaluate(declared.version, entry) or "")
        for entry in entries
    )


def _rewrites(before: CommitTree, after: CommitTree) -> Iterator[Reason]:
    """Published versions, records and evidence are never changed or removed."""
    for folder in _FROZEN:
        if same(before, after, folder):
            continue
        was, now = (files.git.files(files.commit, folder) for files in (before, after))
        for name, sha in was.items():
            place = f"{folder}/{name}"
            if now.get(name) != sha and not name.startswith(("_trust/", "_log/")):
                yield _rewritten(place, gone=name not in now)


def _rewritten(place: str, *, gone: bool) -> Reason:
    what = "published version" if place.startswith("contracts/") else "record or piece of evidence"
    return Reason(
        "published-rewritten",
        "AV735",
        "error",
        f"a {what} was {'removed' if gone else 'changed'}",
        place=place,
        expected="the bytes that were published, for ever",
        found="no file" if gone else "other bytes",
        next="restore the file from the base of this change",
    )


def _line(path: str, old: LoadedContract, new: LoadedContract | None) -> ContractChange:
    version = new.contract.version if new else None
    return ContractChange(path, str(old.contract.gate), old.contract.version, version)

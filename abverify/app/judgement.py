"""Judging one state of a repository against the state before it, by the law of the one before.

The policy, the trust root and the tool's own configuration are those of the state
before: a change cannot loosen the judge that judges it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from abverify._canonical import sha256_hex
from abverify._frozen import frozen
from abverify.app.contract_side import committed_side
from abverify.app.facts import contracts_at, gather, ledger_at
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
    from collections.abc import Iterator, Mapping
    from contextlib import ExitStack
    from pathlib import Path

    from abverify.app.ritual import Mirrors
    from abverify.model.policy import ForeignContract
    from abverify.records.ledger import Ledger
    from abverify.workspace.contracts import LoadedContract
    from abverify.workspace.git import Entry, GitRepository

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
    """

    root: Path
    git: GitRepository
    stack: ExitStack
    _mirrors: dict[Entry | None, Mirrors] = field(default_factory=dict)
    _seen: dict[str, dict[str, str]] = field(default_factory=dict)
    _stated: dict[tuple[str, str], Stated] = field(default_factory=dict)
    _steps: dict[tuple[object, ...], tuple[Step, ...]] = field(default_factory=dict)
    _branches: dict[str, str | None] = field(default_factory=dict)
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
        verified = Step(
            "verified",
            len(publications) + len(policy.foreign) + bool(after.names("gates")),
            (*versions, *ledger, *publication_faults(self.ledger(after), publications)),
        )
        return Judgement(
            contracts=(*ours, *foreign),
            steps=(*self._ritual(policy, before, after), verified),
            reasons=(*_judge_edits(before, after), *(r for p in publications for r in p.reasons)),
            looked_at=len(ours) + len(foreign),
        )

    def ledger(self, files: CommitTree) -> Ledger:
        """The ledger of a commit, remembered by the trees that it stands in."""
        key = tuple(self.git.entry(files.commit, path) for path in _FROZEN)
        if key not in self._ledgers:
            self._ledgers[key] = ledger_at(files)
        return self._ledgers[key]

    def _contracts(
        self, before: CommitTree, after: CommitTree, policy: Policy
    ) -> tuple[tuple[ContractChange, ...], tuple[Publication, ...]]:
        """Our own contracts that differ, each with what must be published of it."""
        was, now = contracts_at(before), contracts_at(after)
        lines: list[ContractChange] = []
        publications: list[Publication] = []
        for path in sorted({*was, *now}):
            old, new = was.get(path), now.get(path)
            if new is None and old is not None:
                publications.append(Publication(old, None, reasons=(_removed(old),)))
                lines.append(_line(path, old, None))
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
                reasons.append(_contract_gone(contract.path))
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


def _judge_edits(before: CommitTree, after: CommitTree) -> Iterator[Reason]:
    """What the change does to its own judge."""
    if before.read(POLICY_PATH) is not None and not _same(before, after, POLICY_PATH):
        others = _changed_beside(before, after)
        yield Reason(
            "judge-edited",
            "AV734",
            "error" if others else "warning",
            "the policy changes together with what it judges"
            if others
            else "the policy changes: it was judged by the old one, and needs its owners' eyes",
            place=POLICY_PATH,
            expected="a change of the policy alone",
            found=f"also changed: {', '.join(others[:4])}" if others else "nothing else",
            next="change the policy in a pull request of its own, first",
        )
    trusted = {} if _same(before, after, "gates/_trust") else before.folder("gates/_trust")
    for path, data in trusted.items():
        if after.folder("gates/_trust").get(path) != data:
            yield _edited(f"gates/_trust/{path}", "a trust root that was there was changed")
    if not _same(before, after, "pyproject.toml") and _tool_table(before) != _tool_table(after):
        yield _edited("pyproject.toml", "the tool's own configuration changed")


def _same(before: CommitTree, after: CommitTree, path: str) -> bool:
    """Whether the same object stands at a path of both: then nothing below it changed."""
    git = before.git
    return git.entry(before.commit, path) == git.entry(after.commit, path)


def _edited(place: str, message: str) -> Reason:
    return Reason(
        "judge-edited",
        "AV734",
        "error",
        message,
        place=place,
        expected="as it was: a new root is a new file, signed by the old one's people",
        found="other bytes",
        next="put it back; abverify trust rotate makes a new version",
    )


def _changed_beside(before: CommitTree, after: CommitTree) -> list[str]:
    """What of the law's matter changed as well: contracts, pins, records, mirrored files."""
    found = []
    for folder in ("contracts", "gates"):
        was, now = (files.git.files(files.commit, folder) for files in (before, after))
        names = sorted(name for name in {*was, *now} if was.get(name) != now.get(name))
        found += [f"{folder}/{name}" for name in names if f"{folder}/{name}" != POLICY_PATH]
    return found


def _tool_table(files: CommitTree) -> Mapping[str, Any]:
    data = files.read("pyproject.toml")
    try:
        table = tomllib.loads((data or b"").decode("utf-8")).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return {}
    section = table.get("abverify", {}) if isinstance(table, dict) else {}
    return section if isinstance(section, dict) else {}


def _rewrites(before: CommitTree, after: CommitTree) -> Iterator[Reason]:
    """Published versions, records and evidence are never changed or removed."""
    for folder in _FROZEN:
        if _same(before, after, folder):
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


def _removed(old: LoadedContract) -> Reason:
    return _contract_gone(old.path)


def _contract_gone(path: str) -> Reason:
    return Reason(
        "contract-removed",
        "AV736",
        "error",
        "a contract was removed",
        place=path,
        expected="the contract: its records stay, and so does what they are about",
        found="no file",
        next="restore it; a gate that is not wanted any more is retired by a record",
    )


def _line(path: str, old: LoadedContract, new: LoadedContract | None) -> ContractChange:
    version = new.contract.version if new else None
    return ContractChange(path, str(old.contract.gate), old.contract.version, version)

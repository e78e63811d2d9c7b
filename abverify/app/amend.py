"""Publishing a contract version: frozen bytes, pinned inputs, and a signed record."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.app.amend_draft import Draft, drafted_contract, forked_contract
from abverify.app.amend_told import planned, published
from abverify.app.append import sign_and_append
from abverify.app.contract_side import fixture_digests, published_side, working_side
from abverify.app.docket import open_repository, require_sound
from abverify.app.enact import enacting, proposing
from abverify.app.propose import needs_others, propose
from abverify.app.signing import load_signer, principal_of
from abverify.errors import RefusedError, raise_all
from abverify.model.change import headline
from abverify.model.value import version_key
from abverify.records.append import ContractVersion
from abverify.records.bodies import Amendment, Superseded
from abverify.verify.amendment.changes import changes_between
from abverify.verify.amendment.law import unlawful
from abverify.workspace.contracts import version_path
from abverify.workspace.files import read_tree
from abverify.workspace.ledger_store import writing
from abverify.workspace.pins import input_digest
from abverify.workspace.policies import load_policy
from abverify.workspace.undo import recover

if TYPE_CHECKING:
    from pathlib import Path

    from abverify.app.docket import Repository
    from abverify.app.signing import Signature
    from abverify.model.change import Change, PublishableClass
    from abverify.model.report import FindingsReport, Reason
    from abverify.records.keys import Signer
    from abverify.records.record import Record
    from abverify.workspace.contracts import LoadedContract


@frozen
class AmendRequest:
    """What is to be published, and how.

    Attributes:
        introduce: whether it is the gate's first version.
        settings: values to change first, each `PATH=VALUE`.
        new_gate: the name of the gate to open in its stead, with those values.
        dry_run: whether only to say what would be done.
    """

    introduce: bool = False
    settings: tuple[str, ...] = ()
    new_gate: str | None = None
    dry_run: bool = False


def publish(root: Path, name: str, signature: Signature, request: AmendRequest) -> FindingsReport:
    """Publishes a gate's working contract as its next version, edited first if asked to.

    Nothing is half-done: contract, frozen copy, pins, mirrors and documents change in one
    step with the record; what an earlier run was cut off at is settled first.

    Raises:
        UntrustedError: AV400 when the ledger has faults.
        UsageError: AV744 or AV745 for a setting.
        RefusedError: AV440 when the version is not a new one, AV441 when the gate is
            introduced already or not yet, AV710 to AV714 for a change that the law forbids,
            AV746 when nothing would change, AV747 when a new gate is there already,
            or when the key may not sign it.
    """
    if not request.dry_run:
        recover(root)
    repository = open_repository(root)
    draft = _draft(repository, name, signature, request)
    loaded = draft.loaded
    require_sound(repository)
    current = repository.in_force(loaded.contract.gate)
    _refuse_wrong_verb(loaded, current, introduce=request.introduce or draft.fork is not None)
    _refuse_old_version(repository, loaded, current)
    changes = _lawful_changes(repository, loaded, current)
    body, needed = _body(repository, loaded, current, changes), approvals(changes)
    if request.dry_run:
        return planned(repository, draft, body, changes, needed)
    shared = needed > 1 or signature.propose
    signer = load_signer(root, signature.key, signature.ask) if shared else None
    if signer and (needed > 1 or needs_others(repository, body, signer)):
        path = _propose(repository, draft, body, signature, signer)
    else:
        path = _enact(repository, draft, body, signature)
    return published(repository, draft, body, changes, path)


def _draft(repository: Repository, name: str, signature: Signature, request: AmendRequest) -> Draft:
    if request.new_gate is None:
        return drafted_contract(repository, name, request.settings)
    return forked_contract(repository, name, request.new_gate, request.settings, signature.reason)


def amendment_now(repository: Repository, loaded: LoadedContract) -> tuple[Amendment, int]:
    """What would be signed for the working contract now, and how many people must approve it.

    Raises:
        RefusedError: AV440, AV441 or AV710 to AV714, as `publish`.
    """
    current = repository.in_force(loaded.contract.gate)
    _refuse_old_version(repository, loaded, current)
    changes = _lawful_changes(repository, loaded, current)
    return _body(repository, loaded, current, changes), approvals(changes)


def approvals(changes: tuple[Change, ...]) -> int:
    """How many people must sign what changes so; one for an introduction."""
    return max((change.approvals for change in changes), default=1)


def _body(
    repository: Repository,
    loaded: LoadedContract,
    current: Record | None,
    changes: tuple[Change, ...],
) -> Amendment:
    return Amendment(
        supersedes=_superseded(repository, loaded, current),
        change_class=_class_of(changes, current),
        pins=_pins(repository.root, loaded),
    )


def _propose(
    repository: Repository, draft: Draft, body: Amendment, signature: Signature, signer: Signer
) -> str:
    """Writes the amendment for others to sign; the contract is published when they have."""
    loaded = draft.loaded
    with writing(repository.root):
        return propose(
            repository,
            loaded.contract.gate,
            body,
            signature,
            signer=signer,
            actor=principal_of(repository, signer),
            subject=ContractVersion(loaded.contract.version, loaded.data),
            around=partial(proposing, repository.root, loaded, draft.held),
        )


def _enact(repository: Repository, draft: Draft, body: Amendment, signature: Signature) -> str:
    """Signs and appends, and changes what belongs to the record in the same step."""
    loaded = draft.loaded
    return sign_and_append(
        repository,
        loaded.contract.gate,
        body,
        replace(signature, propose=False),
        version=loaded.contract.version,
        data=loaded.data,
        around=partial(enacting, repository.root, loaded, body, draft.held),
    )


def _pins(root: Path, loaded: LoadedContract) -> dict[str, str]:
    """The digest of every input, and of every fixture, so that it shows which one changed."""
    corpus = loaded.contract.evidence.bench.corpus
    inputs = {path: input_digest(root, path) for path in loaded.contract.inputs()}
    fixtures = fixture_digests(read_tree(root, corpus))
    return {**inputs, **{f"{corpus}/{name}": digest for name, digest in fixtures.items()}}


def _lawful_changes(
    repository: Repository, loaded: LoadedContract, current: Record | None
) -> tuple[Change, ...]:
    """What changed since the version in force; none for an introduction.

    Raises:
        RefusedError: AV710 to AV714 for what the law forbids, all of it.
    """
    if current is None:
        return ()
    held = current.statement.common.gate.contract_version
    old = published_side(repository, loaded.contract.gate, held)
    if old is None:
        return ()
    new = working_side(repository.root, loaded)
    changes = changes_between(old, new)
    retarget = load_policy(repository.root).retarget
    reasons = unlawful(old, new, changes, retarget=retarget)
    raise_all([_refused(reason) for reason in reasons])
    return changes


def _refused(reason: Reason) -> RefusedError:
    return RefusedError(
        reason.message,
        rule=reason.rule,
        place=reason.place,
        expected=reason.expected,
        found=reason.found,
        next_step=reason.next,
    )


def _class_of(changes: tuple[Change, ...], current: Record | None) -> PublishableClass | None:
    if current is None:
        return None
    found = headline(change.change_class for change in changes)
    if found == "C8":
        raise ValueError("a frozen breach is refused before it is given a class")
    return found


def _refuse_wrong_verb(loaded: LoadedContract, current: Record | None, *, introduce: bool) -> None:
    name = loaded.contract.gate.name
    if introduce and current is not None:
        raise RefusedError(
            "the gate is introduced already",
            rule="AV441",
            place=current.path,
            next_step=f"abverify amend {name} --reason … publishes its next version",
        )
    if not introduce and current is None:
        raise RefusedError(
            "no record introduces this gate yet",
            rule="AV441",
            place=loaded.path,
            next_step=f"abverify amend {name} --introduce --reason …",
        )


def _refuse_old_version(
    repository: Repository, loaded: LoadedContract, current: Record | None
) -> None:
    gate, version = loaded.contract.gate, loaded.contract.version
    held = current.statement.common.gate.contract_version if current else None
    taken = version_path(gate, version) in repository.published
    if taken or (held is not None and version_key(version) <= version_key(held)):
        raise RefusedError(
            "the version is not a new one: one version has one content, for ever",
            rule="AV440",
            place=str(loaded.document.place(("version",))),
            expected=f"above {held}" if held else "a version that was never published",
            found=version,
            next_step="raise version in the contract",
        )


def _superseded(
    repository: Repository, loaded: LoadedContract, current: Record | None
) -> Superseded | None:
    """The version before this one, or the gate this one succeeds."""
    predecessor = current
    if current is None and loaded.contract.supersedes is not None:
        gate = repository.registry.find(loaded.contract.supersedes).contract.gate
        predecessor = repository.in_force(gate)
        if predecessor is None:
            raise RefusedError(
                "the gate it succeeds was never introduced",
                rule="AV441",
                place=str(loaded.document.place(("supersedes",))),
                expected="a gate in the ledger",
                found=loaded.contract.supersedes,
                next_step=f"abverify amend {gate.name} --introduce --reason …",
            )
    if predecessor is None:
        return None
    place = predecessor.statement.common.gate
    return Superseded(
        gate=place.id, version=place.contract_version, sha256=predecessor.contract_sha256
    )

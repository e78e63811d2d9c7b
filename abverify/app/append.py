"""Appending to the ledger: the one path every signed record takes into the repository."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from abverify.app.docket import require_sound
from abverify.app.propose import needs_others, propose
from abverify.app.signing import load_signer, principal_of
from abverify.app.wording import fault_text
from abverify.errors import InvalidError
from abverify.records.append import Appended, ContractVersion, append
from abverify.workspace.contracts import version_path
from abverify.workspace.ledger_store import commit, writing

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from abverify.app.docket import Repository
    from abverify.app.signing import Signature
    from abverify.model.ids import GateId
    from abverify.records.bodies import Body
    from abverify.records.keys import Signer


def sign_and_append(
    repository: Repository,
    gate: GateId,
    body: Body,
    signature: Signature,
    *,
    version: str,
    data: bytes | None = None,
    around: Callable[[Appended], AbstractContextManager[None]] | None = None,
) -> str:
    """Signs a record about a published contract version and appends it to its gate's chain.

    The ledger is read again once no other writer can change it, so that of two
    writers the second one builds on what the first one wrote. If the signer is
    an integrator, the record enters the log in the same step; else it waits.

    Args:
        repository: the repository as it is to be when the record is in.
        gate: the gate that the record is about.
        body: what the record says.
        signature: who signs, and why.
        version: the contract version that it is about.
        data: that version's bytes where the record itself publishes it; else they are
            published already.
        around: is given what will be written, and is open while it is: what it
            changes belongs to the record, and what it raises keeps the record out.

    Returns:
        The record's path, relative to the root; that of a proposal if the signature
        allows it, and others must sign.

    Raises:
        UntrustedError: AV400 when the ledger has faults: nothing is built on them.
        RefusedError: when the law of the chain forbids it, or AV457 if another writer does not end.
        InvalidError: AV443 if a text cannot stand in a record.
    """
    require_sound(repository)
    signer = load_signer(repository.root, signature.key, signature.ask)
    with writing(repository.root):
        current = replace(repository)
        require_sound(current)
        if signature.propose and needs_others(current, body, signer):
            return _proposed(current, gate, body, signature, signer, version)
        subject = ContractVersion(version, data) if data else _subject(current, gate, version)
        appended = _appended(current, gate, body, signature, signer, subject)
        files = {appended.path: appended.data, **appended.log}
        with around(appended) if around else nullcontext():
            commit(repository.root, appended.path, files)
    return appended.path


def _appended(
    repository: Repository,
    gate: GateId,
    body: Body,
    signature: Signature,
    signer: Signer,
    subject: ContractVersion,
) -> Appended:
    try:
        return append(
            repository.ledger,
            gate,
            body,
            subject=subject,
            signers=[signer],
            actor=principal_of(repository, signer),
            reason=signature.reason,
            milestone=signature.milestone,
            now=repository.now,
        )
    except ValueError as error:
        raise _unfit(gate, error) from None


def _proposed(
    repository: Repository,
    gate: GateId,
    body: Body,
    signature: Signature,
    signer: Signer,
    version: str,
) -> str:
    try:
        return propose(
            repository,
            gate,
            body,
            signature,
            signer=signer,
            actor=principal_of(repository, signer),
            subject=_subject(repository, gate, version),
        )
    except ValueError as error:
        raise _unfit(gate, error) from None


def _subject(repository: Repository, gate: GateId, version: str) -> ContractVersion:
    return ContractVersion(version, repository.published[version_path(gate, version)])


def _unfit(gate: GateId, error: ValueError) -> InvalidError:
    return InvalidError(
        "this cannot stand in a record",
        rule="AV443",
        place=str(gate),
        expected="a reason of one line of plain text, and plain names",
        found=fault_text(error),
        next_step="say it in one line of plain text, and run the command again",
    )

"""Records that several people sign: proposed by one, signed by others, then in the ledger."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from abverify.errors import AbverifyError
from abverify.model.report import Reason
from abverify.records.append import drafted
from abverify.records.bodies import kind_of
from abverify.records.envelope import STATEMENT_TYPE, seal
from abverify.records.proposal import read_proposal
from abverify.records.record import record_path
from abverify.records.trust import ROLE_OF
from abverify.workspace.contracts import version_path
from abverify.workspace.proposals import (
    PROPOSALS,
    keep_proposal,
    proposal_path,
    proposals,
    refuse_repeated,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import TypeAlias

    from abverify.app.docket import Repository
    from abverify.app.signing import Signature
    from abverify.model.ids import GateId
    from abverify.records.append import ContractVersion
    from abverify.records.bodies import Body
    from abverify.records.keys import Signer
    from abverify.records.ledger import Ledger

    Around: TypeAlias = Callable[[str, bytes], AbstractContextManager[None]]


def with_working(repository: Repository) -> Ledger:
    """The ledger, with the working contracts as versions that an amendment could publish."""
    working = {
        version_path(loaded.contract.gate, loaded.contract.version): loaded.data
        for loaded in repository.registry.all()
    }
    ledger = repository.ledger
    return replace(ledger, contracts={**working, **ledger.contracts})


def needs_others(repository: Repository, body: Body, signer: Signer) -> bool:
    """Whether the signer alone is fewer people than the record's role asks for."""
    root = repository.ledger.root
    return bool(root and root.shortfall(ROLE_OF[kind_of(body)], [signer.public_key]))


def propose(
    repository: Repository,
    gate: GateId,
    body: Body,
    signature: Signature,
    *,
    signer: Signer,
    actor: str,
    subject: ContractVersion,
    around: Around | None = None,
) -> str:
    """Writes a record with its first signature where others find it.

    `around` is given the proposal's path and bytes, and is open while it is written.

    Returns:
        The proposal's path, relative to the root.

    Raises:
        RefusedError: AV484 if it is proposed already, AV426 to AV428 if it is not due.
        UntrustedError: AV414 if the signer may not issue it, or the rule it would break.
        pydantic.ValidationError: if a text cannot stand in a record.
    """
    ledger = with_working(repository)
    contract = {version_path(gate, subject.version): subject.data}
    ledger = replace(ledger, contracts={**ledger.contracts, **contract})
    statement = drafted(
        ledger,
        gate,
        body,
        subject=subject,
        actor=actor,
        reason=signature.reason,
        milestone=signature.milestone,
        now=repository.now,
    )
    path = proposal_path(record_path(gate, statement.common.gate.seq, statement.kind))
    refuse_repeated(repository.root, path)
    data = seal(statement.to_bytes(), payload_type=STATEMENT_TYPE, signers=[signer])
    read_proposal(data, path, ledger, repository.now)
    with around(path, data) if around else nullcontext():
        keep_proposal(repository.root, path, data)
    return path


def proposed_reasons(path: str | None) -> tuple[Reason, ...]:
    """What to know of a path that a signing verb gave: nothing, unless it is a proposal."""
    if path is None or not path.startswith(f"{PROPOSALS}/"):
        return ()
    return (_reason(path, "a proposal: nothing is in the ledger until others have signed"),)


def waiting_reasons(repository: Repository) -> tuple[Reason, ...]:
    """Every record that waits for signatures, and every proposal that has become stale."""
    if repository.ledger.blocking or repository.ledger.trust is None:
        return ()
    return tuple(
        _waiting(repository, path, data)
        for path, data in proposals(repository.root).items()
        if not path.endswith(".root.dsse.json")
    )


def _waiting(repository: Repository, path: str, data: bytes) -> Reason:
    try:
        proposal = read_proposal(data, path, with_working(repository), repository.now)
    except AbverifyError as error:
        return Reason(
            "proposal-void",
            error.rule,
            "note",
            error.message,
            place=path,
            expected=error.expected,
            found=error.found,
            next=error.next_step,
        )
    count = proposal.missing or "approvals by"
    more = f"{count} more of role {proposal.role}: {', '.join(proposal.others)}"
    return _reason(path, f"waits for signatures: {more}", ", ".join(proposal.people))


def _reason(path: str, message: str, found: str | None = None) -> Reason:
    return Reason(
        "proposed",
        "AV484",
        "note",
        message,
        place=path,
        found=found,
        next=f"abverify sign {path} --key KEY",
    )

"""Appending to the ledger: the one path every signed record takes into the repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.app.signing import load_signer, principal_of
from abverify.app.wording import fault_text
from abverify.errors import InvalidError, UntrustedError
from abverify.records.append import ContractVersion, append
from abverify.workspace.contracts import version_path
from abverify.workspace.ledger_store import append_record

if TYPE_CHECKING:
    from abverify.app.docket import Repository
    from abverify.app.signing import Signature
    from abverify.model.ids import GateId
    from abverify.records.bodies import Body


def sign_and_append(
    repository: Repository, gate: GateId, body: Body, signature: Signature, *, version: str
) -> str:
    """Signs a record about a published contract version and appends it to its gate's chain.

    Returns:
        The record's path, relative to the root.

    Raises:
        UntrustedError: AV400 when the ledger has faults: nothing is built on them.
        RefusedError: when the law of the chain forbids it.
        InvalidError: AV443 if a text cannot stand in a record.
    """
    require_sound(repository)
    signer = load_signer(repository.root, signature.key, signature.ask)
    try:
        path, data = append(
            repository.ledger,
            gate,
            body,
            subject=ContractVersion(version, repository.published[version_path(gate, version)]),
            signers=[signer],
            actor=principal_of(repository, signer),
            reason=signature.reason,
            milestone=signature.milestone,
            now=repository.now,
        )
    except ValueError as error:
        raise InvalidError(
            "this cannot stand in a record",
            rule="AV443",
            place=str(gate),
            expected="a reason of one line of plain text, and plain names",
            found=fault_text(error),
            next_step="say it in one line of plain text, and run the command again",
        ) from None
    append_record(repository.root, path, data)
    return path


def require_sound(repository: Repository) -> None:
    """Refuses to go on with a ledger that cannot be trusted.

    Raises:
        UntrustedError: AV400, naming the first fault.
    """
    faults = repository.ledger.faults
    if faults:
        first = faults[0]
        raise UntrustedError(
            f"the ledger cannot be trusted ({len(faults)} faults): {first.message}",
            rule="AV400",
            place=first.file,
            expected=first.expected,
            found=first.found,
            next_step="abverify audit lists every fault",
        )

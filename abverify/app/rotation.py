"""The next version of the trust root: proposed, signed by several people, and entered."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.app.docket import open_repository, require_sound
from abverify.app.keys import public_key_named
from abverify.app.signing import load_signer
from abverify.app.trust import read_history, show_trust
from abverify.app.wording import fault_text
from abverify.errors import InvalidError, RefusedError, UntrustedError, UsageError
from abverify.model.report import FindingsReport, Reason
from abverify.records.rotation import (
    Change,
    next_document,
    read_proposal,
    require_root_keys,
    sign_proposal,
)
from abverify.records.trust import sign_root
from abverify.workspace.files import write_new
from abverify.workspace.ledger_store import TRUST, writing
from abverify.workspace.proposals import (
    drop_proposal,
    keep_proposal,
    proposal_path,
    refuse_repeated,
)
from abverify.workspace.proposals import read_proposal as proposal_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from abverify.app.docket import Repository
    from abverify.records.keys import Signer
    from abverify.records.rotation import Proposal
    from abverify.records.trust import TrustRoot
    from abverify.records.trust_history import TrustHistory


@frozen
class RotateRequest:
    """What the next version says otherwise, as typed. Pairs are `(name, value)`.

    Attributes:
        add_keys: a principal and what a public key is called, see `public_key_named`.
        remove_keys: starts of key ids.
        remove_principals: names.
        grant: a role and a principal who joins it.
        withdraw: a role and a principal who leaves it.
        thresholds: a role and its new threshold.
        revoke: starts of key ids.
        cause: why those are revoked.
        expires_days: from now, for how many days records may be issued; None keeps the date.
        note: free text for readers; None keeps it.
        keys: who signs now, see `load_signer`.
        ask: asks for a passphrase.
    """

    add_keys: tuple[tuple[str, str], ...] = ()
    remove_keys: tuple[str, ...] = ()
    remove_principals: tuple[str, ...] = ()
    grant: tuple[tuple[str, str], ...] = ()
    withdraw: tuple[tuple[str, str], ...] = ()
    thresholds: tuple[tuple[str, int], ...] = ()
    revoke: tuple[str, ...] = ()
    cause: str = "superseded"
    expires_days: int | None = None
    note: str | None = None
    keys: tuple[str, ...] = ()
    ask: Callable[[], str] = str


def rotate(root: Path, request: RotateRequest) -> FindingsReport:
    """Draws up the next version and signs it; it enters at once if that is enough.

    Raises:
        UntrustedError: AV400 when the ledger has faults: nothing is built on them.
        UsageError: AV464 for a change that names what is not there.
        RefusedError: AV464 for a version nobody could follow, AV465 for a key that does not
            count, AV484 if the next version is proposed already.
    """
    with writing(root):
        repository = _settled_repository(root)
        history = read_history(root)
        newest = history.newest
        log = repository.ledger.log
        document = next_document(
            newest,
            _change(root, newest, request, repository),
            issued_at=repository.now,
            from_index=log.size if log else 0,
        )
        signers = _signers(root, request.keys, request.ask)
        require_root_keys(newest, document, signers)
        try:
            data = sign_root(document, signers)
        except ValueError as error:
            raise _not_signed(_entered(document.version), error) from None
        path = proposal_path(_entered(document.version))
        refuse_repeated(root, path)
        return _settle(repository, history, path, data)


def sign(
    root: Path, proposal: str, keys: tuple[str, ...], ask: Callable[[], str]
) -> FindingsReport:
    """Adds signatures to a proposal; it enters if they are enough now.

    Args:
        root: the repository.
        proposal: the proposal's file, relative to the root.
        keys: who signs, see `load_signer`.
        ask: asks for a passphrase.

    Raises:
        UsageError: AV484 if there is no such proposal.
        UntrustedError: if it does not follow the newest version, or is broken.
        RefusedError: AV465 for a key that does not count, or has signed already.
    """
    with writing(root):
        repository = _settled_repository(root)
        history = read_history(root)
        path, data = proposal_file(root, proposal)
        signers = _signers(root, keys, ask)
        try:
            signed = sign_proposal(data, path, history, signers)
        except ValueError as error:
            raise _not_signed(path, error) from None
        return _settle(repository, history, path, signed)


def _settled_repository(root: Path) -> Repository:
    """The repository, when every record in it has its place in the log.

    A version of the trust root takes effect at a place in the log. What has no place yet
    would get one after it, and would have been issued under a version that is past.
    """
    repository = open_repository(root)
    require_sound(repository)
    if repository.ledger.waiting:
        raise RefusedError(
            "records wait for an integrator: a new trust root would shut them out",
            rule="AV429",
            place=repository.ledger.waiting[0],
            expected="every record in the log",
            found=f"{len(repository.ledger.waiting)} that wait",
            next_step="abverify integrate --key KEY, then this again",
        )
    return repository


def _entered(version: int) -> str:
    return f"{TRUST}/{version}.root.dsse.json"


def _settle(
    repository: Repository, history: TrustHistory, path: str, data: bytes
) -> FindingsReport:
    """Enters a version that has its signatures, or leaves it waiting for the rest."""
    proposal = read_proposal(data, path, history)
    if proposal.missing:
        keep_proposal(repository.root, path, data)
        return _waiting(proposal, path)
    entered = _entered(proposal.root.document.version)
    _prove(repository, entered, data)
    write_new(repository.root / entered, data)
    drop_proposal(repository.root, path)
    return show_trust(repository.root)


def _prove(repository: Repository, path: str, data: bytes) -> None:
    """Reads the whole ledger as any reader will once the version is there; refuses new faults."""
    faults = repository.with_root(path, data).faults
    if faults:
        raise UntrustedError(
            f"under this version the ledger would have {len(faults)} faults: {faults[0].message}",
            rule="AV460",
            place=faults[0].file,
            expected=faults[0].expected,
            found=faults[0].found,
            next_step="if the log has grown since, delete the proposal and rotate again",
        )


def _waiting(proposal: Proposal, path: str) -> FindingsReport:
    version = proposal.root.document.version
    signed = ", ".join(sorted(key.name for key in proposal.signers))
    reasons = tuple(
        Reason(
            "waits-for-signatures",
            "AV465",
            "note",
            f"version {version} does not count yet",
            place=path,
            expected=line,
            found=f"signed with keys of {signed}",
            next=f"abverify trust sign {path} --key KEY",
        )
        for line in proposal.missing
    )
    return FindingsReport(
        kind="trust",
        reasons=reasons,
        checked=len(proposal.signers),
        total=len(proposal.signers),
        success="done",
        facts=(("proposed", f"version {version} of the trust root"), ("file", path)),
        extra={"proposal": path, "missing": list(proposal.missing)},
    )


def _change(
    root: Path, newest: TrustRoot, request: RotateRequest, repository: Repository
) -> Change:
    expires = None
    if request.expires_days is not None:
        expires = repository.now + timedelta(days=request.expires_days)
    return Change(
        remove_keys=tuple(_keyid(newest, name) for name in request.remove_keys),
        remove_principals=request.remove_principals,
        add_keys=tuple((who, public_key_named(root, name)) for who, name in request.add_keys),
        withdraw=request.withdraw,
        grant=request.grant,
        thresholds=request.thresholds,
        revoke=tuple((_keyid(newest, name), request.cause) for name in request.revoke),
        expires=expires,
        note=request.note,
    )


def _keyid(newest: TrustRoot, name: str) -> str:
    """The key that a start of its id, or the only key of a principal, stands for."""
    owner = newest.document.principals.get(name)
    found = owner.keys if owner else tuple(k for k in newest.keys if k.startswith(name))
    if len(found) != 1 or not name:
        listed = ", ".join(f"{key.keyid[:16]} ({key.name})" for key in newest.keys.values())
        raise UsageError(
            f"{len(found)} keys of the trust root are called that",
            rule="AV469",
            place=newest.path,
            expected=f"the start of one of: {listed}",
            found=name,
            next_step="abverify trust show",
        )
    return found[0]


def _signers(root: Path, keys: tuple[str, ...], ask: Callable[[], str]) -> list[Signer]:
    return [load_signer(root, key, ask) for key in keys]


def _not_signed(path: str, error: ValueError) -> InvalidError:
    return InvalidError(
        "the version cannot be signed so",
        rule="AV465",
        place=path,
        expected="different keys, at most 16",
        found=fault_text(error),
        next_step="name each key once",
    )

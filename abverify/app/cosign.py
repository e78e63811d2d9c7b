"""Adding a signature to a proposed record, which enters the ledger when it has enough."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from abverify.app.amend import amendment_now
from abverify.app.check import decision_on
from abverify.app.docket import open_repository, require_sound
from abverify.app.enact import enacting
from abverify.app.propose import with_working
from abverify.app.record import decision_body
from abverify.app.retract import refuse_retraction
from abverify.app.signing import load_signer
from abverify.errors import RefusedError
from abverify.model.report import FindingsReport, Reason
from abverify.records.append import ContractVersion, admitted
from abverify.records.bodies import Amendment, Decision, Lift, Retraction
from abverify.records.lifting import lift_body
from abverify.records.lineage import voided
from abverify.records.proposal import read_proposal, sign_proposal
from abverify.workspace.ledger_store import commit, writing
from abverify.workspace.proposals import drop_proposal, keep_proposal
from abverify.workspace.proposals import read_proposal as proposal_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from abverify.app.docket import Repository
    from abverify.records.append import Appended
    from abverify.records.bodies import Body
    from abverify.records.keys import Signer
    from abverify.records.proposal import Proposal


def cosign(root: Path, name: str, keys: tuple[str, ...], ask: Callable[[], str]) -> FindingsReport:
    """Shows a proposed record, or adds signatures to it; with enough it enters the ledger.

    All that it says is judged again first, against the ledger and the evidence as they are now.

    Args:
        root: the repository.
        name: the proposal's file.
        keys: who signs, see `load_signer`; none only shows it.
        ask: asks for a passphrase.

    Raises:
        UsageError: AV484 if there is no such proposal.
        UntrustedError: AV400 when the ledger has faults, or whatever is wrong with the proposal.
        RefusedError: AV485 if it is out of date, AV486 for a signature that would not count.
    """
    with writing(root):
        repository = open_repository(root)
        require_sound(repository)
        path, data = proposal_file(root, name)
        proposal = _read(repository, path, data)
        if not keys:
            return _report(proposal, path)
        signers = [load_signer(root, key, ask) for key in keys]
        signed = sign_proposal(data, path, proposal, signers)
        return _settle(repository, path, signed, signers)


def _settle(
    repository: Repository, path: str, data: bytes, signers: list[Signer]
) -> FindingsReport:
    proposal = _read(repository, path, data)
    if proposal.missing:
        keep_proposal(repository.root, path, data)
        return _report(proposal, path)
    enter, body = partial(_enter, proposal, data, signers), proposal.statement.body
    if isinstance(body, Amendment):
        loaded = repository.registry.find(str(proposal.statement.gate))
        record = enter(repository, partial(enacting, repository.root, loaded, body, loaded.data))
    else:
        record = enter(repository, None)
    drop_proposal(repository.root, path)
    return _report(proposal, record)


def _enter(
    proposal: Proposal,
    data: bytes,
    signers: list[Signer],
    repository: Repository,
    around: Callable[[Appended], AbstractContextManager[None]] | None,
) -> str:
    """Appends the record to its gate's chain, and to the log if an integrator signed now."""
    statement, ledger = proposal.statement, with_working(repository)
    version = statement.common.gate.contract_version
    subject = ContractVersion(version, ledger.contracts[statement.subject.name])
    appended = admitted(
        ledger, statement, data, subject=subject, signers=signers, now=repository.now
    )
    with around(appended) if around else nullcontext():
        commit(repository.root, appended.path, {appended.path: appended.data, **appended.log})
    return appended.path


def _read(repository: Repository, path: str, data: bytes) -> Proposal:
    """The proposal, judged again: by the records' law, and by whatever gave it."""
    proposal = read_proposal(data, path, with_working(repository), repository.now)
    _refuse_untrue(repository, proposal, path)
    if not isinstance(proposal.statement.body, Amendment):
        return proposal
    loaded = repository.registry.find(str(proposal.statement.gate))
    return replace(proposal, needed=amendment_now(repository, loaded)[1])


def _refuse_untrue(repository: Repository, proposal: Proposal, path: str) -> None:
    """Refuses what whoever proposed it would not be given to sign now."""
    statement = proposal.statement
    if isinstance(statement.body, Retraction):
        target = repository.ledger.find(statement.body.target.sha256)
        if target is not None:
            refuse_retraction(repository, target, voided(repository.ledger.chains.values()))
        return
    if (
        isinstance(statement.body, Decision | Lift | Amendment)
        and _now(repository, proposal) != statement.body
    ):
        raise RefusedError(
            "the proposal is out of date: the same would not be decided now",
            rule="AV485",
            place=path,
            expected=f"what the evidence and the ledger give now for {statement.gate}",
            found=f"a {statement.kind} of {statement.common.issued_at}",
            next_step=f"abverify check {statement.gate.name}; delete {path}, and propose it anew",
        )


def _now(repository: Repository, proposal: Proposal) -> Body | None:
    """What the same verb would sign now; None if nothing."""
    body = proposal.statement.body
    if isinstance(body, Lift):
        suspension = repository.ledger.find(body.suspension.sha256)
        return lift_body(repository.ledger, suspension, repository.now) if suspension else None
    loaded = repository.registry.find(str(proposal.statement.gate))
    if isinstance(body, Amendment):
        same = loaded.sha256 == proposal.statement.contract_sha256
        return amendment_now(repository, loaded)[0] if same else None
    decision = decision_on(repository, loaded)
    if decision.verdict == "cannot-evaluate" or decision.deciding is None:
        return None
    return decision_body(loaded, decision, decision.deciding)


def _report(proposal: Proposal, path: str) -> FindingsReport:
    statement = proposal.statement
    note = Reason(
        "proposed",
        "AV484",
        "note",
        "it waits for signatures",
        place=path,
        expected=f"{proposal.missing} more of role {proposal.role}: {', '.join(proposal.others)}",
        found=", ".join(proposal.people),
        next=f"abverify sign {path} --key KEY",
    )
    return FindingsReport(
        kind="sign",
        reasons=(note,) if proposal.missing else (),
        checked=1,
        total=1,
        success="done",
        facts=(
            ("gate", f"{statement.gate}  {statement.common.gate.contract_version}"),
            ("kind", statement.kind),
            ("proposed by", f"{statement.common.actor.id}, {statement.common.issued_at}"),
            ("reason", statement.common.reason),
            ("signed by", ", ".join(proposal.people)),
            ("proposal" if proposal.missing else "record", path),
        ),
        extra={"missing": proposal.missing, "statement": statement.to_json()},
    )

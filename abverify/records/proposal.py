"""A record on its way: signed by some, not yet by enough, and judged as if it were by enough.

Whoever adds a signature signs what is true now. So a proposal is held against the ledger as
it is each time: its place in the chain, its trust root and its contract version must still be
those in force, and everything but the number of its signatures must verify.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.errors import RefusedError
from abverify.records.append import refuse_untimely, verified_path
from abverify.records.envelope import STATEMENT_TYPE, cosign, open_envelope
from abverify.records.setting import Setting
from abverify.records.statement import parse_statement
from abverify.records.trust import ROLE_OF
from abverify.records.trust_history import TrustHistory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from abverify.records.keys import PublicKey, Signer
    from abverify.records.ledger import Ledger
    from abverify.records.statement import Statement
    from abverify.records.trust import TrustRoot


@frozen
class Proposal:
    """A record that some have signed.

    Attributes:
        statement: what it says.
        signers: the keys that signed it.
        root: the trust root in force.
        needed: how many people its own law asks for, beside the role's threshold.
    """

    statement: Statement
    signers: tuple[PublicKey, ...]
    root: TrustRoot
    needed: int = 1

    @property
    def role(self) -> str:
        """The role that its kind needs."""
        return ROLE_OF[self.statement.kind]

    @property
    def people(self) -> tuple[str, ...]:
        """Who has signed it."""
        return tuple(sorted(self.root.principals_of(self.signers)))

    @property
    def missing(self) -> int:
        """How many more people of the role must sign; 0 when it may enter the ledger."""
        role = self.root.document.roles[self.role]
        entitled = set(self.people) & set(role.principals)
        return max(self.root.shortfall(self.role, self.signers), self.needed - len(entitled))

    @property
    def others(self) -> tuple[str, ...]:
        """The people of the role who have not signed it."""
        role = self.root.document.roles[self.role]
        return tuple(who for who in role.principals if who not in self.people)


def read_proposal(data: bytes, name: str, ledger: Ledger, now: datetime) -> Proposal:
    """Reads a proposal and judges all of it but the number of its signatures.

    Args:
        data: the envelope.
        name: its file, for messages.
        ledger: the ledger as it is now, without faults.
        now: the moment of reading.

    Raises:
        RefusedError: AV485 if the ledger has moved on since it was made; AV426 to AV428
            if it is not due, or no longer.
        UntrustedError: whatever else is wrong with it.
        ValueError: if the ledger has no trust root.
    """
    trust = ledger.trust
    if trust is None:
        raise ValueError("a ledger without a trust root")
    opened = open_envelope(data, name=name, payload_type=STATEMENT_TYPE, keys=trust.keys)
    proposal = Proposal(parse_statement(opened.payload, name=name), opened.signers, trust.newest)
    _refuse_stale(proposal, name, ledger)
    refuse_untimely(ledger, proposal.statement.body, now)
    setting = Setting(_with_enough(trust, proposal), ledger.contracts, now, ledger.log)
    verified_path(ledger, proposal.statement, data, setting)
    return proposal


def sign_proposal(data: bytes, name: str, proposal: Proposal, signers: Sequence[Signer]) -> bytes:
    """Adds signatures to a proposal.

    Raises:
        RefusedError: AV486 for a key whose signature would not count.
    """
    signed = {key.raw for key in proposal.signers}
    for signer in signers:
        key = signer.public_key
        people = proposal.root.principals_of([key]) - set(proposal.people)
        if key.raw in signed or not people & set(proposal.others):
            raise RefusedError(
                "this signature would not count",
                rule="AV486",
                place=name,
                expected=f"somebody of role {proposal.role} who has not signed it: "
                f"{', '.join(proposal.others) or 'nobody is left'}",
                found=", ".join(proposal.root.principals_of([key])) or f"keyid {key.keyid}",
                next_step="abverify trust show lists who may issue what",
            )
        signed.add(key.raw)
    return cosign(data, name=name, payload_type=STATEMENT_TYPE, signers=signers)


def _refuse_stale(proposal: Proposal, name: str, ledger: Ledger) -> None:
    """Its place in the chain, and the trust root, must be what they were."""
    common = proposal.statement.common
    chain = ledger.chain(proposal.statement.gate)
    newest = chain[-1].sha256 if chain else None
    prior = common.gate.prior.sha256 if common.gate.prior else None
    facts = (
        (
            f"record {len(chain) + 1} of the gate, after {newest}",
            f"record {common.gate.seq}, after {prior}",
            (common.gate.seq, prior) == (len(chain) + 1, newest),
        ),
        (
            f"version {proposal.root.document.version} of the trust root",
            f"version {common.trust_root.version}",
            common.trust_root.sha256 == proposal.root.sha256,
        ),
    )
    for expected, found, same in facts:
        if not same:
            raise RefusedError(
                "the proposal is out of date: the ledger has moved on since it was made",
                rule="AV485",
                place=name,
                expected=expected,
                found=found,
                next_step=f"delete {name}, and propose it anew with --propose",
            )


def _with_enough(trust: TrustHistory, proposal: Proposal) -> TrustHistory:
    """The trust root as it would judge if those who signed were as many as it asks for."""
    root, name = trust.newest, proposal.role
    role = root.document.roles[name]
    count = max(1, role.threshold - root.shortfall(name, proposal.signers))
    roles = {**root.document.roles, name: role.model_copy(update={"threshold": count})}
    document = root.document.model_copy(update={"roles": roles})
    return TrustHistory((*trust.roots[:-1], replace(root, document=document)))

"""Whether a changed contract was published as the law asks: frozen, recorded, and approved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.model.amend_check_report import ContractChange
from abverify.model.report import Reason
from abverify.records.bodies import Amendment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abverify.model.change import Change
    from abverify.records.ledger import Ledger
    from abverify.records.record import Record
    from abverify.workspace.contracts import LoadedContract


@frozen
class Publication:
    """A contract that changed, and what is due for it.

    Attributes:
        old: the contract before; None when it is new.
        new: the contract after; None when it is gone.
        changes: what changed, each classed.
        reasons: what the law has against the change itself.
    """

    old: LoadedContract | None
    new: LoadedContract | None
    changes: tuple[Change, ...] = ()
    reasons: tuple[Reason, ...] = ()

    @property
    def needed(self) -> int:
        """How many people must have signed; one for an introduction."""
        return max((change.approvals for change in self.changes), default=1)

    def record(self, ledger: Ledger) -> Record | None:
        """The amendment record about exactly the new bytes."""
        if self.new is None:
            return None
        chain = ledger.chain(self.new.contract.gate)
        about = (r for r in reversed(chain) if r.contract_sha256 == self.new.sha256)
        return next((r for r in about if isinstance(r.body, Amendment)), None)

    def line(self, ledger: Ledger) -> ContractChange:
        """The contract as a report shows it."""
        loaded = self.new or self.old
        record = self.record(ledger)
        return ContractChange(
            path=loaded.path if loaded else "",
            gate=str(loaded.contract.gate) if loaded else None,
            old_version=self.old.contract.version if self.old else None,
            new_version=self.new.contract.version if self.new else None,
            changes=self.changes,
            approvals=(len(record.issuers) if record else 0, self.needed),
            record=record.path if record else None,
        )


def publication_faults(ledger: Ledger, publications: Sequence[Publication]) -> Iterator[Reason]:
    """What is missing for each changed contract to be in force."""
    for publication in publications:
        new = publication.new
        if new is None:
            continue
        record, name = publication.record(ledger), new.contract.gate.name
        if record is None:
            yield Reason(
                "not-published",
                "AV737",
                "error",
                f"no signed record publishes version {new.contract.version} of {name}",
                place=new.path,
                expected=f"an amendment record about sha256 {new.sha256}",
                found="none in the ledger of this change",
                next=f"abverify amend {name} --reason …"
                if publication.old
                else f"abverify amend {name} --introduce --reason …",
            )
        elif len(record.issuers) < publication.needed:
            yield Reason(
                "missing-approval",
                "AV738",
                "error",
                "the record is signed by fewer people than the contract asks for",
                place=record.path,
                expected=f"{publication.needed} people of the amender's role",
                found=f"{len(record.issuers)}: {', '.join(record.issuers)}",
                next="abverify amend --propose, and abverify sign by the others",
            )

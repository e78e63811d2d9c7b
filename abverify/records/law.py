"""What may follow what in a gate's chain, and what a record must share with its contract."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from abverify._clock import parse_timestamp, timestamp
from abverify.model.value import version_key
from abverify.records.bodies import Amendment, Discharge
from abverify.records.carrying import carrying_faults
from abverify.records.contract_view import view_contract
from abverify.records.record import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from abverify.records.record import Record


def law_faults(
    record: Record, in_force: Record | None, contracts: Mapping[str, bytes]
) -> Iterator[Fault]:
    """What forbids a record after the ones before it in its chain.

    Args:
        record: the record.
        in_force: the newest amendment before it; None if there is none.
        contracts: the bytes of the published contract versions, by path.
    """
    if isinstance(record.body, Amendment):
        yield from _amendment_faults(record, record.body, in_force)
        yield from _published_faults(record, record.body, in_force, contracts)
    elif in_force is None:
        yield Fault(
            record.path,
            "AV416",
            "the gate was never introduced",
            "an amendment as the chain's first record",
            f"a {record.kind}",
        )
    elif record.contract_sha256 != in_force.contract_sha256:
        yield Fault(
            record.path,
            "AV416",
            "the record is about a contract version that is not in force",
            f"sha256 {in_force.contract_sha256}",
            f"sha256 {record.contract_sha256}",
        )
    if isinstance(record.body, Discharge):
        yield from _validity_faults(record, record.body, contracts)


def in_force_amendment(records: Sequence[Record]) -> Record | None:
    """The amendment whose contract version is in force: the newest one of the chain."""
    return next((r for r in reversed(records) if isinstance(r.body, Amendment)), None)


def _amendment_faults(record: Record, body: Amendment, in_force: Record | None) -> Iterator[Fault]:
    old = body.supersedes
    if in_force is None:
        if old is not None and old.gate == str(record.gate):
            message = "the introduction supersedes a version that was never published"
            yield Fault(record.path, "AV416", message, "null, or another gate", old.gate)
        return
    held = in_force.statement.common.gate
    wanted = (str(record.gate), held.contract_version, in_force.contract_sha256)
    stated = (old.gate, old.version, old.sha256) if old else None
    if stated != wanted:
        yield Fault(
            record.path,
            "AV416",
            "the amendment does not supersede the version in force",
            " ".join(wanted),
            " ".join(stated) if stated else "null",
        )
    version = record.statement.common.gate.contract_version
    if version_key(version) <= version_key(held.contract_version):
        yield Fault(
            record.path,
            "AV416",
            "the amendment does not raise the version",
            f"above {held.contract_version}",
            version,
        )


def _published_faults(
    record: Record, body: Amendment, in_force: Record | None, contracts: Mapping[str, bytes]
) -> Iterator[Fault]:
    name = record.statement.subject.name
    data = contracts.get(name)
    if data is None:
        return
    yield from carrying_faults(record, in_force, contracts)
    view = view_contract(data, name=name)
    place = record.statement.common.gate
    if (view.gate, view.version) != (place.id, place.contract_version):
        yield Fault(
            name,
            "AV415",
            "the contract is another gate's, or another version",
            f"{place.id} {place.contract_version}",
            f"{view.gate} {view.version}",
        )
    succeeded = body.supersedes.gate if body.supersedes else None
    if succeeded not in (place.id, view.supersedes):
        yield Fault(
            record.path,
            "AV415",
            "contract and introduction name different predecessors",
            str(view.supersedes),
            str(succeeded),
        )


def _validity_faults(
    record: Record, body: Discharge, contracts: Mapping[str, bytes]
) -> Iterator[Fault]:
    name = record.statement.subject.name
    if name not in contracts:
        return
    days = view_contract(contracts[name], name=name).valid_days or 0
    latest = record.issued_at + timedelta(days=days)
    if not record.issued_at < parse_timestamp(body.valid_until) <= latest:
        yield Fault(
            record.path,
            "AV419",
            "the discharge would count for longer than its contract allows, or not at all",
            f"after {timestamp(record.issued_at)}, until {timestamp(latest)} at most",
            body.valid_until,
        )

"""Amendments that change no meaning: what stood before them stands after.

An amendment says which class its change is of. The ones that let a discharge and its
evidence count on, `C0` format and `C1` editorial, are not believed: they are derived
again from both published versions and from the inputs that were signed with them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from abverify._yaml import read_yaml
from abverify.errors import InvalidError
from abverify.model.contract import Contract
from abverify.records.bodies import Amendment
from abverify.records.record import Fault, contract_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from abverify.records.record import Record
    from abverify.verify.amendment.changes import Side

CARRYING = ("C0", "C1")


def carries(record: Record) -> bool:
    """Whether a record is an amendment that says it changes no meaning."""
    return isinstance(record.body, Amendment) and record.body.change_class in CARRYING


def decisive_amendment(records: Sequence[Record]) -> Record | None:
    """The newest amendment that changed what the gate asks: decisions must come after it."""
    return next(
        (r for r in reversed(records) if isinstance(r.body, Amendment) and not carries(r)), None
    )


def carrying_faults(
    record: Record, in_force: Record | None, contracts: Mapping[str, bytes]
) -> Iterator[Fault]:
    """The fault of an amendment that claims to change no meaning, and does."""
    if not carries(record):
        return
    derived = _derived(record, in_force, contracts)
    stated = record.body.change_class if isinstance(record.body, Amendment) else None
    if derived not in CARRYING:
        yield Fault(
            record.path,
            "AV741",
            "the amendment says that it changes no meaning, and it does",
            f"class {derived}",
            f"class {stated}",
        )


def _derived(record: Record, in_force: Record | None, contracts: Mapping[str, bytes]) -> str:
    """The class of the change; what cannot be read again cannot be proved to be harmless."""
    # Not above: few amendments claim this, and no other record needs to know what a change is.
    from abverify.model.change import headline
    from abverify.verify.amendment.changes import changes_between

    old = None if in_force is None else _side(in_force, contracts)
    new = _side(record, contracts)
    if old is None or new is None:
        return "C4"
    return headline(change.change_class for change in changes_between(old, new))


def _side(record: Record, contracts: Mapping[str, bytes]) -> Side | None:
    from abverify.verify.amendment.changes import Side

    place = record.statement.common.gate
    data = contracts.get(contract_path(record.gate, place.contract_version))
    if data is None or not isinstance(record.body, Amendment):
        return None
    try:
        value = read_yaml(data, name=record.path).value
        contract = Contract.model_validate_json(json.dumps(value))
    except (InvalidError, ValueError):
        return None
    return Side(contract, data, dict(record.body.pins))

"""Which record a person means: by its file, its place in a chain, or the digest of its envelope."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from abverify.errors import UsageError

if TYPE_CHECKING:
    from abverify.app.docket import Repository
    from abverify.records.record import Record

_PLACE = re.compile(r"(?P<gate>[^#\s]+)#(?P<seq>[1-9][0-9]{0,5})")
_DIGEST = re.compile(r"[0-9a-f]{8,64}")
FORMS = "a record's file, GATE#SEQ, or at least eight hex digits of its envelope's sha256"


def find_record(repository: Repository, name: str) -> Record:
    """The one verified record that a name stands for.

    Args:
        repository: the repository.
        name: `gates/…/000003.discharge.dsse.json`, `S1_004#3`, or the start of a digest.

    Raises:
        UsageError: AV480 if no record, or more than one, is called that; AV110 or AV111
            for the gate in `GATE#SEQ`.
    """
    found = _matches(repository, name)
    if len(found) == 1:
        return found[0]
    problem = f"{len(found)} records are called that" if found else "no verified record is that"
    raise UsageError(
        problem,
        rule="AV480",
        place=name,
        expected=FORMS,
        found=", ".join(record.path for record in found) or "nothing",
        next_step="abverify log lists every record",
    )


def _matches(repository: Repository, name: str) -> list[Record]:
    if match := _PLACE.fullmatch(name):
        gate = repository.registry.find(match["gate"]).contract.gate
        return [r for r in repository.ledger.chain(gate) if r.seq == int(match["seq"])]
    path = name.removeprefix("./")
    return [
        record
        for record in repository.ledger.records
        if record.path == path or (_DIGEST.fullmatch(name) and record.sha256.startswith(name))
    ]

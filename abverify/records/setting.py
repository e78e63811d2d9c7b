"""What records are verified against, and what is known of a chain before one of them."""

from __future__ import annotations

from dataclasses import field
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from abverify._frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from abverify.records.keys import PublicKey
    from abverify.records.log.state import Log
    from abverify.records.record import Record
    from abverify.records.trust_history import TrustHistory

CLOCK_SLACK = timedelta(minutes=5)


@frozen
class Setting:
    """What every record of a ledger is verified against.

    Attributes:
        trust: every version of the trust root.
        contracts: the bytes of the published contract versions, by path.
        now: the moment of reading; nothing may be issued after it.
        log: the log, which says where a record stands among all records; None
            if it is broken, and with it the order of records and revocations.
        keys: every key of every version, by key id.
    """

    trust: TrustHistory
    contracts: Mapping[str, bytes]
    now: datetime
    log: Log | None
    keys: Mapping[str, PublicKey] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", dict(self.trust.keys))

    @property
    def positions(self) -> Mapping[str, int] | None:
        """The index of each record in the log, by path; None if the log is broken."""
        return None if self.log is None else self.log.positions

    def index_of(self, path: str) -> int | None:
        """The record's leaf in the log; the next one if it waits; None if the log is broken."""
        return None if self.log is None else self.log.positions.get(path, self.log.size)


class Link(NamedTuple):
    """A record's place in its chain, and what is known of the chain before it.

    Attributes:
        path: the record's file.
        position: its place by its file's name, from 1.
        prior: the digest of the file before it.
        last_issued: when the last verified record before it was issued, as it says itself.
        in_force: the last verified amendment before it.
        whole: whether every record before it was verified.
    """

    path: str
    position: int
    prior: str | None
    last_issued: str | None
    in_force: Record | None
    whole: bool


START = Link("", 0, None, None, None, whole=True)
"""Before the first record of a chain."""

"""A run's journal, begun as a bench begins it, and somebody who looks on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.bench.journal import Journal
from abverify.evidence.manifest import START_SCHEMA, Start
from tests.builders import GATE

if TYPE_CHECKING:
    from pathlib import Path

    from abverify.evidence.lock import RunLock
    from abverify.evidence.rows import Row, Trial
    from abverify.model.identity import IdentityLevel


def open_journal(folder: Path, lock: RunLock, identity: IdentityLevel = "attested") -> Journal:
    """The journal of the bench `run-1`, begun or gone on with."""
    start = Start(
        schema_=START_SCHEMA,
        run="run-1",
        stage="bench",
        offered_to=(GATE,),
        identity=identity,
        started_at="2026-02-20T08:00:00Z",
        lock_sha256=lock.sha256,
        began_after=(),
    )
    return Journal(folder, start, lock)


class Nobody:
    """Looks on and says nothing; leaves after so many rows when told to, as Ctrl-C does."""

    def __init__(self, *, leaves_after: int | None = None) -> None:
        self.rows = 0
        self.leaves_after = leaves_after

    def trial_started(self, trial: Trial, number: int, total: int) -> None: ...

    def token(self, count: int) -> None: ...

    def row(self, row: Row) -> None:
        del row
        self.rows += 1
        if self.rows == self.leaves_after:
            raise KeyboardInterrupt

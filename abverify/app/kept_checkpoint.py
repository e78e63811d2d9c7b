"""A checkpoint kept elsewhere: what alone shows that a whole ledger was cut or forked."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from abverify.errors import IndeterminateError, UntrustedError
from abverify.records.log.checkpoint import open_checkpoint
from abverify.records.log.tree import Frontier
from abverify.records.record import Fault
from abverify.workspace.ledger_store import kept_bytes

if TYPE_CHECKING:
    from abverify.records.log.checkpoint import Checkpoint
    from abverify.records.log.state import Log
    from abverify.records.trust_history import TrustHistory


def kept_faults(file: str, trust: TrustHistory | None, log: Log | None) -> tuple[Fault, ...]:
    """What a kept checkpoint shows against a log.

    Args:
        file: where it is kept, anywhere.
        trust: the trust root, which names the integrators.
        log: the log that must extend it.
    """
    if trust is None or log is None:
        return (_unjudged(file, "a ledger with a trust root", "none"),)
    kept = read_kept(file, trust)
    if isinstance(kept, Fault):
        return (kept,)
    if kept.size > log.size:
        return (cut(file, kept, log.checkpoint),)
    if Frontier().extended(islice(log.leaves(), kept.size)).root != kept.root:
        return (forked(file, kept),)
    return ()


def read_kept(file: str, trust: TrustHistory) -> Checkpoint | Fault:
    """A kept checkpoint, its signatures verified; or why it cannot be judged here."""
    try:
        return open_checkpoint(kept_bytes(file), trust=trust, file=file)
    except (UntrustedError, IndeterminateError) as error:
        return _unjudged(file, error.expected or "", error.found or "")


def cut(file: str, kept: Checkpoint, now: Checkpoint) -> Fault:
    """The log is shorter than it was: records were cut from its end."""
    return Fault(
        "gates/_log/checkpoint",
        "AV455",
        f"the log was cut: {kept.size - now.size} records that {file} vouches for are gone",
        f"at least {kept.size} records",
        f"{now.size} records",
    )


def forked(file: str, kept: Checkpoint) -> Fault:
    """The log begins otherwise than it did: two histories were signed."""
    return Fault(
        "gates/_log/checkpoint",
        "AV455",
        f"two histories were signed for this ledger: its first {kept.size} records are not "
        f"those that {file} vouches for",
        f"root {kept.root.hex()} at size {kept.size}",
        "another root",
    )


def _unjudged(file: str, expected: str, found: str) -> Fault:
    return Fault(
        file,
        "AV456",
        "the kept checkpoint cannot be judged here, and shows nothing either way",
        expected,
        found,
    )

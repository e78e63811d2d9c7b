"""Run locks side by side, each key marked by whether it may differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.evidence.lock import LOCK_KEYS
from abverify.model.page import LockRow, LockTable
from abverify.verify.experiment.confounds import shown

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from abverify.evidence.bundle import Bundle


def lock_table(
    runs: Sequence[tuple[str, Bundle]], variable: Collection[str] = ()
) -> LockTable | None:
    """The locks of some runs; None without a run.

    Args:
        runs: each run with the name it goes by.
        variable: the keys that are meant to differ.
    """
    if not runs:
        return None
    locks = [bundle.lock for _, bundle in runs]
    differing = {key for lock in locks[1:] for key in locks[0].against(lock)}
    told = [key for key in LOCK_KEYS if any(key in lock.values for lock in locks)]
    return LockTable(
        runs=tuple(name for name, _ in runs),
        rows=tuple(
            LockRow(
                key=key,
                meaning=LOCK_KEYS[key],
                values=tuple(shown(lock.values, key) for lock in locks),
                difference="same"
                if key not in differing
                else "varied"
                if key in variable
                else "confound",
            )
            for key in told
        ),
    )

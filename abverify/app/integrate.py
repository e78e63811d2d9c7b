"""Integration: the records that wait are taken into the log, and the checkpoint is signed anew.

On the protected branch this is the last step after a merge. Branches that carry records
whose signers are no integrators leave `gates/_log/` alone, so that they merge cleanly.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from abverify.app.docket import open_repository, require_sound
from abverify.app.signing import load_signer
from abverify.model.report import FindingsReport
from abverify.records.append import integrate as integrated
from abverify.workspace.ledger_store import commit, writing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def integrate(root: Path, keys: tuple[str, ...], ask: Callable[[], str]) -> FindingsReport:
    """Takes every waiting record into the log; does nothing when none waits.

    Args:
        root: the repository.
        keys: who signs the checkpoint, see `load_signer`.
        ask: asks for a passphrase.

    Raises:
        UntrustedError: AV400 when the ledger has other faults, AV458 if the keys are not
            those of enough integrators.
        RefusedError: AV457 if another writer does not end.
    """
    repository = open_repository(root)
    require_sound(repository)
    signers = [load_signer(root, key, ask) for key in keys]
    with writing(root):
        current = replace(repository)
        require_sound(current)
        waiting = current.ledger.waiting
        files = integrated(current.ledger, signers)
        if files:
            commit(root, None, files)
    log = replace(repository).ledger.log
    return FindingsReport(
        kind="integrate",
        reasons=(),
        checked=len(waiting),
        total=max(1, len(waiting)),
        success="done",
        facts=(
            ("taken in", f"{len(waiting)} records"),
            *(("record", path) for path in waiting),
            ("checkpoint", str(log.checkpoint) if log else "none"),
        ),
    )

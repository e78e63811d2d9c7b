"""`amend diff`: what changed between two versions of a contract, and what it means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.app.contract_side import named_side
from abverify.app.docket import open_repository
from abverify.errors import UsageError
from abverify.model.amend_report import AmendDiffReport, ReplayLine
from abverify.verify.amendment.changes import changes_between, succeeds
from abverify.verify.amendment.law import needed_bump, unlawful
from abverify.verify.amendment.replay import replay

if TYPE_CHECKING:
    from pathlib import Path

    from abverify.app.contract_side import NamedSide
    from abverify.app.docket import Repository
    from abverify.model.ids import GateId


def amend_diff(root: Path, old_name: str, new_name: str) -> AmendDiffReport:
    """Compares two versions of one gate's contract.

    Args:
        root: the repository.
        old_name: the version before, as `named_side` takes it.
        new_name: the version after; a gate's id stands for its working contract.

    Raises:
        UsageError: AV703 for a name that stands for nothing, or for two gates.
        InvalidError: for a contract that is malformed.
    """
    repository = open_repository(root)
    old, new = _version(repository, old_name), _version(repository, new_name)
    return diff_report(repository, old, new)


def diff_report(repository: Repository, old: NamedSide, new: NamedSide) -> AmendDiffReport:
    """The comparison of two versions at hand, with what both make of the stored evidence."""
    changes = changes_between(old.side, new.side)
    gate = old.loaded.contract.gate
    return AmendDiffReport(
        gate=str(gate),
        old=old.line,
        new=new.line,
        changes=changes,
        bump=needed_bump(changes),
        reasons=unlawful(old.side, new.side, changes),
        replays=_replays(repository, gate, old, new),
        succeeds=succeeds(new.loaded.contract, old.loaded.contract),
    )


def _version(repository: Repository, name: str) -> NamedSide:
    try:
        return named_side(repository, name)
    except UsageError as error:
        if error.rule != "AV703":
            raise
        try:
            path = repository.registry.find(name).path
        except UsageError:
            raise error from None
        return named_side(repository, path)


def _replays(
    repository: Repository, gate: GateId, old: NamedSide, new: NamedSide
) -> tuple[ReplayLine, ...]:
    bundles = repository.evidence.offered_to(gate)
    found = replay(bundles, old.loaded.contract, new.loaded.contract)
    return tuple(ReplayLine(item.path, item.before, item.after) for item in found)

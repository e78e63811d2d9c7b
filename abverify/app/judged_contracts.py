"""The contracts of two states, side by side: what is gone, what cannot be read, what moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.app.facts import contract_files
from abverify.app.judge_edits import same
from abverify.app.reasons import error_reasons
from abverify.errors import AbverifyError
from abverify.model.report import Reason
from abverify.workspace.contracts import contract_from, declared_twice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from abverify.model.ids import GateId
    from abverify.workspace.contracts import LoadedContract
    from abverify.workspace.snapshot import CommitTree, Snapshot

Pair = tuple["LoadedContract | None", "LoadedContract | None"]


def side_by_side(
    was: Mapping[str, LoadedContract], now: Mapping[str, LoadedContract]
) -> Iterator[Pair]:
    """Each contract before with itself after: by its file, and one that moved by its gate."""
    moved: dict[GateId, LoadedContract] = {
        loaded.contract.gate: loaded for path, loaded in now.items() if path not in was
    }
    for path, old in sorted(was.items()):
        yield old, now.get(path) or moved.pop(old.contract.gate, None)
    for new in sorted(moved.values(), key=lambda loaded: loaded.path):
        yield None, new


def contract_gone(path: str) -> Reason:
    """That a contract is not there any more."""
    return Reason(
        "contract-removed",
        "AV736",
        "error",
        "a contract was removed",
        place=path,
        expected="the contract: its records stay, and so does what they are about",
        found="no file",
        next="restore it; a gate that is not wanted any more is retired by a record",
    )


def gone_or_broken(path: str, after: Snapshot) -> tuple[Reason, ...]:
    """Why a contract that was there is none any more: no file, or a fault with its place."""
    data = after.read(path)
    try:
        if data is not None:
            contract_from(data, path)
    except AbverifyError as error:
        return error_reasons(error, "invalid")
    return (contract_gone(path),)


def unreadable(before: CommitTree, after: CommitTree) -> Iterator[Reason]:
    """Contracts that the change adds and that nobody can read, and gates that are told twice."""
    if same(before, after, "contracts"):
        return
    seen: dict[GateId, str] = {}
    for path, data in contract_files(after):
        try:
            gate = contract_from(data, path).contract.gate
        except AbverifyError as error:
            if before.read(path) is None:
                yield from error_reasons(error, "invalid")
            continue
        if gate in seen:
            yield from error_reasons(declared_twice(gate, path, seen[gate]), "invalid")
        seen.setdefault(gate, path)

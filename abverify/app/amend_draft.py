"""The contract that is to be published: as it stands, with values changed, or as another gate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.app.contract_side import published_side, working_side
from abverify.errors import RefusedError
from abverify.verify.amendment.changes import changes_between
from abverify.verify.amendment.law import needed_bump, next_versions
from abverify.workspace.contract_edit import Setting, edited
from abverify.workspace.contracts import contract_from

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abverify.app.docket import Repository
    from abverify.workspace.contracts import LoadedContract

_FIRST = "1.0.0"
_VERSION = "version"


@frozen
class Draft:
    """What is to be published.

    Attributes:
        loaded: the contract as it will stand.
        held: the bytes that its file holds now; None where there is no such file.
        fork: the gate that it succeeds, when it is opened now as another gate.
    """

    loaded: LoadedContract
    held: bytes | None
    fork: str | None = None

    @property
    def edits(self) -> bool:
        """Whether the contract's file must be written."""
        return self.loaded.data != self.held


def drafted_contract(repository: Repository, name: str, settings: Sequence[str]) -> Draft:
    """A gate's working contract with some values changed, under the version that the law asks.

    Args:
        repository: the repository.
        name: the gate.
        settings: what to change, each `PATH=VALUE`; nothing leaves the contract as it stands.

    Raises:
        UsageError: AV110 or AV111 for the name, AV744 or AV745 for a setting.
        InvalidError: if the contract with those values is none.
        RefusedError: AV746 if they change nothing.
    """
    loaded = repository.registry.find(name)
    if not settings:
        return Draft(loaded, loaded.data)
    chosen = tuple(map(Setting.read, settings))
    changed = _with(loaded, chosen)
    if changed.data == loaded.data:
        raise _nothing(loaded)
    if all(setting.path != _VERSION for setting in chosen):
        changed = _stepped(repository, changed)
    return Draft(changed, loaded.data)


def forked_contract(
    repository: Repository, name: str, new: str, settings: Sequence[str], reason: str
) -> Draft:
    """A new gate that succeeds another: its contract, with some values changed.

    Args:
        repository: the repository.
        name: the gate to succeed.
        new: the new gate's name, in the same namespace.
        settings: what differs, each `PATH=VALUE`.
        reason: why, which its origin says unless a setting does.

    Raises:
        RefusedError: AV747 if there is such a gate or such a file.
        UsageError, InvalidError: as for `drafted_contract`.
    """
    loaded = repository.registry.find(name)
    gate = loaded.contract.gate
    chosen = tuple(map(Setting.read, settings))
    given = {setting.path for setting in chosen}
    own = {
        "id": f"{gate.namespace}/{new}",
        _VERSION: _FIRST,
        "origin.gate": gate.name,
        "origin.reference": f"{gate.name} {loaded.contract.version}: {reason}",
        "supersedes": str(gate),
    }
    defaults = tuple(Setting.of(path, text) for path, text in own.items() if path not in given)
    forked = _with(loaded, (*defaults, *chosen))
    path = f"contracts/{forked.contract.gate.name}.yaml"
    taken = forked.contract.gate in repository.registry.contracts
    if taken or (repository.root / path).exists() or repository.ledger.chain(forked.contract.gate):
        raise RefusedError(
            "there is such a gate already",
            rule="AV747",
            place=path,
            expected="a gate that nothing names yet",
            found=str(forked.contract.gate),
            next_step=f"abverify amend {gate.name} --new-gate NAME, with another name",
        )
    return Draft(replace(forked, path=path), None, fork=gate.name)


def _with(loaded: LoadedContract, settings: Sequence[Setting]) -> LoadedContract:
    return contract_from(edited(loaded.data, loaded.path, settings), loaded.path)


def _stepped(repository: Repository, loaded: LoadedContract) -> LoadedContract:
    """The contract under the least version that its changes ask for, unless it has a due one."""
    gate = loaded.contract.gate
    current = repository.in_force(gate)
    held = current.statement.common.gate.contract_version if current else None
    old = published_side(repository, gate, held) if held else None
    if old is None or held is None:
        return loaded
    bump = needed_bump(changes_between(old, working_side(repository.root, loaded)))
    if bump is None:
        raise _nothing(loaded)
    allowed = next_versions(held, bump)
    if loaded.contract.version in allowed:
        return loaded
    return _with(loaded, (Setting.of(_VERSION, allowed[0]),))


def _nothing(loaded: LoadedContract) -> RefusedError:
    return RefusedError(
        "these values are the contract's already: there is nothing to amend",
        rule="AV746",
        place=loaded.path,
        expected="a value other than the published one",
        found="no change",
        next_step=f"abverify amend diff {loaded.contract.gate.name}@VERSION "
        f"{loaded.contract.gate.name} shows what differs",
    )

"""What moves with a contract when it is published: all of it in one step with the record."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from abverify.app.render import refreshed
from abverify.errors import RefusedError
from abverify.workspace.contracts import version_path
from abverify.workspace.pinfiles import repinned
from abverify.workspace.pins import PIN_LOCK, PinLock, PinnedContract, load_pins, render_pins
from abverify.workspace.policies import load_policy
from abverify.workspace.snapshot import Overlaid, WorkTree
from abverify.workspace.undo import undoable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from abverify.model.policy import Mirror, Policy
    from abverify.records.append import Appended
    from abverify.records.bodies import Amendment
    from abverify.workspace.contracts import LoadedContract


@contextmanager
def enacting(
    root: Path, loaded: LoadedContract, body: Amendment, held: bytes | None, appended: Appended
) -> Iterator[None]:
    """Publishes a contract around the writing of its record; what fails takes all of it back.

    Only to be called inside `writing`.

    Args:
        root: the repository.
        loaded: the contract as it is to be published.
        body: what the record says of it.
        held: the working contract's bytes when the change was judged; None if there were none.
        appended: the record that will be written.

    Raises:
        RefusedError: AV743 if somebody has edited the contract meanwhile.
        IndeterminateError: AV404 if a file cannot be written.
    """
    policy = load_policy(root)
    refuse_edited(root, loaded.path, held)
    files = {
        loaded.path: loaded.data,
        **copies(root, policy, loaded),
        PIN_LOCK: _pins(root, loaded, body),
    }
    after = Overlaid(WorkTree(root), {**files, appended.path: appended.data, **appended.log})
    documents = refreshed(policy, after, rollups=policy.rollups)
    with undoable(root, {**files, **documents}, appended.path, appended.data):
        yield


@contextmanager
def proposing(
    root: Path, loaded: LoadedContract, held: bytes | None, path: str, data: bytes
) -> Iterator[None]:
    """Writes the working contract around its proposal; nothing of it is published yet.

    Only to be called inside `writing`.

    Args:
        root: the repository.
        loaded: the contract as it is to be published when others have signed.
        held: the working contract's bytes when the change was judged; None if there were none.
        path: the proposal's path.
        data: its bytes.

    Raises:
        RefusedError: AV743 if somebody has edited the contract meanwhile.
        IndeterminateError: AV404 if a file cannot be written.
    """
    refuse_edited(root, loaded.path, held)
    with undoable(root, {loaded.path: loaded.data}, path, data):
        yield


def copies(root: Path, policy: Policy, loaded: LoadedContract) -> dict[str, bytes]:
    """Where a published contract's bytes or digest also stand, by path, and what must be there."""
    files = {version_path(loaded.contract.gate, loaded.contract.version): loaded.data}
    tree = WorkTree(root)
    for pin in policy.pins:
        data = tree.read(pin.file) if pin.contract == loaded.path else None
        if data is not None:
            files[pin.file] = repinned(pin, data, loaded.sha256)
    return files | mirrored(root, policy, {loaded.path: loaded.data})


def mirrored(root: Path, policy: Policy, contracts: Mapping[str, bytes]) -> dict[str, bytes]:
    """The mirrors that are plain folders here, by path, and the bytes they must hold."""
    return {
        f"{mirror.location.rstrip('/')}/{mirror.file}": contracts[mirror.contract]
        for mirror in policy.mirrors
        if mirror.contract in contracts and copyable(root, mirror)
    }


def copyable(root: Path, mirror: Mirror) -> bool:
    """Whether a mirror is a folder that is there; only a YAML file is ever written to one."""
    plain = mirror.kind == "folder" and mirror.file.endswith((".yaml", ".yml"))
    return plain and (root / mirror.location).is_dir()


def refuse_edited(root: Path, path: str, held: bytes | None) -> None:
    """Refuses to write over an edit that was made after the change was judged.

    Raises:
        RefusedError: AV743.
    """
    if WorkTree(root).read(path) != held:
        raise RefusedError(
            "the contract was edited while its amendment was being made",
            rule="AV743",
            place=path,
            expected="the file as it was read",
            found="other bytes",
            next_step="run the command again",
        )


def _pins(root: Path, loaded: LoadedContract, body: Amendment) -> bytes:
    pins = load_pins(root)
    entry = PinnedContract(version=loaded.contract.version, sha256=loaded.sha256)
    lock = PinLock(
        schema_=pins.schema_,
        contracts={**pins.contracts, str(loaded.contract.gate): entry},
        inputs={**pins.inputs, **body.pins},
    )
    return render_pins(lock)

"""The ritual: what must move with a contract, checked step by step over one state of the files."""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from abverify._canonical import sha256_hex
from abverify._frozen import frozen
from abverify.app.facts import contracts_at
from abverify.app.reasons import error_reasons
from abverify.app.regions import content_of
from abverify.errors import AbverifyError, IndeterminateError
from abverify.model.report import Reason
from abverify.model.ritual_report import Step
from abverify.verify.amendment.rollups import region_faults, rollup_faults
from abverify.workspace.documents import load_document
from abverify.workspace.mirrors import MirrorView, open_mirror
from abverify.workspace.pinfiles import read_pin_file
from abverify.workspace.pins import PIN_LOCK, PinLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from abverify.model.policy import Mirror, PinFile, Policy
    from abverify.workspace.git import GitRepository
    from abverify.workspace.pinfiles import Pinned
    from abverify.workspace.snapshot import Snapshot

Mirrors: TypeAlias = "tuple[tuple[Mirror, MirrorView | IndeterminateError], ...]"
"""Each declared mirror, opened, or why it could not be."""

_FULL_COMMIT = re.compile(r"[0-9a-f]{40}")


@frozen
class Scene:
    """What the ritual is checked over.

    Attributes:
        root: the repository, for mirrors declared by a path beside it.
        policy: the policy that judges.
        files: the state judged.
        facts: what roll-ups may show, as of that state.
        mirrors: each declared mirror, opened, or why it could not be.
        git: the repository's own history; None where there is none.
        protected: the commit of the protected branch; None if it is not here.
    """

    root: Path
    policy: Policy
    files: Snapshot
    facts: Mapping[str, Any]
    mirrors: Mirrors = ()
    git: GitRepository | None = None
    protected: str | None = None


@contextmanager
def opened_mirrors(policy: Policy, root: Path) -> Iterator[Mirrors]:
    """Every mirror of a policy, opened once; one that cannot be reached is kept as its error."""
    with ExitStack() as stack:
        found: list[tuple[Mirror, MirrorView | IndeterminateError]] = []
        for mirror in policy.mirrors:
            try:
                found.append((mirror, stack.enter_context(open_mirror(mirror, root))))
            except IndeterminateError as error:
                found.append((mirror, error))
        yield tuple(found)


def ritual_steps(scene: Scene) -> tuple[Step, ...]:
    """The first four steps; the fifth is about a change, and needs the state before."""
    return (pinned_step(scene), *mirror_steps(scene), rollup_step(scene))


def pinned_step(scene: Scene) -> Step:
    """Whether every pin file, and our own pin.lock, has the digest of the bytes that are there."""
    checked, reasons = 0, []
    for pin in scene.policy.pins:
        checked += 1
        reasons += _caught(lambda pin=pin: _pin_faults(scene, pin))  # type: ignore[misc]
    lock = scene.files.read(PIN_LOCK)
    if lock is not None:
        found = list(_lock_faults(scene, load_document(PinLock, lock, name=PIN_LOCK)))
        checked += len(contracts_at(scene.files))
        reasons += found
    return Step("pinned", checked, tuple(reasons))


def mirror_steps(scene: Scene) -> tuple[Step, Step]:
    """Whether each mirror holds the contract's bytes, and whether its pinned commit is sound."""
    bytes_found: list[Reason] = []
    commits: list[Reason] = []
    checked = 0
    for mirror, view in scene.mirrors:
        if isinstance(view, IndeterminateError):
            bytes_found += error_reasons(view, "mirror-unreachable")
            continue
        bytes_found += _caught(lambda v=view: _mirror_faults(scene, v))  # type: ignore[misc]
        for pin in _pins_of(scene.policy, mirror):
            checked += 1
            commits += _caught(lambda p=pin, v=view: _commit_faults(scene, p, v))  # type: ignore[misc]
    mirrored = {mirror.contract for mirror in scene.policy.mirrors}
    for pin in scene.policy.pins:
        if pin.commit is not None and pin.contract not in mirrored:
            checked += 1
            commits += _caught(lambda p=pin: _commit_faults(scene, p, None))  # type: ignore[misc]
    return (
        Step("mirrored", len(scene.mirrors), tuple(bytes_found)),
        Step("mirror-commit", checked, tuple(commits)),
    )


def rollup_step(scene: Scene) -> Step:
    """Whether every declared place shows the fact that it should."""
    reasons: list[Reason] = []
    for rollup in scene.policy.rollups:
        reasons += rollup_faults(rollup, _text(scene.files, rollup.file), scene.facts)
    for region in scene.policy.regions:
        content = content_of(region, scene.facts)
        reasons += region_faults(region, _text(scene.files, region.file), content)
    return Step("rolled-up", len(scene.policy.rollups) + len(scene.policy.regions), tuple(reasons))


def _caught(check: Callable[[], Iterator[Reason]]) -> list[Reason]:
    """The findings of a check; a file that cannot be read leaves the question open."""
    try:
        return list(check())
    except AbverifyError as error:
        return list(error_reasons(error, "cannot-evaluate"))


def _pin_faults(scene: Scene, pin: PinFile) -> Iterator[Reason]:
    contract = scene.files.read(pin.contract)
    stated = _pinned_values(scene, pin).get(pin.sha256)
    if contract is None:
        yield _fault("pin-stale", "AV720", "the pinned contract is not there", pin.contract)
        return
    digest = sha256_hex(contract)
    if stated is None or stated.value != digest:
        yield _fault(
            "pin-stale",
            "AV720",
            f"{pin.contract} is not pinned as it is",
            stated.place if stated else pin.file,
            f"{pin.sha256}: {digest}",
            f"{pin.sha256}: {stated.value}" if stated else f"no {pin.sha256}",
            f"write {digest} there, in the same commit as the contract",
        )


def _lock_faults(scene: Scene, lock: PinLock) -> Iterator[Reason]:
    for path, loaded in contracts_at(scene.files).items():
        entry = lock.contracts.get(str(loaded.contract.gate))
        if entry is not None and entry.sha256 != loaded.sha256:
            yield _fault(
                "pin-stale",
                "AV720",
                f"{path} is not pinned as it is",
                PIN_LOCK,
                f"version {loaded.contract.version}, sha256 {loaded.sha256}",
                f"version {entry.version}, sha256 {entry.sha256}",
                f"abverify amend {loaded.contract.gate.name} --reason … publishes it",
            )


def _mirror_faults(scene: Scene, view: MirrorView) -> Iterator[Reason]:
    """The mirror's bytes at the commit that is pinned; at its newest where none is."""
    mirror = view.mirror
    stated = (
        _pinned_values(scene, pin).get(pin.commit or "") for pin in _pins_of(scene.policy, mirror)
    )
    commit = next((pin.value for pin in stated if pin and view.knows(pin.value)), None)
    ours, theirs = scene.files.read(mirror.contract), view.read(commit)
    if ours != theirs:
        where = f" at {commit}" if commit else ""
        yield _fault(
            "mirror-drift",
            "AV721",
            f"the mirror of {mirror.contract} holds other bytes",
            f"{mirror.location}: {mirror.file}{where}",
            _digest(ours),
            _digest(theirs),
            "copy the contract's bytes to the mirror, commit them there, and pin that commit",
        )


def _commit_faults(scene: Scene, pin: PinFile, view: MirrorView | None) -> Iterator[Reason]:
    stated = _pinned_values(scene, pin).get(pin.commit or "")
    if stated is None:
        yield _fault(
            "pin-stale", "AV720", f"the pin file has no {pin.commit}", pin.file, pin.commit
        )
        return
    if not _FULL_COMMIT.fullmatch(stated.value):
        yield _fault(
            "short-pin",
            "AV723",
            "a commit is pinned by less than its full id",
            stated.place,
            "40 hex digits",
            stated.value,
            f"git rev-parse {stated.value}",
        )
        return
    yield from _reachability(scene, stated, view)


def _reachability(scene: Scene, stated: Pinned, view: MirrorView | None) -> Iterator[Reason]:
    """The pinned commit must be in the branch that outlives every pull request."""
    commit = stated.value
    if view is not None and view.git is not None:
        branch, reached = f"the mirror's {view.mirror.branch}", view.reaches(commit)
    elif scene.git is not None and scene.protected is not None:
        branch = scene.policy.protected
        reached = scene.git.is_ancestor(commit, scene.protected)
    else:
        yield _fault(
            "cannot-evaluate",
            "AV739",
            "nothing here tells whether the pinned commit is in the protected branch",
            stated.place,
            f"the branch {scene.policy.protected}",
            "no such branch here",
            f"git fetch origin {scene.policy.protected}",
        )
        return
    if not reached:
        yield _fault(
            "unmerged-pin",
            "AV724",
            f"the pinned commit is not in {branch}",
            stated.place,
            f"a commit reachable from {branch}",
            commit,
            "merge it first, then pin the commit that the branch has",
        )


def _pinned_values(scene: Scene, pin: PinFile) -> Mapping[str, Pinned]:
    data = scene.files.read(pin.file)
    return {} if data is None else read_pin_file(pin, data)


def _pins_of(policy: Policy, mirror: Mirror) -> tuple[PinFile, ...]:
    return tuple(
        pin for pin in policy.pins if pin.contract == mirror.contract and pin.commit is not None
    )


def _text(files: Snapshot, path: str) -> str | None:
    data = files.read(path)
    return None if data is None else data.decode("utf-8", "replace")


def _digest(data: bytes | None) -> str:
    return "no file" if data is None else f"sha256 {sha256_hex(data)}"


def _fault(
    code: str,
    rule: str,
    message: str,
    place: str,
    expected: str | None = None,
    found: str | None = None,
    next_step: str | None = None,
) -> Reason:
    return Reason(
        code, rule, "error", message, place=place, expected=expected, found=found, next=next_step
    )

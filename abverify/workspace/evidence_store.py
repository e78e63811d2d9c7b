"""Evidence on disk: every bundle of the repository, read back and verified."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from abverify._frozen import frozen
from abverify.errors import AbverifyError
from abverify.evidence.bundle import Bundle, read_bundle
from abverify.evidence.manifest import ATTEMPTS, IMPORTED, JOURNAL, MANIFEST, START
from abverify.workspace.files import read_bytes, read_tree, reading, replace_file, write_new

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from abverify.evidence.passage import Look
    from abverify.evidence.trials import WholeTrial
    from abverify.model.ids import GateId

T = TypeVar("T")

GATES = "gates"
RECORDED = "fixtures/recorded"
_IN_PIECES = frozenset([JOURNAL])


@frozen
class Unreadable:
    """A bundle folder that could not be read at all, and why."""

    path: str
    error: AbverifyError


@frozen
class EvidenceStore:
    """Every bundle found, the ones that cannot be read, and the runs still open."""

    bundles: tuple[Bundle, ...]
    unreadable: tuple[Unreadable, ...]
    unfinished: tuple[str, ...]

    def offered_to(self, gate: GateId) -> tuple[Bundle, ...]:
        """The smoke and bench bundles offered to a gate."""
        return tuple(
            bundle
            for bundle in self.bundles
            if str(gate) in bundle.manifest.offered_to and bundle.manifest.stage != "calibrate"
        )

    def calibrations(self) -> tuple[Bundle, ...]:
        """Every calibration bundle: the meter is shared by all gates."""
        return tuple(b for b in self.bundles if b.manifest.stage == "calibrate")

    def unreadable_of(self, gate: GateId) -> tuple[Unreadable, ...]:
        """The unreadable bundles in a gate's own folder."""
        prefix = f"{evidence_folder(gate)}/"
        return tuple(item for item in self.unreadable if item.path.startswith(prefix))

    def unfinished_of(self, gate: GateId) -> tuple[str, ...]:
        """The folders of a gate's runs that were begun and never finished."""
        prefix = f"{evidence_folder(gate)}/"
        return tuple(path for path in self.unfinished if path.startswith(prefix))


def evidence_folder(gate: GateId) -> str:
    """Where a gate's own runs are kept, relative to the root."""
    return f"{GATES}/{gate.namespace}/{gate.name}/evidence"


def load_evidence(root: Path) -> EvidenceStore:
    """Reads every bundle below `gates/` and `fixtures/recorded/`."""
    bundles: list[Bundle] = []
    unreadable: list[Unreadable] = []
    unfinished: list[str] = []
    for path in bundle_folders(root):
        if not (root / path / MANIFEST).exists():
            unfinished.append(path)
            continue
        try:
            bundles.append(load_bundle(root, path))
        except AbverifyError as error:
            unreadable.append(Unreadable(path, error))
    return EvidenceStore(tuple(bundles), tuple(unreadable), tuple(unfinished))


def load_bundle(root: Path, path: str, look: Look | None = None) -> Bundle:
    """Reads one bundle; its journal may be larger than memory.

    An import is read whole: it is held against its log byte by byte.

    Args:
        root: the repository.
        path: the bundle's folder, relative to it.
        look: shown every attempt with all of its texts as it passes by.

    Raises:
        UntrustedError: if its manifest, lock or journal cannot be read at all.
    """
    files = read_tree(root, path, without=_IN_PIECES)
    journal = f"{path}/{JOURNAL}"
    try:
        if IMPORTED in files:
            files[JOURNAL] = read_bytes(root, journal)
        else:
            with reading(root, journal) as pieces:
                return read_bundle(files, path=path, journal=pieces, look=look)
    except FileNotFoundError:
        pass  # what a bundle lacks is for the bundle's reader to say
    return read_bundle(files, path=path, look=look)


def view_trials(
    root: Path, path: str, view: Callable[[WholeTrial], T]
) -> tuple[Bundle, dict[tuple[str, int], T]]:
    """Reads one bundle, and makes something of each trial that counts while its texts pass by.

    Args:
        root: the repository.
        path: the bundle's folder, relative to it.
        view: what to make of a trial.

    Returns:
        The bundle, and what was made, by fixture and declared seed.

    Raises:
        UntrustedError: as for `load_bundle`.
    """
    views: dict[tuple[str, int], T] = {}

    def look(attempt: WholeTrial) -> None:
        # The last attempt is the one that counts: a journal with more after it is no journal.
        views[attempt.trial.fixture, attempt.trial.seed] = view(attempt)

    bundle = load_bundle(root, path, look)
    return bundle, {key: views[key] for key in sorted(bundle.trials)}


def write_bundle(root: Path, path: str, files: Mapping[str, bytes]) -> None:
    """Writes a whole bundle, which nothing that reads evidence sees before its last file.

    Args:
        root: the repository.
        path: the bundle's folder; what an interrupted write left there is replaced.
        files: its files by name, the manifest among them.

    Raises:
        RefusedError: AV403 if a bundle lies there already.
        IndeterminateError: AV404 if a file cannot be written.
    """
    for name in sorted(set(files) - {MANIFEST}):
        replace_file(root / path / name, files[name])
    write_new(root / path / MANIFEST, files[MANIFEST])


def attempts_begun(root: Path, path: str) -> int:
    """How many attempts a run has begun so far, by its own log of them."""
    try:
        return read_bytes(root, f"{path}/{ATTEMPTS}").count(b"\n")
    except FileNotFoundError:
        return 0


def bundle_folders(root: Path) -> tuple[str, ...]:
    """The folders that hold a run, finished or not, relative to the root, sorted."""
    folders = [*(root / GATES).glob("*/*/evidence/*"), *(root / RECORDED).glob("*")]
    return tuple(
        folder.relative_to(root).as_posix()
        for folder in sorted(folders)
        if (folder / MANIFEST).exists() or (folder / START).exists()
    )

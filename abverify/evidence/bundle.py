"""A bundle read back: bytes in, and out come the run, its trials, and every fault found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._canonical import parse_canonical, sha256_hex
from abverify._frozen import frozen
from abverify.errors import UntrustedError
from abverify.evidence.lock import RunLock, parse_lock
from abverify.evidence.manifest import (
    ATTEMPTS,
    JOURNAL,
    LOCK,
    MANIFEST,
    SCORES,
    START,
    FileDigest,
    Manifest,
    Start,
)
from abverify.evidence.rows import AgentRow, CalibrationRow, ParserCalibrationRow, parse_rows
from abverify.evidence.soundness import Fault, row_faults
from abverify.evidence.trials import counted, fold_trials

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from abverify.evidence.imported import Imported
    from abverify.evidence.rows import Row
    from abverify.evidence.trials import TrialResult


@frozen
class Bundle:
    """One run's evidence, verified against its own manifest.

    Attributes:
        path: the bundle's folder, relative to the repository root.
        sha256: digest of the manifest's bytes; it stands for the whole bundle.
        manifest: what the run says of itself.
        lock: every resolved variable of the run.
        rows: the whole journal.
        trials: the attempt that counts, by fixture and declared seed.
        claimed_scores: the bytes of `scores.json`, still to be compared.
        faults: what does not fit; a bundle with any is unsound.
        imported: how an imported log was read; None for a run of ours.
    """

    path: str
    sha256: str
    manifest: Manifest
    lock: RunLock
    rows: tuple[Row, ...]
    trials: Mapping[tuple[str, int], TrialResult]
    claimed_scores: bytes
    faults: tuple[Fault, ...]
    imported: Imported | None = None

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds the run declared; of an import the numbers of its repetitions."""
        if self.imported is not None:
            return tuple(sorted({seed for _, seed in self.trials}))
        text = self.lock.values.get("sampling.seeds")
        return tuple(map(int, text.split(","))) if isinstance(text, str) and text else ()

    def calibrations(self) -> tuple[CalibrationRow, ...]:
        """The meter readings, for a calibration bundle."""
        return tuple(row for row in self.rows if isinstance(row, CalibrationRow))

    def agents(self) -> tuple[AgentRow, ...]:
        """The scripted agents' trials, for a calibration bundle."""
        return tuple(row for row in self.rows if isinstance(row, AgentRow))

    def parser_calibrations(self) -> tuple[ParserCalibrationRow, ...]:
        """The parser's readings, for a calibration bundle."""
        return tuple(row for row in self.rows if isinstance(row, ParserCalibrationRow))


def read_bundle(files: Mapping[str, bytes], *, path: str) -> Bundle:
    """Reads a bundle and compares every byte of it with its manifest.

    Args:
        files: the folder's files by name.
        path: the folder, relative to the repository root, for messages.

    Raises:
        UntrustedError: AV430 if the manifest, lock or journal cannot be read at all.
        AbverifyError: if the log that a bundle was imported from cannot be read here.
    """
    try:
        manifest = _manifest(files, path)
        lock = parse_lock(files[LOCK], name=f"{path}/{LOCK}")
        rows = parse_rows(files[JOURNAL], name=f"{path}/{JOURNAL}")
    except KeyError as error:
        raise UntrustedError(
            "the evidence bundle lacks a file",
            rule="AV430",
            place=path,
            expected=str(error.args[0]),
        ) from None
    imported = _imported(files, path)
    faults = [
        *_file_faults(manifest, files, path),
        *_lock_faults(manifest, lock, path),
        *_start_faults(manifest, files, path),
        *_attempt_faults(manifest, files, path),
        *_import_faults(manifest, files, path, imported),
    ]
    trials: dict[tuple[str, int], TrialResult] = {}
    try:
        attempts = fold_trials(rows)
        trials = counted(attempts)
        read = [attempt for row in rows if isinstance(row, AgentRow) for attempt in _trial(row)]
        faults += row_faults([*attempts, *read], lock, f"{path}/{JOURNAL}")
    except ValueError as error:
        faults.append(
            Fault(f"{path}/{JOURNAL}", "the journal contradicts itself", found=str(error))
        )
    return Bundle(
        path=path,
        sha256=sha256_hex(files[MANIFEST]),
        manifest=manifest,
        lock=lock,
        rows=rows,
        trials=trials,
        claimed_scores=files.get(SCORES, b""),
        faults=tuple(faults),
        imported=imported,
    )


def _imported(files: Mapping[str, bytes], path: str) -> Imported | None:
    """How an imported log was read; what was only written down by hand has no such account."""
    if "imported.json" not in files:
        return None
    from abverify.evidence.imported import IMPORTED, parse_imported

    return parse_imported(files[IMPORTED], name=f"{path}/{IMPORTED}")


def _import_faults(
    manifest: Manifest, files: Mapping[str, bytes], path: str, imported: Imported | None
) -> Iterator[Fault]:
    """What an imported bundle has otherwise than the log that it keeps."""
    if imported is None:
        return
    # Not above: only an import needs the readers of other harnesses' logs.
    from abverify.evidence.foreign.derive import derivation_faults

    yield from derivation_faults(files, imported, manifest, path=path)


def _trial(row: AgentRow) -> tuple[TrialResult, ...]:
    """A scripted agent's trial: it is held against its own transcript, and never scored."""
    return fold_trials(row.trial_rows())


def _manifest(files: Mapping[str, bytes], path: str) -> Manifest:
    name = f"{path}/{MANIFEST}"
    parse_canonical(files[MANIFEST], name=name)
    try:
        return Manifest.model_validate_json(files[MANIFEST])
    except ValueError as error:
        found = " ".join(str(error).split())[:300]
        raise UntrustedError(
            "not an evidence manifest", rule="AV430", place=name, found=found
        ) from None


def _file_faults(manifest: Manifest, files: Mapping[str, bytes], path: str) -> list[Fault]:
    listed = {entry.name: entry for entry in manifest.files}
    faults = [_file_fault(entry, files.get(entry.name), path) for entry in manifest.files]
    extra = sorted(set(files) - set(listed) - {MANIFEST})
    unlisted = [Fault(f"{path}/{name}", "a file that the manifest does not list") for name in extra]
    needed = (LOCK, JOURNAL, SCORES, *(() if manifest.imported_from else (START, ATTEMPTS)))
    missing = [
        Fault(f"{path}/{MANIFEST}", f"the manifest does not list {name}")
        for name in needed
        if name not in listed
    ]
    return [*filter(None, faults), *unlisted, *missing]


def _file_fault(entry: FileDigest, data: bytes | None, path: str) -> Fault | None:
    place = f"{path}/{entry.name}"
    if data is None:
        return Fault(place, "a file of the bundle is missing", expected=f"sha256 {entry.sha256}")
    if len(data) == entry.size and sha256_hex(data) == entry.sha256:
        return None
    return Fault(
        place,
        "the file's bytes are not the ones the manifest lists",
        expected=f"{entry.size} bytes, sha256 {entry.sha256}",
        found=f"{len(data)} bytes, sha256 {sha256_hex(data)}",
    )


def _lock_faults(manifest: Manifest, lock: RunLock, path: str) -> list[Fault]:
    if lock.sha256 == manifest.lock_sha256:
        return []
    place = f"{path}/{LOCK}"
    return [Fault(place, "not the run's lock", expected=manifest.lock_sha256, found=lock.sha256)]


def _start_faults(manifest: Manifest, files: Mapping[str, bytes], path: str) -> Iterator[Fault]:
    """The manifest must repeat what `start.json` said before anything was measured."""
    if manifest.imported_from is not None or START not in files:
        return
    place = f"{path}/{START}"
    try:
        parse_canonical(files[START], name=place)
        start = Start.model_validate_json(files[START])
    except (UntrustedError, ValueError) as error:
        yield Fault(place, "not the start of a run", found=" ".join(str(error).split())[:300])
        return
    began, told = start.to_json(), manifest.to_json()
    for name in sorted(set(began) - {"schema"}):
        if began[name] != told[name]:
            message = f"the run began with another {name}"
            yield Fault(place, message, expected=str(told[name]), found=str(began[name]))


def _attempt_faults(manifest: Manifest, files: Mapping[str, bytes], path: str) -> list[Fault]:
    """Attempts are counted in a log of their own, which a run of ours always has."""
    if manifest.imported_from is not None:
        return []
    counted_lines = files.get(ATTEMPTS, b"").count(b"\n")
    if counted_lines == manifest.attempts_total:
        return []
    return [
        Fault(
            f"{path}/{ATTEMPTS}",
            "the attempts are miscounted",
            expected=f"{manifest.attempts_total} lines",
            found=f"{counted_lines} lines",
        )
    ]

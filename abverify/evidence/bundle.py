"""A bundle read back: bytes in, and out come the run, its trials, and every fault found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._canonical import parse_canonical, sha256_hex
from abverify._frozen import frozen
from abverify.errors import UntrustedError
from abverify.evidence.lock import RunLock, parse_lock
from abverify.evidence.manifest import (
    ATTEMPTS,
    IMPORTED,
    JOURNAL,
    LOCK,
    MANIFEST,
    SCORES,
    START,
    FileDigest,
    Manifest,
    Start,
)
from abverify.evidence.passage import Digested, Passage
from abverify.evidence.soundness import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from abverify.evidence.imported import Imported
    from abverify.evidence.passage import AgentReading, Look
    from abverify.evidence.rows import CalibrationRow, ParserCalibrationRow
    from abverify.evidence.trials import TrialResult


@frozen
class Bundle:
    """One run's evidence, verified against its own manifest.

    Attributes:
        path: the bundle's folder, relative to the repository root.
        sha256: digest of the manifest's bytes; it stands for the whole bundle.
        manifest: what the run says of itself.
        lock: every resolved variable of the run.
        trials: the attempt that counts, by fixture and declared seed.
        readings: the meter's readings, of a calibration.
        agents: the scripted agents' trials, of a calibration.
        parsers: the parser's readings, of a calibration.
        claimed_scores: the bytes of `scores.json`, still to be compared.
        faults: what does not fit; a bundle with any is unsound.
        imported: how an imported log was read; None for a run of ours.
    """

    path: str
    sha256: str
    manifest: Manifest
    lock: RunLock
    trials: Mapping[tuple[str, int], TrialResult]
    readings: tuple[CalibrationRow, ...]
    agents: tuple[AgentReading, ...]
    parsers: tuple[ParserCalibrationRow, ...]
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


def read_bundle(
    files: Mapping[str, bytes],
    *,
    path: str,
    journal: Iterable[bytes] | None = None,
    look: Look | None = None,
) -> Bundle:
    """Reads a bundle and compares every byte of it with its manifest.

    The journal passes by once: its bytes are hashed as they are parsed, each trial is held
    against its own texts, and what is kept of it is small.

    Args:
        files: the folder's files by name.
        path: the folder, relative to the repository root, for messages.
        journal: the journal in pieces, where it is not among the files.
        look: shown every attempt with all of its texts as it passes by, sound or not.

    Raises:
        UntrustedError: AV430 if the manifest, lock or journal cannot be read at all.
        AbverifyError: if the log that a bundle was imported from cannot be read here.
    """
    try:
        manifest = _manifest(files, path)
        lock = parse_lock(files[LOCK], name=f"{path}/{LOCK}")
        pieces = (files[JOURNAL],) if journal is None else journal
    except KeyError as error:
        raise UntrustedError(
            "the evidence bundle lacks a file",
            rule="AV430",
            place=path,
            expected=str(error.args[0]),
        ) from None
    passed = Passage(lock, f"{path}/{JOURNAL}", look)
    digest = passed.read(pieces)
    imported = _imported(files, path)
    others = {name: Digested.of(data) for name, data in files.items() if name != JOURNAL}
    digests = {**others, JOURNAL: digest}
    faults = [
        *_file_faults(manifest, digests, path),
        *_lock_faults(manifest, lock, path),
        *_start_faults(manifest, files, path),
        *_attempt_faults(manifest, files, path),
        *_import_faults(manifest, files, path, imported),
        *passed.faults,
    ]
    return Bundle(
        path=path,
        sha256=sha256_hex(files[MANIFEST]),
        manifest=manifest,
        lock=lock,
        trials=passed.trials,
        readings=tuple(passed.readings),
        agents=tuple(passed.agents),
        parsers=tuple(passed.parsers),
        claimed_scores=files.get(SCORES, b""),
        faults=tuple(faults),
        imported=imported,
    )


def _imported(files: Mapping[str, bytes], path: str) -> Imported | None:
    """How an imported log was read; what was only written down by hand has no such account."""
    if IMPORTED not in files:
        return None
    from abverify.evidence.imported import parse_imported

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


def _file_faults(manifest: Manifest, files: Mapping[str, Digested], path: str) -> list[Fault]:
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


def _file_fault(entry: FileDigest, found: Digested | None, path: str) -> Fault | None:
    place = f"{path}/{entry.name}"
    if found is None:
        return Fault(place, "a file of the bundle is missing", expected=f"sha256 {entry.sha256}")
    if found == Digested(entry.size, entry.sha256):
        return None
    return Fault(
        place,
        "the file's bytes are not the ones the manifest lists",
        expected=f"{entry.size} bytes, sha256 {entry.sha256}",
        found=f"{found.size} bytes, sha256 {found.sha256}",
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

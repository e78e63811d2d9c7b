"""Logs of other harnesses imported as bundles, for what they are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.errors import AbverifyError, InvalidError, Place, RefusedError
from abverify.evidence.bundle import read_bundle
from abverify.evidence.foreign.assemble import assemble, kept_names, run_name
from abverify.evidence.foreign.registry import read_foreign
from abverify.evidence.lock import LOCK_KEYS
from abverify.evidence.manifest import MANIFEST
from abverify.model.report import FindingsReport, Reason
from abverify.workspace.contracts import load_registry
from abverify.workspace.evidence_store import RECORDED, evidence_folder, write_bundle
from abverify.workspace.files import read_named, read_tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from abverify.evidence.bundle import Bundle
    from abverify.evidence.foreign.log import ForeignLog, Tool


def import_evidence(
    root: Path,
    paths: Sequence[Path],
    *,
    gate: str | None = None,
    tool: Tool | None = None,
    scorer: str | None = None,
) -> FindingsReport:
    """Imports one run of another harness; the same log twice is imported once.

    Args:
        root: the repository.
        paths: the files of the run.
        gate: the gate that the run is offered to; None for nobody.
        tool: which harness wrote it; found out when None.
        scorer: whose grades count, where there are several.

    Raises:
        UsageError: AV110 for an unknown gate, AV840 for an unknown harness.
        InvalidError: AV841 or AV842 for a log that cannot be read, or with several scorers.
        NothingToCheckError: AV843 for one without samples.
        IndeterminateError: AV404 for a file that cannot be read.
        RefusedError: AV847 if something else lies where the bundle goes.
    """
    offered = load_registry(root).find(gate).contract.gate if gate else None
    files = {str(path): read_named(path) for path in paths}
    kept = kept_names(files)
    try:
        log = read_foreign(kept, tool=tool, scorer=scorer)
        run = run_name(log, kept)
        gates = (str(offered),) if offered else ()
        built = assemble(log, kept, run=run, gates=gates, named=scorer is not None)
    except AbverifyError as error:
        raise _renamed(error, dict(zip(kept, files, strict=True))) from None
    except ValueError as error:
        raise InvalidError(
            "the log contradicts itself", rule="AV841", place=str(paths[0]), found=str(error)
        ) from None
    path = f"{evidence_folder(offered) if offered else RECORDED}/{run}"
    _keep(root, path, built)
    return _report(log, read_bundle(built, path=path))


def _keep(root: Path, path: str, built: Mapping[str, bytes]) -> None:
    """Writes the bundle, unless it lies there already."""
    if not (root / path / MANIFEST).exists():
        write_bundle(root, path, built)
    elif read_tree(root, path) != built:
        raise RefusedError(
            "another bundle lies there",
            rule="AV847",
            place=path,
            expected="nothing, or what this log gives",
            found="something else",
            next_step=f"abverify evidence verify {path}",
        )


def _renamed(error: AbverifyError, originals: dict[str, str]) -> AbverifyError:
    """The error with the place as its user named it."""
    if error.place is not None:
        place = str(error.place)
        for kept, original in originals.items():
            place = place.replace(kept, original)
        error.place = Place(place)
    return error


def _report(log: ForeignLog, bundle: Bundle) -> FindingsReport:
    graded = sum(trial.passed is not None for trial in log.trials)
    passed = sum(trial.passed is True for trial in log.trials)
    return FindingsReport(
        kind="evidence-import",
        reasons=tuple(_reasons(log, bundle)),
        checked=graded,
        total=len(log.trials),
        success="done",
        facts=(
            ("bundle", f"{bundle.path}  sha256 {bundle.sha256}"),
            ("log", f"{log.tool} {log.version or 'of an unknown version'}, task {log.task}"),
            ("grades", f"{log.scorer}: {passed} passed, {graded}/{len(log.trials)} graded"),
            *_claims(bundle),
        ),
        extra={
            "path": bundle.path,
            "sha256": bundle.sha256,
            "manifest": f"{bundle.path}/{MANIFEST}",
            "claims": {
                key: {"standing": one.standing, "value": one.value, "where": one.where}
                for key, one in (bundle.imported.claims if bundle.imported else {}).items()
            },
            "absent": list(bundle.lock.absent()),
        },
    )


def _claims(bundle: Bundle) -> Iterator[tuple[str, str]]:
    claims = bundle.imported.claims if bundle.imported else {}
    for key, claim in claims.items():
        yield claim.standing, f"{key} = {claim.value}  ({claim.where})"
    yield "absent", f"{len(bundle.lock.absent())} of {len(LOCK_KEYS)} keys of the run lock"


def _reasons(log: ForeignLog, bundle: Bundle) -> Iterator[Reason]:
    for problem in log.problems:
        yield Reason(
            problem.code,
            "AV844",
            "warning",
            f"this run cannot decide: {problem.message}",
            place=f"{bundle.path}: {problem.where}",
            expected=problem.expected,
            found=problem.found,
            next="import a log of the whole task, as the harness wrote it",
        )
    yield Reason(
        "imported",
        "AV305",
        "note",
        f"the model's identity is {bundle.manifest.identity}: nobody hashed the bytes that ran",
        place=bundle.path,
        next=f"abverify evidence show {bundle.manifest.run}",
    )

"""Where a page's contents come from: every file by digest, and the commands that verify it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.evidence.manifest import MANIFEST
from abverify.model.ids import GateId
from abverify.model.page import Artifact, Provenance
from abverify.records.record import contract_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from abverify.app.docket import Repository
    from abverify.evidence.bundle import Bundle
    from abverify.model.calibration_report import CalibrationLine
    from abverify.model.compare_report import CompareReport
    from abverify.model.report import CheckReport
    from abverify.records.record import Record
    from abverify.workspace.contracts import LoadedContract

_AUDIT = ("abverify audit", "every record, signature and citation of the ledger")


def gate_provenance(
    repository: Repository, loaded: LoadedContract, check: CheckReport, shown: Iterable[Bundle]
) -> Provenance:
    """What a gate's page rests on."""
    bundles = tuple(shown)
    gate = loaded.contract.gate
    meter = check.calibration
    calibrated = _calibrated(meter) if meter else ()
    return Provenance(
        facts=(*ledger_facts(repository), *_harness(bundles), *calibrated),
        artifacts=(
            Artifact("working contract", loaded.path, loaded.sha256),
            *_records(repository.ledger.chain(gate)),
            *(item for bundle in bundles for item in _bundle(bundle)),
        ),
        commands=(
            (f"abverify check {check.gate}", "the decision, derived again from the same files"),
            *_verify(bundles),
            _AUDIT,
        ),
    )


def _calibrated(meter: CalibrationLine) -> tuple[tuple[str, str], ...]:
    """The calibration that the decision relies on, and how far it carries."""
    return (("calibration", f"{meter.path}  sha256 {meter.sha256}"), *meter.count.lines())


def experiment_provenance(
    repository: Repository, report: CompareReport, shown: Iterable[Bundle]
) -> Provenance:
    """What an experiment's page rests on."""
    bundles = tuple(shown)
    gates = sorted({GateId.parse(arm.gate) for arm in report.arms})
    return Provenance(
        facts=(
            *ledger_facts(repository),
            *_harness(bundles),
            ("experiment", f"sha256 {report.sha256}"),
        ),
        artifacts=(
            *(item for gate in gates for item in _records(repository.ledger.chain(gate))),
            *(item for bundle in bundles for item in _bundle(bundle)),
        ),
        commands=(
            (f"abverify compare {report.experiment}", "the conclusion, derived again"),
            *_verify(bundles),
            _AUDIT,
        ),
    )


def ledger_provenance(repository: Repository) -> Provenance:
    """What a page about the whole ledger rests on."""
    return Provenance(
        facts=ledger_facts(repository),
        artifacts=tuple(_records(repository.ledger.records)),
        commands=(_AUDIT, ("abverify status", "the state of every gate and scope")),
    )


def ledger_facts(repository: Repository) -> tuple[tuple[str, str], ...]:
    """The ledger's name, its trust root, and the checkpoint that its log stands at."""
    trust, log = repository.ledger.trust, repository.ledger.log
    if trust is None:
        return (("ledger", "no trust root"),)
    newest = trust.newest
    root = f"version {newest.document.version}  sha256 {newest.sha256}"
    note = ((("note", newest.document.note),)) if newest.document.note else ()
    checkpoint = (
        (("checkpoint", f"size {log.checkpoint.size}  root {log.checkpoint.root.hex()}"),)
        if log
        else ()
    )
    return (("ledger", newest.document.origin), ("trust root", root), *note, *checkpoint)


def _harness(bundles: Iterable[Bundle]) -> Iterator[tuple[str, str]]:
    """The code that measured, once for each that did."""
    told = {
        (bundle.lock.values.get("harness.version"), bundle.lock.values.get("harness.sha256"))
        for bundle in bundles
    }
    for version, digest in sorted(told, key=str):
        yield "harness", f"abverify {version}  sha256 {digest}"


def _records(records: Iterable[Record]) -> Iterator[Artifact]:
    contracts: dict[str, str] = {}
    for record in records:
        version = record.statement.common.gate.contract_version
        contracts[contract_path(record.gate, version)] = record.contract_sha256
        yield Artifact(f"{record.kind} record", record.path, record.sha256)
    for path, digest in contracts.items():
        yield Artifact("published contract", path, digest)


def _bundle(bundle: Bundle) -> Iterator[Artifact]:
    yield Artifact("evidence manifest", f"{bundle.path}/{MANIFEST}", bundle.sha256)
    for entry in bundle.manifest.files:
        yield Artifact("evidence", f"{bundle.path}/{entry.name}", entry.sha256)


def _verify(bundles: Iterable[Bundle]) -> Iterator[tuple[str, str]]:
    for bundle in bundles:
        words = "every byte against the manifest, the journal against itself"
        yield f"abverify evidence verify {bundle.path}", words

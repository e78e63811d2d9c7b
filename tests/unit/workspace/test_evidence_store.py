from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abverify.model.ids import GateId
from abverify.workspace.evidence_store import evidence_folder, load_evidence
from tests.builders import GATE, Run, calibration_run

if TYPE_CHECKING:
    from pathlib import Path

OURS = GateId.parse(GATE)
OTHER = GateId("laptop", "T1_002")


def store_run(root: Path, path: str, run: Run, *, without: str = "") -> None:
    folder = root / path
    folder.mkdir(parents=True)
    for name, data in run.files().items():
        if name != without:
            (folder / name).write_bytes(data)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    here = evidence_folder(OURS)
    store_run(tmp_path, f"{here}/calibration-1", calibration_run())
    store_run(tmp_path, f"{here}/open", Run(run="open"), without="manifest.json")
    store_run(tmp_path, f"{here}/run-1", Run())
    store_run(tmp_path, f"{here}/torn", Run(run="torn"), without="lock.json")
    store_run(tmp_path, "fixtures/recorded/old", Run(run="old", stage="smoke"))
    (tmp_path / here / "notes").mkdir()
    return tmp_path


def test_bundles_are_found_with_the_gates_and_among_the_recorded(root: Path) -> None:
    store = load_evidence(root)

    assert [bundle.path for bundle in store.bundles] == [
        "fixtures/recorded/old",
        "gates/laptop/T1_001/evidence/calibration-1",
        "gates/laptop/T1_001/evidence/run-1",
    ]
    assert all(bundle.faults == () for bundle in store.bundles)


def test_a_gate_sees_what_is_offered_to_it_and_calibrations_are_everybodys(root: Path) -> None:
    store = load_evidence(root)

    assert [bundle.manifest.run for bundle in store.offered_to(OURS)] == ["old", "run-1"]
    assert store.offered_to(OTHER) == ()
    assert [bundle.manifest.run for bundle in store.calibrations()] == ["calibration-1"]


def test_a_run_without_a_manifest_is_unfinished_and_one_without_a_lock_unreadable(
    root: Path,
) -> None:
    store = load_evidence(root)

    assert store.unfinished_of(OURS) == ("gates/laptop/T1_001/evidence/open",)
    assert [(item.path, item.error.rule) for item in store.unreadable_of(OURS)] == [
        ("gates/laptop/T1_001/evidence/torn", "AV430")
    ]
    assert (store.unfinished_of(OTHER), store.unreadable_of(OTHER)) == ((), ())


def test_a_symlink_in_a_bundle_makes_it_unreadable(root: Path) -> None:
    (root / "gates/laptop/T1_001/evidence/run-1/scores.json").unlink()
    (root / "gates/laptop/T1_001/evidence/run-1/scores.json").symlink_to("/etc/passwd")

    store = load_evidence(root)

    assert [item.error.rule for item in store.unreadable] == ["AV402", "AV430"]


def test_a_repository_without_evidence_has_none(tmp_path: Path) -> None:
    assert load_evidence(tmp_path).bundles == ()

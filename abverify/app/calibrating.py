"""Calibrating the meter before a run, unless a calibration of it counts already."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from abverify.verify.calibration import calibrated, same_meter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from abverify.app.docket import Repository
    from abverify.app.measurement import OpenGate
    from abverify.app.run import RunRequest
    from abverify.bench.plan import Watcher
    from abverify.evidence.lock import RunLock
    from abverify.verify.eligibility import Eligibility


def calibrate_if_needed(
    repository: Repository, gate: OpenGate, request: RunRequest, watcher: Watcher
) -> RunLock:
    """Calibrates the meter that a gate would be measured by now, unless that is done already.

    Returns:
        The meter, as the lock of its calibration.

    Raises:
        AbverifyError: whatever keeps the meter from being calibrated.
    """
    from abverify.app.measurement import bench_for, calibration_lock
    from abverify.app.run import run_open_gate

    meter = calibration_lock(gate, bench_for(gate.corpus, unsafe=request.unsafe))
    if not calibrated(
        meter,
        repository.evidence.calibrations(),
        max_age_days=gate.contract.evidence.calibration.max_age_days,
        now=repository.now,
    ):
        run_open_gate(repository.root, gate, replace(request, stage="calibrate"), watcher)
    return meter


def lacks_only_calibration(benches: Iterable[Eligibility], meter: RunLock) -> bool:
    """Whether some bench of this meter counts as soon as the meter is calibrated."""
    return any(
        same_meter(meter, item.bundle.lock)
        and {reason.code for reason in item.reasons if reason.severity == "error"}
        == {"uncalibrated"}
        for item in benches
        if item.bundle.manifest.stage == "bench"
    )

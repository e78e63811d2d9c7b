"""What running a stage tells its user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from abverify._frozen import frozen

if TYPE_CHECKING:
    from abverify.model.calibration_report import CalibrationCount
    from abverify.model.report import Reason
    from abverify.model.stop_report import StopLine

RunVerdict = Literal["complete", "stopped", "incomplete", "calibrated", "miscalibrated"]


@frozen
class RunReport:
    """A stage that ran, or was found finished.

    Attributes:
        gate: the gate's qualified id.
        stage: calibrate, smoke or bench.
        verdict: whether every trial was measured, or a declared rule stopped the bench early, or
            every reading was right.
        path: the bundle's folder.
        sha256: digest of its manifest.
        fresh: False when a finished run was found and nothing ran.
        checked: trials measured, or readings that were right.
        total: trials demanded, or readings taken.
        outcomes: counts by outcome; none for a calibration.
        metrics: every metric as numerator and denominator; none of a bench that stopped early.
        notes: what a reader should know, such as a run without a sandbox.
        next: the next command.
        calibration: what a calibration read; None for another stage.
        reasons: why the meter may not be trusted.
        stop: what the declared stop rules came to; None where none is declared.
    """

    gate: str
    stage: str
    verdict: RunVerdict
    path: str
    sha256: str
    fresh: bool
    checked: int
    total: int
    outcomes: tuple[tuple[str, int], ...]
    metrics: tuple[tuple[str, int, int], ...]
    notes: tuple[str, ...]
    next: tuple[str, ...]
    calibration: CalibrationCount | None = None
    reasons: tuple[Reason, ...] = ()
    stop: StopLine | None = None

    @property
    def exit_code(self) -> int:
        """0 complete or stopped by its rule, 1 for a meter that reads wrong, 3 incomplete."""
        return {"miscalibrated": 1, "incomplete": 3}.get(self.verdict, 0)

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON data under the common head."""
        return {
            "schema": "abverify/run/v1",
            "verdict": self.verdict,
            "reasons": [reason.to_json() for reason in self.reasons],
            "checked": self.checked,
            "total": self.total,
            "gate": self.gate,
            "stage": self.stage,
            "evidence": {"path": self.path, "sha256": self.sha256, "fresh": self.fresh},
            "outcomes": dict(self.outcomes),
            "metrics": {name: [x, n] for name, x, n in self.metrics},
            "calibration": self.calibration.to_json() if self.calibration else None,
            "stop": self.stop.to_json() if self.stop else None,
            "notes": list(self.notes),
            "next": list(self.next),
        }

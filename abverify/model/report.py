"""What a use case tells its user: verdicts with reasons, ready to be rendered in any format."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from abverify._frozen import frozen, named

if TYPE_CHECKING:
    from abverify.model.calibration_report import CalibrationLine
    from abverify.model.stop_report import StopLine

Severity = Literal["error", "warning", "note"]
Verdict = Literal["met", "not-met", "cannot-evaluate"]


class Report(Protocol):
    """What every verb gives back: a value to render in any format, and its exit code."""

    @property
    def exit_code(self) -> int:
        """The documented exit code; the format never changes it."""

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON data under the common head."""


@frozen
class Reason:
    """One line of an argument: a stable code, the rule behind it, and the way on.

    Attributes:
        code: a short stable word such as `smoke-only`.
        rule: the rule id, explained by `abverify explain`.
        severity: `error` decides, `warning` should be mended, `note` informs.
        message: one sentence for a person.
        place: file, line and column, where there is one.
        expected: what should have been there.
        found: what was there.
        next: the next command or edit.
    """

    code: str
    rule: str
    severity: Severity
    message: str
    place: str | None = None
    expected: str | None = None
    found: str | None = None
    next: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The reason as plain JSON data, every key present."""
        return named(self)


@frozen
class CriterionLine:
    """One criterion as decided: what was asked, what was seen, and out of how many.

    Attributes:
        id: the criterion's id.
        metric: the metric's name.
        expected: the bound, as text: `>= 1`.
        observed: the exact value, as text; null when there was nothing to measure.
        numerator: what was counted.
        denominator: out of how many.
        interval: exact 95 % confidence limits as decimal texts; null where none applies.
        holds: whether it holds; null when it cannot be said.
        bounds: of a bench that stopped early the least and the most that the value could have
            become; null of any other, whose value was observed.
    """

    id: str
    metric: str
    expected: str
    observed: str | None
    numerator: int
    denominator: int
    interval: tuple[str, str] | None
    holds: bool | None
    bounds: tuple[str, str] | None = None

    def to_json(self) -> dict[str, Any]:
        """The line as plain JSON data."""
        data = named(self)
        pairs = {"interval": self.interval, "bounds": self.bounds}
        return {**data, **{name: list(pair) if pair else None for name, pair in pairs.items()}}


@frozen
class EvidenceLine:
    """One bundle that was considered, and why it counts or not.

    Attributes:
        path: the bundle's folder.
        run: the run's id.
        stage: smoke or bench.
        sha256: the bundle's digest.
        identity: how the model's identity is known.
        model: the name of the model that ran.
        eligible: whether the bundle may decide the gate.
        reasons: why not, or what to know.
    """

    path: str
    run: str
    stage: str
    sha256: str
    identity: str
    model: str | None
    eligible: bool
    reasons: tuple[Reason, ...]

    def to_json(self) -> dict[str, Any]:
        """The line as plain JSON data."""
        data = named(self)
        return {**data, "reasons": [reason.to_json() for reason in self.reasons]}


@frozen
class ScopeLine:
    """A scope that the gate could open, its state, and the suspensions that hold it."""

    scope: str
    state: str
    held_by: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The line as plain JSON data."""
        return {"scope": self.scope, "state": self.state, "heldBy": list(self.held_by)}


@frozen
class CheckReport:
    """The answer to "is this gate open?", whole."""

    gate: str
    contract_version: str
    contract_sha256: str
    verdict: Verdict
    state: str
    model: str
    identity: str
    weights_sha256: str | None
    reasons: tuple[Reason, ...]
    criteria: tuple[CriterionLine, ...]
    evidence: tuple[EvidenceLine, ...]
    scopes: tuple[ScopeLine, ...]
    checked: int
    total: int
    decided_by: str | None = None
    attempts_total: int = 0
    metrics: tuple[tuple[str, int, int], ...] = ()
    record: str | None = None
    next: tuple[str, ...] = ()
    calibration: CalibrationLine | None = None
    stop: StopLine | None = None

    @property
    def exit_code(self) -> int:
        """0 met, 1 not met, 3 cannot be evaluated."""
        return {"met": 0, "not-met": 1, "cannot-evaluate": 3}[self.verdict]

    def to_json(self) -> dict[str, Any]:
        """The report in the shape of the `abverify/check/v1` schema."""
        deciding = next((line for line in self.evidence if line.path == self.decided_by), None)
        return {
            "schema": "abverify/check/v1",
            "verdict": self.verdict,
            "reasons": [reason.to_json() for reason in self.reasons],
            "checked": self.checked,
            "total": self.total,
            "gate": self.gate,
            "contract": {"version": self.contract_version, "sha256": self.contract_sha256},
            "state": self.state,
            "model": {"name": self.model, "weightsSha256": self.weights_sha256},
            "identity": self.identity,
            "evidence": [line.to_json() for line in self.evidence],
            "eligibility": "eligible" if deciding else _ineligibility(self.evidence),
            "criteria": [line.to_json() for line in self.criteria],
            "metrics": {name: [x, n] for name, x, n in self.metrics},
            "scopes": [line.to_json() for line in self.scopes],
            "decidedBy": self.decided_by,
            "calibration": self.calibration.to_json() if self.calibration else None,
            "stop": self.stop.to_json() if self.stop else None,
            "attemptsTotal": self.attempts_total,
            "record": self.record,
            "next": list(self.next),
        }


def _ineligibility(evidence: tuple[EvidenceLine, ...]) -> str:
    codes = [r.code for line in evidence for r in line.reasons if r.severity == "error"]
    return codes[0] if codes else "no-evidence"


@frozen
class FindingsReport:
    """The result of a verb that looks for faults: lint, audit.

    Attributes:
        kind: the verb, which also names the JSON schema.
        reasons: what was found; errors decide the exit code.
        checked: items looked at.
        total: items there were.
        facts: what was checked against, as pairs of a label and a text.
        failure_code: the exit code when there is an error: 1 for lint, 4 for audit.
        success: the verdict's word when nothing is wrong: `done` for a verb that acts.
    """

    kind: str
    reasons: tuple[Reason, ...]
    checked: int
    total: int
    facts: tuple[tuple[str, str], ...] = ()
    failure_code: int = 1
    success: str = "clean"
    empty_message: str = "there was nothing to check"
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[Reason, ...]:
        """The findings that fail the check."""
        return tuple(reason for reason in self.reasons if reason.severity == "error")

    @property
    def verdict(self) -> str:
        """The word of success, `faults` or `nothing-to-check`."""
        if self.errors:
            return "faults"
        return self.success if self.total else "nothing-to-check"

    @property
    def exit_code(self) -> int:
        """0 clean, 5 when there was nothing to check, else the verb's failure code."""
        codes = {self.success: 0, "faults": self.failure_code, "nothing-to-check": 5}
        return codes[self.verdict]

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON data under the common head."""
        return {
            "schema": f"abverify/{self.kind}/v1",
            "verdict": self.verdict,
            "reasons": [reason.to_json() for reason in self.reasons],
            "checked": self.checked,
            "total": self.total,
            "facts": dict(self.facts),
            **self.extra,
        }

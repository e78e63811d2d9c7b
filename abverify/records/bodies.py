"""What each kind of record says of its own, beside the block that all records share."""

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from abverify._canonical import canonical_digest
from abverify.model.identity import IdentityLevel
from abverify.model.value import Count, Identifier, RelativePath, Sha256, Version
from abverify.records.fields import Digest, Exact, GateDigest, GateName, Moment, Prose, RecordValue

Kind: TypeAlias = Literal[
    "suspension", "discharge", "non-discharge", "lift", "amendment", "retraction"
]


class LiftCondition(RecordValue):
    """A gate that must be discharged, at a version of its contract or one that succeeds it."""

    gate: GateName
    contract_sha256: Sha256


Conditions = Annotated[tuple[LiftCondition, ...], Field(min_length=1, max_length=64)]


class AnyGate(RecordValue):
    """One covered condition is enough."""

    any_of: Conditions


class AllGates(RecordValue):
    """Every condition must be covered."""

    all_of: Conditions


class Suspension(RecordValue):
    """Holds a scope, gates or both shut until its conditions are covered and somebody lifts it."""

    suspension_id: Identifier
    scope: Identifier | None
    gates: Annotated[tuple[GateName, ...], Field(max_length=64)]
    lift_when: AnyGate | AllGates

    @model_validator(mode="after")
    def _holds_something(self) -> Self:
        if self.scope is None and not self.gates:
            raise ValueError("a suspension names a scope, or at least one gate")
        return self


class Evaluator(RecordValue):
    """The program that decided; `sha256` of its harness, or null where evidence was imported."""

    name: Identifier
    version: Prose
    sha256: Sha256 | None


class JudgedModel(RecordValue):
    """The model that the evidence is about, and how its identity is known."""

    name: Prose
    weights_sha256: Sha256 | None
    adapter_sha256: Sha256 | None
    identity: IdentityLevel


class JudgedCriterion(RecordValue):
    """One criterion: its bound, the exact value seen, and out of how many it was counted."""

    id: Identifier
    metric: Identifier
    expected: Prose
    observed: Exact | None
    denominator: Count
    outcome: Literal["met", "not-met", "unknown"]


class CitedBundle(RecordValue):
    """An evidence bundle, by its folder and the digest of its manifest."""

    run: Identifier
    stage: Literal["smoke", "bench"]
    path: RelativePath
    manifest_sha256: Sha256


class CitedCalibration(RecordValue):
    """The calibration that vouches for the meter."""

    run: Identifier
    manifest_sha256: Sha256


def evidence_root(evidence: tuple[CitedBundle, ...]) -> str:
    """SHA-256 of the canonical JSON of the cited bundles, sorted by path: one for the whole set."""
    return canonical_digest([item.to_json() for item in sorted(evidence, key=lambda e: e.path)])


class Decision(RecordValue):
    """What a discharge and a non-discharge share: the verdict and everything it rests on."""

    evaluator: Evaluator
    model: JudgedModel
    run_lock: Digest
    criteria: Annotated[tuple[JudgedCriterion, ...], Field(min_length=1, max_length=64)]
    checked: Count
    total: Count
    evidence: Annotated[tuple[CitedBundle, ...], Field(min_length=1, max_length=256)]
    evidence_root: Sha256
    calibration: CitedCalibration
    stop_rule: Prose
    attempts_total: Count

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.checked > self.total:
            raise ValueError(f"checked {self.checked} of only {self.total}")
        if len({item.path for item in self.evidence}) < len(self.evidence):
            raise ValueError("the same evidence is cited twice")
        if self.evidence_root != evidence_root(self.evidence):
            raise ValueError("evidenceRoot is not the digest of the cited evidence")
        return self


class Discharge(Decision):
    """The gate's contract is met, until `valid_until`."""

    verdict: Literal["met"]
    valid_until: Moment


class NonDischarge(Decision):
    """The gate's contract is not met."""

    verdict: Literal["not-met"]


class LiftedSuspension(RecordValue):
    """The suspension that a lift ends: its name, and the digest of its envelope."""

    id: Identifier
    sha256: Sha256


class Lift(RecordValue):
    """Ends a suspension; each `satisfied_by` is a gate and the digest of its discharge."""

    suspension: LiftedSuspension
    satisfied_by: Annotated[tuple[GateDigest, ...], Field(min_length=1, max_length=64)]


class Superseded(RecordValue):
    """The contract version that an amendment comes after: of this gate, or of one it succeeds."""

    gate: GateName
    version: Version
    sha256: Sha256


class Amendment(RecordValue):
    """Publishes a version of the gate's contract; the first one introduces the gate."""

    supersedes: Superseded | None
    change_class: Literal["C0", "C1", "C2", "C3", "C4", "C5", "C6", "C7", "C9"] | None
    pins: Annotated[dict[RelativePath, Sha256], Field(max_length=256)]


class Retraction(RecordValue):
    """Takes a record back, and with it everything that rests on it."""

    target: Digest
    cause: Literal["keyCompromise", "evidenceInvalid", "issuedInError", "superseded"]


Body: TypeAlias = Suspension | Discharge | NonDischarge | Lift | Amendment | Retraction

BODIES: dict[Kind, type[Body]] = {
    "suspension": Suspension,
    "discharge": Discharge,
    "non-discharge": NonDischarge,
    "lift": Lift,
    "amendment": Amendment,
    "retraction": Retraction,
}


def kind_of(body: Body) -> Kind:
    """The kind of record that a body makes."""
    return next(kind for kind, model in BODIES.items() if type(body) is model)

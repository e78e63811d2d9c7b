"""A contract: the law of one gate. It names what must be shown, and never holds a status."""

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, field_validator, model_validator

from abverify.model.config import RunConfig
from abverify.model.criteria import Criterion, comparisons
from abverify.model.field_paths import field_paths
from abverify.model.identity import IdentityLevel, ModelSection
from abverify.model.ids import GATE_ID_PATTERN, GateId
from abverify.model.value import Identifier, Positive, RelativePath, Text, Value, Version

CONTRACT_SCHEMA = "abverify/contract/v1"

StopRule = Literal["failure-certain", "success-certain"]
"""When a bench may stop early: every completion of it would meet the criteria, or none would."""


class Origin(Value):
    """Where a gate comes from, for readers: the contract, gate and reference it continues."""

    contract: str | None = None
    gate: str | None = None
    reference: str | None = None


class SmokeStage(Value):
    """One prompt in 30 seconds. It can never discharge anything."""

    fixture: Identifier


class BenchStage(Value):
    """The corpus a verdict rests on, and how many of its fixtures must be measured."""

    corpus: RelativePath
    min_completed: Positive
    stop: Literal["never"] | Annotated[tuple[StopRule, ...], Field(min_length=1)]
    """The declared early-stopping rules: `never`, or a list of one or both."""

    @field_validator("stop", mode="before")
    @classmethod
    def _never_or_rules(cls, stop: Any) -> Any:
        """One message for both ways to write it. Rules are a set: their order means nothing."""
        known = get_args(StopRule)
        if stop == "never":
            return stop
        if not isinstance(stop, list | tuple) or not stop or any(s not in known for s in stop):
            raise ValueError(f"expected never, or a list of {' and '.join(known)}")
        if len(set(stop)) < len(stop):
            raise ValueError("a stop rule is named twice")
        return tuple(sorted(stop))

    @property
    def stop_rules(self) -> tuple[StopRule, ...]:
        """The declared rules in alphabetical order; none for `never`."""
        return () if self.stop == "never" else self.stop


class CalibrationStage(Value):
    """How old the meter's last calibration may be, in days."""

    max_age_days: Positive


class EvidenceSection(Value):
    """What evidence the gate demands, and for how long it counts."""

    smoke: SmokeStage
    bench: BenchStage
    calibration: CalibrationStage
    valid_days: Positive


class AmendmentSection(Value):
    """How the contract may change: approvals needed, and fields that never change."""

    approvals: Positive
    frozen: tuple[str, ...]

    @field_validator("frozen")
    @classmethod
    def _name_fields(cls, frozen: tuple[str, ...]) -> tuple[str, ...]:
        """A name that no field has would freeze nothing, and look as if it did."""
        known = field_paths(Contract) - {"version"}
        unknown = sorted(set(frozen) - known)
        if unknown:
            raise ValueError(
                f"no field that can be frozen is called {', '.join(unknown)}: name a section or a"
                " field such as lifts, model, config.sampling.seeds or criteria as a whole"
            )
        return frozen


class Contract(Value):
    """A whole contract document, as DESIGN §4 writes it."""

    schema_: Annotated[Literal["abverify/contract/v1"], Field(alias="schema")]
    id: Annotated[str, Field(pattern=GATE_ID_PATTERN)]
    title: Text
    version: Version
    origin: Origin
    supersedes: Annotated[str, Field(pattern=GATE_ID_PATTERN)] | None = None
    """The gate this one succeeds, when it was opened in its stead."""
    model: ModelSection
    identity: Literal["attested", "asserted"] = "attested"
    """The weakest proof of the model's identity that may discharge the gate."""
    config: RunConfig
    evidence: EvidenceSection
    estimand: Literal["this_bench", "fixture_population"] = "this_bench"
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]
    lifts: tuple[Identifier, ...]
    amendment: AmendmentSection

    @model_validator(mode="after")
    def _criterion_ids_are_unique(self) -> Self:
        ids = [comparison.id for comparison in comparisons(self.criteria)]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"criterion id used twice: {', '.join(twice)}")
        return self

    @property
    def gate(self) -> GateId:
        """The gate this contract guards."""
        return GateId.parse(self.id)

    def inputs(self) -> tuple[str, ...]:
        """The repository paths whose bytes the contract's meaning rests on, to be pinned."""
        return (self.config.prompt.system, self.evidence.bench.corpus)

    def accepts(self, level: IdentityLevel) -> bool:
        """Whether a proof of identity at `level` is enough for this gate."""
        return level in ("attested", self.identity)

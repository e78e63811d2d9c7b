"""An experiment: arms that may differ in one declared variable, and the rule that concludes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from abverify._frozen import frozen
from abverify.model.config import Seed
from abverify.model.ids import GATE_ID_PATTERN
from abverify.model.value import DecimalText, Identifier, RelativePath, Text, Value, exact

EXPERIMENT_SCHEMA = "abverify/experiment/v1"
NAMESPACE = "experiments"
"""The namespace that evidence of an arm without a gate of its own is offered to."""

MeasureName = Literal[
    "oracle_passed",
    "strict_call",
    "repairable_call",
    "first_turn_strict_call",
    "first_turn_repairable_call",
    "every_turn_call",
]
Conclusion = Literal[
    "confirmed",
    "refuted",
    "inconclusive",
    "necessary-not-sufficient",
    "confounded",
    "cannot-evaluate",
]
Direction = Literal["higher", "lower"]
Setting = str | int | bool | None


@frozen
class EndpointMeasure:
    """What is asked of one trial, with the answer yes or no: a trial counts once, never a turn."""

    name: MeasureName
    definition: str


MEASURES: dict[MeasureName, EndpointMeasure] = {
    measure.name: measure
    for measure in (
        EndpointMeasure("oracle_passed", "every oracle command passed at the end"),
        EndpointMeasure("strict_call", "some turn made a call that needed no repair"),
        EndpointMeasure(
            "repairable_call",
            "some turn made a call, as it stood or repaired; a Markdown edit is none",
        ),
        EndpointMeasure("first_turn_strict_call", "the first turn made a call without repair"),
        EndpointMeasure(
            "first_turn_repairable_call", "the first turn made a call, as it stood or repaired"
        ),
        EndpointMeasure("every_turn_call", "no turn was without a call"),
    )
}


class Endpoint(Value):
    """One yes-or-no outcome of a trial, under the name that results go by."""

    id: Identifier
    measure: MeasureName


class Endpoints(Value):
    """The one endpoint that decides, and others that explain."""

    primary: Endpoint
    secondary: tuple[Endpoint, ...] = ()
    mediator: Identifier | None = None
    """The secondary endpoint that the primary one needs first: no pass without a call."""

    @model_validator(mode="after")
    def _named_once(self) -> Endpoints:
        ids = [endpoint.id for endpoint in self.all()]
        if len(set(ids)) != len(ids):
            raise ValueError("two endpoints share an id")
        if self.mediator is not None and self.mediator not in ids[1:]:
            raise ValueError("the mediator is not one of the secondary endpoints")
        return self

    def all(self) -> tuple[Endpoint, ...]:
        """The primary endpoint, then the others."""
        return (self.primary, *self.secondary)


class Variable(Value):
    """What the experiment varies: a name, and the run-lock keys that may differ with it."""

    name: Text
    keys: Annotated[tuple[str, ...], Field(min_length=1)]

    @field_validator("keys")
    @classmethod
    def _distinct(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(keys)) != len(keys):
            raise ValueError("a key is named twice")
        return keys


class Arm(Value):
    """One arm: a gate's contract, as it stands or with some of its configuration set otherwise."""

    id: Identifier
    gate: Annotated[str, Field(pattern=GATE_ID_PATTERN)]
    settings: Annotated[
        dict[Annotated[str, Field(pattern=r"^config(\.[a-z_]+){1,3}$")], Setting],
        Field(alias="set", default_factory=dict),
    ]


class DecisionRule(Value):
    """When the primary endpoint decides, fixed before anything runs."""

    alpha: DecimalText
    sided: Literal["one", "two"] = "two"
    direction: Direction
    """What the hypothesis says of the other arms' rate, compared with the control's."""
    delta_min: DecimalText
    """The smallest difference of rates that matters."""
    level: Literal["bench", "bench-repeated", "replication"] = "bench"
    """The weakest level at which the rule may speak."""

    @field_validator("alpha", "delta_min")
    @classmethod
    def _a_share(cls, text: str) -> str:
        if not 0 < exact(text) < 1:
            raise ValueError("expected a number between 0 and 1")
        return text


class Multiplicity(Value):
    """How many hypotheses the same question is asked of, and how that is paid for."""

    method: Literal["none", "holm"]
    family: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    """The experiments of the family, this one among them."""

    @model_validator(mode="after")
    def _paid(self) -> Multiplicity:
        if self.method == "none" and len(self.family) > 1:
            raise ValueError("a family of several experiments needs a correction: holm")
        return self


class Experiment(Value):
    """A whole experiment document, `contracts/experiments/*.yaml`."""

    schema_: Annotated[Literal["abverify/experiment/v1"], Field(alias="schema")]
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    title: Text
    hypothesis: Text
    variable: Variable
    control: Identifier
    """The arm that the others are compared with."""
    arms: Annotated[tuple[Arm, ...], Field(min_length=2, max_length=8)]
    corpus: RelativePath
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)]
    endpoints: Endpoints
    decision: DecisionRule
    multiplicity: Multiplicity
    estimand: Literal["this_bench", "fixture_population"]
    """Whether the conclusion speaks of these fixtures, or of fixtures like these."""
    exploratory: bool
    """Whether the design is allowed to be too small for what it looks for."""
    replicates: Identifier | None = None
    """The experiment that this one repeats elsewhere: another machine, another corpus."""

    @model_validator(mode="after")
    def _hangs_together(self) -> Experiment:
        ids = [arm.id for arm in self.arms]
        if len(set(ids)) != len(ids):
            raise ValueError("two arms share an id")
        if self.control not in ids:
            raise ValueError(f"the control is no arm; one of: {', '.join(ids)}")
        if self.id not in self.multiplicity.family:
            raise ValueError("the multiplicity family does not name the experiment itself")
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError("a seed is declared twice")
        return self

    @property
    def offered_to(self) -> str:
        """What evidence of an arm without a gate of its own is offered to; no gate takes it."""
        return f"{NAMESPACE}/{self.id}"

    def arm(self, name: str) -> Arm:
        """The arm of that id.

        Raises:
            KeyError: when there is none.
        """
        return {arm.id: arm for arm in self.arms}[name]

    def treatments(self) -> tuple[Arm, ...]:
        """Every arm but the control."""
        return tuple(arm for arm in self.arms if arm.id != self.control)

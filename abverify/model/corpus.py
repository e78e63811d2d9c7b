"""A corpus of fixtures: tasks with a start state, an oracle, and the states that calibrate it."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from abverify._frozen import frozen
from abverify.model.value import Identifier, Positive, RelativePath, Text, Value

FIXTURE_SCHEMA = "abverify/fixture/v1"
CalibrationState = Literal["reference", "untouched", "broken"]
STATES: tuple[CalibrationState, ...] = ("reference", "untouched", "broken")


class OracleCommand(Value):
    """One real command whose exit decides: 0 passes, anything else fails.

    `kind` tells the task's tests from compliance checks such as a linter:
    both must pass, but a compliance failure is an outcome of its own.
    """

    id: Identifier
    kind: Literal["tests", "compliance"]
    run: Annotated[tuple[str, ...], Field(min_length=1)]
    expect: Text | None = None
    """Text the output must hold as well, such as `Ran 4 tests`: exiting early is not passing."""


class FixtureLimits(Value):
    """What one oracle run or one shell call of this fixture may use."""

    seconds: Positive = 60
    memory_mb: Positive = 2048
    processes: Positive = 128
    output_kb: Positive = 256


class FixtureSpec(Value):
    """The document `fixture.yaml`."""

    schema_: Annotated[Literal["abverify/fixture/v1"], Field(alias="schema")]
    id: Annotated[str, Field(pattern=r"^[a-z]+__[0-9]{2}-[a-z0-9]+(-[a-z0-9]+)*$")]
    title: Text
    language: Literal["python", "rust"]
    prompt: Text
    oracle: Annotated[tuple[OracleCommand, ...], Field(min_length=1)]
    protected: Annotated[tuple[RelativePath, ...], Field(min_length=1)]
    """Oracle files: always the fixture's own when the oracle runs, whatever the model did."""
    deliverables: tuple[str, ...] = ()
    """Globs of further files the oracle takes from the trial, besides the start state's own."""
    limits: FixtureLimits = FixtureLimits()

    @model_validator(mode="after")
    def _oracle_is_sound(self) -> Self:
        ids = [command.id for command in self.oracle]
        if len(set(ids)) != len(ids):
            raise ValueError("two oracle commands share an id")
        if not any(command.kind == "tests" for command in self.oracle):
            raise ValueError("the oracle has no command of kind tests")
        return self


@frozen
class Fixture:
    """One task, loaded: its document and the bytes of its three states.

    Attributes:
        spec: the document.
        workspace: the start state, contents by relative path.
        solution: files that turn the start state into the reference solution.
        broken: files that turn it into a plausible but wrong state.
        sha256: digest over every file of the fixture's folder.
    """

    spec: FixtureSpec
    workspace: Mapping[str, bytes]
    solution: Mapping[str, bytes]
    broken: Mapping[str, bytes]
    sha256: str

    @property
    def id(self) -> str:
        """The fixture's id, `<category>__<NN>-<slug>`."""
        return self.spec.id

    @property
    def deliverables(self) -> tuple[str, ...]:
        """Globs of the files taken from a trial: unprotected start files, and the declared ones."""
        own = (path for path in self.workspace if path not in self.spec.protected)
        return (*sorted(own), *self.spec.deliverables)

    def state(self, name: CalibrationState) -> dict[str, bytes]:
        """The files of one calibration state."""
        overlay = {"reference": self.solution, "untouched": {}, "broken": self.broken}[name]
        return {**self.workspace, **overlay}


@frozen
class Corpus:
    """A folder of fixtures under one digest, in the order of their ids."""

    path: str
    sha256: str
    fixtures: tuple[Fixture, ...]

    def fixture(self, fixture_id: str) -> Fixture | None:
        """The fixture of that id, or None."""
        return next((fixture for fixture in self.fixtures if fixture.id == fixture_id), None)

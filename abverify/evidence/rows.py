"""The rows of a journal: what happened, one canonical JSON line each, in order.

Raw completions are kept as they came, so that every later layer (parse,
execute, judge) can be done again from the stored text. Times stand in `millis`
only: two runs of one lock have equal journals apart from that field.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import Field

from abverify._canonical import canonical_bytes, parse_canonical
from abverify.errors import UntrustedError
from abverify.model.corpus import CalibrationState
from abverify.model.value import Count, Positive, Sha256, Value

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Outcome = Literal[
    "oracle_passed",
    "oracle_failed",
    "budget_exhausted",
    "text_loop",
    "compliance_failed",
    "infrastructure_failure",
]

FinishReason = Literal["stop", "length", "time", "context"]
"""Why a completion ended: an end token, max_tokens, the time limit, or a full context."""


class Trial(Value):
    """Which trial a row belongs to: one fixture and one declared seed.

    Attempts are not numbered here but counted in a log of their own, so that a
    run that was cut off and resumed leaves the same journal as one that was not.
    """

    fixture: str
    seed: Count


class ParsedCall(Value):
    """One call the parser read: the tool, and its arguments as ASCII JSON text."""

    tool: str
    arguments: str


class Parse(Value):
    """What the parser profile made of a turn."""

    verdict: Literal["native", "recovered", "refused", "none"]
    calls: tuple[ParsedCall, ...]
    codes: tuple[str, ...]


class ToolResult(Value):
    """What an executed call gave back to the model, exactly as the model saw it."""

    tool: str
    ok: bool
    output: str


class TrialStarted(Value):
    """A trial begins from an untouched workspace."""

    kind: Literal["trial"] = "trial"
    trial: Trial


class TurnRow(Value):
    """One turn: the prompt by digest, the raw completion, its parse, and the tools' answers."""

    kind: Literal["turn"] = "turn"
    trial: Trial
    turn: Positive
    seed: Count
    """The engine's seed for this turn, derived from the trial's declared seed."""
    prompt_sha256: Sha256
    prompt_tokens: Count
    completion_tokens: Count
    prefilled_tokens: Count | None = None
    """Prompt tokens evaluated for this turn, the trials' shared beginning not counted: it is
    evaluated once for a run. Null where the engine cannot tell."""
    finish_reason: FinishReason
    raw: str
    files: tuple[str, ...] | None = None
    """The workspace's files at this turn, where the parser profile reads them; else null."""
    parse: Parse
    results: tuple[ToolResult, ...]
    millis: Count


class OracleRow(Value):
    """One oracle command's run. `tampered` lists protected files the model had changed."""

    kind: Literal["oracle"] = "oracle"
    trial: Trial
    turn: Count
    command: str
    purpose: Literal["tests", "compliance"]
    passed: bool
    exit_code: int | None
    killed: str | None
    output: str
    tampered: tuple[str, ...]
    millis: Count


class FileChange(Value):
    """A workspace file whose bytes differ from the start state; null means it is not there."""

    path: str
    before: Sha256 | None
    after: Sha256 | None


class TrialEnded(Value):
    """How a trial ended, at which turn, why, and what it changed in the workspace."""

    kind: Literal["outcome"] = "outcome"
    trial: Trial
    outcome: Outcome
    reason: str
    turns: Count
    changes: tuple[FileChange, ...]
    millis: Count


class CalibrationRow(Value):
    """One reading of the meter: a known state, what the oracle said, and what it must say."""

    kind: Literal["calibration"] = "calibration"
    fixture: str
    state: CalibrationState
    passed: bool
    expected: bool
    detail: str
    millis: Count


Agent = Literal["good", "give-up"]
"""The scripted agents of a calibration: one does every task right, one gives up at once."""

AGENTS: tuple[Agent, ...] = ("good", "give-up")


class AgentRow(Value):
    """One reading of the whole loop: a scripted agent's trial, and whether it must pass.

    The trial is kept whole, so that its parses and its outcome are derived again
    like those of a bench.
    """

    kind: Literal["agent"] = "agent"
    agent: Agent
    turns: tuple[TurnRow, ...]
    oracle: tuple[OracleRow, ...]
    ended: TrialEnded
    expected: bool

    @property
    def fixture(self) -> str:
        """The fixture the agent worked on."""
        return self.ended.trial.fixture

    @property
    def passed(self) -> bool:
        """Whether the trial passed."""
        return self.ended.outcome == "oracle_passed"

    def trial_rows(self) -> tuple[TrialStarted | TurnRow | OracleRow | TrialEnded, ...]:
        """The trial's rows as a bench would have journaled them."""
        return (TrialStarted(trial=self.ended.trial), *self.turns, *self.oracle, self.ended)


class ParserCalibrationRow(Value):
    """The parser profile's own corpus: cases that came out exactly, and all of them."""

    kind: Literal["parser"] = "parser"
    profile: str
    version: Positive
    exact: Count
    total: Positive


MAX_ROW_BYTES = 64 << 20
"""Far more than a turn can hold; what is longer is not read into memory."""

Row: TypeAlias = (
    TrialStarted
    | TurnRow
    | OracleRow
    | TrialEnded
    | CalibrationRow
    | AgentRow
    | ParserCalibrationRow
)


@cache
def _adapter() -> "TypeAdapter[Any]":
    from pydantic import TypeAdapter

    return TypeAdapter(Annotated[Row, Field(discriminator="kind")])


def row_line(row: Row) -> bytes:
    """The row's line in the journal, newline included."""
    return canonical_bytes(row.to_json()) + b"\n"


def parse_rows(data: bytes, *, name: str) -> tuple[Row, ...]:
    """Reads a whole journal that is in memory already; errors as for `read_rows`."""
    return tuple(read_rows((data,), name=name))


def read_rows(chunks: Iterable[bytes], *, name: str) -> Iterator[Row]:
    """Reads a journal as it comes, holding one row at a time.

    Raises:
        UntrustedError: AV401 naming the line that is not a canonical row, or is torn.
    """
    for number, line in enumerate(journal_lines(chunks, name=name), 1):
        yield parse_row(line, place=f"{name}:{number}")


def parse_row(line: bytes, *, place: str) -> Row:
    """Reads one line of a journal, given without its newline.

    Raises:
        UntrustedError: AV401 if it is not a canonical row.
    """
    parse_canonical(line, name=place)
    try:
        row: Row = _adapter().validate_json(line)
    except ValueError as error:
        raise UntrustedError(
            "not a journal row",
            rule="AV401",
            place=place,
            found=" ".join(str(error).split())[:300],
        ) from None
    return row


def journal_lines(chunks: Iterable[bytes], *, name: str) -> Iterator[bytes]:
    """The lines of a journal, without their newlines, from pieces of any size.

    Raises:
        UntrustedError: AV401 if the last line has no newline, or a line is longer than any row.
    """
    begun: list[bytes] = []
    number, length = 1, 0
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        begun.append(first)
        length += len(first)
        if length > MAX_ROW_BYTES:
            raise UntrustedError(
                "a line of the journal is longer than any row",
                rule="AV401",
                place=f"{name}:{number}",
                expected=f"at most {MAX_ROW_BYTES} bytes",
            )
        for following in others:
            yield b"".join(begun)
            number += 1
            begun, length = [following], len(following)
    if length:
        raise UntrustedError(
            "the journal's last line is torn", rule="AV401", place=f"{name}:{number}"
        )

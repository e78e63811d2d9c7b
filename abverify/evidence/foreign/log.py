"""What a log of another harness tells: claims about the run, graded trials, and problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from abverify._frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abverify.evidence.lock import Scalar
    from abverify.evidence.rows import FinishReason

Tool = Literal["inspect", "lm-eval", "promptfoo", "bfcl"]
Standing = Literal["attested", "asserted"]
"""How we know a value: we computed it from the raw bytes in the log, or the log says so.
A key of the run lock that is in neither state is absent."""

ProblemCode = Literal["limited", "errored", "edited", "unmeasured", "disagrees"]
"""Why a run cannot decide anything: a part of the task was run; the run or a sample broke; grades
were changed afterwards; a sample has no grade; the summary is not what the samples give."""


@frozen
class Claim:
    """A value of the run lock as the log gives it, and where in the log it stands."""

    standing: Standing
    value: Scalar
    where: str


@frozen
class ForeignTurn:
    """One completion: the raw text as the model gave it, and the tokens the log counted."""

    raw: str
    prompt_tokens: int
    completion_tokens: int
    finish_reason: FinishReason


@frozen
class ForeignTrial:
    """One sample, graded.

    Attributes:
        fixture: the sample's id.
        repetition: which time it was run, from 1; it stands where our trials have their seed.
        passed: whether the grade is full marks; None where there is no grade.
        grade: the grade as the log has it.
        turns: the completions, in order; empty where the log keeps none.
    """

    fixture: str
    repetition: int
    passed: bool | None
    grade: str
    turns: tuple[ForeignTurn, ...]


@frozen
class Problem:
    """One reason why the run cannot decide anything."""

    code: ProblemCode
    message: str
    where: str
    expected: str
    found: str


@frozen
class ForeignLog:
    """A log, read.

    Attributes:
        tool: which harness wrote it.
        version: that harness's version, if the log tells.
        task: what it calls what was run.
        scorer: what graded the samples.
        started_at: RFC 3339 in UTC, to the second.
        finished_at: the same.
        claims: values of the run lock, by key.
        trials: every sample of every repetition.
        problems: why the run cannot decide anything; none for a whole, sound one.
    """

    tool: Tool
    version: str | None
    task: str
    scorer: str
    started_at: str
    finished_at: str
    claims: Mapping[str, Claim]
    trials: tuple[ForeignTrial, ...]
    problems: tuple[Problem, ...]

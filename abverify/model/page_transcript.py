"""Transcripts as a page shows them: every turn with its parse, its tools and its oracle.

All texts stand as they are in the journal. They come from a model and from programs that it
wrote: whoever shows them makes them inert.
"""

from __future__ import annotations

from typing import Literal

from abverify._frozen import frozen

MarkKind = Literal["call", "repair", "refusal"]


@frozen
class Mark:
    """A stretch of a turn's raw text that the parser read in a certain way.

    Attributes:
        start: where it begins, in code points.
        end: where it ends, not included.
        kind: a call, something read past, or something refused.
        code: the repair's or refusal's code; for a call the tool's name.
        meaning: what the code stands for, in a sentence.
    """

    start: int
    end: int
    kind: MarkKind
    code: str
    meaning: str


@frozen
class CallPage:
    """A call as parsed, with what came back: `ok` and `output` are None if it was not executed."""

    tool: str
    arguments: str
    ok: bool | None
    output: str | None


@frozen
class OraclePage:
    """One oracle command's run; `tampered` lists protected files that the model had changed."""

    turn: int
    command: str
    purpose: str
    passed: bool
    ended: str
    output: str
    tampered: tuple[str, ...]
    millis: int


@frozen
class TurnPage:
    """One turn.

    Attributes:
        number: from 1.
        seed: the engine's seed.
        verdict: what the parse came to: native, recovered, refused or none.
        raw: the completion, untouched.
        marks: where the parser read what, in order.
        codes: the codes that the journal holds for the turn.
        agrees: whether parsing the raw text again gives what the journal says; None where
            the run lock names no parser.
        calls: the calls, in order.
        oracle: the oracle's runs right after the turn.
        finish: why the completion ended.
        prompt_tokens: tokens of the prompt.
        completion_tokens: tokens of the completion.
        prompt_sha256: digest of the prompt.
        millis: how long the completion took.
    """

    number: int
    seed: int
    verdict: str
    raw: str
    marks: tuple[Mark, ...]
    codes: tuple[str, ...]
    agrees: bool | None
    calls: tuple[CallPage, ...]
    oracle: tuple[OraclePage, ...]
    finish: str
    prompt_tokens: int
    completion_tokens: int
    prompt_sha256: str
    millis: int


@frozen
class TrialPage:
    """One trial that counts.

    Attributes:
        anchor: the name it goes by on the page.
        arm: the arm or the run it belongs to.
        fixture: its fixture.
        seed: its declared seed.
        outcome: how it ended.
        passed: whether the oracle passed.
        reason: why it ended.
        turns: its turns, in order.
        oracle: the oracle's runs that follow no turn.
        changed: the workspace files that it changed.
        millis: how long it took.
    """

    anchor: str
    arm: str
    fixture: str
    seed: int
    outcome: str
    passed: bool
    reason: str
    turns: tuple[TurnPage, ...]
    oracle: tuple[OraclePage, ...]
    changed: tuple[str, ...]
    millis: int

"""The trials of a bundle for a page: the journal's own texts, parsed again for their spans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.evidence.reparse import parse_turn, stored
from abverify.model.page_transcript import CallPage, Mark, OraclePage, TrialPage, TurnPage
from abverify.toolcalls import code_catalogue, profile_by_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abverify.evidence.bundle import Bundle
    from abverify.evidence.rows import OracleRow, TurnRow
    from abverify.evidence.trials import TrialResult
    from abverify.model.page_transcript import MarkKind
    from abverify.toolcalls import ParsedTurn, Profile, Refusal, Repair


def transcripts(bundle: Bundle, arm: str, prefix: str) -> tuple[TrialPage, ...]:
    """The trials of a bundle that count, by fixture and seed.

    Args:
        bundle: the bundle.
        arm: what the run is called on the page.
        prefix: what the anchors of its trials begin with.
    """
    profile = _profile(bundle)
    return tuple(
        _trial(trial, profile, arm, f"{prefix}-{number}")
        for number, (_, trial) in enumerate(sorted(bundle.trials.items()), 1)
    )


def _profile(bundle: Bundle) -> Profile | None:
    name, version = (bundle.lock.values.get(f"parser.{key}") for key in ("profile", "version"))
    if not isinstance(name, str) or not isinstance(version, int):
        return None
    try:
        return profile_by_name(name, version)
    except (KeyError, ValueError):
        return None


def _trial(trial: TrialResult, profile: Profile | None, arm: str, anchor: str) -> TrialPage:
    ended = trial.ended
    numbers = {turn.turn for turn in trial.turns}
    return TrialPage(
        anchor=anchor,
        arm=arm,
        fixture=trial.trial.fixture,
        seed=trial.trial.seed,
        outcome=ended.outcome if ended else "never ended",
        passed=trial.passed,
        reason=ended.reason if ended else "the run was cut off here",
        turns=tuple(_turn(turn, trial, profile) for turn in trial.turns),
        oracle=tuple(_oracle(row) for row in trial.oracle if row.turn not in numbers),
        changed=tuple(change.path for change in ended.changes) if ended else (),
        millis=ended.millis if ended else 0,
    )


def _turn(turn: TurnRow, trial: TrialResult, profile: Profile | None) -> TurnPage:
    parsed = (
        parse_turn(turn.raw, turn.finish_reason, profile, turn.files or ()) if profile else None
    )
    return TurnPage(
        number=turn.turn,
        seed=turn.seed,
        verdict=turn.parse.verdict,
        raw=turn.raw,
        marks=tuple(_marks(parsed)) if parsed else (),
        codes=turn.parse.codes,
        agrees=stored(parsed) == turn.parse if parsed else None,
        calls=tuple(_calls(turn)),
        oracle=tuple(_oracle(row) for row in trial.oracle if row.turn == turn.turn),
        finish=turn.finish_reason,
        prompt_tokens=turn.prompt_tokens,
        completion_tokens=turn.completion_tokens,
        prompt_sha256=turn.prompt_sha256,
        millis=turn.millis,
    )


def _marks(parsed: ParsedTurn) -> Iterator[Mark]:
    found = [
        *(
            Mark(call.span.start, call.span.end, "call", call.name, "a call that may be executed")
            for call in parsed.calls
        ),
        *(_coded("repair", item) for item in parsed.repairs),
        *(_coded("refusal", item) for item in parsed.refusals),
    ]
    yield from sorted(found, key=lambda mark: (mark.start, -mark.end))


def _coded(kind: MarkKind, item: Repair | Refusal) -> Mark:
    known = code_catalogue().get(item.code)
    meaning = " ".join(filter(None, (known.meaning if known else "", item.message)))
    return Mark(item.span.start, item.span.end, kind, item.code, meaning)


def _calls(turn: TurnRow) -> Iterator[CallPage]:
    """Each call with its result; the contract may say that only a turn's first is executed."""
    for number, call in enumerate(turn.parse.calls):
        result = turn.results[number] if number < len(turn.results) else None
        yield CallPage(
            tool=call.tool,
            arguments=call.arguments,
            ok=result.ok if result else None,
            output=result.output if result else None,
        )


def _oracle(row: OracleRow) -> OraclePage:
    return OraclePage(
        turn=row.turn,
        command=row.command,
        purpose=row.purpose,
        passed=row.passed,
        ended=f"killed: {row.killed}" if row.killed else f"exit {row.exit_code}",
        output=row.output,
        tampered=row.tampered,
        millis=row.millis,
    )

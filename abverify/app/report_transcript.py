"""The trials of a bundle for a page: the journal's own texts, parsed again for their spans."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from abverify.errors import UntrustedError
from abverify.evidence.reparse import is_stored, parse_turn
from abverify.model.page_transcript import CallPage, Mark, OraclePage, TrialPage, TurnPage
from abverify.toolcalls import code_catalogue, profile_by_name
from abverify.workspace.evidence_store import view_trials

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from abverify.evidence.bundle import Bundle
    from abverify.evidence.rows import OracleRow, TurnRow
    from abverify.evidence.trials import WholeTrial
    from abverify.model.page_transcript import MarkKind
    from abverify.toolcalls import ParsedTurn, Profile, Refusal, Repair


def transcripts(root: Path, bundle: Bundle, arm: str, prefix: str) -> tuple[TrialPage, ...]:
    """The trials of a bundle that count, by fixture and seed; its journal is read once more.

    Args:
        root: the repository.
        bundle: the bundle.
        arm: what the run is called on the page.
        prefix: what the anchors of its trials begin with.

    Raises:
        UntrustedError: AV430 if the bundle is another one by now.
    """
    profile = _profile(bundle)
    again, pages = view_trials(root, bundle.path, lambda trial: _trial(trial, profile, arm))
    if again.sha256 != bundle.sha256 or again.faults != bundle.faults:
        raise UntrustedError(
            "the evidence changed while it was read",
            rule="AV430",
            place=bundle.path,
            expected=f"sha256 {bundle.sha256}",
            found=f"sha256 {again.sha256}",
            next_step="run the command again",
        )
    return tuple(
        replace(page, anchor=f"{prefix}-{number}") for number, page in enumerate(pages.values(), 1)
    )


def _profile(bundle: Bundle) -> Profile | None:
    name, version = (bundle.lock.values.get(f"parser.{key}") for key in ("profile", "version"))
    if not isinstance(name, str) or not isinstance(version, int):
        return None
    try:
        return profile_by_name(name, version)
    except (KeyError, ValueError):
        return None


def _trial(trial: WholeTrial, profile: Profile | None, arm: str) -> TrialPage:
    ended = trial.ended
    numbers = {turn.turn for turn in trial.turns}
    return TrialPage(
        anchor="",
        arm=arm,
        fixture=trial.trial.fixture,
        seed=trial.trial.seed,
        outcome=ended.outcome if ended else "never ended",
        passed=trial.result().passed,
        reason=ended.reason if ended else "the run was cut off here",
        turns=tuple(_turn(turn, trial, profile) for turn in trial.turns),
        oracle=tuple(_oracle(row) for row in trial.oracle if row.turn not in numbers),
        changed=tuple(change.path for change in ended.changes) if ended else (),
        millis=ended.millis if ended else 0,
    )


def _turn(turn: TurnRow, trial: WholeTrial, profile: Profile | None) -> TurnPage:
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
        agrees=is_stored(parsed, turn.parse) if parsed else None,
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

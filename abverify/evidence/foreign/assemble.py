"""An imported log as a bundle: the same files as our own, and the log's bytes beside them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from abverify._canonical import canonical_bytes, sha256_hex
from abverify.errors import NothingToCheckError
from abverify.evidence.foreign.log import Claim, ForeignLog
from abverify.evidence.imported import IMPORTED_SCHEMA, ClaimDocument, Imported
from abverify.evidence.imported import ProblemDocument as _Problem
from abverify.evidence.lock import RunLock
from abverify.evidence.manifest import (
    IMPORTED,
    JOURNAL,
    LOCK,
    MANIFEST,
    MANIFEST_SCHEMA,
    SCORES,
    FileDigest,
    ImportedFrom,
    Manifest,
)
from abverify.evidence.reparse import parse_turn, stored
from abverify.evidence.rows import (
    OracleRow,
    Trial,
    TrialEnded,
    TrialStarted,
    TurnRow,
    row_line,
)
from abverify.evidence.scores import compute_scores
from abverify.evidence.trials import counted, fold_trials
from abverify.toolcalls import SALVAGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from abverify.evidence.foreign.log import ForeignTrial, ForeignTurn
    from abverify.evidence.rows import Outcome, Row

READER_VERSION = 1
"""Raised whenever the same log would give another bundle."""

LOGS = "log"
"""The folder of the bundle that keeps the log's own files."""

_UNKNOWN_PROMPT = sha256_hex(b"")
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")


def kept_names(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The log's files under the names that the bundle keeps them by."""
    return {
        f"{LOGS}/{number}-{_UNSAFE.sub('-', name.rpartition('/')[2])[-100:].lstrip('-.')}": data
        for number, (name, data) in enumerate(files.items(), 1)
    }


def run_name(log: ForeignLog, files: Mapping[str, bytes]) -> str:
    """The run's id: the harness, and the beginning of a digest over the log."""
    digests = [sha256_hex(data) for data in files.values()]
    return f"import-{log.tool}-{sha256_hex(''.join(digests).encode())[:12]}"


def assemble(
    log: ForeignLog, kept: Mapping[str, bytes], *, run: str, gates: tuple[str, ...], named: bool
) -> dict[str, bytes]:
    """The bundle's files.

    Args:
        log: the log as read.
        kept: its own files, under the names that the bundle keeps them by.
        run: the run's id.
        gates: the gates that it is offered to.
        named: whether the scorer was named by whoever imports.

    Raises:
        NothingToCheckError: AV843 if the log has no sample.
        ValueError: if a sample was run twice under one repetition.
    """
    if not log.trials:
        raise NothingToCheckError(
            "the log holds no samples",
            rule="AV843",
            place=next(iter(kept)),
            expected="every sample with its grade",
            found="none",
            next_step="write the log with its samples, and import it again",
        )
    parsed = any(trial.turns for trial in log.trials)
    ours = {
        "parser.profile": Claim("attested", SALVAGE.name, "parsed at the import"),
        "parser.version": Claim("attested", SALVAGE.version, "parsed at the import"),
    }
    claims = {**log.claims, **(ours if parsed else {})}
    lock = RunLock({key: claim.value for key, claim in claims.items()})
    rows = tuple(row for trial in log.trials for row in _rows(trial, log))
    fixtures = sorted({trial.fixture for trial in log.trials})
    seeds = sorted({trial.repetition for trial in log.trials})
    scores = compute_scores(counted(fold_trials(rows)), fixtures=fixtures, seeds=seeds)
    files = {
        LOCK: lock.to_bytes(),
        JOURNAL: b"".join(map(row_line, rows)),
        SCORES: scores.to_bytes(),
        IMPORTED: canonical_bytes(_account(log, claims, kept, named=named).to_json()),
        **kept,
    }
    manifest = _manifest(log, lock, files, run=run, gates=gates)
    return {**files, MANIFEST: canonical_bytes(manifest.to_json())}


def _rows(trial: ForeignTrial, log: ForeignLog) -> Iterator[Row]:
    which = Trial(fixture=trial.fixture, seed=trial.repetition)
    yield TrialStarted(trial=which)
    for number, turn in enumerate(trial.turns, 1):
        yield _turn(which, number, turn)
    if trial.passed is not None:
        yield OracleRow(
            trial=which,
            turn=len(trial.turns),
            command=log.scorer,
            purpose="tests",
            passed=trial.passed,
            exit_code=None,
            killed=None,
            output=trial.grade,
            tampered=(),
            millis=0,
        )
    outcomes: dict[bool | None, Outcome] = {True: "oracle_passed", False: "oracle_failed"}
    yield TrialEnded(
        trial=which,
        outcome=outcomes.get(trial.passed, "infrastructure_failure"),
        reason=f"{log.scorer}: {trial.grade}",
        turns=len(trial.turns),
        changes=(),
        millis=0,
    )


def _turn(which: Trial, number: int, turn: ForeignTurn) -> TurnRow:
    return TurnRow(
        trial=which,
        turn=number,
        seed=0,
        prompt_sha256=_UNKNOWN_PROMPT,
        prompt_tokens=turn.prompt_tokens,
        completion_tokens=turn.completion_tokens,
        finish_reason=turn.finish_reason,
        raw=turn.raw,
        files=None,
        parse=stored(parse_turn(turn.raw, turn.finish_reason, SALVAGE)),
        results=(),
        millis=0,
    )


def _account(
    log: ForeignLog, claims: Mapping[str, Claim], kept: Mapping[str, bytes], *, named: bool
) -> Imported:
    return Imported(
        schema_=IMPORTED_SCHEMA,
        reader=READER_VERSION,
        tool=log.tool,
        version=log.version,
        task=log.task,
        scorer=log.scorer,
        scorer_named=named,
        logs=_digests(kept),
        claims={
            key: ClaimDocument(standing=one.standing, value=one.value, where=one.where)
            for key, one in sorted(claims.items())
        },
        problems=tuple(
            _Problem(
                code=one.code,
                message=one.message,
                where=one.where,
                expected=one.expected,
                found=one.found,
            )
            for one in log.problems
        ),
    )


def _digests(files: Mapping[str, bytes]) -> tuple[FileDigest, ...]:
    return tuple(
        FileDigest(name=name, size=len(data), sha256=sha256_hex(data))
        for name, data in sorted(files.items())
    )


def _manifest(
    log: ForeignLog, lock: RunLock, files: Mapping[str, bytes], *, run: str, gates: tuple[str, ...]
) -> Manifest:
    tool = " ".join(filter(None, (log.tool, log.version)))
    return Manifest(
        schema_=MANIFEST_SCHEMA,
        run=run,
        stage="bench",
        offered_to=gates,
        identity="asserted" if "model.name" in lock.values else "absent",
        started_at=log.started_at,
        finished_at=log.finished_at,
        lock_sha256=lock.sha256,
        began_after=(),
        attempts_total=len(log.trials),
        imported_from=ImportedFrom(tool=tool, reference=log.task),
        notes=("imported: nothing of it was run by abverify",),
        files=_digests(files),
    )

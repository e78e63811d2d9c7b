"""Makes the evidence bundle of the recorded M294 smoke test from what its note says.

The note is the only source: nothing here was run by us, so the identity is
`asserted`, and every key that the note does not tell is absent from the lock.
The bundle is committed; this script is how it was made, and makes it again
when the format changes before 1.0.
"""

from __future__ import annotations

import sys
from pathlib import Path

from abverify._canonical import canonical_bytes, sha256_hex
from abverify.evidence.lock import RunLock
from abverify.evidence.manifest import (
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
from abverify.evidence.rows import Trial, TrialEnded, TrialStarted, TurnRow, row_line
from abverify.evidence.scores import compute_scores
from abverify.evidence.trials import counted, fold_trials
from abverify.toolcalls import profile_by_name

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "recorded" / "m294-smoke"
RAW = '{"name": "file_read", "input": {"path": "src/lib.rs"}}\n</tool_call>'
FIXTURE = "leetcode__01-two-sum"
UNKNOWN_PROMPT = sha256_hex(b"")  # the note names the prompt, not its bytes
GATES = ("qwen3-moe-serve-dispatch/V1_004", "qwen3-moe-serve-dispatch/V1_005")

ASSERTED = RunLock(
    {
        "model.name": "Qwen3-30B-A3B-Instruct-2507",
        "model.architecture": "qwen3moe",
        "model.file_type": "Q4_K_M",
        "sampling.temperature": "0.3",
        "sampling.top_k": 50,
        "sampling.top_p": "0.95",
        "sampling.repeat_penalty": "1.2",
        "sampling.repeat_last_n": 64,
        "sampling.max_tokens": 400,
        "parser.profile": "salvage",
        "parser.version": 1,
    }
)


def main() -> int:
    """Writes the bundle."""
    trial = Trial(fixture=FIXTURE, seed=0)
    parsed = parse_turn(RAW, "stop", profile_by_name("salvage", 1))
    rows = (
        TrialStarted(trial=trial),
        TurnRow(
            trial=trial,
            turn=1,
            seed=0,
            prompt_sha256=UNKNOWN_PROMPT,
            prompt_tokens=0,
            completion_tokens=20,
            finish_reason="stop",
            raw=RAW,
            files=None,
            parse=stored(parsed),
            results=(),
            millis=0,
        ),
        TrialEnded(
            trial=trial,
            outcome="oracle_failed",
            reason="one prompt: no call was executed and no oracle was run",
            turns=1,
            changes=(),
            millis=0,
        ),
    )
    scores = compute_scores(counted(fold_trials(rows)), fixtures=[FIXTURE], seeds=[0])
    files = {
        LOCK: ASSERTED.to_bytes(),
        JOURNAL: b"".join(row_line(row) for row in rows),
        SCORES: scores.to_bytes(),
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (FOLDER / name).write_bytes(data)
    (FOLDER / MANIFEST).write_bytes(canonical_bytes(manifest(files).to_json()))
    print(f"{FOLDER}: parse {parsed.verdict}, codes {', '.join(parsed.codes)}")
    return 0


def manifest(files: dict[str, bytes]) -> Manifest:
    """The bundle's manifest; the note gives a date and no time of day."""
    day = "2026-05-22T00:00:00Z"
    return Manifest(
        schema_=MANIFEST_SCHEMA,
        run="m294-smoke",
        stage="smoke",
        offered_to=GATES,
        identity="asserted",
        started_at=day,
        finished_at=day,
        lock_sha256=ASSERTED.sha256,
        began_after=(),
        attempts_total=1,
        imported_from=ImportedFrom(
            tool="a request to a local server, by hand",
            reference="M294, finetune-distribution A/B, CCPA#262, 2026-05-22",
        ),
        notes=(
            "recorded from the note of M294: one prompt, one seed, which the note does not tell",
            "the same day's bench (M296) contradicted it: 8 Markdown turns, no tool call",
        ),
        files=tuple(
            FileDigest(name=name, size=len(data), sha256=sha256_hex(data))
            for name, data in sorted(files.items())
        ),
    )


if __name__ == "__main__":
    sys.exit(main())

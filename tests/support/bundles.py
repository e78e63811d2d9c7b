"""Evidence bundles on disk, edited: as a forger would leave them, or sealed again throughout."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from abverify._canonical import canonical_bytes, sha256_hex
from abverify.evidence.manifest import ATTEMPTS, JOURNAL, MANIFEST, SCORES, Attempt
from abverify.evidence.rows import TrialStarted, parse_rows, row_line
from abverify.evidence.scores import compute_scores
from abverify.evidence.trials import counted, fold_trials

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from abverify.evidence.rows import Row


def rows_of(bundle: Path) -> tuple[Row, ...]:
    """The rows of a bundle's journal."""
    return parse_rows((bundle / JOURNAL).read_bytes(), name=JOURNAL)


def seal(bundle: Path, **changes: Any) -> None:
    """Makes the manifest fit the files again, and changes other facts in it."""
    manifest = json.loads((bundle / MANIFEST).read_bytes())
    for entry in manifest["files"]:
        data = (bundle / entry["name"]).read_bytes()
        entry.update(size=len(data), sha256=sha256_hex(data))
    (bundle / MANIFEST).write_bytes(canonical_bytes({**manifest, **changes}))


def replace_trials(bundle: Path, rows: Sequence[Row], *, fixtures: Sequence[str]) -> None:
    """Puts other trials in a bench's journal, with the scores and attempts that belong to them."""
    at = json.loads((bundle / MANIFEST).read_bytes())["started_at"]
    trials = [row.trial for row in rows if isinstance(row, TrialStarted)]
    attempts = [Attempt(fixture=t.fixture, seed=t.seed, at=at).to_json() for t in trials]
    scores = compute_scores(counted(fold_trials(rows)), fixtures=fixtures, seeds=(1,))
    (bundle / JOURNAL).write_bytes(b"".join(map(row_line, rows)))
    (bundle / ATTEMPTS).write_bytes(b"".join(canonical_bytes(a) + b"\n" for a in attempts))
    (bundle / SCORES).write_bytes(scores.to_bytes())
    seal(bundle, attempts_total=len(trials))

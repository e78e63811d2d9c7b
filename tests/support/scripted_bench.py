"""A bench that takes seconds: `python -m tests.support.scripted_bench FOLDER`.

Journal, agent loop, tools, sandbox and oracle are the real ones; only the completions are
stored ones, so that the process can be killed a hundred times within a test.
"""

from __future__ import annotations

import sys
from pathlib import Path

from abverify.bench.engines.replay import ReplayEngine
from abverify.bench.plan import Plan
from abverify.bench.schedule import run_trials
from abverify.evidence.lock import RunLock
from abverify.evidence.scores import compute_scores
from tests.builders import PROSE, lock_values
from tests.support.journals import Nobody, open_journal
from tests.unit.bench.tasks import MEND, bench, call, config, task

LOOK = call("grep", pattern="count", path=".")
RUN_TESTS = call("shell", command="python3 -m unittest -q")
SPOIL = call("file_write", path="head.py", content="def head(lines, count):\n    return []\n")
SCRIPTS = (
    (LOOK, MEND),
    (PROSE, PROSE, PROSE),
    (SPOIL, RUN_TESTS, LOOK, PROSE),
    (RUN_TESTS + LOOK, PROSE, MEND),
)
"""What the model says in a trial of each fixture: passed, silent, failed, passed."""

SEEDS = (1, 2)
FIXTURES = tuple(task(id=f"unix__0{number}-head") for number in range(1, len(SCRIPTS) + 1))
TRIALS = len(FIXTURES) * len(SEEDS)


def main(folder: Path) -> None:
    """Runs the bench to its end, or goes on with it."""
    lock = RunLock(lock_values(sampling__seeds=",".join(map(str, SEEDS))))
    plan = Plan(FIXTURES, SEEDS, config(), "You are a code agent.")
    scripts = {fixture.id: script for fixture, script in zip(FIXTURES, SCRIPTS, strict=True)}
    with open_journal(folder, lock) as journal:
        done = journal.measured()
        left = [trial for trial, _ in plan.trials() if (trial.fixture, trial.seed) not in done]
        said = [text for trial in left for text in scripts[trial.fixture]]
        run_trials(plan, ReplayEngine(said), bench(), journal, Nobody())
        trials = journal.trials()
        scores = compute_scores(trials, fixtures=tuple(scripts), seeds=SEEDS)
        journal.close(scores, finished_at="2026-02-20T09:00:00Z", notes=())


if __name__ == "__main__":
    main(Path(sys.argv[1]))

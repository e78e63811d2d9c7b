"""Running a gate's stages: calibrate the meter, smoke-test one prompt, run the bench."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from abverify._clock import now, timestamp
from abverify.app.measurement import (
    bench_for,
    calibration_lock,
    engine_for,
    open_gate,
    run_lock,
)
from abverify.bench.calibrate import calibrate
from abverify.bench.journal import Journal
from abverify.bench.schedule import Plan, run_trials
from abverify.evidence.manifest import MANIFEST, START_SCHEMA, Start
from abverify.evidence.scores import compute_scores
from abverify.evidence.trials import counted, fold_trials
from abverify.workspace.evidence_store import evidence_folder, load_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from abverify.app.measurement import OpenGate
    from abverify.bench.schedule import Watcher
    from abverify.evidence.lock import RunLock
    from abverify.evidence.manifest import Manifest, Stage
    from abverify.evidence.rows import Row
    from abverify.evidence.scores import Scores
    from abverify.model.config import RunConfig


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to run.

    Attributes:
        gate: the gate, qualified or short.
        stage: calibrate, smoke or bench.
        unsafe: whether to run without a sandbox when none can be had.
        again: start another run although one with this lock is finished.
    """

    gate: str
    stage: Stage
    unsafe: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class RunResult:
    """A finished stage.

    Attributes:
        path: the bundle's folder, relative to the root.
        manifest: its manifest.
        scores: the recomputed scores.
        rows: the whole journal.
        fresh: whether anything ran; False when a finished run was found.
    """

    path: str
    manifest: Manifest
    scores: Scores
    rows: tuple[Row, ...]
    fresh: bool


def run_stage(root: Path, request: RunRequest, watcher: Watcher) -> RunResult:
    """Runs a stage, resuming it where an earlier run was cut off.

    Raises:
        AbverifyError: whatever keeps the stage from running, before anything is written.
        KeyboardInterrupt: after an interruption; finished trials are kept.
    """
    gate = open_gate(root, request.gate)
    if request.stage == "calibrate":
        return _calibrate(root, gate, request, watcher)
    return _bench(root, gate, request, watcher)


def _calibrate(root: Path, gate: OpenGate, request: RunRequest, watcher: Watcher) -> RunResult:
    bench = bench_for(gate.corpus, unsafe=request.unsafe)
    lock = calibration_lock(gate, bench)
    stamp = timestamp(now()).replace("-", "").replace(":", "")
    run = f"calibrate-{lock.sha256[:12]}-{stamp}"
    with _journal(root, gate, request.stage, run, lock) as (journal, path):
        for row in calibrate(gate.corpus, gate.contract.config.parser, bench):
            journal.append(row)
            watcher.row(row)
        return _close(journal, path, gate)


def _bench(root: Path, gate: OpenGate, request: RunRequest, watcher: Watcher) -> RunResult:
    config = gate.contract.config
    with ExitStack() as stack:
        bench = bench_for(gate.corpus, unsafe=request.unsafe)
        engine = engine_for(root, gate, watcher)
        stack.callback(engine.close)
        lock = run_lock(gate, engine.facts(), bench)
        run = _run_id(root, gate, request, lock)
        smoke = request.stage == "smoke"
        plan = Plan(
            fixtures=(gate.smoke_fixture,) if smoke else gate.corpus.fixtures,
            seeds=config.sampling.seeds[:1] if smoke else config.sampling.seeds,
            config=_one_turn(gate) if smoke else config,
            system_prompt=gate.system_prompt,
        )
        journal, path = stack.enter_context(_journal(root, gate, request.stage, run, lock))
        if len(journal.measured()) == len(plan.trials()) and (root / path / MANIFEST).exists():
            return _finished(root, path, journal, gate)
        run_trials(plan, engine, bench, journal, watcher)
        return _close(journal, path, gate)


def _one_turn(gate: OpenGate) -> RunConfig:
    """The smoke test's configuration: the bench's own, cut off after the first turn."""
    config = gate.contract.config
    budgets = config.budgets.model_copy(update={"max_turns": 1})
    return config.model_copy(update={"budgets": budgets})


@contextmanager
def _journal(
    root: Path, gate: OpenGate, stage: Stage, run: str, lock: RunLock
) -> Iterator[tuple[Journal, str]]:
    path = f"{evidence_folder(gate.id)}/{run}"
    start = Start(
        schema_=START_SCHEMA,
        run=run,
        stage=stage,
        offered_to=(str(gate.id),),
        identity="attested" if stage != "calibrate" else "absent",
        started_at=timestamp(now()),
        lock_sha256=lock.sha256,
        began_after=gate.heads,
    )
    with Journal(root / path, start, lock) as journal:
        yield journal, path


def _run_id(root: Path, gate: OpenGate, request: RunRequest, lock: RunLock) -> str:
    """One run for each lock; `again` opens a numbered one beside the finished."""
    first = f"{request.stage}-{lock.sha256[:12]}"
    if not request.again:
        return first
    number, name = 1, first
    while (root / evidence_folder(gate.id) / name / MANIFEST).exists():
        number += 1
        name = f"{first}-{number}"
    return name


def _close(journal: Journal, path: str, gate: OpenGate) -> RunResult:
    scores = _scores(journal, gate)
    manifest = journal.close(scores, finished_at=timestamp(now()), notes=())
    return RunResult(path, manifest, scores, journal.rows, fresh=True)


def _finished(root: Path, path: str, journal: Journal, gate: OpenGate) -> RunResult:
    """A run that is whole already is left exactly as it is: records may cite it."""
    manifest = load_bundle(root, path).manifest
    return RunResult(path, manifest, _scores(journal, gate), journal.rows, fresh=False)


def _scores(journal: Journal, gate: OpenGate) -> Scores:
    trials = counted(fold_trials(journal.rows))
    fixtures = [fixture.id for fixture in gate.corpus.fixtures]
    seeds = gate.contract.config.sampling.seeds
    return compute_scores(trials, fixtures=fixtures, seeds=seeds)

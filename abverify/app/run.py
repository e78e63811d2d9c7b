"""Running a gate's stages: calibrate the meter, smoke-test one prompt, run the bench."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from itertools import chain, count
from typing import TYPE_CHECKING

from abverify._canonical import canonical_digest
from abverify._clock import now, timestamp
from abverify._frozen import frozen
from abverify.app.measurement import bench_for, calibration_lock, open_gate
from abverify.app.runner import here
from abverify.bench.calibrate import calibrate
from abverify.bench.journal import Journal, refuse_other_locks
from abverify.bench.plan import Plan
from abverify.errors import IndeterminateError, UsageError
from abverify.evidence.manifest import MANIFEST, START_SCHEMA, Start
from abverify.evidence.scores import compute_scores
from abverify.model.report import Reason
from abverify.model.run_report import RunReport
from abverify.verify.calibration import calibration_count, readings_problem
from abverify.verify.stopping.saved import stop_line
from abverify.workspace.evidence_store import evidence_folder, load_bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from abverify.app.cluster.runner import Cluster
    from abverify.app.measurement import OpenGate
    from abverify.app.runner import Runner
    from abverify.bench.plan import Watcher
    from abverify.evidence.bundle import Bundle
    from abverify.evidence.lock import RunLock
    from abverify.evidence.manifest import Manifest, Stage
    from abverify.evidence.scores import Scores
    from abverify.model.config import RunConfig
    from abverify.model.identity import IdentityLevel


@frozen
class RunRequest:
    """What to run.

    Attributes:
        gate: the gate, qualified or short.
        stage: calibrate, smoke or bench.
        unsafe: whether to run without a sandbox when none can be had.
        again: start another run although one with this lock is finished.
        paranoid: hash every byte of the weights even where their digest is remembered.
        cluster: the cluster to measure on; None for this machine.
        engines: how many engines measure side by side on this machine; None for as many as
            suit the model.
    """

    gate: str
    stage: Stage
    unsafe: bool = False
    again: bool = False
    paranoid: bool = False
    cluster: Cluster | None = None
    engines: int | None = None


def run_stage(root: Path, request: RunRequest, watcher: Watcher) -> RunReport:
    """Runs a stage, resuming it where an earlier run was cut off.

    Raises:
        AbverifyError: whatever keeps the stage from running, before anything is written.
        KeyboardInterrupt: after an interruption; finished trials are kept.
    """
    return run_open_gate(root, open_gate(root, request.gate), request, watcher)


def run_open_gate(root: Path, gate: OpenGate, request: RunRequest, watcher: Watcher) -> RunReport:
    """Runs a stage of a gate that is open already: an arm of an experiment is opened by its own.

    Raises:
        AbverifyError: as for `run_stage`.
        KeyboardInterrupt: after an interruption; finished trials are kept.
    """
    if request.stage == "calibrate":
        return _calibrate(root, gate, request, watcher)
    return _bench(root, gate, request, watcher)


def _calibrate(root: Path, gate: OpenGate, request: RunRequest, watcher: Watcher) -> RunReport:
    bench = bench_for(gate.corpus, unsafe=request.unsafe)
    lock = calibration_lock(gate, bench)
    run = _calibration_id(root, gate, lock)
    with _journal(root, gate, request.stage, run, lock, "absent") as (journal, path):
        for row in calibrate(gate.corpus, gate.contract.config, gate.system_prompt, bench):
            journal.append(row)
            watcher.row(row)
        journal.close(_scores(journal, gate), finished_at=timestamp(now()), notes=())
    return _calibration_report(load_bundle(root, path), gate)


def _bench(root: Path, gate: OpenGate, request: RunRequest, watcher: Watcher) -> RunReport:
    config = gate.contract.config
    with ExitStack() as stack:
        runner = stack.enter_context(_runner(root, gate, request, watcher))
        lock = runner.lock
        # The arms of an experiment share a folder, and their locks differ on purpose.
        if gate.heads and not request.again:
            refuse_other_locks(root / evidence_folder(gate.id), request.stage, lock)
        run = _run_id(root, gate, request, lock)
        smoke = request.stage == "smoke"
        plan = Plan(
            fixtures=(gate.smoke_fixture,) if smoke else gate.corpus.fixtures,
            seeds=config.sampling.seeds[:1] if smoke else config.sampling.seeds,
            config=_one_turn(gate) if smoke else config,
            system_prompt=gate.system_prompt,
            stop=None if smoke else gate.stopping,
        )
        journal, path = stack.enter_context(
            _journal(root, gate, request.stage, run, lock, runner.identity)
        )
        if plan.settled(journal.measured()) and (root / path / MANIFEST).exists():
            return _finished(root, path, journal, gate)
        runner.run(plan, journal, watcher)
        return _close(journal, path, gate, runner.notes)


def _runner(
    root: Path, gate: OpenGate, request: RunRequest, watcher: Watcher
) -> AbstractContextManager[Runner]:
    """What measures the trials: this process, or a cluster."""
    how = {"unsafe": request.unsafe, "paranoid": request.paranoid}
    if request.cluster is None:
        config = gate.contract.config
        bench = len(gate.corpus.fixtures) * len(config.sampling.seeds)
        trials = 1 if request.stage == "smoke" else bench
        return here(root, gate, watcher, engines=request.engines, trials=trials, **how)
    sequences = gate.contract.config.engine.sequences
    if sequences > 1:
        raise UsageError(
            "the contract decodes several trials together, which a cluster cannot",
            rule="AV560",
            place=str(gate.id),
            expected="config.engine.sequences: 1, for a run on a cluster",
            found=str(sequences),
            next_step="leave out --runner, or publish the contract with one sequence",
        )
    from abverify.app.cluster.runner import on_ray

    return on_ray(root, gate, request.cluster, **how)


def _one_turn(gate: OpenGate) -> RunConfig:
    """The smoke test's configuration: the bench's own, cut off after the first turn."""
    config = gate.contract.config
    budgets = config.budgets.model_copy(update={"max_turns": 1})
    return config.model_copy(update={"budgets": budgets})


@contextmanager
def _journal(
    root: Path, gate: OpenGate, stage: Stage, run: str, lock: RunLock, identity: IdentityLevel
) -> Iterator[tuple[Journal, str]]:
    path = f"{evidence_folder(gate.id)}/{run}"
    start = Start(
        schema_=START_SCHEMA,
        run=run,
        stage=stage,
        offered_to=(str(gate.id),),
        identity=identity,
        started_at=timestamp(now()),
        lock_sha256=lock.sha256,
        began_after=gate.heads,
    )
    try:
        with Journal(root / path, start, lock) as journal:
            yield journal, path
    except OSError as error:
        raise IndeterminateError(
            "a file of the run could not be read or written; finished trials are kept",
            rule="AV404",
            place=str(error.filename or path),
            expected="writable folders with space left",
            found=error.strerror or str(error),
            next_step="make room or mend the permissions, then run the same command again",
        ) from error


def _calibration_id(root: Path, gate: OpenGate, lock: RunLock) -> str:
    """Every calibration is a new run, also the second one of a second: none is ever resumed."""
    folder = root / evidence_folder(gate.id)
    stamp = timestamp(now()).replace("-", "").replace(":", "")
    first = f"calibrate-{lock.sha256[:12]}-{stamp}"
    return _untaken(first, lambda name: (folder / name).exists())


def _run_id(root: Path, gate: OpenGate, request: RunRequest, lock: RunLock) -> str:
    """One run for each lock; `again` opens a numbered one beside the finished."""
    folder = root / evidence_folder(gate.id)
    first = f"{request.stage}-{lock.sha256[:12]}"
    if not request.again:
        return first
    return _untaken(first, lambda name: (folder / name / MANIFEST).exists())


def _untaken(first: str, taken: Callable[[str], bool]) -> str:
    """The name, or if that is taken the name with the first number, from 2 on, that is not."""
    names = chain([first], (f"{first}-{number}" for number in count(2)))
    return next(name for name in names if not taken(name))


def _close(journal: Journal, path: str, gate: OpenGate, notes: tuple[str, ...]) -> RunReport:
    scores = _scores(journal, gate)
    stopped = (scores.stop.text(),) if scores.stop and scores.stop.fired else ()
    manifest = journal.close(scores, finished_at=timestamp(now()), notes=(*notes, *stopped))
    return _bench_report(path, manifest, scores, journal, gate, fresh=True)


def _finished(root: Path, path: str, journal: Journal, gate: OpenGate) -> RunReport:
    """A run that is whole already is left exactly as it is: records may cite it."""
    manifest = load_bundle(root, path).manifest
    scores = _scores(journal, gate)
    return _bench_report(path, manifest, scores, journal, gate, fresh=False)


def _scores(journal: Journal, gate: OpenGate) -> Scores:
    trials = journal.trials()
    fixtures = [fixture.id for fixture in gate.corpus.fixtures]
    seeds = gate.contract.config.sampling.seeds
    rules = gate.stopping if journal.start.stage == "bench" else None
    stop = rules.stop(trials) if rules else None
    return compute_scores(trials, fixtures=fixtures, seeds=seeds, stop=stop)


def _bench_report(
    path: str,
    manifest: Manifest,
    scores: Scores,
    journal: Journal,
    gate: OpenGate,
    *,
    fresh: bool,
) -> RunReport:
    trials = journal.measured()
    stop = scores.stop
    measured = len(stop.counted) if stop and stop.fired else len(trials)
    total = 1 if manifest.stage == "smoke" else scores.planned
    stopped = stop is not None and stop.fired is not None
    whole = stopped or measured == total
    name = gate.id.name
    return RunReport(
        gate=str(gate.id),
        stage=manifest.stage,
        verdict="stopped" if stopped else "complete" if whole else "incomplete",
        path=path,
        sha256=canonical_digest(manifest.to_json()),
        fresh=fresh,
        checked=measured,
        total=total,
        outcomes=tuple(scores.outcomes.items()),
        metrics=tuple((m.metric, m.numerator, m.denominator) for m in scores.measures.values()),
        notes=(*_notes(gate), *manifest.notes),
        next=(
            f"abverify check {name}" if whole else f"abverify run {name} --stage {manifest.stage}",
        ),
        stop=stop_line(stop, trials, gate.contract.config) if stop else None,
    )


def _calibration_report(bundle: Bundle, gate: OpenGate) -> RunReport:
    """What the calibration says, read back from its bundle as `check` will read it."""
    count, problem = calibration_count(bundle), readings_problem(bundle)
    right, total = count.readings
    name = gate.id.name
    return RunReport(
        gate=str(gate.id),
        stage=bundle.manifest.stage,
        verdict="miscalibrated" if problem else "calibrated",
        path=bundle.path,
        sha256=bundle.sha256,
        fresh=True,
        checked=right,
        total=total,
        outcomes=(),
        metrics=(),
        notes=_notes(gate),
        next=(f"abverify run {name} --stage {'calibrate' if problem else 'bench'}",),
        calibration=count,
        reasons=(_misread(problem, bundle.path),) if problem else (),
    )


def _misread(problem: str, path: str) -> Reason:
    return Reason(
        "miscalibrated",
        "AV330",
        "error",
        f"the meter may not be trusted: {problem}",
        place=f"{path}/rows.jsonl",
        expected="every reference and the good agent pass, all else fails",
        found=problem,
        next="mend the fixture, or the toolchain it names, and calibrate again",
    )


def _notes(gate: OpenGate) -> tuple[str, ...]:
    if any(head.seq for head in gate.heads):
        return ()
    return (
        "this contract version is not published: a run before its introduction never counts for it",
    )

"""The driver: hands trials to workers, journals what comes back, hands a lost trial out again.

Ray places workers on nodes and notices when one is lost. A trial's lines are
journaled together when it ends, in the order in which trials end; so a run
that was cut off, here or there, is resumed by either runner. What a worker
failed at by no fault of the model's is tried again at most `TRIES` times, and
every try is an attempt that is counted.

Where a stop rule fires the trials past that are not handed out, and those that are on their way
are dropped: the bench stops where it would have stopped here, whoever was faster.
"""

from __future__ import annotations

import sys
from collections import deque
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from abverify._clock import now, timestamp
from abverify._frozen import frozen
from abverify.app.cluster.pool import Pool
from abverify.app.cluster.worker import Order
from abverify.bench.ray_cluster import joined
from abverify.bench.schedule import broken_off
from abverify.evidence.manifest import Attempt
from abverify.evidence.rows import TrialStarted, parse_rows
from abverify.evidence.trials import counted, fold_trials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from abverify.app.measurement import OpenGate
    from abverify.bench.journal import Journal
    from abverify.bench.schedule import Plan, Watcher
    from abverify.evidence.lock import RunLock
    from abverify.evidence.rows import Row, Trial
    from abverify.model.identity import IdentityLevel

    Record = Callable[["_Task", Iterable[Row]], None]

TRIES: Final = 3
"""How often a trial is begun when its workers are lost, before it is broken off."""


@frozen
class Cluster:
    """Which cluster, and how much of it.

    Attributes:
        address: Ray's address; None for `$RAY_ADDRESS`, or else a cluster of this machine alone.
        workers: how many engines; None for as many as the cluster has room for.
        cpus: CPUs, and threads, of each engine.
    """

    address: str | None = None
    workers: int | None = None
    cpus: int = 1


@dataclass(slots=True)
class _Task:
    """A trial on its way, the `tries`-th time."""

    number: int
    trial: Trial
    tries: int = 0


class OnRay:
    """A runner whose engines are Ray actors."""

    def __init__(self, pool: Pool, workers: int) -> None:
        self._pool, self._workers = pool, workers
        pool.grow(1)
        self._first = pool.wait_for_first()

    @property
    def lock(self) -> RunLock:
        """The lock of the first worker, which every other must have."""
        return self._first.lock

    @property
    def identity(self) -> IdentityLevel:
        """How the workers established the model's identity."""
        return self._first.identity

    @property
    def notes(self) -> tuple[str, ...]:
        """What the first worker noted."""
        return self._first.notes

    def run(self, plan: Plan, journal: Journal, watcher: Watcher) -> None:
        """Runs the trials that are not measured yet, several at a time, until a stop rule fires.

        Raises:
            AbverifyError: what keeps a worker from measuring, AV591 and AV592 among them;
                what was journaled is kept.
        """
        import ray

        trials, done = plan.trials(), journal.measured()
        waiting = deque(
            _Task(number, trial)
            for number, (trial, _) in enumerate(trials[: plan.needed(done)], 1)
            if (trial.fixture, trial.seed) not in done
        )
        there = len(self._pool.idle) + len(self._pool.opening)
        self._pool.grow(min(self._workers, len(waiting)) - there)
        shared = ray.put(replace(plan, stop=None))  # where to stop is for the driver to say
        busy: dict[Any, tuple[Any, _Task]] = {}

        def record(task: _Task, rows: Iterable[Row]) -> None:
            watcher.trial_started(task.trial, task.number, len(trials))
            kept = tuple(rows)
            for row in kept:
                journal.append(row)
                watcher.row(row)
            done.update(counted(fold_trials(kept)))

        try:
            while _wanted(plan.needed(done), waiting, (task for _, task in busy.values())):
                while waiting and self._pool.idle:
                    worker, task = self._pool.idle.pop(), waiting.popleft()
                    _count(journal, task)
                    busy[worker.measure.remote(shared, task.trial)] = worker, task
                ended = self._pool.ready(tuple(busy))
                for answer in (item for item in ended if item in busy):
                    self._taken(answer, *busy.pop(answer), record=record, waiting=waiting)
                self._pool.take(ended, busy=bool(busy))
        finally:
            for worker, _ in busy.values():
                ray.kill(worker)

    def _taken(
        self, answer: Any, worker: Any, task: _Task, *, record: Record, waiting: deque[_Task]
    ) -> None:
        """Journals a trial that ended, or puts one back whose worker was lost."""
        import ray

        try:
            lines = ray.get(answer)
        except (ray.exceptions.RayActorError, ray.exceptions.ObjectLostError) as lost:
            self._pool.grow(1)
            if task.tries < TRIES:
                waiting.appendleft(task)
                return
            reason = f"its worker was lost {task.tries} times; at last: {type(lost).__name__}"
            broken = broken_off(task.trial, reason, turns=0)
            record(task, (TrialStarted(trial=task.trial), broken))
            return
        self._pool.idle.append(worker)
        record(task, parse_rows(lines, name=f"the rows of {task.trial.fixture}"))


def _wanted(needed: int, waiting: deque[_Task], busy: Iterable[_Task]) -> bool:
    """Whether a trial up to where the bench stops is still to come; later ones wait no more."""
    for task in [task for task in waiting if task.number > needed]:
        waiting.remove(task)
    return bool(waiting) or any(task.number <= needed for task in busy)


def _count(journal: Journal, task: _Task) -> None:
    task.tries += 1
    trial = task.trial
    journal.attempt(Attempt(fixture=trial.fixture, seed=trial.seed, at=timestamp(now())))


@contextmanager
def on_ray(
    root: Path, gate: OpenGate, cluster: Cluster, *, unsafe: bool, paranoid: bool
) -> Iterator[OnRay]:
    """Joins a cluster, or starts one on this machine, and opens a first worker.

    Raises:
        IndeterminateError: AV514 without Ray, AV590 if the cluster cannot be joined.
        AbverifyError: what keeps the first worker from opening.
    """
    # Ray tells of lost nodes on standard output, which is the verdict's.
    with redirect_stdout(sys.stderr), joined(cluster.address) as ray:
        order = Order(root, gate, threads=cluster.cpus, unsafe=unsafe, paranoid=paranoid)
        pool = Pool(order, cluster.cpus)
        try:
            yield OnRay(pool, cluster.workers or _room(ray, cluster.cpus))
        finally:
            pool.close()


def _room(ray: Any, cpus: int) -> int:
    """How many workers the cluster has room for."""
    return max(1, int(ray.cluster_resources().get("CPU", 1)) // cpus)

"""The driver: hands trials to workers, journals what comes back, hands a lost trial out again.

Ray places workers on nodes and notices when one is lost. The desk journals in the plan's order,
so the journal is the one of a run without Ray, and a run that was cut off, here or there, is
resumed by either runner. What a worker failed at by no fault of the model's is tried again at
most `TRIES` times, and every try is an attempt that is counted.

Where a stop rule fires the trials past that are not handed out, and those that are on their way
are dropped: the bench stops where it would have stopped here, whoever was faster.
"""

from __future__ import annotations

import sys
from collections import deque
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from abverify._frozen import frozen
from abverify.app.cluster.pool import Pool
from abverify.app.cluster.worker import Order
from abverify.bench.desk import Desk
from abverify.bench.ray_cluster import joined
from abverify.bench.schedule import broken_off
from abverify.evidence.rows import TrialStarted, parse_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from abverify.app.measurement import OpenGate
    from abverify.bench.desk import Unit
    from abverify.bench.journal import Journal
    from abverify.bench.plan import Plan, Watcher
    from abverify.evidence.lock import RunLock
    from abverify.evidence.rows import Row, Trial
    from abverify.model.identity import IdentityLevel

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

    unit: Unit
    tries: int = 1

    @property
    def trial(self) -> Trial:
        """The trial."""
        ((_, trial, _),) = self.unit.places
        return trial


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

        desk = Desk(plan, journal, watcher)
        there = len(self._pool.idle) + len(self._pool.opening)
        self._pool.grow(min(self._workers, desk.left) - there)
        shared = ray.put(replace(plan, stop=None))  # where to stop is for the driver to say
        lost: deque[_Task] = deque()
        busy: dict[Any, tuple[Any, _Task]] = {}
        try:
            while not desk.is_closed and (busy or lost or desk.left):
                while self._pool.idle and (task := _next(desk, lost)) is not None:
                    worker = self._pool.idle.pop()
                    busy[worker.measure.remote(shared, task.trial)] = worker, task
                ended = self._pool.ready(tuple(busy))
                for answer in (item for item in ended if item in busy):
                    self._taken(answer, *busy.pop(answer), desk=desk, lost=lost)
                self._pool.take(ended, busy=bool(busy))
        finally:
            for worker, _ in busy.values():
                ray.kill(worker)

    def _taken(
        self, answer: Any, worker: Any, task: _Task, *, desk: Desk, lost: deque[_Task]
    ) -> None:
        """Puts what a trial gave, or keeps one whose worker was lost."""
        import ray

        try:
            lines = ray.get(answer)
        except (ray.exceptions.RayActorError, ray.exceptions.ObjectLostError) as error:
            self._pool.grow(1)
            if task.tries < TRIES:
                lost.append(task)
                return
            reason = f"its worker was lost {task.tries} times; at last: {type(error).__name__}"
            broken = broken_off(task.trial, reason, turns=0)
            _put(desk, task, (TrialStarted(trial=task.trial), broken))
            return
        self._pool.idle.append(worker)
        _put(desk, task, parse_rows(lines, name=f"the rows of {task.trial.fixture}"))


def _next(desk: Desk, lost: deque[_Task]) -> _Task | None:
    """The next trial: one that was lost first, because those after it wait for it."""
    if lost:
        task = lost.popleft()
        desk.retake(task.unit)
        task.tries += 1
        return task
    unit = desk.take()
    return None if unit is None else _Task(unit)


def _put(desk: Desk, task: _Task, rows: Iterable[Row]) -> None:
    for row in rows:
        desk.put(task.unit, task.unit.numbers[0], row)


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

"""The pool of workers: placed by Ray, opened, held to one lock, and replaced when lost."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from abverify.app.cluster.worker import Opened, Worker
from abverify.errors import AbverifyError, IndeterminateError, RefusedError

if TYPE_CHECKING:
    from abverify.app.cluster.worker import Order
    from abverify.evidence.lock import RunLock

_PATIENCE_SECONDS: Final = 300
"""How long a pool without any open worker waits for one: a model may take minutes to load."""
_POLL_SECONDS: Final = 1.0


@dataclass(slots=True)
class Pool:
    """Workers under one lock.

    Attributes:
        order: what each worker opens.
        cpus: CPUs that Ray sets aside for each.
        lock: the first opened worker's lock, which all others must have; None before.
        first: what the first opened worker is.
        idle: opened workers without a trial.
    """

    order: Order
    cpus: int
    first: Opened | None = None
    idle: list[Any] = field(default_factory=list)
    _opening: dict[Any, Any] = field(default_factory=dict)
    _alone_since: float = field(default_factory=time.monotonic)

    def grow(self, count: int) -> None:
        """Asks Ray for so many more workers; they open while others work."""
        import ray

        actor = ray.remote(num_cpus=self.cpus, max_restarts=0)(Worker)
        for _ in range(count):
            worker: Any = actor.remote(self.order)
            self._opening[worker.open.remote()] = worker

    @property
    def opening(self) -> tuple[Any, ...]:
        """The answers that workers still owe to being opened."""
        return tuple(self._opening)

    def wait_for_first(self) -> Opened:
        """Waits until one worker is open.

        Raises:
            AbverifyError: what keeps a worker from opening, or AV592 when none comes.
        """
        while self.first is None:
            self.take(self.ready(()), busy=False)
        return self.first

    def ready(self, tasks: tuple[Any, ...]) -> list[Any]:
        """What has ended among these tasks and the openings; empty after a second of nothing."""
        import ray

        awaited = [*self._opening, *tasks]
        if not awaited:
            time.sleep(_POLL_SECONDS)
            return []
        ended, _ = ray.wait(awaited, num_returns=1, timeout=_POLL_SECONDS)
        return list(ended)

    def take(self, ended: list[Any], *, busy: bool) -> None:
        """Takes in the workers that have opened.

        Args:
            ended: what `ready` gave.
            busy: whether other workers are at work.

        Raises:
            AbverifyError: what keeps a worker from opening; AV591 for one under another lock;
                AV592 when there has been no worker for long.
        """
        import ray

        for answer in ended:
            if answer not in self._opening:
                continue
            worker = self._opening.pop(answer)
            try:
                opened = ray.get(answer)
            except ray.exceptions.RayActorError:
                self.grow(1)
                continue
            self.admit(worker, opened)
        if busy or self.idle:
            self._alone_since = time.monotonic()
        elif time.monotonic() - self._alone_since > _PATIENCE_SECONDS:
            raise _nobody(self.cpus)

    def admit(self, worker: Any, opened: Opened | AbverifyError) -> None:
        """Takes a worker in.

        Raises:
            AbverifyError: what kept it from opening, or AV591 if it measures under another lock.
        """
        if isinstance(opened, AbverifyError):
            raise opened
        if self.first is None:
            self.first = opened
        elif opened.lock.sha256 != self.first.lock.sha256:
            raise _other_lock(self.first.lock, opened.lock)
        self.idle.append(worker)

    def close(self) -> None:
        """Lets go of every worker that has no trial."""
        import ray

        for worker in (*self.idle, *self._opening.values()):
            with suppress(ray.exceptions.RayError):
                ray.kill(worker)


def _other_lock(first: RunLock, other: RunLock) -> RefusedError:
    keys = other.against(first)
    return RefusedError(
        f"the workers do not measure the same; their locks differ in {', '.join(keys)}",
        rule="AV591",
        expected=", ".join(f"{key}={first.values.get(key, '(not told)')}" for key in keys),
        found=", ".join(f"{key}={other.values.get(key, '(not told)')}" for key in keys),
        next_step="install the same builds and weights on every node; finished trials are kept",
    )


def _nobody(cpus: int) -> IndeterminateError:
    return IndeterminateError(
        "the cluster has no worker left",
        rule="AV592",
        expected=f"a node with {cpus} free CPUs within {_PATIENCE_SECONDS} seconds",
        found="none",
        next_step="ray status shows the nodes; finished trials are kept, run the same command "
        "again",
    )

"""Several engines on one machine, each with a trial or a wave of its own and a share of the cores.

A token of a small model is some thousand small steps, after each of which the threads of one
engine wait for each other: a second thread hardly helps it, while a second engine does as much
again. Every engine computes what it would compute alone, and the desk journals in the plan's
order, so how many there are changes no byte of the evidence but times. (With flash attention the
threads that each has do, and are in the lock.)
"""

from __future__ import annotations

import os
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from abverify.bench.desk import Desk

SMALL_MODEL_BYTES: Final = 1 << 30
"""Up to this size a model's tokens are bound by steps, not by the memory that weights come from."""
_MOST: Final = 8
_ENGINE_BYTES: Final = 512 << 20
"""What an engine is taken to need beside twice its weights: cache, buffers, and its process."""


class Neighbour(Protocol):
    """An engine beside others, which another thread than its own can speak to."""

    def interrupt(self) -> None:
        """Breaks a completion off; its caller gets an `EngineFailure`; it never works again."""

    def use_threads(self, count: int) -> None:
        """Computes with so many threads from the next completion on."""


E = TypeVar("E", bound=Neighbour)


def engines_for(weights_bytes: int, units: int, *, cores: int, free_bytes: int) -> int:
    """How many engines measure side by side where nobody says it.

    One for each core where the model is small, as far as half of the free memory holds them;
    one alone where it is not, with every core.

    Args:
        weights_bytes: size of the weight file.
        units: how many trials or waves there are to measure.
        cores: cores that may be used.
        free_bytes: memory that is free, in bytes.
    """
    if weights_bytes > SMALL_MODEL_BYTES:
        return 1
    room = free_bytes // 2 // (2 * weights_bytes + _ENGINE_BYTES)
    return max(1, min(units, cores, room, _MOST))


def usable_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))


def free_memory() -> int:
    """Memory that can be had without swapping, in bytes; 0 where the system does not tell."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:  # noqa: PTH123 (a pseudo file)
            told = next(line for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return 0
    return 1024 * int(told.split()[1])


def measure_side_by_side(engines: Sequence[E], desk: Desk, measure: Callable[[E], None]) -> None:
    """Lets every engine measure until the desk has no more.

    Those that still measure when others find nothing left share the cores of these.

    What breaks off one of them, an interruption too, stops the others: what has been journaled
    is kept, as if there had been one. So does a stop rule that fires.

    Args:
        engines: the engines, at least one.
        desk: where they get their trials.
        measure: measures with one engine until the desk has no more.
    """
    with ThreadPoolExecutor(len(engines), thread_name_prefix="engine") as pool:
        going = {pool.submit(measure, engine) for engine in engines}
        try:
            while going:
                ended, going = wait(going, return_when=FIRST_COMPLETED)
                for work in ended:
                    work.result()
                for engine in engines if going else ():
                    engine.use_threads(max(1, usable_cores() // len(going)))
                if desk.is_closed:
                    _interrupt(engines)
        except BaseException:
            desk.close()
            _interrupt(engines)
            raise


def _interrupt(engines: Sequence[Neighbour]) -> None:
    for engine in engines:
        engine.interrupt()

"""Waves whose seats are answered by a script, as soon as they ask."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from abverify.bench.engines import Ask, Completion


class Scripted:
    """A wave; what the script raises ends it."""

    def __init__(self, seats: Iterable[int], script: Callable[[Ask], Completion]) -> None:
        self._seats, self._script = set(seats), script
        self._said: queue.SimpleQueue[tuple[int, Ask | None]] = queue.SimpleQueue()

    def ask(self, seat: int, ask: Ask) -> None:
        self._said.put((seat, ask))

    def leave(self, seat: int) -> None:
        self._said.put((seat, None))

    def answers(self) -> Iterator[tuple[int, Completion]]:
        while self._seats:
            seat, ask = self._said.get()
            if ask is None:
                self._seats.discard(seat)
            else:
                yield seat, self._script(ask)

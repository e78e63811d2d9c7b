"""The engine's end of a wave: seats ask and leave from threads of their own, one reads answers."""

from __future__ import annotations

import threading
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from abverify.bench.engines import Ask, Completion, EngineFailure
from abverify.bench.engines.llama_process import GRACE_SECONDS
from abverify.bench.engines.llama_wire import (
    Complete,
    Done,
    Progress,
    SeatAnswered,
    SeatAsks,
    SeatLeaves,
    Wave,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from abverify.bench.engines.llama_process import WorkerProcess

_LOOK_SECONDS: Final = 1.0


class LlamaWave:
    """A wave that the child process serves. `ask` and `leave` are for any thread.

    Args:
        worker: the child process, which has nothing else to do.
        seats: who takes part.
        to_request: makes a request of an ask; raises ValueError where it cannot be one.
        on_token: called with the count of tokens sampled so far in the completions under way.

    Raises:
        EngineFailure: if the child is dead.
    """

    def __init__(
        self,
        worker: WorkerProcess,
        seats: Iterable[int],
        *,
        to_request: Callable[[Ask], Complete],
        on_token: Callable[[int], None] | None,
    ) -> None:
        self._worker, self._to_request, self._on_token = worker, to_request, on_token
        self._between_turns = set(seats)
        self._asked: dict[int, float] = {}
        self._last_word = time.monotonic()
        self._is_over = False
        self._lock = threading.Lock()
        wave = Wave(tuple(sorted(self._between_turns)), progress=on_token is not None)
        worker.send(wave, seconds=GRACE_SECONDS)

    @property
    def is_over(self) -> bool:
        """Whether every seat has left, and the child said so."""
        return self._is_over

    def ask(self, seat: int, ask: Ask) -> None:
        """Asks for a seat's next completion.

        Raises:
            EngineFailure: if the child is dead.
            ValueError: if the seed or `max_tokens` is out of range.
        """
        request = self._to_request(ask)
        with self._lock:
            self._between_turns.discard(seat)
            self._asked[seat] = ask.seconds
            self._last_word = time.monotonic()
        self._worker.send(SeatAsks(seat, request), seconds=GRACE_SECONDS)

    def leave(self, seat: int) -> None:
        """Says that a seat will not ask again.

        Raises:
            EngineFailure: if the child is dead.
        """
        with self._lock:
            self._between_turns.discard(seat)
            self._last_word = time.monotonic()
        self._worker.send(SeatLeaves(seat), seconds=GRACE_SECONDS)

    def answers(self) -> Iterator[tuple[int, Completion]]:
        """The completions with their seats, as they end, until every seat has left.

        Raises:
            EngineFailure: if the child fails, dies, talks nonsense or does not answer in time.
        """
        while True:
            reply = self._worker.receive(_LOOK_SECONDS)
            if reply is None:
                self._require_patience()
                continue
            with self._lock:
                self._last_word = time.monotonic()
            if isinstance(reply, Done):
                self._is_over = True
                return
            if isinstance(reply, SeatAnswered):
                with self._lock:
                    self._asked.pop(reply.seat, None)
                    self._between_turns.add(reply.seat)
                yield reply.seat, Completion(**asdict(reply.completed))
            elif not isinstance(reply, Progress):
                raise EngineFailure(f"the engine process answered with {type(reply).__name__}")
            elif self._on_token is not None:
                self._on_token(reply.tokens)

    def _require_patience(self) -> None:
        """Gives the child up if it says nothing although nobody keeps it waiting."""
        with self._lock:
            silent = time.monotonic() - self._last_word
            limit = max(self._asked.values(), default=0.0) + GRACE_SECONDS
            waits_for_a_seat = bool(self._between_turns)
        if silent > limit and not waits_for_a_seat:
            raise EngineFailure("the engine process did not answer in time: it hangs")

"""Several trials as sequences of one llama.cpp context, decoded together.

Which tokens share a batch changes the bits of the logits. So the batches follow from the requests
alone: each step holds what every unfinished sequence has to evaluate, in the order of their seats
and up to one physical batch, and no clock decides anything but that time is up.
Every sequence has a window, a sampler chain and a seed of its own.
"""

from __future__ import annotations

import ctypes
import hashlib
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from abverify.bench.engines.llama_library import RuntimeFault, llama
from abverify.bench.engines.llama_runtime import _ABORTED, Runtime, _common_prefix, _OutOfTime
from abverify.bench.engines.llama_wire import Completed, CompletedTogether, Load, Together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from abverify.bench.engines.llama_wire import Complete
    from abverify.evidence.rows import FinishReason


@dataclass(slots=True)
class _Turn:
    """One sequence's completion under way.

    Attributes:
        seat: the sequence's number in the context.
        prompt: its token ids.
        deadline: when its time is up, monotonic.
        limit: tokens that it may sample.
        pending: tokens still to be evaluated; the last of them gives the next logits.
        chain: its sampler chain; null until it is made.
        reason: why it ended; null while it goes on.
    """

    seat: int
    request: Complete
    text_sha256: str
    prompt: list[int]
    deadline: float
    limit: int
    pending: list[int] = field(default_factory=list)
    prefilled: int = 0
    generated: list[int] = field(default_factory=list)
    chain: Any = None
    reason: FinishReason | None = None


_Cell: TypeAlias = tuple[int, int, int, _Turn | None]
"""A token to evaluate: its seat, id and place, and the turn it gives logits to, if it does."""


class BatchRuntime(Runtime):
    """A loaded model whose context holds `load.sequences` sequences of `load.n_ctx` tokens each.

    Raises:
        RuntimeFault, PromptError: as `Runtime` does.
    """

    def __init__(self, load: Load) -> None:
        super().__init__(load)
        self._held: list[list[int]] = [[] for _ in range(load.sequences)]
        self._snapshot: Any = None
        self._rows = llama.llama_batch_init(self._chunk, 0, 1)

    def forget(self) -> None:
        """Empties every sequence; the shared beginning's state is kept aside."""
        self._clear()

    def complete_together(
        self, asked: Together, *, on_token: Callable[[int], None]
    ) -> CompletedTogether:
        """Completes the conversations of several seats, each within its own limits.

        Args:
            asked: one request for each seat, in the order of the seats.
            on_token: called with the count of tokens sampled so far for all of them.

        Raises:
            PromptError: if the template refuses the messages.
            RuntimeFault: if llama.cpp fails.
        """
        start = time.monotonic()
        self._use(asked.requests[0][1].threads)
        turns = [self._turn(seat, request, start) for seat, request in asked.requests]
        self._deadline = max(turn.deadline for turn in turns)
        try:
            with ExitStack() as stack:
                stack.enter_context(self._limited(self._deadline - time.monotonic()))
                for turn in turns:
                    turn.chain = stack.enter_context(self._sampler(turn.request.seed))
                    self._prime(turn.chain, turn.prompt)
                self._run([turn for turn in turns if turn.reason is None], on_token)
        except _OutOfTime:
            for turn in turns:
                turn.reason = turn.reason or "time"
            self._clear()
        return CompletedTogether(tuple(self._completed(turn, start) for turn in turns))

    def _turn(self, seat: int, request: Complete, start: float) -> _Turn:
        prompt = self._render(request.messages)
        tokens = self.tokenise(prompt)
        room = self._settings.n_ctx - len(tokens)
        return _Turn(
            seat=seat,
            request=request,
            text_sha256=hashlib.sha256(prompt.text.encode("utf-8", "replace")).hexdigest(),
            prompt=tokens,
            deadline=start + request.seconds,
            limit=min(request.max_tokens, room),
            reason="context" if room <= 0 else None,
        )

    def _completed(self, turn: _Turn, start: float) -> Completed:
        if turn.reason is None:
            raise RuntimeFault("a completion came to no end")
        return Completed(
            text=b"".join(map(self._piece, turn.generated)).decode("utf-8", "replace"),
            finish_reason=turn.reason,
            prompt_sha256=turn.text_sha256,
            prompt_tokens=len(turn.prompt),
            completion_tokens=len(turn.generated),
            prefilled_tokens=turn.prefilled,
            millis=round((time.monotonic() - start) * 1000),
        )

    def _run(self, turns: Sequence[_Turn], on_token: Callable[[int], None]) -> None:
        if turns:
            self._prepare(turns[0])
        for turn in turns:
            self._resume(turn)
        active = list(turns)
        while active:
            step = list(_step(active, self._chunk))
            self._decode_step(step)
            for place, turn in _ends(step):
                self._sample(turn, place)
            on_token(sum(len(turn.generated) for turn in turns))
            for turn in active:
                if turn.reason is None and time.monotonic() >= turn.deadline:
                    turn.reason = "time"
                if turn.reason == "time":
                    self._drop(turn.seat)
            active = [turn for turn in active if turn.reason is None]

    def _prepare(self, turn: _Turn) -> None:
        """Takes the state of what the system message alone determines, evaluated from nothing.

        Every trial starts from these bytes, the first as well.
        """
        if self._settings.kv_cache == "fresh":
            return
        head = turn.request.messages[0]
        base = self._heading if self._shared(turn.prompt, head) else []
        if base in ([], self._base):
            return
        self._clear()
        for first in range(0, len(base), self._chunk):
            tokens = base[first : first + self._chunk]
            self._decode_step([(0, token, first + at, None) for at, token in enumerate(tokens)])
        size = llama.llama_state_seq_get_size(self._context, 0)
        self._snapshot = (ctypes.c_uint8 * size)()
        llama.llama_state_seq_get_data(self._context, self._snapshot, size, 0)
        self._base = base
        self._clear()

    def _resume(self, turn: _Turn) -> None:
        """Leaves in the seat what the prompt begins with, and notes what is to be evaluated."""
        if self._settings.kv_cache == "fresh":
            self._drop(turn.seat)
        elif not self._held[turn.seat]:
            self._start_from_base(turn)
        held = self._held[turn.seat]
        kept = min(_common_prefix(held, turn.prompt), len(turn.prompt) - 1)
        if kept < len(held):
            if llama.llama_memory_seq_rm(self._memory, turn.seat, kept, -1):
                del held[kept:]
            else:
                self._drop(turn.seat)
                kept = 0
        turn.pending = turn.prompt[kept:]
        turn.prefilled = len(turn.pending)

    def _start_from_base(self, turn: _Turn) -> None:
        base = self._base
        if not base or turn.prompt[: len(base)] != base:
            return
        self._drop(turn.seat)
        size = len(self._snapshot)
        if llama.llama_state_seq_set_data(self._context, self._snapshot, size, turn.seat) != size:
            raise RuntimeFault("llama.cpp does not take back the state it gave")
        self._held[turn.seat] = list(base)

    def _clear(self) -> None:
        llama.llama_memory_clear(self._memory, True)  # noqa: FBT003 (a C function)
        self._held = [[] for _ in self._held]

    def _drop(self, seat: int) -> None:
        llama.llama_memory_seq_rm(self._memory, seat, -1, -1)
        self._held[seat] = []

    def _decode_step(self, step: Sequence[_Cell]) -> None:
        """Evaluates tokens, each a seat, an id, a place, and the turn whose logits it gives."""
        if time.monotonic() >= self._deadline:
            raise _OutOfTime
        rows = self._rows
        rows.n_tokens = len(step)
        for at, (seat, token, place, turn) in enumerate(step):
            rows.token[at], rows.pos[at] = token, place
            rows.n_seq_id[at], rows.seq_id[at][0] = 1, seat
            rows.logits[at] = turn is not None
        code = llama.llama_decode(self._context, rows)
        if code == _ABORTED:
            raise _OutOfTime
        if code != 0:
            raise RuntimeFault(f"llama_decode returned {code} for {len(step)} tokens")
        for seat, token, _, _ in step:
            self._held[seat].append(token)

    def _sample(self, turn: _Turn, place: int) -> None:
        token = turn.chain.sample(self._context, place)
        if llama.llama_vocab_is_eog(self._vocab, token):
            turn.reason = "stop"
            return
        turn.generated.append(token)
        if len(turn.generated) == turn.limit:
            turn.reason = "length" if turn.limit == turn.request.max_tokens else "context"
            return
        turn.pending = [token]


def _step(active: Sequence[_Turn], room: int) -> Iterator[_Cell]:
    """The tokens of one step, at most `room`; what they are is taken from the turns' pending.

    Sequences that only continue come first, so that a long prompt does not hold them up.
    """
    for turn in sorted(active, key=lambda turn: len(turn.pending) > 1):
        taken, turn.pending = turn.pending[:room], turn.pending[room:]
        room -= len(taken)
        first = len(turn.prompt) + len(turn.generated) - len(taken) - len(turn.pending)
        for at, token in enumerate(taken):
            last = at == len(taken) - 1 and not turn.pending
            yield turn.seat, token, first + at, turn if last else None


def _ends(step: Sequence[_Cell]) -> Iterator[tuple[int, _Turn]]:
    """The places of a step whose logits were asked for, and whose they are."""
    for place, (_, _, _, turn) in enumerate(step):
        if turn is not None:
            yield place, turn

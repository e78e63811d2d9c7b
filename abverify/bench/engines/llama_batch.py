"""Several trials as sequences of one llama.cpp context, decoded together.

Which tokens share a batch changes the bits of the logits. So the batches follow from the requests
alone: each step holds what every unfinished sequence has to evaluate, in the order of their seats
and up to one physical batch. Before which step a seat begins its next turn is counted in steps,
and who is not ready by then is waited for: no clock decides anything but that time is up.
Every sequence has a window, a sampler chain and a seed of its own.
"""

from __future__ import annotations

import ctypes
import hashlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from abverify.bench.engines.llama_admission import Admission
from abverify.bench.engines.llama_library import RuntimeFault, llama
from abverify.bench.engines.llama_runtime import _ABORTED, Runtime, _common_prefix, _OutOfTime
from abverify.bench.engines.llama_wire import Completed, SeatAnswered, SeatAsks, SeatLeaves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from abverify.bench.engines.llama_sampler import SamplerChain
    from abverify.bench.engines.llama_wire import Complete, Load, Request, Wave
    from abverify.evidence.rows import FinishReason


@dataclass(slots=True)
class _Turn:
    """One sequence's completion under way.

    Attributes:
        seat: the sequence's number in the context.
        chain: its sampler chain.
        prompt: its token ids.
        began: when it began, monotonic.
        limit: tokens that it may sample.
        pending: tokens still to be evaluated; the last of them gives the next logits.
        reason: why it ended; null while it goes on.
    """

    seat: int
    request: Complete
    chain: SamplerChain
    text_sha256: str
    prompt: list[int]
    began: float
    limit: int
    pending: list[int] = field(default_factory=list)
    prefilled: int = 0
    generated: list[int] = field(default_factory=list)
    reason: FinishReason | None = None

    @property
    def deadline(self) -> float:
        """When its time is up, monotonic."""
        return self.began + self.request.seconds


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

    def serve(
        self,
        wave: Wave,
        *,
        receive: Callable[[], Request],
        answer: Callable[[SeatAnswered], None],
        on_token: Callable[[int], None],
    ) -> None:
        """Completes what the seats of a wave ask for, until all of them have left.

        Args:
            wave: the seats.
            receive: waits for what one of the seats says next.
            answer: called with each completion, as it ends.
            on_token: called with the count of tokens sampled so far in those under way.

        Raises:
            PromptError: if the template refuses the messages.
            RuntimeFault: if llama.cpp fails, or something else than a seat speaks.
        """
        inbox = _Inbox(receive)
        admission = Admission(wave.seats, self._settings.turn_gap)
        active: list[_Turn] = []
        while active or admission.joining():
            active = sorted((*active, *self._admitted(admission, inbox)), key=_seat)
            if active and all(turn.reason is None for turn in active):
                self._step_on(active, admission, on_token)
            for turn in active:
                if turn.reason is not None:
                    turn.chain.close()
                    admission.end(turn.seat)
                    answer(SeatAnswered(turn.seat, self._completed(turn)))
            active = [turn for turn in active if turn.reason is None]

    def _admitted(self, admission: Admission, inbox: _Inbox) -> list[_Turn]:
        """The turns that begin before the next step."""
        turns: list[_Turn] = []
        for seat in admission.joining():
            said = inbox.of(seat)
            if isinstance(said, SeatLeaves):
                admission.leave(seat)
                continue
            admission.begin(seat)
            self._use(said.request.threads)
            turns.append(self._turn(seat, said.request))
        return turns

    def _turn(self, seat: int, request: Complete) -> _Turn:
        began = time.monotonic()
        prompt = self._render(request.messages)
        tokens = self.tokenise(prompt)
        room = self._settings.n_ctx - len(tokens)
        chain = self._sampler(request.seed)
        self._prime(chain, tokens)
        return _Turn(
            seat=seat,
            request=request,
            chain=chain,
            text_sha256=hashlib.sha256(prompt.text.encode("utf-8", "replace")).hexdigest(),
            prompt=tokens,
            began=began,
            limit=min(request.max_tokens, room),
            reason="context" if room <= 0 else None,
        )

    def _completed(self, turn: _Turn) -> Completed:
        if turn.reason is None:
            raise RuntimeFault("a completion came to no end")
        return Completed(
            text=b"".join(map(self._piece, turn.generated)).decode("utf-8", "replace"),
            finish_reason=turn.reason,
            prompt_sha256=turn.text_sha256,
            prompt_tokens=len(turn.prompt),
            completion_tokens=len(turn.generated),
            prefilled_tokens=turn.prefilled,
            millis=round((time.monotonic() - turn.began) * 1000),
        )

    def _step_on(
        self, turns: Sequence[_Turn], admission: Admission, on_token: Callable[[int], None]
    ) -> None:
        """Steps until a turn has ended, or another one is to begin."""
        self._deadline = max(turn.deadline for turn in turns)
        try:
            with self._limited(self._deadline - time.monotonic()):
                self._resume([turn for turn in turns if not turn.pending])
                while all(turn.reason is None for turn in turns):
                    self._step(turns)
                    admission.stepped()
                    on_token(sum(len(turn.generated) for turn in turns))
                    if admission.joining():
                        break
        except _OutOfTime:
            for turn in turns:
                turn.reason = turn.reason or "time"
            self._clear()

    def _step(self, turns: Sequence[_Turn]) -> None:
        step = list(_cells(turns, self._chunk))
        self._decode_step(step)
        for place, turn in _ends(step):
            self._sample(turn, place)
        for turn in turns:
            if turn.reason is None and time.monotonic() >= turn.deadline:
                turn.reason = "time"
                self._drop(turn.seat)

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

    def _resume(self, turns: Sequence[_Turn]) -> None:
        """Lays out what turns that begin have to evaluate."""
        if turns and not any(self._held):
            self._prepare(turns[0])
        for turn in turns:
            self._lay_out(turn)

    def _lay_out(self, turn: _Turn) -> None:
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


def _cells(active: Sequence[_Turn], room: int) -> Iterator[_Cell]:
    """The tokens of one step, at most `room`, taken from the turns' pending, in seats' order.

    Sequences that only continue take theirs first, so that a long prompt does not hold them up.
    In the batch they stand by seat: llama.cpp computes at once only what neighbours have.
    """
    taken: dict[int, list[int]] = {}
    for turn in sorted(active, key=lambda turn: len(turn.pending) > 1):
        taken[turn.seat], turn.pending = turn.pending[:room], turn.pending[room:]
        room -= len(taken[turn.seat])
    for turn in active:
        tokens = taken[turn.seat]
        first = len(turn.prompt) + len(turn.generated) - len(tokens) - len(turn.pending)
        for at, token in enumerate(tokens):
            last = at == len(tokens) - 1 and not turn.pending
            yield turn.seat, token, first + at, turn if last else None


def _ends(step: Sequence[_Cell]) -> Iterator[tuple[int, _Turn]]:
    """The places of a step whose logits were asked for, and whose they are."""
    for place, (_, _, _, turn) in enumerate(step):
        if turn is not None:
            yield place, turn


def _seat(turn: _Turn) -> int:
    return turn.seat


class _Inbox:
    """What the seats have said and nobody has read yet."""

    def __init__(self, receive: Callable[[], Request]) -> None:
        self._receive = receive
        self._unread: dict[int, SeatAsks | SeatLeaves] = {}

    def of(self, seat: int) -> SeatAsks | SeatLeaves:
        """What a seat says next; waits for it.

        Raises:
            RuntimeFault: if something comes that no seat says.
        """
        while seat not in self._unread:
            said = self._receive()
            if not isinstance(said, SeatAsks | SeatLeaves):
                raise RuntimeFault(f"a wave is under way, and a {type(said).__name__} came")
            self._unread[said.seat] = said
        return self._unread.pop(seat)

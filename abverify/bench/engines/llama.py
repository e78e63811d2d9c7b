"""The `llama` engine: a GGUF file on this machine's CPU, through llama-cpp-python."""

from __future__ import annotations

import importlib.util
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Final, Self

from abverify.bench.engines import Ask, Completion, EngineFailure
from abverify.bench.engines.llama_load import load_request
from abverify.bench.engines.llama_process import GRACE_SECONDS, WorkerProcess
from abverify.bench.engines.llama_wave import LlamaWave
from abverify.bench.engines.llama_wire import (
    Complete,
    Completed,
    Loaded,
    Reset,
)
from abverify.bench.extras import missing_package
from abverify.bench.side_by_side import usable_cores
from abverify.bench.weights import CACHED_NOTE
from abverify.errors import IndeterminateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from abverify.bench.engines import Message
    from abverify.bench.engines.llama_load import LoadedAdapter
    from abverify.bench.engines.llama_wire import Request
    from abverify.bench.weights import WeightFacts
    from abverify.evidence.lock import Scalar
    from abverify.model.config import EngineConfig, PromptConfig, Sampling
    from abverify.model.identity import IdentityLevel

_LOAD_SECONDS: Final = 1800.0
_RESET_SECONDS: Final = 60.0
_MAX_SEED: Final = 2**31 - 1
_BROKEN: Final = "the engine broke earlier in this trial, or is closed"


class LlamaEngine:
    """Completions of one model with one configuration, computed in a child process.

    The child is started at once. When it breaks, the call raises `EngineFailure`
    and the engine is broken until the next `start_trial`, which starts a new
    child: within a trial, a cache computed anew would change the completions.

    Args:
        path: the weight file.
        facts: what the file is; the child refuses it if it changed since.
        name: the model's declared name.
        engine: context, cache policy and the settings that change logits.
        sampling: the sampler chain.
        prompt: how the history is rendered.
        adapter: a LoRA adapter, or null.
        threads: threads to compute with, by default one for each usable core; in the lock only
            with flash attention, because without it the number changes no bit.
        on_token: called during a completion with the count of tokens sampled so far.

    Raises:
        IndeterminateError: AV514 if a package of the `llama` extra is not installed,
            AV517 if the weights cannot be loaded here.
        InvalidError: AV518 if the file cannot serve as chat model or adapter.
    """

    identity: IdentityLevel = "attested"

    def __init__(
        self,
        path: Path,
        facts: WeightFacts,
        *,
        name: str,
        engine: EngineConfig,
        sampling: Sampling,
        prompt: PromptConfig,
        adapter: LoadedAdapter | None = None,
        threads: int | None = None,
        on_token: Callable[[int], None] | None = None,
    ) -> None:
        require_packages()
        self._name, self._weights, self._adapter = name, facts, adapter
        self._engine = engine
        self._on_token = on_token
        self._load = load_request(
            path,
            facts,
            engine=engine,
            sampling=sampling,
            prompt=prompt,
            adapter=adapter,
            threads=threads or usable_cores(),
        )
        self._worker: WorkerProcess | None = None
        self._threads: int | None = None
        self._closed = False
        try:
            self._loaded = self._start()
        except EngineFailure as failure:
            raise IndeterminateError(
                "the weights cannot be loaded",
                rule="AV517",
                place=str(path),
                expected="a model that llama.cpp loads with the declared configuration",
                found=str(failure),
                next_step="check config.engine, the memory of this machine, and the model itself",
            ) from None

    def facts(self) -> Mapping[str, Scalar]:
        """The run-lock keys this engine answers for (`model.*`, `engine.*`)."""
        weights, adapter, engine = self._weights, self._adapter, self._engine
        # Long attention over one token is summed in as many parts as there are threads.
        threads = {"engine.threads": self._load.threads} if engine.flash_attn else {}
        gap = {"engine.turn_gap": engine.turn_gap} if engine.sequences > 1 else {}
        return {
            "model.name": self._name,
            "model.weights_sha256": weights.sha256,
            "model.weights_bytes": weights.size,
            "model.architecture": weights.architecture,
            "model.size_label": weights.size_label,
            "model.finetune": weights.finetune,
            "model.file_type": weights.file_type,
            "model.general_name": weights.general_name,
            "model.template_sha256": weights.template_sha256,
            "model.tokenizer_sha256": weights.tokenizer_sha256,
            "model.adapter_sha256": adapter.facts.sha256 if adapter else None,
            "model.adapter_scale": adapter.scale if adapter else None,
            "engine.name": "llama",
            "engine.version": self._loaded.version,
            "engine.system": self._loaded.system,
            "engine.n_ctx": engine.n_ctx,
            "engine.n_ubatch": engine.n_ubatch,
            "engine.kv_cache": engine.kv_cache,
            "engine.sequences": engine.sequences,
            **gap,
            "engine.flash_attn": engine.flash_attn,
            **threads,
            "engine.cache_type": engine.cache_type,
            "engine.sampler_chain": self._loaded.sampler_chain,
        }

    def notes(self) -> tuple[str, ...]:
        """What a reader of the evidence should know of how the weights were identified."""
        adapter = self._adapter
        cached = self._weights.from_cache or (adapter is not None and adapter.facts.from_cache)
        return (CACHED_NOTE,) if cached else ()

    @property
    def pid(self) -> int | None:
        """Process id of the child; null while there is none."""
        return self._worker.pid if self._worker else None

    def start_trial(self) -> None:
        """Forgets everything; starts a new child if the last one broke.

        Raises:
            EngineFailure: if no child can be started, or it is not what the first one was.
        """
        if self._closed:
            raise EngineFailure("the engine is closed")
        if self._emptied():
            return
        loaded = self._start()
        if loaded != self._loaded:
            self._discard()
            raise EngineFailure(f"the engine changed under the run: {self._loaded} to {loaded}")

    def complete(
        self, messages: Sequence[Message], *, seed: int, max_tokens: int, seconds: float
    ) -> Completion:
        """Completes the conversation with an assistant message.

        Args:
            messages: the conversation so far.
            seed: of the sampler, 1 to 2**31 - 1.
            max_tokens: tokens to sample at most, at least 1.
            seconds: wall-clock limit of prefill and decode together; both stop at it.

        Raises:
            EngineFailure: if the engine broke; never for anything the model did.
            ValueError: if the seed or `max_tokens` is out of range.
        """
        ask = Ask(tuple(messages), seed, max_tokens, seconds)
        if self.seats > 1:
            return self.complete_together({0: ask})[0]
        reply = self._ask(self._request(ask), seconds=seconds + GRACE_SECONDS)
        if not isinstance(reply, Completed):
            raise self._nonsense(reply)
        return Completion(**asdict(reply))

    @property
    def seats(self) -> int:
        """How many conversations the context holds at once."""
        return self._engine.sequences

    @contextmanager
    def wave(self, seats: Iterable[int]) -> Iterator[LlamaWave]:
        """A wave of conversations; nothing else can be asked until it has ended.

        Left before it has ended, it leaves a broken engine behind.

        Raises:
            EngineFailure: if the engine broke.
        """
        if self._worker is None:
            raise EngineFailure(_BROKEN)
        wave = LlamaWave(self._worker, seats, to_request=self._request, on_token=self._on_token)
        try:
            yield wave
        finally:
            if not wave.is_over:
                self._discard()

    def complete_together(self, asks: Mapping[int, Ask]) -> dict[int, Completion]:
        """One completion for each seat that asks: a wave of a single turn.

        Raises:
            EngineFailure: if the engine broke; then no seat has an answer.
            ValueError: if a seed or `max_tokens` is out of range.
        """
        for ask in asks.values():
            _require_possible(ask)
        answers: dict[int, Completion] = {}
        with self.wave(asks) as wave:
            for seat in sorted(asks):
                wave.ask(seat, asks[seat])
            for seat, completion in wave.answers():
                answers[seat] = completion
                wave.leave(seat)
        return answers

    def _request(self, ask: Ask) -> Complete:
        _require_possible(ask)
        return Complete(
            messages=ask.messages,
            seed=ask.seed,
            max_tokens=ask.max_tokens,
            seconds=ask.seconds,
            progress=self._on_token is not None,
            threads=self._threads,
        )

    def _nonsense(self, reply: object) -> EngineFailure:
        self._discard()
        return EngineFailure(f"the engine process answered with {type(reply).__name__}")

    def interrupt(self) -> None:
        """Ends the child under whoever waits for it, who gets an `EngineFailure`, and for good.

        It is for another thread than the one that asks.
        """
        self._closed = True
        worker = self._worker
        if worker is not None:
            worker.stop()

    def use_threads(self, count: int) -> None:
        """Computes with so many threads from the next completion on, where that changes no byte.

        It is for another thread than the one that asks.
        """
        if not self._engine.flash_attn:
            self._threads = count

    def close(self) -> None:
        """Ends the child. It may be called twice."""
        self._closed = True
        self._discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _start(self) -> Loaded:
        self._worker = WorkerProcess()
        reply = self._ask(self._load, seconds=_LOAD_SECONDS)
        if not isinstance(reply, Loaded):
            raise self._nonsense(reply)
        return reply

    def _emptied(self) -> bool:
        """Whether the child there is has an empty cache; one that broke between trials is gone."""
        if self._worker is None:
            return False
        try:
            self._ask(Reset(), seconds=_RESET_SECONDS)
        except EngineFailure:
            return False
        return True

    def _ask(self, request: Request, *, seconds: float) -> object:
        if self._worker is None:
            raise EngineFailure(_BROKEN)
        try:
            return self._worker.request(request, seconds=seconds, on_token=self._on_token)
        except BaseException:  # Ctrl-C too: the child is in the middle of something.
            self._discard()
            raise

    def _discard(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.kill()


def _require_possible(ask: Ask) -> None:
    if not 1 <= ask.seed <= _MAX_SEED:
        raise ValueError(f"a seed is 1 to {_MAX_SEED}, not {ask.seed}: 0 means chance")
    if ask.max_tokens < 1:
        raise ValueError(f"max_tokens is at least 1, not {ask.max_tokens}")


def require_packages() -> None:
    """Refuses to go on without the packages of the `llama` extra.

    Raises:
        IndeterminateError: AV514 naming the missing one.
    """
    for module, package in (("llama_cpp", "llama-cpp-python"), ("jinja2", "jinja2")):
        if importlib.util.find_spec(module) is None:
            raise missing_package(package)

"""The `llama` engine: a GGUF file on this machine's CPU, through llama-cpp-python."""

from __future__ import annotations

import importlib.util
from dataclasses import asdict
from typing import TYPE_CHECKING, Final, Self

from abverify._frozen import frozen
from abverify.bench.engines import Ask, Completion, EngineFailure
from abverify.bench.engines.llama_process import WorkerProcess
from abverify.bench.engines.llama_wire import (
    Complete,
    Completed,
    CompletedTogether,
    Load,
    Loaded,
    Reset,
    SamplerKnobs,
    Source,
    Together,
)
from abverify.bench.extras import missing_package
from abverify.bench.side_by_side import usable_cores
from abverify.bench.weights import CACHED_NOTE
from abverify.errors import IndeterminateError, InvalidError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from abverify.bench.engines import Message
    from abverify.bench.engines.llama_wire import Request
    from abverify.bench.weights import WeightFacts
    from abverify.evidence.lock import Scalar
    from abverify.model.config import EngineConfig, PromptConfig, Sampling
    from abverify.model.identity import IdentityLevel

_LOAD_SECONDS: Final = 1800.0
_RESET_SECONDS: Final = 60.0
_GRACE_SECONDS: Final = 30.0
"""How much longer than its own limit a completion may take before the child counts as hung."""
_MAX_SEED: Final = 2**31 - 1


@frozen
class LoadedAdapter:
    """A LoRA adapter to apply over the weights.

    Attributes:
        path: its GGUF file.
        facts: what the file is.
        scale: what the adapter is multiplied with, as a decimal text.
    """

    path: Path
    facts: WeightFacts
    scale: str


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
        template = _chat_template(path, facts)
        if adapter is not None:
            _require_adapter(adapter)
        self._name, self._weights, self._adapter = name, facts, adapter
        self._engine = engine
        self._on_token = on_token
        self._load = Load(
            weights=Source(str(path), facts.stamp),
            template=template,
            adapter=Source(str(adapter.path), adapter.facts.stamp) if adapter else None,
            adapter_scale=float(adapter.scale) if adapter else 1.0,
            n_ctx=engine.n_ctx,
            n_ubatch=engine.n_ubatch,
            flash_attn=engine.flash_attn,
            cache_type=engine.cache_type,
            kv_cache=engine.kv_cache,
            history=prompt.history,
            penalty_scope=sampling.penalty_scope,
            threads=threads or usable_cores(),
            knobs=_knobs(sampling),
            sequences=engine.sequences,
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
        reply = self._ask(self._request(ask), seconds=seconds + _GRACE_SECONDS)
        if not isinstance(reply, Completed):
            raise self._nonsense(reply)
        return Completion(**asdict(reply))

    @property
    def seats(self) -> int:
        """How many conversations the context holds at once."""
        return self._engine.sequences

    def complete_together(self, asks: Mapping[int, Ask]) -> dict[int, Completion]:
        """Completes the conversation of each seat that asks, in one context.

        Raises:
            EngineFailure: if the engine broke; then no seat has an answer.
            ValueError: if a seed or `max_tokens` is out of range.
        """
        seats = sorted(asks)
        request = Together(tuple((seat, self._request(asks[seat])) for seat in seats))
        longest = max(ask.seconds for ask in asks.values())
        reply = self._ask(request, seconds=longest + _GRACE_SECONDS)
        if not isinstance(reply, CompletedTogether):
            raise self._nonsense(reply)
        answers = (Completion(**asdict(answer)) for answer in reply.completions)
        return dict(zip(seats, answers, strict=True))

    def _request(self, ask: Ask) -> Complete:
        if not 1 <= ask.seed <= _MAX_SEED:
            raise ValueError(f"a seed is 1 to {_MAX_SEED}, not {ask.seed}: 0 means chance")
        if ask.max_tokens < 1:
            raise ValueError(f"max_tokens is at least 1, not {ask.max_tokens}")
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
            raise EngineFailure("the engine broke earlier in this trial, or is closed")
        try:
            return self._worker.request(request, seconds=seconds, on_token=self._on_token)
        except BaseException:  # Ctrl-C too: the child is in the middle of something.
            self._discard()
            raise

    def _discard(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.kill()


def require_packages() -> None:
    """Refuses to go on without the packages of the `llama` extra.

    Raises:
        IndeterminateError: AV514 naming the missing one.
    """
    for module, package in (("llama_cpp", "llama-cpp-python"), ("jinja2", "jinja2")):
        if importlib.util.find_spec(module) is None:
            raise missing_package(package)


def _chat_template(path: Path, facts: WeightFacts) -> str:
    if facts.kind != "model":
        raise _wrong_kind(path, expected="general.type: model", found=facts.kind)
    if facts.chat_template is None:
        raise _wrong_kind(path, expected="a chat template in the file", found="none")
    return facts.chat_template


def _require_adapter(adapter: LoadedAdapter) -> None:
    if adapter.facts.kind != "adapter":
        raise _wrong_kind(adapter.path, expected="general.type: adapter", found=adapter.facts.kind)


def _wrong_kind(path: Path, *, expected: str, found: str) -> InvalidError:
    return InvalidError(
        "the file cannot serve as what the contract calls it",
        rule="AV518",
        place=str(path),
        expected=expected,
        found=found,
        next_step="name another file in the contract's model section",
    )


def _knobs(sampling: Sampling) -> SamplerKnobs:
    return SamplerKnobs(
        temperature=float(sampling.temperature),
        top_k=sampling.top_k,
        top_p=float(sampling.top_p),
        min_p=float(sampling.min_p),
        repeat_penalty=float(sampling.repeat_penalty),
        repeat_last_n=sampling.repeat_last_n,
    )

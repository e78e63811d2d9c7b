"""What the llama engine's child process is told to load, from a contract's declarations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.bench.engines.llama_wire import Load, SamplerKnobs, Source
from abverify.errors import InvalidError

if TYPE_CHECKING:
    from pathlib import Path

    from abverify.bench.weights import WeightFacts
    from abverify.model.config import EngineConfig, PromptConfig, Sampling


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


def load_request(
    path: Path,
    facts: WeightFacts,
    *,
    engine: EngineConfig,
    sampling: Sampling,
    prompt: PromptConfig,
    adapter: LoadedAdapter | None,
    threads: int,
) -> Load:
    """The first request to a child process.

    Raises:
        InvalidError: AV518 if a file cannot serve as chat model or adapter.
    """
    template = _chat_template(path, facts)
    if adapter is not None:
        _require_adapter(adapter)
    return Load(
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
        threads=threads,
        knobs=_knobs(sampling),
        sequences=engine.sequences,
        turn_gap=engine.turn_gap,
    )


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

"""The penalties taken out of the chain choose what llama.cpp's own whole chain would choose."""

from __future__ import annotations

import random
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from abverify.bench.engines.llama_library import RuntimeFault, llama
from abverify.bench.engines.llama_sampler import SamplerChain
from abverify.bench.engines.llama_wire import SamplerKnobs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abverify.bench.engines.llama_runtime import Runtime

SEED = 7
STEPS = 120


def knobs(**changed: float) -> SamplerKnobs:
    declared: dict[str, Any] = {
        "temperature": 0.9,
        "top_k": 50,
        "top_p": 0.95,
        "min_p": 0.02,
        "repeat_penalty": 1.3,
        "repeat_last_n": 16,
    }
    return SamplerKnobs(**declared | changed)


@contextmanager
def whole_chain(settings: SamplerKnobs, n_vocab: int) -> Iterator[Any]:
    """llama.cpp's own chain, in which the penalties look at every token of the vocabulary."""
    chain = llama.llama_sampler_chain_init(llama.llama_sampler_chain_default_params())
    last = (
        (llama.llama_sampler_init_greedy(),)
        if settings.temperature == 0
        else (
            llama.llama_sampler_init_temp(settings.temperature),
            llama.llama_sampler_init_dist(SEED),
        )
    )
    for link in (
        llama.llama_sampler_init_penalties(
            n_vocab, settings.repeat_last_n, settings.repeat_penalty, 0.0, 0.0
        ),
        llama.llama_sampler_init_top_k(settings.top_k),
        llama.llama_sampler_init_top_p(settings.top_p, 1),
        llama.llama_sampler_init_min_p(settings.min_p, 1),
        *last,
    ):
        llama.llama_sampler_chain_add(chain, link)
    yield chain
    llama.llama_sampler_free(chain)


@pytest.mark.parametrize(
    "settings",
    [
        knobs(),
        knobs(repeat_penalty=0.7),
        knobs(repeat_penalty=1.0),
        knobs(repeat_last_n=0),
        knobs(repeat_last_n=1),
        knobs(top_k=0, top_p=1.0, min_p=0.0, repeat_penalty=1.1),
        knobs(temperature=0.0),
        knobs(temperature=0.0, repeat_penalty=2.0, repeat_last_n=64),
    ],
    ids=str,
)
def test_it_samples_what_the_whole_chain_samples(runtime: Runtime, settings: SamplerKnobs) -> None:
    prompt = [random.Random(3).randrange(1000, 9000) for _ in range(40)]  # noqa: S311 (no secret)
    runtime.forget()
    runtime._evaluate(prompt)
    with (
        whole_chain(settings, runtime._n_vocab) as whole,
        closing(SamplerChain(settings, n_vocab=runtime._n_vocab, seed=SEED)) as ours,
    ):
        for token in prompt:
            llama.llama_sampler_accept(whole, token)
            ours.accept(token)
        sampled = []
        for _ in range(STEPS):
            expected = llama.llama_sampler_sample(whole, runtime._context, -1)
            sampled.append(ours.sample(runtime._context, -1))
            assert sampled[-1] == expected
            runtime._evaluate([expected])
    assert len(set(sampled)) > 1
    runtime.forget()


def test_a_token_without_logits_is_a_fault(runtime: Runtime) -> None:
    runtime.forget()
    runtime._evaluate([1000, 2000])
    with closing(SamplerChain(knobs(), n_vocab=runtime._n_vocab, seed=SEED)) as chain:
        chain.accept(1000)
        with pytest.raises(RuntimeFault, match="place 0"):
            chain.sample(runtime._context, 0)
    runtime.forget()

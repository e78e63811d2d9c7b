"""The endpoint engine, against a real llama_cpp.server process on this machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from abverify._canonical import canonical_digest
from abverify.bench.engines import EngineFailure, Message
from abverify.bench.engines.endpoint import EndpointEngine, open_endpoint
from abverify.errors import AbverifyError, IndeterminateError

from .serving import KEY, NAME, WINDOW, LlamaServer, llama_server
from .smollm import endpoint_config, engine_config, sampling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from abverify.bench.engines import Completion
    from abverify.bench.engines.llama import LlamaEngine

ASK = [Message("system", "You are terse."), Message("user", "Tell me about cats and dogs.")]
LONG = [Message("user", "The quick brown fox jumps over the lazy dog. " * 300)]


@pytest.fixture(scope="session")
def server(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaServer]:
    with llama_server(weights, tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def open_at(server: LlamaServer) -> Callable[..., EndpointEngine]:
    def opened(*, model: str = NAME, on_token: Any = None, **settings: Any) -> EndpointEngine:
        config = endpoint_config(**settings)
        return open_endpoint(model, config, environment=server.environment, on_token=on_token)

    return opened


@pytest.fixture(scope="module")
def endpoint(open_at: Callable[..., EndpointEngine]) -> Iterator[EndpointEngine]:
    with open_at() as engine:
        yield engine


def ask(
    engine: EndpointEngine | LlamaEngine,
    messages: list[Message] = ASK,
    *,
    seed: int = 7,
    **limits: Any,
) -> Completion:
    return engine.complete(messages, seed=seed, **({"max_tokens": 24, "seconds": 60.0} | limits))


def test_the_facts_are_what_the_server_states_and_nothing_that_only_the_contract_says(
    endpoint: EndpointEngine,
) -> None:
    assert endpoint.identity == "asserted"
    assert endpoint.facts() == {
        "model.name": NAME,
        "engine.name": "endpoint",
        "engine.server": "llama-cpp-python",
        "engine.version": "llama-cpp-python 0.3.36",
        "engine.n_ctx": WINDOW,
        "engine.kv_cache": "continue",
        "engine.sequences": 1,
    }


def test_one_seed_gives_the_same_bytes_in_every_trial_and_other_seeds_give_others(
    endpoint: EndpointEngine,
) -> None:
    def first(seed: int) -> str:
        endpoint.start_trial()
        return ask(endpoint, seed=seed).text

    texts = [first(seed) for seed in (1, 2, 3, 4, 1)]
    assert texts[4] == texts[0]
    assert len(set(texts)) > 1


def test_a_trial_replays_turn_by_turn_and_as_it_does_in_process(
    endpoint: EndpointEngine, open_engine: Callable[..., LlamaEngine]
) -> None:
    def trial(engine: EndpointEngine | LlamaEngine) -> list[str]:
        engine.start_trial()
        messages, texts = list(ASK), []
        for turn in (1, 2, 3):
            texts.append(ask(engine, messages, seed=turn).text)
            messages += [Message("assistant", texts[-1]), Message("user", "Go on.")]
        return texts

    chain, window = sampling(repeat_penalty="1"), engine_config(n_ctx=WINDOW)
    with open_engine(chain=chain, engine=window) as here:
        assert trial(endpoint) == trial(endpoint) == trial(here)


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"temperature": "0"},
        {"temperature": "1.5", "top_k": 5, "top_p": "1"},
        {"temperature": "1.5", "top_k": 0, "top_p": "0.6"},
        {"temperature": "1.5", "top_k": 0, "top_p": "1", "min_p": "0.2"},
    ],
)
def test_every_knob_reaches_the_server_it_says_what_the_engine_in_process_says(
    open_at: Callable[..., EndpointEngine],
    open_engine: Callable[..., LlamaEngine],
    knobs: dict[str, Any],
) -> None:
    chain = sampling(**({"repeat_penalty": "1"} | knobs))
    with (
        open_engine(chain=chain, engine=engine_config(n_ctx=WINDOW)) as here,
        open_at(**knobs) as there,
    ):
        there.start_trial()
        mine, its = ask(here, max_tokens=48), ask(there, max_tokens=48)
    assert its.text == mine.text
    assert (its.prompt_tokens, its.completion_tokens) == (mine.prompt_tokens, 48)


def test_the_digest_is_that_of_the_messages_since_the_server_renders_them(
    endpoint: EndpointEngine, open_at: Callable[..., EndpointEngine]
) -> None:
    told = [["system", "You are terse."], ["user", "Tell me about cats and dogs."]]
    assert ask(endpoint, max_tokens=1).prompt_sha256 == canonical_digest(told)
    with open_at(history="flattened") as flattened:
        flat = [told[0], ["user", "User:\nTell me about cats and dogs."]]
        assert ask(flattened, max_tokens=1).prompt_sha256 == canonical_digest(flat)


def test_tokens_are_counted_and_told_as_they_come(open_at: Callable[..., EndpointEngine]) -> None:
    told: list[int] = []
    with open_at(on_token=told.append) as engine:
        completion = ask(engine, max_tokens=6)
    assert (completion.finish_reason, completion.completion_tokens) == ("length", 6)
    assert completion.prompt_tokens == 26
    assert told == [1, 2, 3, 4, 5, 6]


def test_an_end_by_itself_is_a_stop(endpoint: EndpointEngine) -> None:
    messages = [Message("user", "Reply with the single word: yes")]
    completion = ask(endpoint, messages, max_tokens=400)
    assert completion.finish_reason == "stop"
    assert 0 < completion.completion_tokens < 400
    assert "<|im_end|>" not in completion.text


def test_the_deadline_stops_a_decode_and_does_not_wait_for_it(endpoint: EndpointEngine) -> None:
    endpoint.start_trial()
    started = time.monotonic()
    stopped = ask(endpoint, max_tokens=1900, seconds=1.0)
    assert stopped.finish_reason == "time"
    assert stopped.text
    assert stopped.completion_tokens < 1900
    assert time.monotonic() - started < 10
    endpoint.start_trial()
    assert ask(endpoint, max_tokens=4).finish_reason == "length"


def test_a_prompt_beyond_the_window_is_never_truncated(endpoint: EndpointEngine) -> None:
    completion = ask(endpoint, LONG)
    assert (completion.finish_reason, completion.text) == ("context", "")
    assert completion.completion_tokens == 0
    assert completion.prompt_tokens > WINDOW


@pytest.mark.slow
def test_a_full_window_ends_a_completion_as_context(endpoint: EndpointEngine) -> None:
    endpoint.start_trial()
    fill = [Message("user", " a" * (WINDOW - 40))]
    completion = ask(endpoint, fill, max_tokens=400)
    assert completion.finish_reason == "context"
    assert completion.prompt_tokens + completion.completion_tokens == WINDOW


def test_texts_that_are_no_valid_unicode_break_nothing(endpoint: EndpointEngine) -> None:
    odd = Message("user", "a\ud800b\x00c\U0010ffff\u2028")
    assert ask(endpoint, [odd], max_tokens=1).prompt_tokens > 0


@pytest.mark.parametrize("seed", [0, -1, 2**31])
def test_seeds_that_mean_chance_to_a_server_are_refused(
    endpoint: EndpointEngine, seed: int
) -> None:
    with pytest.raises(ValueError, match="a seed is 1 to 2147483647"):
        ask(endpoint, seed=seed)


def test_a_completion_of_no_tokens_is_refused(endpoint: EndpointEngine) -> None:
    with pytest.raises(ValueError, match="max_tokens is at least 1"):
        ask(endpoint, max_tokens=0)


@pytest.mark.parametrize("window", [1024, 4096])
def test_a_server_with_another_window_than_the_contracts_is_refused(
    open_at: Callable[..., EndpointEngine], window: int
) -> None:
    with pytest.raises(IndeterminateError) as caught:
        open_at(engine={"n_ctx": window})
    assert (caught.value.rule, caught.value.expected) == ("AV542", f"engine.n_ctx: {window}")
    assert caught.value.found == str(WINDOW)


def test_a_server_that_serves_another_model_is_refused(
    open_at: Callable[..., EndpointEngine],
) -> None:
    with pytest.raises(IndeterminateError) as caught:
        open_at(model="Qwen3-Coder-30B-A3B-Instruct")
    assert (caught.value.rule, caught.value.found) == ("AV543", NAME)


def test_another_kind_of_server_than_the_declared_one_is_refused(
    open_at: Callable[..., EndpointEngine],
) -> None:
    knobs: dict[str, Any] = {"top_k": 0, "penalty_scope": "generated"}
    with pytest.raises(IndeterminateError) as llama:
        open_at(server="llama-server", **knobs)
    assert llama.value.rule == "AV544"
    assert "/props: HTTP 404" in str(llama.value.found)
    with pytest.raises(IndeterminateError) as plain:
        open_at(server="openai", **knobs)
    assert (plain.value.rule, plain.value.found) == ("AV542", "not stated")


def test_a_refused_key_is_said_and_neither_key_is_shown(server: LlamaServer) -> None:
    wrong = {"ABVERIFY_ENDPOINT": server.url, "ABVERIFY_API_KEY": "sk-wrong-0123456789"}
    with pytest.raises(AbverifyError) as caught:
        open_endpoint(NAME, endpoint_config(), environment=wrong)
    told = caught.value.diagnostics()
    assert caught.value.rule == "AV544"
    assert "/v1/models: HTTP 401" in told
    assert "sk-" not in told
    assert KEY not in told


def test_a_server_that_dies_is_a_failure_and_one_that_is_back_goes_on(
    weights: Path, tmp_path: Path
) -> None:
    with llama_server(weights, tmp_path) as mortal:
        config = endpoint_config()
        with open_endpoint(NAME, config, environment=mortal.environment) as engine:
            before = ask(engine, max_tokens=8)
            mortal.kill()
            with pytest.raises(EngineFailure, match="no answer in 4 tries"):
                ask(engine)
            mortal.start()
            engine.start_trial()
            assert ask(engine, max_tokens=8).text == before.text


def test_a_closed_engine_can_be_closed_again(open_at: Callable[..., EndpointEngine]) -> None:
    engine = open_at()
    engine.close()
    engine.close()

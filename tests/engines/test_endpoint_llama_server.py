"""The dialect of llama-server, against answers as its build b1-0c1e570 gives them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from abverify._canonical import sha256_hex
from abverify.bench.engines import Message
from abverify.bench.engines.endpoint import EndpointEngine, open_endpoint
from abverify.bench.engines.endpoint_dialects import request_fields
from abverify.errors import IndeterminateError

from .serving import NAME, Played, Player, chunk, encoded, playing, streamed, usage
from .smollm import endpoint_config

if TYPE_CHECKING:
    from collections.abc import Iterator

ASK = [Message("user", "Hello.")]
CHAT = "/v1/chat/completions"
KNOBS: dict[str, Any] = {
    "repeat_penalty": "1.2",
    "repeat_last_n": 64,
    "penalty_scope": "prompt+generated",
}
PROPS: dict[str, Any] = {
    "default_generation_settings": {"n_ctx": 2048},
    "total_slots": 1,
    "chat_template": "{{ messages }}",
    "build_info": "b1-0c1e570",
}
TIMINGS = {"cache_n": 30, "prompt_n": 2, "predicted_n": 1}
STREAM = streamed(
    {"choices": [{"index": 0, "delta": {"role": "assistant", "content": None}}]},
    chunk("Hello", timings=TIMINGS),
    chunk(finish="stop"),
    usage(32, 2) | {"timings": TIMINGS},
)


def echo(**changed: object) -> bytes:
    """An answer to `verbose: true`: the settings as the server took them, in 32-bit floats."""
    config = endpoint_config(server="llama-server", **KNOBS)
    taken = request_fields(config) | {"temperature": 0.30000001192092896} | changed
    return encoded({"choices": [], "__verbose": {"generation_settings": taken}})


@contextmanager
def server(*stream: Played, props: object = PROPS, echoed: bytes | None = None) -> Iterator[Player]:
    script = {
        "/v1/models": [Played(encoded({"data": [{"id": NAME}]}))],
        "/props": [Played(encoded(props))],
        CHAT: [Played(echoed or echo()), *stream],
    }
    with playing(script) as player:
        yield player


def opened(player: Player, **engine: Any) -> EndpointEngine:
    config = endpoint_config(server="llama-server", engine=engine, **KNOBS)
    return open_endpoint(NAME, config, environment={"ABVERIFY_ENDPOINT": player.url})


def refusal(player: Player) -> tuple[str | None, str | None]:
    with pytest.raises(IndeterminateError) as caught:
        opened(player)
    assert caught.value.rule == "AV542"
    return caught.value.expected, caught.value.found


def test_the_facts_are_build_window_template_and_the_chain_that_is_sent() -> None:
    with server() as player, opened(player) as engine:
        assert engine.facts() == {
            "model.name": NAME,
            "model.template_sha256": sha256_hex(b"{{ messages }}"),
            "engine.name": "endpoint",
            "engine.server": "llama-server",
            "engine.version": "llama-server b1-0c1e570",
            "engine.n_ctx": 2048,
            "engine.kv_cache": "continue",
            "engine.sequences": 1,
            "engine.sampler_chain": "penalties,top_k,top_p,min_p,temperature,dist",
        }


def test_a_trial_begins_with_an_empty_cache_and_goes_on_with_its_own() -> None:
    with server(Played(STREAM)) as player, opened(player) as engine:
        for _trial in (1, 2):
            engine.start_trial()
            for _turn in (1, 2):
                engine.complete(ASK, seed=1, max_tokens=8, seconds=30.0)
        caches = [body["cache_prompt"] for body in player.bodies(CHAT)[1:]]
    assert caches == [False, True, False, True]


def test_a_fresh_cache_is_asked_for_in_every_turn() -> None:
    with server(Played(STREAM)) as player, opened(player, kv_cache="fresh") as engine:
        for _turn in (1, 2):
            engine.complete(ASK, seed=1, max_tokens=8, seconds=30.0)
        assert [body["cache_prompt"] for body in player.bodies(CHAT)[1:]] == [False, False]


def test_prompt_tokens_count_those_from_the_cache_also_when_time_ran_out() -> None:
    cut = Played(streamed(chunk("Hello", timings=TIMINGS), done=False), pause=20)
    with server(Played(STREAM), cut) as player, opened(player) as engine:
        whole = engine.complete(ASK, seed=1, max_tokens=8, seconds=30.0)
        late = engine.complete(ASK, seed=1, max_tokens=8, seconds=0.5)
    assert (whole.prompt_tokens, whole.completion_tokens) == (32, 2)
    assert (late.finish_reason, late.prompt_tokens, late.completion_tokens) == ("time", 32, 1)


@pytest.mark.parametrize(
    ("changed", "expected", "found"),
    [
        ({"default_generation_settings": {"n_ctx": 512}}, "engine.n_ctx: 2048", "512"),
        ({"default_generation_settings": None}, "engine.n_ctx: 2048", "not stated"),
        ({"total_slots": 4}, "one slot (--parallel 1): total_slots: 1", "4"),
        ({"chat_template": None}, "a chat_template in /props", "none"),
    ],
)
def test_another_server_than_the_declared_one_is_refused(
    changed: dict[str, object], expected: str, found: str
) -> None:
    with server(props=PROPS | changed) as player:
        assert refusal(player) == (expected, found)


def test_a_knob_that_the_server_did_not_take_as_sent_is_named() -> None:
    with server(echoed=echo(min_p=0.05, repeat_last_n=32)) as player:
        expected, found = refusal(player)
    assert expected == "every knob as it was sent"
    assert found == "min_p: 0.05 for 0.0; repeat_last_n: 32 for 64"


def test_a_server_that_echoes_nothing_proves_nothing() -> None:
    with server(echoed=encoded({"choices": []})) as player:
        assert refusal(player) == ("an echo of the settings under __verbose", "none")

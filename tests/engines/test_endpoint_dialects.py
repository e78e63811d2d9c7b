"""Every knob has its field, or keeps the run from starting; none is dropped in silence."""

from __future__ import annotations

from typing import Any

import pytest

from abverify.bench.engines.endpoint_dialects import request_fields, turn_fields
from abverify.errors import InvalidError
from abverify.evidence.demand import config_demand

from .smollm import endpoint_config

SERVERS = ("llama-cpp-python", "llama-server", "openai")
PLAIN: dict[str, Any] = {
    "temperature": "0.30",
    "top_k": 0,
    "top_p": "0.95",
    "min_p": "0",
    "repeat_penalty": "1",
}
PENALTY: dict[str, Any] = {"repeat_penalty": "1.2", "repeat_last_n": 64}


def refused(server: str, *, engine: dict[str, Any] | None = None, **knobs: Any) -> str:
    with pytest.raises(InvalidError) as caught:
        request_fields(endpoint_config(server=server, engine=engine, **(PLAIN | knobs)))
    assert caught.value.rule == "AV541"
    return caught.value.message.partition(" keep ")[2]


def test_llama_cpp_python_is_sent_every_knob_it_has() -> None:
    fields = request_fields(endpoint_config(**PLAIN, max_tokens=160))
    assert fields == {
        "temperature": 0.3,
        "top_k": 0,
        "top_p": 0.95,
        "min_p": 0.0,
        "repeat_penalty": 1.0,
        "frequency_penalty": 0.0,
        "presence_penalty": 0.0,
        "mirostat_mode": 0,
        "min_tokens": 0,
    }


def test_llama_server_is_sent_the_chain_itself_and_every_other_sampler_is_left_out_of_it() -> None:
    scope: dict[str, Any] = {"penalty_scope": "prompt+generated"}
    fields = request_fields(endpoint_config(server="llama-server", **(PLAIN | PENALTY | scope)))
    assert fields["samplers"] == ["penalties", "top_k", "top_p", "min_p", "temperature"]
    assert (fields["repeat_penalty"], fields["repeat_last_n"]) == (1.2, 64)
    assert (fields["min_p"], fields["top_k"], fields["reasoning_format"]) == (0.0, 0, "none")


def test_the_plain_api_is_sent_what_it_documents() -> None:
    assert request_fields(endpoint_config(server="openai", **PLAIN)) == {
        "temperature": 0.3,
        "top_p": 0.95,
        "frequency_penalty": 0.0,
        "presence_penalty": 0.0,
    }


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize(
    ("knob", "value"), [("n_ubatch", 256), ("flash_attn", True), ("cache_type", "q8_0")]
)
def test_what_is_set_where_a_server_is_started_cannot_be_declared(
    server: str, knob: str, value: object
) -> None:
    assert refused(server, engine={knob: value}) == f"engine.{knob}"


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize(
    "off", [PENALTY | {"repeat_penalty": "1.0"}, PENALTY | {"repeat_last_n": 0}]
)
def test_a_penalty_that_is_off_means_the_same_on_every_server(
    server: str, off: dict[str, Any]
) -> None:
    for scope in ("generated", "prompt+generated"):
        fields = request_fields(
            endpoint_config(server=server, **(PLAIN | off | {"penalty_scope": scope}))
        )
        assert fields.get("repeat_penalty", 1.0) == 1.0


def test_each_server_keeps_the_penalty_it_can_and_no_other() -> None:
    both: dict[str, Any] = PENALTY | {"penalty_scope": "prompt+generated"}
    assert refused("llama-cpp-python", **PENALTY) == "sampling.repeat_last_n"
    assert refused("llama-cpp-python", **both) == ("sampling.repeat_last_n, sampling.penalty_scope")
    assert refused("llama-server", **PENALTY) == "sampling.penalty_scope"
    assert refused("openai", **PENALTY) == "sampling.repeat_penalty"


def test_every_knob_that_cannot_be_kept_is_named_at_once() -> None:
    knobs = PENALTY | {"top_k": 50, "min_p": "0.05"}
    engine = {"kv_cache": "fresh", "flash_attn": True}
    assert refused("openai", engine=engine, **knobs) == (
        "engine.flash_attn, engine.kv_cache, sampling.repeat_penalty, sampling.top_k, "
        "sampling.min_p"
    )


def test_a_fresh_cache_is_kept_by_llama_server_alone() -> None:
    fresh: dict[str, Any] = {"kv_cache": "fresh"}
    assert refused("llama-cpp-python", engine=fresh) == "engine.kv_cache"
    assert refused("openai", engine=fresh) == "engine.kv_cache"
    config = endpoint_config(server="llama-server", engine=fresh, **PLAIN)
    assert turn_fields(config, first=False) == {"cache_prompt": False}


def test_llama_server_may_reuse_a_trials_cache_from_its_second_turn_on() -> None:
    config = endpoint_config(server="llama-server", **PLAIN)
    assert turn_fields(config, first=True) == {"cache_prompt": False}
    assert turn_fields(config, first=False) == {"cache_prompt": True}


def test_no_contract_demands_of_a_lock_what_no_client_can_know() -> None:
    def engine_keys(**settings: Any) -> set[str]:
        demand = config_demand(endpoint_config(**settings, **PLAIN), {})
        return {key.removeprefix("engine.") for key in demand if key.startswith("engine.")}

    told = {"name", "server", "n_ctx", "sequences"}
    assert engine_keys(server="llama-cpp-python") == told | {"kv_cache"}
    assert engine_keys(server="llama-server") == told | {"kv_cache"}
    assert engine_keys(server="openai") == told


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"name": "endpoint", "server": None}, "must name its server"),
        ({"name": "llama", "server": "openai"}, "only the endpoint engine has a server"),
    ],
)
def test_a_server_is_named_by_an_endpoint_and_by_nothing_else(
    settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        endpoint_config(engine=settings)

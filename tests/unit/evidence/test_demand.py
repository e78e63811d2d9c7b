from __future__ import annotations

from abverify._canonical import sha256_hex
from abverify.evidence.demand import demanded
from abverify.evidence.lock import LOCK_KEYS
from tests.builders import PINS, contract


def test_a_contract_demands_every_knob_defaults_included() -> None:
    values = demanded(contract(), PINS)

    assert values == {
        "model.name": "Tiny-Instruct",
        "model.weights_sha256": "a" * 64,
        "model.architecture": "llama",
        "model.file_type": "Q4_1",
        "model.adapter_sha256": None,
        "model.adapter_scale": None,
        "engine.name": "llama",
        "engine.n_ctx": 2048,
        "engine.kv_cache": "continue",
        "engine.sequences": 1,
        "engine.n_ubatch": 512,
        "engine.flash_attn": False,
        "engine.cache_type": "f16",
        "prompt.system_sha256": "d" * 64,
        "prompt.history": "native-chat",
        "prompt.no_call_sha256": sha256_hex(b"No call was made."),
        "sampling.temperature": "0.3",
        "sampling.top_k": 50,
        "sampling.top_p": "0.95",
        "sampling.min_p": "0",
        "sampling.repeat_penalty": "1.2",
        "sampling.repeat_last_n": 64,
        "sampling.penalty_scope": "generated",
        "sampling.max_tokens": 100,
        "sampling.seeds": "1",
        "sampling.seed_rule": "sha256/1",
        "parser.profile": "salvage",
        "parser.version": 1,
        "budgets.max_turns": 4,
        "budgets.turn_seconds": 60,
        "budgets.wall_seconds": 240,
        "budgets.max_silent_turns": 3,
        "budgets.max_repeated_calls": None,
        "budgets.max_tokens_total": None,
        "budgets.http_timeout_seconds": None,
        "loop.calls": "all",
        "loop.oracle_every_turns": 1,
        "loop.oracle_on_finish": True,
        "corpus.sha256": "c" * 64,
    }
    assert set(values) <= set(LOCK_KEYS)


def test_the_gap_between_turns_is_demanded_where_there_are_several_sequences() -> None:
    in_step = demanded(contract(config__engine__sequences=2), PINS)
    gap = demanded(contract(config__engine__sequences=2, config__engine__turn_gap=3), PINS)

    assert (in_step["engine.turn_gap"], gap["engine.turn_gap"]) == (None, 3)


def test_unpinned_weights_and_inputs_are_not_demanded() -> None:
    values = demanded(contract(model__weights__sha256=None), {})

    assert "model.weights_sha256" not in values
    assert "prompt.system_sha256" not in values
    assert "corpus.sha256" not in values


def test_two_spellings_of_a_decimal_demand_the_same() -> None:
    one = demanded(contract(config__sampling__temperature="0.3"), PINS)
    other = demanded(contract(config__sampling__temperature="0.300"), PINS)

    assert one == other


def test_an_adapter_is_demanded_by_its_bytes_and_scale() -> None:
    adapter = {"name": "tool-use", "file": "a.gguf", "sha256": "b" * 64, "scale": "0.50"}

    values = demanded(contract(model__adapter=adapter), PINS)

    assert values["model.adapter_sha256"] == "b" * 64
    assert values["model.adapter_scale"] == "0.5"

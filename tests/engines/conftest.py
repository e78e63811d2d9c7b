"""A real model for every engine test, and small GGUF files made on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from abverify.bench.engines.llama import LlamaEngine
from abverify.bench.engines.llama_wire import Load, Source
from abverify.bench.weights import identify, locate

from .smollm import FILE, NEUTRAL, SHA256, SOURCE, engine_config, prompt_config, sampling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from abverify.bench.engines.llama_runtime import Runtime
    from abverify.bench.weights import WeightFacts
    from abverify.model.config import EngineConfig, PromptConfig, Sampling


@pytest.fixture(scope="session")
def weights() -> Path:
    return locate(SOURCE, file=FILE, root=Path.cwd())


@pytest.fixture(scope="session")
def facts(weights: Path) -> WeightFacts:
    return identify(weights, expected_sha256=SHA256)


@pytest.fixture(scope="session")
def open_engine(weights: Path, facts: WeightFacts) -> Callable[..., LlamaEngine]:
    def opened(
        *,
        engine: EngineConfig | None = None,
        prompt: PromptConfig | None = None,
        chain: Sampling | None = None,
        **options: Any,
    ) -> LlamaEngine:
        return LlamaEngine(
            weights,
            facts,
            name="SmolLM2-135M-Instruct",
            engine=engine or engine_config(),
            sampling=chain or sampling(),
            prompt=prompt or prompt_config(),
            **options,
        )

    return opened


@pytest.fixture(scope="module")
def engine(open_engine: Callable[..., LlamaEngine]) -> Iterator[LlamaEngine]:
    with open_engine() as opened:
        yield opened


@pytest.fixture
def write_gguf(tmp_path: Path) -> Callable[..., Path]:
    """Writes a small, whole GGUF file with one tensor and the metadata given."""

    def write(
        name: str = "small.gguf",
        *,
        architecture: str = "llama",
        strings: dict[str, str] | None = None,
        numbers: dict[str, int] | None = None,
        tokens: list[str] | None = None,
    ) -> Path:
        import gguf
        import numpy as np

        path = tmp_path / name
        writer = gguf.GGUFWriter(path, architecture)
        for key, text in (strings or {}).items():
            writer.add_string(key, text)
        for key, number in (numbers or {}).items():
            writer.add_uint32(key, number)
        if tokens is not None:
            writer.add_token_list(tokens)
        writer.add_tensor("weight", np.arange(64, dtype=np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path

    return write


@pytest.fixture(scope="module")
def load(weights: Path, facts: WeightFacts) -> Callable[..., Runtime]:
    from abverify.bench.engines.llama_runtime import Runtime

    def loaded(kind: type[Runtime] = Runtime, **settings: Any) -> Runtime:
        defaults: dict[str, Any] = {
            "weights": Source(str(weights), facts.stamp),
            "template": facts.chat_template,
            "adapter": None,
            "adapter_scale": 1.0,
            "n_ctx": 2048,
            "n_ubatch": 512,
            "flash_attn": False,
            "cache_type": "f16",
            "kv_cache": "continue",
            "history": "native-chat",
            "penalty_scope": "generated",
            "threads": 1,
            "knobs": NEUTRAL,
        }
        return kind(Load(**(defaults | settings)))

    return loaded


@pytest.fixture(scope="module")
def runtime(load: Callable[..., Runtime]) -> Runtime:
    return load()

"""A LoRA adapter is identified like weights, applied with its scale, and refused when it is not."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from abverify.bench.engines import Message
from abverify.bench.engines.llama_load import LoadedAdapter
from abverify.bench.engines.llama_open import open_llama
from abverify.bench.weights import identify
from abverify.errors import IndeterminateError, InvalidError, UntrustedError
from abverify.model.config import Budgets, ParserConfig, RunConfig
from abverify.model.identity import Adapter, ModelDescription, ModelSection, Weights

from .smollm import FILE, SHA256, SOURCE, engine_config, prompt_config, sampling

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from abverify.bench.engines.llama import LlamaEngine

WIDTH = 576
RANK = 4
ASK = [Message("user", "Tell me about cats and dogs.")]


@pytest.fixture(scope="module")
def adapter_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random adapter over the first layer's query projection of SmolLM2-135M."""
    import gguf
    import numpy as np

    path = tmp_path_factory.mktemp("adapter") / "adapter.gguf"
    random = np.random.default_rng(7)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(RANK))
    for layer in range(30):
        for part, shape in (("a", (RANK, WIDTH)), ("b", (WIDTH, RANK))):
            values = random.normal(0, 0.5, shape).astype(np.float32)
            writer.add_tensor(f"blk.{layer}.attn_output.weight.lora_{part}", values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def model(adapter: Adapter | None, *, file: str = FILE, sha256: str = SHA256) -> ModelSection:
    return ModelSection(
        name="SmolLM2-135M-Instruct",
        weights=Weights(file=file, sha256=sha256),
        describe=ModelDescription(),
        adapter=adapter,
        source=SOURCE,
    )


def run_config() -> RunConfig:
    return RunConfig(
        engine=engine_config(),
        prompt=prompt_config(),
        sampling=sampling(temperature="0"),
        parser=ParserConfig(profile="strict", version=1),
        budgets=Budgets(max_turns=1, turn_seconds=60, wall_seconds=60),
    )


def text_with(path: Path, scale: str) -> str:
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    adapter = Adapter(name="random", file=path.name, sha256=sha256, scale=scale)
    with open_llama(model(adapter), run_config(), root=path.parent) as engine:
        assert engine.facts()["model.adapter_sha256"] == sha256
        assert engine.facts()["model.adapter_scale"] == scale
        return engine.complete(ASK, seed=1, max_tokens=16, seconds=60).text


def test_an_adapter_changes_the_text_and_its_scale_counts(
    adapter_file: Path, open_engine: Callable[..., LlamaEngine]
) -> None:
    with open_engine(chain=sampling(temperature="0")) as engine:
        plain = engine.complete(ASK, seed=1, max_tokens=16, seconds=60).text
    full, half = text_with(adapter_file, "1"), text_with(adapter_file, "0.2")
    assert len({plain, full, half}) == 3
    assert text_with(adapter_file, "0") == plain


def test_an_adapter_without_a_digest_does_not_exist_yet(tmp_path: Path) -> None:
    adapter = Adapter(name="tools", file="fixtures/models/tools.gguf", sha256=None)
    with pytest.raises(IndeterminateError, match="the adapter does not exist yet") as caught:
        open_llama(model(adapter), run_config(), root=tmp_path)
    assert (caught.value.rule, str(caught.value.place)) == ("AV513", "fixtures/models/tools.gguf")


def test_a_missing_adapter_file_cannot_be_judged(tmp_path: Path) -> None:
    adapter = Adapter(name="tools", file="tools.gguf", sha256="0" * 64)
    with pytest.raises(IndeterminateError) as caught:
        open_llama(model(adapter), run_config(), root=tmp_path)
    assert (caught.value.rule, str(caught.value.place)) == ("AV510", "tools.gguf")


def test_another_adapter_than_the_declared_one_is_a_trust_failure(adapter_file: Path) -> None:
    adapter = Adapter(name="tools", file=adapter_file.name, sha256="0" * 64)
    with pytest.raises(UntrustedError) as caught:
        open_llama(model(adapter), run_config(), root=adapter_file.parent)
    assert caught.value.rule == "AV512"


def test_weights_are_no_adapter(
    open_engine: Callable[..., LlamaEngine], write_gguf: Callable[..., Path]
) -> None:
    path = write_gguf()
    adapter = LoadedAdapter(path, identify(path, expected_sha256=None), "1")
    with pytest.raises(InvalidError) as caught:
        open_engine(adapter=adapter)
    assert (caught.value.rule, caught.value.found) == ("AV518", "model")


def test_an_adapter_for_another_architecture_is_refused(
    open_engine: Callable[..., LlamaEngine], write_gguf: Callable[..., Path]
) -> None:
    path = write_gguf(
        architecture="qwen3", strings={"general.type": "adapter", "adapter.type": "lora"}
    )
    adapter = LoadedAdapter(path, identify(path, expected_sha256=None), "1")
    with pytest.raises(IndeterminateError) as caught:
        open_engine(adapter=adapter)
    assert caught.value.rule == "AV517"
    assert "cannot apply the adapter" in (caught.value.found or "")


def test_weights_with_another_digest_than_the_contract_pins_are_not_run(tmp_path: Path) -> None:
    with pytest.raises(UntrustedError) as caught:
        open_llama(model(None, sha256="0" * 64), run_config(), root=tmp_path)
    assert (caught.value.rule, caught.value.found) == ("AV512", f"sha256 {SHA256}")


def test_a_contract_whose_source_and_file_disagree_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidError) as caught:
        open_llama(model(None, file="Other.gguf"), run_config(), root=tmp_path)
    assert caught.value.rule == "AV516"

"""Where several sequences are declared, an adapter's rank is brought up to a multiple of 16."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from abverify.bench.engines import Ask, Message
from abverify.bench.engines.llama_load import LoadedAdapter
from abverify.bench.engines.lora_layout import laid_out, pad_rank
from abverify.bench.weights import identify
from tests.support.repository import CHECKOUT

from .smollm import engine_config, sampling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from abverify.bench.engines.llama import LlamaEngine

SHIPPED = CHECKOUT / "fixtures" / "models" / "smollm2-135m-tool-use.lora.gguf"
NAME = "blk.0.attn_q.weight.lora_"


def adapter(
    folder: Path,
    *,
    rank: int = 8,
    dtype: Any = np.float16,
    more: Mapping[str, Any] | None = None,
    keys: Mapping[str, str] | None = None,
) -> Path:
    """A random adapter of one pair, and what else is asked for."""
    import gguf

    random = np.random.default_rng(3)
    path = folder / "adapter.gguf"
    writer: Any = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 24.0)
    for key, value in (keys or {}).items():
        writer.add_string(key, value)
    pair = {
        f"{NAME}a": random.normal(size=(rank, 64)).astype(dtype),
        f"{NAME}b": random.normal(size=(96, rank)).astype(dtype),
    }
    for name, values in {**pair, **(more or {})}.items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def read(path: Path) -> tuple[float, dict[str, Any]]:
    """Alpha, and the matrices."""
    import gguf

    reader = gguf.GGUFReader(path)
    tensors = {one.name: np.array(one.data) for one in reader.tensors}
    return float(reader.fields["adapter.lora.alpha"].contents()), tensors


@pytest.mark.parametrize("rank", [1, 3, 8, 15, 17, 24])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_the_product_and_its_scale_are_the_same(tmp_path: Path, rank: int, dtype: Any) -> None:
    stored, other = adapter(tmp_path, rank=rank, dtype=dtype), tmp_path / "other.gguf"
    assert pad_rank(stored, other)
    (alpha, before), (wider, after) = read(stored), read(other)
    first, second = after[f"{NAME}a"], after[f"{NAME}b"]
    wide = len(first)
    assert (wide % 16, second.shape, first.dtype) == (0, (96, wide), dtype)
    assert np.array_equal(first[:rank], before[f"{NAME}a"])
    assert np.array_equal(second[:, :rank], before[f"{NAME}b"])
    assert not first[rank:].any()
    assert not second[:, rank:].any()
    assert wider / wide == pytest.approx(alpha / rank, rel=1e-7)


def test_the_shipped_adapter_keeps_its_scale_to_the_bit(tmp_path: Path) -> None:
    other = tmp_path / "other.gguf"
    assert pad_rank(SHIPPED, other)
    (alpha, before), (wider, after) = read(SHIPPED), read(other)
    assert (alpha / 8, before.keys()) == (wider / 16, after.keys())
    for name, values in before.items():
        rows, columns = values.shape
        assert np.array_equal(after[name][:rows, :columns], values)


@pytest.mark.parametrize(
    "unlike",
    [
        {"rank": 16},
        {"rank": 32},
        {"keys": {"adapter.alora.invocation": "now"}},
        {
            "more": {
                "token_embd.weight.lora_a": np.zeros((512, 8), np.float16),
                "token_embd.weight.lora_b": np.zeros((64, 8), np.float16),
            }
        },
        {
            "more": {
                "blk.1.attn_q.weight.lora_a": np.zeros((4, 64), np.float16),
                "blk.1.attn_q.weight.lora_b": np.zeros((96, 4), np.float16),
            }
        },
        {
            "more": {
                "blk.1.ffn_up_exps.weight.lora_a": np.zeros((2, 8, 64), np.float16),
                "blk.1.ffn_up_exps.weight.lora_b": np.zeros((2, 96, 8), np.float16),
            }
        },
    ],
)
def test_what_needs_no_more_rank_or_is_no_plain_adapter_stays_as_it_is_stored(
    tmp_path: Path, unlike: dict[str, Any]
) -> None:
    stored, other = adapter(tmp_path, **unlike), tmp_path / "other.gguf"
    assert not pad_rank(stored, other)
    assert not other.exists()
    with laid_out(str(stored), sequences=4) as path:
        assert path == str(stored)


def test_a_single_sequence_takes_the_adapter_as_it_is_stored() -> None:
    with laid_out(str(SHIPPED), sequences=1) as path:
        assert path == str(SHIPPED)


def test_the_other_file_is_gone_afterwards() -> None:
    with laid_out(str(SHIPPED), sequences=2) as path:
        assert path != str(SHIPPED)
    with pytest.raises(FileNotFoundError), open(path, "rb"):  # noqa: PTH123 (it is a text)
        pass


def test_several_sequences_say_with_it_what_one_says(
    open_engine: Callable[..., LlamaEngine],
) -> None:
    """Greedy, and short enough that the last bits turn no choice."""
    asked = [Message("user", "Tell me about cats and dogs.")]
    loaded = LoadedAdapter(SHIPPED, identify(SHIPPED, expected_sha256=None), "1")
    greedy = sampling(temperature="0")
    with open_engine(adapter=loaded, chain=greedy) as engine:
        alone = engine.complete(asked, seed=1, max_tokens=12, seconds=60).text
    several = engine_config(n_ctx=512, sequences=2)
    with open_engine(adapter=loaded, chain=greedy, engine=several) as engine:
        engine.start_trial()
        ask = Ask(tuple(asked), 1, 12, 60.0)
        both = engine.complete_together({0: ask, 1: ask})
        assert engine.facts()["model.adapter_sha256"] == loaded.facts.sha256
    assert {done.text for done in both.values()} == {alone}

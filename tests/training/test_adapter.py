"""The committed adapter is the one its card and its contract speak of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from gguf import GGUFReader

from abverify._canonical import sha256_hex

ROOT = Path(__file__).resolve().parents[2]
ADAPTER = ROOT / "fixtures/models/smollm2-135m-tool-use.lora.gguf"
CARD = ADAPTER.with_name("smollm2-135m-tool-use.md")
LAYERS, RANK = 30, 8
SIZES = {
    "attn_q": (576, 576),
    "attn_k": (576, 192),
    "attn_v": (576, 192),
    "attn_output": (576, 576),
    "ffn_gate": (576, 1536),
    "ffn_up": (576, 1536),
    "ffn_down": (1536, 576),
}
"""Inputs and outputs of each projection of SmolLM2-135M."""


@pytest.fixture(scope="module")
def reader() -> GGUFReader:
    return GGUFReader(ADAPTER)


def test_its_bytes_are_those_of_the_card_and_of_the_contract() -> None:
    digest = sha256_hex(ADAPTER.read_bytes())
    assert re.findall(r"\b[0-9a-f]{64}\b", CARD.read_text(encoding="utf-8"))[0] == digest
    assert f"sha256: {digest}" in (ROOT / "contracts/S1_005.yaml").read_text(encoding="utf-8")


def test_it_is_small_enough_to_live_in_the_repository() -> None:
    assert ADAPTER.stat().st_size <= 6_000_000


def test_it_says_that_it_is_a_low_rank_adapter_for_this_architecture(reader: GGUFReader) -> None:
    stated = {key: reader.fields[key].contents() for key in reader.fields}
    assert stated["general.type"] == "adapter"
    assert stated["adapter.type"] == "lora"
    assert stated["general.architecture"] == "llama"
    assert stated["adapter.lora.alpha"] == 16.0


def test_it_has_both_matrices_of_every_projection(reader: GGUFReader) -> None:
    shapes = {t.name: tuple(int(n) for n in t.shape) for t in reader.tensors}
    wanted = {}
    for layer in range(LAYERS):
        for name, (inputs, outputs) in SIZES.items():
            wanted[f"blk.{layer}.{name}.weight.lora_a"] = (inputs, RANK)
            wanted[f"blk.{layer}.{name}.weight.lora_b"] = (RANK, outputs)
    assert shapes == wanted

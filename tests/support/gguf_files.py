"""Small, whole GGUF files, written with gguf's own writer: models of any family, and adapters."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

WIDTH = 64
TOKENS = ("a", "b", "c", "<eos>")


def write_model(
    path: Path,
    *,
    architecture: str = "llama",
    blocks: int = 2,
    experts: int = 0,
    seed: int = 1,
    half: bool = False,
    tokens: Sequence[str] = TOKENS,
    template: str | None = "{{ messages }}",
    finetune: str = "Instruct",
    freq_base: float = 10000.0,
) -> Path:
    """A model of a few square matrices, its weights drawn from `seed`."""
    import gguf
    import numpy as np

    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type("model")
    writer.add_name(f"Tiny {finetune}")
    writer.add_finetune(finetune)
    writer.add_size_label(f"{blocks}x{WIDTH}")
    writer.add_tags(["tiny", "for tests"])
    writer.add_file_type(1 if half else 0)
    writer.add_block_count(blocks)
    writer.add_context_length(512)
    writer.add_rope_freq_base(freq_base)
    if experts:
        writer.add_expert_count(experts)
        writer.add_expert_used_count(2)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(list(tokens))
    if template is not None:
        writer.add_chat_template(template)
    for block in range(blocks):
        for module in ("attn_q", "attn_v", "ffn_up"):
            values = random.normal(0, 1, (WIDTH, WIDTH)).astype(np.float32)
            kept = values.astype(np.float16) if half else values
            writer.add_tensor(f"blk.{block}.{module}.weight", kept)
        norm = random.normal(0, 1, WIDTH).astype(np.float32)
        writer.add_tensor(f"blk.{block}.attn_norm.weight", norm)
    return _finished(writer, path)


def write_adapter(
    path: Path,
    *,
    architecture: str = "llama",
    rank: int = 4,
    alpha: float = 8.0,
    targets: Sequence[str] = ("blk.0.attn_q", "blk.1.attn_q", "blk.1.attn_v"),
    width: int = WIDTH,
    seed: int = 1,
) -> Path:
    """A LoRA adapter over square matrices."""
    import gguf
    import numpy as np

    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", alpha)
    for target in targets:
        for part, shape in (("a", (rank, width)), ("b", (width, rank))):
            values = random.normal(0, 1, shape).astype(np.float32)
            writer.add_tensor(f"{target}.weight.lora_{part}", values)
    return _finished(writer, path)


def _finished(writer: object, path: Path) -> Path:
    import gguf

    assert isinstance(writer, gguf.GGUFWriter)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path

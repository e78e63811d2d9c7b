"""Conversations as token ids, through the weight file's own template and tokeniser.

Contents hold no control tokens (the generator's word lists have none), so the rendered text is
tokenised in the pieces that the engine would see: the prompt up to each reply, and the reply.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llama_cpp import Llama as LlamaCpp

if TYPE_CHECKING:
    from pathlib import Path

    from training.conversations import Turn

_START, _END = "<|im_start|>", "<|im_end|>"


class Tokeniser:
    """llama.cpp's tokeniser, loaded without the weights."""

    def __init__(self, path: Path) -> None:
        """Reads the vocabulary only."""
        self._llama = LlamaCpp(str(path), vocab_only=True, verbose=False)

    def encode(self, turns: tuple[Turn, ...]) -> tuple[list[int], list[bool]]:
        """Token ids, and for each whether it is to be learned."""
        ids: list[int] = []
        learned: list[bool] = []
        pending = ""
        for turn in turns:
            if turn.role != "assistant":
                pending += f"{_START}{turn.role}\n{turn.content}{_END}\n"
                continue
            self._add(ids, learned, f"{pending}{_START}assistant\n", of=False)
            self._add(ids, learned, f"{turn.content}{_END}", of=turn.learned)
            pending = "\n"
        return ids, learned

    def _add(self, ids: list[int], learned: list[bool], text: str, *, of: bool) -> None:
        new = self._llama.tokenize(text.encode("utf-8"), add_bos=False, special=True)
        ids += new
        learned += [of] * len(new)

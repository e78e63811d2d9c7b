"""The sampler chain of one completion, in its one order.

Penalties, top-k, top-p, min-p, then the most likely token, or temperature and a draw. All of them
are llama.cpp's own. A neutral knob still has its place in the chain.
"""

from __future__ import annotations

import ctypes
from collections import deque
from typing import TYPE_CHECKING, Any

from abverify.bench.engines.llama_library import RuntimeFault, llama

if TYPE_CHECKING:
    from abverify.bench.engines.llama_wire import SamplerKnobs


class SamplerChain:
    """Samples tokens from logits.

    The penalties are applied apart from the rest, to the tokens that they change alone. As a link
    of the chain they would look every token of the vocabulary up, which took three quarters of the
    time of sampling, and a percent of a small model's time.

    Args:
        knobs: the settings.
        n_vocab: tokens of the vocabulary.
        seed: of the draw; it is not used where the temperature is 0.

    Raises:
        RuntimeFault: if llama.cpp refuses the settings.
    """

    def __init__(self, knobs: SamplerKnobs, *, n_vocab: int, seed: int) -> None:
        self._penalties = llama.llama_sampler_init_penalties(
            n_vocab, knobs.repeat_last_n, knobs.repeat_penalty, 0.0, 0.0
        )
        self._rest = llama.llama_sampler_chain_init(llama.llama_sampler_chain_default_params())
        self._recent: deque[int] = deque(maxlen=_window(knobs))
        links = _links(knobs, seed)
        if not all((self._penalties, *links)):
            raise RuntimeFault(f"llama.cpp refuses the sampler settings {knobs}")
        for link in links:
            llama.llama_sampler_chain_add(self._rest, link)

    def close(self) -> None:
        """Frees it."""
        llama.llama_sampler_free(self._penalties)
        llama.llama_sampler_free(self._rest)

    @property
    def names(self) -> tuple[str, ...]:
        """What llama.cpp calls the samplers, in order; that of a neutral knob begins with `?`."""
        length = llama.llama_sampler_chain_n(self._rest)
        rest = (llama.llama_sampler_chain_get(self._rest, place) for place in range(length))
        return tuple(llama.llama_sampler_name(link).decode() for link in (self._penalties, *rest))

    def accept(self, token: int) -> None:
        """Counts a token among those that are penalised from now on."""
        llama.llama_sampler_accept(self._penalties, token)
        self._recent.append(token)

    def sample(self, context: Any, place: int) -> int:
        """Samples the next token, and counts it; the logits of recent tokens are changed in place.

        Args:
            context: the context that decoded a batch.
            place: the place in that batch of the token whose logits are meant, or -1 for the last.

        Raises:
            RuntimeFault: if that token has no logits.
        """
        if self._recent:
            self._penalise(context, place)
        token: int = llama.llama_sampler_sample(self._rest, context, place)
        self.accept(token)
        return token

    def _penalise(self, context: Any, place: int) -> None:
        logits = llama.llama_get_logits_ith(context, place)
        if not logits:
            raise RuntimeFault(f"the token at place {place} of the batch has no logits")
        tokens = list(dict.fromkeys(self._recent))
        data = (llama.llama_token_data * len(tokens))(
            *((token, logits[token], 0.0) for token in tokens)
        )
        array = llama.llama_token_data_array(data, len(tokens), -1, False)  # noqa: FBT003 (C)
        llama.llama_sampler_apply(self._penalties, ctypes.byref(array))
        for each in data:
            logits[each.id] = each.logit


def _window(knobs: SamplerKnobs) -> int:
    """How many of the last tokens are penalised."""
    return knobs.repeat_last_n if knobs.repeat_penalty != 1 else 0


def _links(knobs: SamplerKnobs, seed: int) -> tuple[Any, ...]:
    cuts = (
        llama.llama_sampler_init_top_k(knobs.top_k),
        llama.llama_sampler_init_top_p(knobs.top_p, 1),
        llama.llama_sampler_init_min_p(knobs.min_p, 1),
    )
    if knobs.temperature == 0:
        return (*cuts, llama.llama_sampler_init_greedy())
    warmth = llama.llama_sampler_init_temp(knobs.temperature)
    return (*cuts, warmth, llama.llama_sampler_init_dist(seed))

"""llama.cpp through its C interface: one model, one context, one sequence, on the CPU.

The high-level class of llama-cpp-python is left aside: it has defaults of its
own for samplers, seeds and the cache. Here every setting is passed, and what
is not passed does not exist. Runs only in the engine's child process.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.metadata
import os
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from abverify.bench.engines import Message
from abverify.bench.engines.chat_prompt import ChatTemplate, Prompt, flatten, unflattened
from abverify.bench.engines.llama_library import RuntimeFault, llama
from abverify.bench.engines.llama_sampler import SamplerChain
from abverify.bench.engines.llama_wire import Complete, Completed, Load, Loaded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from abverify.bench.engines.llama_wire import Source
    from abverify.evidence.rows import FinishReason

_ERROR_LEVEL: Final = 4
_ABORTED: Final = 2
_CONTROL: Final = llama.LLAMA_TOKEN_ATTR_CONTROL | llama.LLAMA_TOKEN_ATTR_UNKNOWN
_F16: Final = 1
_Q8_0: Final = 8
_SEQUENCE: Final = 0
_NOT_ZERO: Final = ctypes.cast(ctypes.CDLL(None).atoi, llama.ggml_abort_callback)
"""What llama.cpp asks after each of some 1400 steps of a token: is the text "1" by now?

In C, because the same question put to Python made decoding 5 percent slower, measured.
"""


class _OutOfTime(Exception):  # noqa: N818 (it is a way to end a completion, not an error)
    """The deadline passed inside llama.cpp."""


@llama.llama_log_callback  # type: ignore[untyped-decorator, unused-ignore]
def _log(level: int, text: bytes, _data: object) -> None:
    """Keeps errors, for a failure's message, and drops the chatter."""
    if level == _ERROR_LEVEL:
        os.write(2, text)


class Runtime:
    """A loaded model, ready to complete.

    Raises:
        RuntimeFault: if the files changed since they were hashed or llama.cpp refuses them.
        PromptError: if the chat template cannot render a system and a user message.
    """

    def __init__(self, load: Load) -> None:
        self._settings = load
        self._deadline = float("inf")
        self._cached: list[int] = []
        self._base: list[int] = []
        self._head: Message | None = None
        self._heading: list[int] = []
        self._prefilled = 0
        llama.llama_log_set(_log, ctypes.c_void_p(0))
        llama.llama_backend_init()
        self._model = _load_model(load.weights)
        self._vocab = llama.llama_model_get_vocab(self._model)
        self._n_vocab: int = llama.llama_vocab_n_tokens(self._vocab)
        self._context = self._open_context(load)
        self._memory = llama.llama_get_memory(self._context)
        if load.adapter is not None:
            self._apply_adapter(load.adapter, load.adapter_scale)
        self._chunk = min(load.n_ubatch, llama.llama_n_batch(self._context))
        self._template = self._compile_template(load.template)

    def loaded(self) -> Loaded:
        """What the library says of itself and of the sampler chain it built."""
        with closing(self._sampler(seed=1)) as chain:
            names = chain.names
        return Loaded(
            version=f"llama-cpp-python {importlib.metadata.version('llama-cpp-python')}",
            system=llama.llama_print_system_info().decode().strip().rstrip("|").rstrip(),
            sampler_chain=",".join(names),
        )

    def forget(self) -> None:
        """Empties the cache of all but the shared beginning, which every trial starts from."""
        if not self._base or not self._cut(len(self._base)):
            self._clear()

    def _clear(self) -> None:
        llama.llama_memory_clear(self._memory, True)  # noqa: FBT003 (a C function)
        self._cached, self._base = [], []

    def _cut(self, length: int) -> bool:
        """Whether the cache now holds its first `length` tokens alone; some models cannot."""
        if not llama.llama_memory_seq_rm(self._memory, _SEQUENCE, length, -1):
            return False
        del self._cached[length:]
        return True

    def complete(self, request: Complete, *, on_token: Callable[[int], None]) -> Completed:
        """Completes the conversation within the request's limits.

        Raises:
            PromptError: if the template refuses the messages.
            RuntimeFault: if llama.cpp fails.
        """
        start = time.monotonic()
        self._use(request.threads)
        self._deadline = start + request.seconds
        prompt = self._render(request.messages)
        tokens = self.tokenise(prompt)
        generated: list[int] = []
        self._prefilled = 0
        reason: FinishReason
        try:
            with self._limited(self._deadline - time.monotonic()):
                reason = self._generate(tokens, request, generated, on_token)
        except _OutOfTime:
            reason = "time"
        if reason == "time":
            # Where the clock struck is chance: what the cache holds must not depend on it.
            self.forget()
        return Completed(
            text=b"".join(map(self._piece, generated)).decode("utf-8", "replace"),
            finish_reason=reason,
            prompt_sha256=hashlib.sha256(prompt.text.encode("utf-8", "replace")).hexdigest(),
            prompt_tokens=len(tokens),
            completion_tokens=len(generated),
            prefilled_tokens=self._prefilled,
            millis=round((time.monotonic() - start) * 1000),
        )

    def _use(self, threads: int | None) -> None:
        if threads is not None and threads != llama.llama_n_threads(self._context):
            llama.llama_set_n_threads(self._context, threads, threads)

    @contextmanager
    def _limited(self, seconds: float) -> Iterator[None]:
        """Strikes after `seconds`, also inside llama.cpp."""
        self._struck.value = b"0"
        clock = threading.Timer(max(0.0, seconds), setattr, (self._struck, "value", b"1"))
        clock.daemon = True
        clock.start()
        try:
            yield
        finally:
            clock.cancel()
            clock.join()

    def tokenise(self, prompt: Prompt) -> list[int]:
        """The prompt's token ids; a begin token is added where the vocabulary wants one."""
        tokens = [token for piece in prompt.pieces for token in self._tokens(piece)]
        begin = llama.llama_vocab_bos(self._vocab)
        if llama.llama_vocab_get_add_bos(self._vocab) and tokens[:1] != [begin]:
            return [begin, *tokens]
        return tokens

    def _render(self, messages: Sequence[Message]) -> Prompt:
        layout = flatten if self._settings.history == "flattened" else unflattened
        return self._template.render(layout(messages))

    def _generate(
        self,
        prompt: list[int],
        request: Complete,
        generated: list[int],
        on_token: Callable[[int], None],
    ) -> FinishReason:
        """Fills `generated`, which stays readable when time runs out inside llama.cpp."""
        room = self._settings.n_ctx - len(prompt)
        if room <= 0:
            return "context"
        limit = min(request.max_tokens, room)
        self._prefill(prompt, request.messages[0])
        with closing(self._sampler(request.seed)) as chain:
            self._prime(chain, prompt)
            while True:
                token = chain.sample(self._context, -1)
                if llama.llama_vocab_is_eog(self._vocab, token):
                    return "stop"
                generated.append(token)
                on_token(len(generated))
                if len(generated) == limit:
                    return "length" if limit == request.max_tokens else "context"
                self._decode([token])

    def _prefill(self, prompt: list[int], head: Message) -> None:
        """Evaluates what the cache does not hold; always the last token, for its logits."""
        if self._settings.kv_cache == "fresh":
            self._clear()
        elif len(self._cached) == len(self._base):
            self._begin(self._shared(prompt, head))
        kept = min(_common_prefix(self._cached, prompt), len(prompt) - 1)
        if kept < len(self._base) or (kept < len(self._cached) and not self._cut(kept)):
            kept = 0
            self._clear()
        self._evaluate(prompt[kept:])
        self._prefilled = len(prompt) - kept

    def _begin(self, base: list[int]) -> None:
        """Makes the cache hold the shared beginning, evaluated alone and from nothing.

        Evaluated with a trial's own tokens it would have other bits, and those of a trial would
        depend on whether it came first.
        """
        if self._base != base:
            self._clear()
            self._evaluate(base)
            self._base = base

    def _shared(self, prompt: list[int], head: Message) -> list[int]:
        """The beginning of a prompt that the system message alone determines."""
        if head.role != "system":
            return []
        if self._head != head:
            ends = [self.tokenise(self._render([head, Message("user", end)])) for end in "ab"]
            self._head, self._heading = head, ends[0][: _common_prefix(*ends)]
        return prompt[: min(_common_prefix(self._heading, prompt), len(prompt) - 1)]

    def _evaluate(self, tokens: list[int]) -> None:
        for first in range(0, len(tokens), self._chunk):
            self._decode(tokens[first : first + self._chunk])

    def _decode(self, tokens: list[int]) -> None:
        if time.monotonic() >= self._deadline:
            raise _OutOfTime
        array = (llama.llama_token * len(tokens))(*tokens)
        code = llama.llama_decode(self._context, llama.llama_batch_get_one(array, len(tokens)))
        if code == _ABORTED:
            raise _OutOfTime
        if code != 0:
            raise RuntimeFault(f"llama_decode returned {code} at {len(self._cached)} tokens")
        self._cached += tokens

    def _prime(self, chain: SamplerChain, prompt: list[int]) -> None:
        last = self._settings.knobs.repeat_last_n
        if self._settings.penalty_scope == "prompt+generated" and last:
            for token in prompt[-last:]:
                chain.accept(token)

    def _sampler(self, seed: int) -> SamplerChain:
        return SamplerChain(self._settings.knobs, n_vocab=self._n_vocab, seed=seed)

    def _tokens(self, text: str) -> list[int]:
        data = text.encode("utf-8", "replace")
        room = len(data) + 8
        array = (llama.llama_token * room)()
        count = llama.llama_tokenize(self._vocab, data, len(data), array, room, False, True)  # noqa: FBT003 (a C function)
        if count < 0:
            raise RuntimeFault(f"llama_tokenize returned {count} for {len(data)} bytes")
        return array[:count]  # type: ignore[no-any-return]

    def _piece(self, token: int) -> bytes:
        room = 256
        while True:
            buffer = ctypes.create_string_buffer(room)
            size = llama.llama_token_to_piece(self._vocab, token, buffer, room, 0, False)  # noqa: FBT003 (a C function)
            if size >= 0:
                return buffer.raw[:size]
            room = -size

    def _compile_template(self, source: str) -> ChatTemplate:
        template = ChatTemplate(
            source,
            control_texts=[
                self._text(token)
                for token in range(self._n_vocab)
                if llama.llama_vocab_get_attr(self._vocab, token) & _CONTROL
            ],
            bos=self._text(llama.llama_vocab_bos(self._vocab)),
            eos=self._text(llama.llama_vocab_eos(self._vocab)),
        )
        template.render([{"role": role, "content": "probe"} for role in ("system", "user")])
        return template

    def _text(self, token: int) -> str:
        if token < 0:
            return ""
        text: bytes = llama.llama_vocab_get_text(self._vocab, token)
        return text.decode("utf-8", "replace")

    def _open_context(self, load: Load) -> Any:
        # Kept on self: llama.cpp holds the bare pointer for as long as the context lives.
        self._struck = ctypes.create_string_buffer(b"0")
        cache_type = _F16 if load.cache_type == "f16" else _Q8_0
        params = llama.llama_context_default_params()
        # Each sequence has its own window and its own part of the cache.
        params.n_ctx = load.n_ctx * load.sequences
        params.kv_unified = False
        # One physical batch per call: where a prompt is split must not depend on a second knob.
        params.n_batch = params.n_ubatch = load.n_ubatch
        params.n_seq_max = load.sequences
        params.n_threads = params.n_threads_batch = load.threads
        params.flash_attn_type = int(load.flash_attn)
        params.type_k = params.type_v = cache_type
        params.offload_kqv = params.op_offload = False
        params.abort_callback = _NOT_ZERO
        params.abort_callback_data = ctypes.cast(self._struck, ctypes.c_void_p)
        context = llama.llama_init_from_model(self._model, params)
        if not context:
            raise RuntimeFault("llama.cpp cannot open a context with these settings")
        return context

    def _apply_adapter(self, adapter: Source, scale: float) -> None:
        from abverify.bench.engines.lora_layout import laid_out

        _check_stamp(adapter)
        with laid_out(adapter.path, sequences=self._settings.sequences) as path:
            handle = llama.llama_adapter_lora_init(self._model, path.encode())
        if not handle:
            raise RuntimeFault("llama.cpp cannot apply the adapter to these weights")
        handles = (llama.llama_adapter_lora_p_ctypes * 1)(handle)
        scales = (ctypes.c_float * 1)(scale)
        code = llama.llama_set_adapters_lora(self._context, handles, 1, scales)
        if code != 0:
            raise RuntimeFault(f"llama_set_adapters_lora returned {code}")
        _check_stamp(adapter)


def _load_model(weights: Source) -> Any:
    _check_stamp(weights)
    params = llama.llama_model_default_params()
    params.n_gpu_layers = 0
    # An empty list of devices: a build with a GPU back end computes on the CPU as well.
    nothing = (ctypes.c_void_p * 1)(None)
    params.devices = ctypes.cast(nothing, ctypes.c_void_p)
    model = llama.llama_model_load_from_file(weights.path.encode(), params)
    if not model:
        raise RuntimeFault("llama.cpp cannot load the weights")
    _check_stamp(weights)
    return model


def _check_stamp(source: Source) -> None:
    status = Path(source.path).stat()
    if (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns) != source.stamp:
        raise RuntimeFault(f"{source.path} changed since its bytes were hashed")


def _common_prefix(one: Sequence[int], other: Sequence[int]) -> int:
    for place, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return place
    return min(len(one), len(other))

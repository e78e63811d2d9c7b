"""What a server says of itself, and the proof that it takes the knobs it is sent.

All of it is asserted: the server's word, or its behaviour when asked. Nothing
here knows what bytes the server loaded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from abverify._canonical import sha256_hex
from abverify._frozen import frozen
from abverify.bench.engines import EngineFailure
from abverify.bench.engines.endpoint_dialects import SAMPLERS
from abverify.bench.engines.endpoint_http import Body, OutOfTime, Refusal
from abverify.bench.engines.endpoint_stream import StreamedReply, count, parsed_object, quoted
from abverify.errors import IndeterminateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abverify.bench.engines.endpoint_dialects import Fields
    from abverify.bench.engines.endpoint_http import Transport
    from abverify.evidence.lock import Scalar
    from abverify.model.config import EngineConfig, Server

CHAT: Final = "/v1/chat/completions"
_TITLE: Final = "llama.cpp Python API"
_SECONDS: Final = 60.0
_WINDOW: Final = re.compile(r"maximum context length is (\d+) tokens")
_SHOWN_IDS: Final = 8
_WINDOW_FIELDS: Final = ("max_model_len", "context_length", "context_window")
_RELATIVE: Final = 1e-6
"""How far a knob may lie from the one sent: servers keep them as 32-bit floats."""


@frozen
class Interview:
    """Questions to one server.

    Attributes:
        transport: the connection.
        engine: what the contract declares of the engine.
        model: the model's name in the contract.
        fields: the request fields that carry the contract's knobs.
    """

    transport: Transport
    engine: EngineConfig
    model: str
    fields: Fields

    def facts(self) -> dict[str, Scalar]:
        """The lock keys that the server answers for, as it states them now.

        Raises:
            IndeterminateError: AV543 if it does not serve the model, AV542 if it is another
                than the declared one.
            EngineFailure: if it does not answer properly.
        """
        entry = self._entry()
        told: dict[Server, Any] = {
            "llama-cpp-python": self._llama_cpp_python,
            "llama-server": self._llama_server,
            "openai": lambda: self._openai(entry),
        }
        server = self.engine.server
        if server is None:
            raise ValueError("the engine is no endpoint")
        return {
            "model.name": self.model,
            "engine.name": "endpoint",
            "engine.server": server,
            "engine.sequences": self.engine.sequences,
            **told[server](),
        }

    def prove(self) -> None:
        """Has one token made with every knob, and proves what can be proven of them.

        Raises:
            IndeterminateError: AV542 if a knob is refused or ignored, or the window is another.
            EngineFailure: if the server does not answer properly.
        """
        if self.engine.server == "llama-cpp-python":
            self._prove_window()
        if self.engine.server == "llama-server":
            self._prove_echo()
        else:
            self._prove_taken(needs_usage=self.engine.server == "openai")

    def _entry(self) -> dict[str, Any]:
        listed = self._get("/v1/models").get("data")
        entries = [e for e in listed if isinstance(e, dict)] if isinstance(listed, list) else []
        for entry in entries:
            if entry.get("id") == self.model:
                return entry
        names = ", ".join(quoted(entry.get("id")) for entry in entries[:_SHOWN_IDS])
        raise IndeterminateError(
            "the server does not serve the contract's model under its name",
            rule="AV543",
            expected=self.model,
            found=names or "no model",
            next_step=f"start the server with that name: llama-server --alias {self.model}, "
            f"python -m llama_cpp.server --model_alias {self.model}",
        )

    def _llama_cpp_python(self) -> dict[str, Scalar]:
        described = self._get("/openapi.json")
        about = described.get("info")
        about = about if isinstance(about, dict) else {}
        if _TITLE not in str(about.get("title")):
            raise _not_declared(f"the API {_TITLE}", quoted(about.get("title")))
        unknown = sorted(set(self.fields) - _request_properties(described))
        if unknown:
            raise _not_declared(
                "a request schema with every knob", f"no field {', '.join(unknown)}"
            )
        return {
            "engine.version": f"llama-cpp-python {quoted(about.get('version'))}",
            "engine.n_ctx": self.engine.n_ctx,
            "engine.kv_cache": self.engine.kv_cache,
        }

    def _llama_server(self) -> dict[str, Scalar]:
        props = self._get("/props")
        settings = props.get("default_generation_settings")
        window = settings.get("n_ctx") if isinstance(settings, dict) else None
        self._require("engine.n_ctx", self.engine.n_ctx, window)
        self._require("one slot (--parallel 1): total_slots", 1, props.get("total_slots"))
        template = props.get("chat_template")
        if not isinstance(template, str):
            raise _not_declared("a chat_template in /props", "none")
        return {
            "model.template_sha256": sha256_hex(template.encode("utf-8", "replace")),
            "engine.version": f"llama-server {quoted(props.get('build_info'))}",
            "engine.n_ctx": self.engine.n_ctx,
            "engine.kv_cache": self.engine.kv_cache,
            "engine.sampler_chain": ",".join((*SAMPLERS, "dist")),
        }

    def _openai(self, entry: Mapping[str, Any]) -> dict[str, Scalar]:
        stated = [entry[name] for name in _WINDOW_FIELDS if entry.get(name) is not None]
        self._require("engine.n_ctx", self.engine.n_ctx, stated[0] if stated else None)
        return {"engine.n_ctx": self.engine.n_ctx}

    def _require(self, what: str, wanted: int, found: object) -> None:
        if found != wanted:
            raise _not_declared(
                f"{what}: {wanted}", "not stated" if found is None else quoted(found)
            )

    def _prove_window(self) -> None:
        """A prompt longer than the window is refused at once, with the window's size in words."""
        prompt = " a" * (2 * self.engine.n_ctx)
        body = {"model": self.model, "prompt": prompt, "max_tokens": 1}
        answer = self._post("/v1/completions", body)
        match = _WINDOW.search(answer.body.decode("utf-8", "replace")) if answer else None
        if match is None:
            found = "no refusal of a longer prompt: the window is larger, or cannot be told"
            raise _not_declared(f"engine.n_ctx: {self.engine.n_ctx}", found)
        self._require("engine.n_ctx", self.engine.n_ctx, int(match[1]))

    def _prove_echo(self) -> None:
        sink = Body()
        refusal = self._post(CHAT, self._one_token(verbose=True, cache_prompt=False), sink)
        if refusal is not None:
            raise self._refused(refusal)
        verbose = parsed_object(bytes(sink.data)).get("__verbose")
        echoed = verbose.get("generation_settings") if isinstance(verbose, dict) else None
        if not isinstance(echoed, dict):
            raise _not_declared("an echo of the settings under __verbose", "none")
        wrong = [
            f"{name}: {quoted(echoed[name])} for {self.fields[name]}"
            for name in self.fields
            if name in echoed and not _same(self.fields[name], echoed[name])
        ]
        if wrong:
            raise _not_declared("every knob as it was sent", "; ".join(wrong))

    def _prove_taken(self, *, needs_usage: bool) -> None:
        reply = StreamedReply()
        body = self._one_token(stream=True, stream_options={"include_usage": True})
        refusal = self._post(CHAT, body, reply)
        if refusal is not None:
            raise self._refused(refusal)
        if reply.finish_reason is None:
            raise EngineFailure("the server's stream ended without a finish reason")
        if needs_usage and reply.prompt_tokens is None:
            raise _not_declared("usage at the end of a stream (stream_options)", "none")

    def _one_token(self, **more: object) -> dict[str, Any]:
        messages = [{"role": "user", "content": "Hello."}]
        head = {"model": self.model, "messages": messages, "max_tokens": 1, "seed": 1}
        return {**self.fields, **head, **more}

    def _refused(self, refusal: Refusal) -> IndeterminateError:
        words = f"HTTP {refusal.status}: {quoted(refusal.body)}"
        return _not_declared("a server that takes every knob", words)

    def _get(self, path: str) -> dict[str, Any]:
        sink = Body()
        refusal = self._ask(path, None, sink)
        if refusal is not None:
            raise EngineFailure(f"{path}: HTTP {refusal.status}: {quoted(refusal.body)}")
        return parsed_object(bytes(sink.data))

    def _post(
        self, path: str, body: Mapping[str, Any], sink: Body | StreamedReply | None = None
    ) -> Refusal | None:
        return self._ask(path, body, sink or Body())

    def _ask(
        self, path: str, body: Mapping[str, Any] | None, sink: Body | StreamedReply
    ) -> Refusal | None:
        try:
            return self.transport.ask(path, body, sink=sink, seconds=_SECONDS)
        except OutOfTime:
            raise EngineFailure(f"{path}: no answer within {_SECONDS:.0f} s") from None


def prompt_tokens_of(answer: bytes) -> int:
    """The length of the prompt that a whole, not streamed completion states.

    Raises:
        EngineFailure: if it states none.
    """
    usage = parsed_object(answer).get("usage")
    return count(usage.get("prompt_tokens") if isinstance(usage, dict) else None)


def _request_properties(described: Mapping[str, Any]) -> set[str]:
    try:
        schema = described["components"]["schemas"]["CreateChatCompletionRequest"]
        return set(schema["properties"])
    except (KeyError, TypeError):
        return set()


def _same(sent: object, echoed: object) -> bool:
    if isinstance(sent, float) and isinstance(echoed, int | float):
        return abs(sent - echoed) <= _RELATIVE * max(1.0, abs(sent))
    return sent == echoed


def _not_declared(expected: str, found: str) -> IndeterminateError:
    return IndeterminateError(
        "the server is not the one that the contract declares",
        rule="AV542",
        expected=expected,
        found=found,
        next_step="start the server as config.engine declares it, or amend the contract",
    )

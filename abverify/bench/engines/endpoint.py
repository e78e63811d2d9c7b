"""The `endpoint` engine: a model behind an OpenAI-compatible server.

The server renders the prompt and samples; what it loaded, nobody here has
hashed. So its identity is asserted, and everything that a contract wants kept
is either sent with every request and proven to be taken, or refused before the
run.
"""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING, Final, Self

from abverify._canonical import canonical_digest
from abverify.bench.engines import EngineFailure, Message
from abverify.bench.engines.chat_prompt import flatten, unflattened
from abverify.bench.engines.endpoint_dialects import request_fields, turn_fields
from abverify.bench.engines.endpoint_facts import Interview
from abverify.bench.engines.endpoint_http import Body, OutOfTime, Transport
from abverify.bench.engines.endpoint_place import api_key, base_url
from abverify.bench.engines.endpoint_stream import StreamedReply, quoted, valid_text
from abverify.bench.engines.endpoint_turn import Turn
from abverify.bench.extras import missing_package
from abverify.errors import IndeterminateError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from abverify.bench.engines import Completion
    from abverify.evidence.lock import Scalar
    from abverify.model.config import RunConfig
    from abverify.model.identity import IdentityLevel

_MAX_SEED: Final = 2**31 - 1


class EndpointEngine:
    """Completions of a model that a server runs, each under an explicit seed.

    Args:
        transport: the connection to the server; the engine closes it.
        model: the model's name, in the contract and to the server.
        config: the contract's run configuration.
        on_token: called during a completion with the count of pieces received so far.

    Raises:
        InvalidError: AV541 if the declared kind of server cannot keep a setting.
        IndeterminateError: AV542 if the server is not as declared, AV543 if it does not serve
            the model, AV544 if it does not answer.
    """

    identity: IdentityLevel = "asserted"

    def __init__(
        self,
        transport: Transport,
        *,
        model: str,
        config: RunConfig,
        on_token: Callable[[int], None] | None = None,
    ) -> None:
        self._fields = request_fields(config)
        self._transport = transport
        self._model = model
        self._config = config
        self._on_token = on_token
        self._interview = Interview(transport, config.engine, model, self._fields)
        self._is_first_turn = True
        try:
            self._facts = self._interview.facts()
            self._interview.prove()
        except EngineFailure as failure:
            raise IndeterminateError(
                "the server does not answer as it should",
                rule="AV544",
                expected=f"a {config.engine.server} server that serves {model}",
                found=str(failure),
                next_step="start the server, or mend ABVERIFY_ENDPOINT and ABVERIFY_API_KEY",
            ) from None

    def facts(self) -> Mapping[str, Scalar]:
        """The run-lock keys this engine answers for: what the server states of itself."""
        return self._facts

    def start_trial(self) -> None:
        """Has the server forget, as far as it can, and looks that it is still the same.

        Raises:
            EngineFailure: if the server does not answer, or says of itself what it did not say
                when the run began.
        """
        try:
            facts = self._interview.facts()
        except IndeterminateError as error:
            raise EngineFailure(f"{error.message}: {error.found}") from None
        if facts != self._facts:
            raise EngineFailure(f"the server changed under the run: {self._facts} to {facts}")
        self._is_first_turn = True
        if self._config.engine.server == "llama-cpp-python":
            self._displace_cache()

    def complete(
        self, messages: Sequence[Message], *, seed: int, max_tokens: int, seconds: float
    ) -> Completion:
        """Completes the conversation with an assistant message.

        Args:
            messages: the conversation so far.
            seed: of the sampler, 1 to 2**31 - 1.
            max_tokens: tokens to sample at most, at least 1.
            seconds: wall-clock limit of everything; at it the stream is closed.

        Raises:
            EngineFailure: if the server failed, or did not answer properly; never for
                anything the model did.
            ValueError: if the seed or `max_tokens` is out of range.
        """
        if not 1 <= seed <= _MAX_SEED:
            raise ValueError(f"a seed is 1 to {_MAX_SEED}, not {seed}")
        if max_tokens < 1:
            raise ValueError(f"max_tokens is at least 1, not {max_tokens}")
        turn = self._turn(messages, seed=seed, max_tokens=max_tokens, seconds=seconds)
        self._is_first_turn = False
        return turn.completion()

    def close(self) -> None:
        """Closes the connection. It may be called twice."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _turn(
        self, messages: Sequence[Message], *, seed: int, max_tokens: int, seconds: float
    ) -> Turn:
        render = flatten if self._config.prompt.history == "flattened" else unflattened
        rendered = render([Message(one.role, valid_text(one.content)) for one in messages])
        return Turn(
            transport=self._transport,
            config=self._config,
            body={
                **self._fields,
                **turn_fields(self._config, first=self._is_first_turn),
                "model": self._model,
                "messages": rendered,
                "seed": seed,
            },
            digest=canonical_digest([[one["role"], one["content"]] for one in rendered]),
            max_tokens=max_tokens,
            seconds=seconds,
            reply=StreamedReply(self._on_token),
        )

    def _displace_cache(self) -> None:
        """Leaves a prompt in the server's cache that shares nothing with any conversation."""
        body = {"model": self._model, "prompt": "\n", "max_tokens": 1, "seed": 1}
        seconds = float(self._config.budgets.turn_seconds)
        try:
            refusal = self._transport.ask("/v1/completions", body, sink=Body(), seconds=seconds)
        except OutOfTime:
            raise EngineFailure(f"the server is still busy after {seconds:.0f} s") from None
        if refusal is not None:
            raise EngineFailure(f"HTTP {refusal.status}: {quoted(refusal.body)}")


def open_endpoint(
    model: str,
    config: RunConfig,
    *,
    environment: Mapping[str, str] | None = None,
    on_token: Callable[[int], None] | None = None,
) -> EndpointEngine:
    """The engine of a contract, at the server that this machine's environment names.

    Args:
        model: the model's name in the contract.
        config: its run configuration.
        environment: where ABVERIFY_ENDPOINT and ABVERIFY_API_KEY stand; the process's own.
        on_token: called during a completion with the count of pieces received so far.

    Raises:
        IndeterminateError: AV514 if httpx is not installed, AV540 if no endpoint is named, AV542
            to AV544 if the server is not as declared.
        InvalidError: AV541 if the declared kind of server cannot keep a setting.
        UsageError: AV540 for a URL that cannot be used, AV545 for a key that must not be sent.
    """
    if importlib.util.find_spec("httpx") is None:
        raise missing_package("httpx", extra="remote")
    request_fields(config)  # What the contract alone decides is said before anything is asked.
    known = os.environ if environment is None else environment
    base = base_url(known)
    transport = Transport(base, key=api_key(known, base))
    try:
        return EndpointEngine(transport, model=model, config=config, on_token=on_token)
    except BaseException:
        transport.close()
        raise

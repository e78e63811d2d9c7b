"""What produces completions: the protocol every engine keeps, and its values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from abverify._frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from abverify.evidence.lock import Scalar
    from abverify.evidence.rows import FinishReason
    from abverify.model.identity import IdentityLevel

ChatRole = Literal["system", "user", "assistant"]


@frozen
class Message:
    """One message of the conversation so far."""

    role: ChatRole
    content: str


@frozen
class Completion:
    """What the engine made of a prompt.

    Attributes:
        text: the completion, decoded; bytes that are no UTF-8 become U+FFFD.
        finish_reason: why it ended; `context` means the window was full before `max_tokens`.
        prompt_sha256: digest of the rendered prompt's UTF-8 bytes, or of its token ids where
            the engine works on those; of the messages, where a server renders them.
        prompt_tokens: length of the prompt in tokens, cached ones included; 0 where a server
            was stopped before it told.
        completion_tokens: tokens sampled, the end token not counted.
        millis: wall-clock time of prefill and decode together.
        prefilled_tokens: tokens of the prompt that were evaluated for this completion, the
            trials' shared beginning not counted; null where the engine cannot tell.
    """

    text: str
    finish_reason: FinishReason
    prompt_sha256: str
    prompt_tokens: int
    completion_tokens: int
    millis: int
    prefilled_tokens: int | None = None


@frozen
class Ask:
    """A request for a completion, as one of several that are answered together.

    Attributes:
        messages: the conversation so far.
        seed: of the sampler.
        max_tokens: tokens to sample at most.
        seconds: wall-clock limit, the time of the others in it.
    """

    messages: tuple[Message, ...]
    seed: int
    max_tokens: int
    seconds: float


class Engine(Protocol):
    """A source of completions whose every relevant setting is known beforehand."""

    @property
    def identity(self) -> IdentityLevel:
        """How it is known which model this is: by its bytes, by a server's word, or not at all."""

    def facts(self) -> Mapping[str, Scalar]:
        """The run-lock keys this engine answers for (`model.*`, `engine.*`)."""

    def start_trial(self) -> None:
        """Forgets everything: the next prompt is computed from nothing."""

    def complete(
        self, messages: Sequence[Message], *, seed: int, max_tokens: int, seconds: float
    ) -> Completion:
        """Completes the conversation with an assistant message.

        Raises:
            EngineFailure: if the engine broke; never for anything the model did.
        """

    def close(self) -> None:
        """Frees the engine. It may be called twice."""


class Wave(Protocol):
    """Conversations that are decoded together, each in a seat of its own."""

    def ask(self, seat: int, ask: Ask) -> None:
        """Asks for a seat's next completion; for any thread.

        Raises:
            EngineFailure: if the engine broke.
        """

    def leave(self, seat: int) -> None:
        """Says that a seat will not ask again; for any thread.

        Raises:
            EngineFailure: if the engine broke.
        """

    def answers(self) -> Iterator[tuple[int, Completion]]:
        """The completions with their seats, as they end, until every seat has left.

        Raises:
            EngineFailure: if the engine broke.
        """


class BatchEngine(Engine, Protocol):
    """An engine that decodes several conversations together."""

    @property
    def seats(self) -> int:
        """How many conversations it holds at once."""

    def wave(self, seats: Iterable[int]) -> AbstractContextManager[Wave]:
        """A wave of conversations; nothing else can be asked until it has ended.

        Raises:
            EngineFailure: if the engine broke.
        """


class EngineFailure(Exception):  # noqa: N818 (it names an outcome, not a programming error)
    """The engine broke: the trial is an infrastructure failure, no measurement."""

"""The `replay` engine: stored completions, given back bit for bit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from abverify._canonical import canonical_digest
from abverify.bench.engines import Completion, EngineFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from abverify.bench.engines import Message
    from abverify.evidence.lock import Scalar
    from abverify.model.identity import IdentityLevel


def messages_digest(messages: Sequence[Message]) -> str:
    """SHA-256 of a conversation, for engines that render no prompt."""
    return canonical_digest([[message.role, message.content] for message in messages])


class ReplayEngine:
    """Gives back a script of completions, one a call, across trials.

    A text stands for a completion that ended by itself, in no time. A stored
    completion is given back as it is, and only to the prompt it was made for:
    where it holds a `prompt_sha256`, the prompt asked with must have the same.

    Args:
        script: completions or raw texts, in the order they are asked for.
        name: the name the lock gives the model.
        digest: the prompt digest of a conversation; for completions of another engine, that
            engine's way to compute it.
    """

    identity: IdentityLevel = "absent"

    def __init__(
        self,
        script: Sequence[Completion | str],
        *,
        name: str = "replay",
        digest: Callable[[Sequence[Message]], str] = messages_digest,
    ) -> None:
        self._script = tuple(script)
        self._name = name
        self._digest = digest
        self._next = 0

    def facts(self) -> Mapping[str, Scalar]:
        """The run-lock keys this engine answers for: a script has no weights to attest."""
        return {"model.name": self._name, "engine.name": "replay", "engine.sequences": 1}

    @property
    def left(self) -> int:
        """How many completions have not been asked for."""
        return len(self._script) - self._next

    def start_trial(self) -> None:
        """Does nothing: the script goes on."""

    def complete(
        self,
        messages: Sequence[Message],
        *,
        seed: int,  # noqa: ARG002 (a script is not sampled)
        max_tokens: int,  # noqa: ARG002
        seconds: float,  # noqa: ARG002
    ) -> Completion:
        """The next completion of the script.

        Raises:
            EngineFailure: if the script is at its end, or was made for another prompt.
        """
        if not self.left:
            raise EngineFailure(f"the script ends after {len(self._script)} completions")
        entry = self._script[self._next]
        asked = self._digest(messages)
        if isinstance(entry, str):
            entry = Completion(
                text=entry,
                finish_reason="stop",
                prompt_sha256=asked,
                prompt_tokens=0,
                completion_tokens=0,
                millis=0,
            )
        if entry.prompt_sha256 not in ("", asked):
            raise EngineFailure(
                f"completion {self._next + 1} was made for the prompt {entry.prompt_sha256}, "
                f"not for {asked}"
            )
        self._next += 1
        return replace(entry, prompt_sha256=asked)

    def close(self) -> None:
        """Does nothing."""

"""What the llama engine and its child process say to each other: JSON, a line each."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Literal, TypeAlias

from abverify._frozen import frozen
from abverify.bench.engines import Message

FileStamp: TypeAlias = tuple[int, int, int, int]


@frozen
class Source:
    """A file to load, with the stamp it had when its bytes were hashed."""

    path: str
    stamp: FileStamp


@frozen
class SamplerKnobs:
    """The sampler's settings as llama.cpp takes them; temperature 0 is greedy."""

    temperature: float
    top_k: int
    top_p: float
    min_p: float
    repeat_penalty: float
    repeat_last_n: int


@frozen
class Load:
    """Loads the model. It is the first request, and comes once."""

    weights: Source
    template: str
    adapter: Source | None
    adapter_scale: float
    n_ctx: int
    n_ubatch: int
    flash_attn: bool
    cache_type: Literal["f16", "q8_0"]
    kv_cache: Literal["continue", "fresh"]
    history: Literal["native-chat", "flattened"]
    penalty_scope: Literal["generated", "prompt+generated"]
    threads: int
    knobs: SamplerKnobs
    sequences: int = 1
    turn_gap: int | None = None


@frozen
class Reset:
    """Empties the cache: a new trial begins."""


@frozen
class Complete:
    """Asks for one completion.

    Attributes:
        progress: whether to send `Progress` on the way.
        threads: threads to compute with; null for as many as before.
    """

    messages: tuple[Message, ...]
    seed: int
    max_tokens: int
    seconds: float
    progress: bool
    threads: int | None = None


@frozen
class Wave:
    """Completes the conversations of several seats as they ask, until all of them have left.

    Attributes:
        progress: whether to send `Progress` on the way.
    """

    seats: tuple[int, ...]
    progress: bool


@frozen
class SeatAsks:
    """A seat of the wave asks for its next completion."""

    seat: int
    request: Complete


@frozen
class SeatLeaves:
    """A seat of the wave will not ask again."""

    seat: int


@frozen
class Loaded:
    """The model is loaded; what only the library can tell."""

    version: str
    system: str
    sampler_chain: str


@frozen
class Done:
    """The cache is empty, or everybody has left the wave."""


@frozen
class Progress:
    """Tokens sampled so far in the completions under way."""

    tokens: int


@frozen
class Completed:
    """A completion; the fields are those of `Completion`."""

    text: str
    finish_reason: Literal["stop", "length", "time", "context"]
    prompt_sha256: str
    prompt_tokens: int
    completion_tokens: int
    prefilled_tokens: int
    millis: int


@frozen
class SeatAnswered:
    """What a seat of the wave asked for."""

    seat: int
    completed: Completed


@frozen
class Failed:
    """The request could not be served; the process is of no further use."""

    message: str


Request: TypeAlias = Load | Reset | Complete | Wave | SeatAsks | SeatLeaves
Reply: TypeAlias = Loaded | Done | Progress | Completed | SeatAnswered | Failed

_PLAIN = (Reset, SeatLeaves, Loaded, Done, Progress, Completed, Failed)
_KINDS = {kind.__name__: kind for kind in _PLAIN}


def encode(message: Request | Reply) -> bytes:
    """The line that carries a message, line feed included."""
    body = {"kind": type(message).__name__, **asdict(message)}
    return json.dumps(body).encode("ascii") + b"\n"


def decode(line: bytes) -> Request | Reply:
    """The message of a line.

    Raises:
        ValueError: if the line carries none; then something else wrote to the pipe.
    """
    try:
        body: dict[str, Any] = json.loads(line)
        kind = body.pop("kind")
        if kind == "Load":
            return _load(body)
        if kind == "Complete":
            return _complete(body)
        if kind == "Wave":
            return Wave(tuple(body["seats"]), body["progress"])
        if kind == "SeatAsks":
            return SeatAsks(body["seat"], _complete(body["request"]))
        if kind == "SeatAnswered":
            return SeatAnswered(body["seat"], Completed(**body["completed"]))
        return _KINDS[kind](**body)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ValueError(f"no message: {line[:80]!r}") from None


def _complete(body: dict[str, Any]) -> Complete:
    messages = tuple(Message(**message) for message in body.pop("messages"))
    return Complete(messages=messages, **body)


def _load(body: dict[str, Any]) -> Load:
    adapter = body.pop("adapter")
    return Load(
        weights=_source(body.pop("weights")),
        adapter=None if adapter is None else _source(adapter),
        knobs=SamplerKnobs(**body.pop("knobs")),
        **body,
    )


def _source(body: dict[str, Any]) -> Source:
    return Source(path=body["path"], stamp=tuple(body["stamp"]))

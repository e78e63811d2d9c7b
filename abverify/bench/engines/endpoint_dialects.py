"""What each kind of server understands: the fields of a request, and what none can carry.

A knob that a server would not honour is found here, before anything is asked,
and named. Only where the contract's value means the same as the server's lack
of the knob (a penalty that is off, say) is the knob left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from abverify._frozen import frozen
from abverify.errors import InvalidError
from abverify.model.config import EngineConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from abverify.model.config import RunConfig, Sampling, Server

Fields = dict[str, Any]
"""Fields of a JSON request: numbers, booleans, texts, and lists of them."""

SAMPLERS: Final = ("penalties", "top_k", "top_p", "min_p", "temperature")
"""The chain of the contract, under llama-server's names; the draw follows it always."""

_STARTED_WITH: Final = ("n_ubatch", "flash_attn", "cache_type")


@frozen
class Unkept:
    """A setting of the contract that the server cannot be made to keep.

    Attributes:
        knob: its path in the contract, below `config`.
        declared: the value the contract declares.
        allowed: the value that would mean the same on this server.
        why: why it cannot be kept.
    """

    knob: str
    declared: object
    allowed: str
    why: str


def request_fields(config: RunConfig) -> Fields:
    """The fields that carry every knob of the contract, the same in every request of a run.

    Raises:
        InvalidError: AV541 if the declared server cannot keep a setting; all are named.
    """
    server = _server(config)
    unkept = tuple(_unkept(config, server))
    if not unkept:
        return _FIELDS[server](config.sampling)
    raise InvalidError(
        f"a {server} server cannot be made to keep {', '.join(item.knob for item in unkept)}",
        rule="AV541",
        place="config",
        expected=", ".join(f"{item.knob}: {item.allowed}" for item in unkept),
        found=", ".join(f"{item.knob}: {item.declared} ({item.why})" for item in unkept),
        next_step="amend the contract to values the server can keep, or run engine: {name: llama}",
    )


def turn_fields(config: RunConfig, *, first: bool) -> Fields:
    """The fields that say how much of the cache a turn may use."""
    if _server(config) != "llama-server":
        return {}
    return {"cache_prompt": config.engine.kv_cache == "continue" and not first}


def penalty_is_off(sampling: Sampling) -> bool:
    """Whether the repetition penalty does nothing, so that span and scope mean nothing."""
    return float(sampling.repeat_penalty) == 1 or sampling.repeat_last_n == 0


def _server(config: RunConfig) -> Server:
    if config.engine.server is None:
        raise ValueError("the contract's engine is not an endpoint")
    return config.engine.server


def _unkept(config: RunConfig, server: Server) -> Iterator[Unkept]:
    engine, sampling = config.engine, config.sampling
    for name in _STARTED_WITH:
        default = EngineConfig.model_fields[name].default
        if getattr(engine, name) != default:
            why = "set where the server is started, and told to nobody"
            yield Unkept(f"engine.{name}", getattr(engine, name), str(default), why)
    if engine.kv_cache == "fresh" and server != "llama-server":
        yield Unkept("engine.kv_cache", "fresh", "continue", "the server reuses what it computed")
    if not penalty_is_off(sampling):
        yield from _unkept_penalty(sampling, server)
    if server == "openai":
        if sampling.top_k:
            yield Unkept("sampling.top_k", sampling.top_k, "0", "the API has no such field")
        if float(sampling.min_p):
            yield Unkept("sampling.min_p", sampling.min_p, '"0"', "the API has no such field")


def _unkept_penalty(sampling: Sampling, server: Server) -> Iterator[Unkept]:
    if server == "openai":
        why = "the API has no such field"
        yield Unkept("sampling.repeat_penalty", sampling.repeat_penalty, '"1"', why)
    if server == "llama-cpp-python":
        why = "set where the server is started, and told to nobody"
        yield Unkept(
            "sampling.repeat_last_n", sampling.repeat_last_n, "0, or repeat_penalty 1", why
        )
    if server == "llama-cpp-python" and sampling.penalty_scope != "generated":
        why = "the server penalises what it generated alone"
        yield Unkept("sampling.penalty_scope", sampling.penalty_scope, "generated", why)
    if server == "llama-server" and sampling.penalty_scope != "prompt+generated":
        why = "the server penalises the prompt's tokens too"
        yield Unkept("sampling.penalty_scope", sampling.penalty_scope, "prompt+generated", why)


def _common(sampling: Sampling) -> Fields:
    return {
        "temperature": float(sampling.temperature),
        "top_p": float(sampling.top_p),
        "frequency_penalty": 0.0,
        "presence_penalty": 0.0,
    }


def _llama_cpp_python(sampling: Sampling) -> Fields:
    return {
        **_common(sampling),
        "top_k": sampling.top_k,
        "min_p": float(sampling.min_p),
        "repeat_penalty": 1.0,
        "mirostat_mode": 0,
        "min_tokens": 0,
    }


def _llama_server(sampling: Sampling) -> Fields:
    off = penalty_is_off(sampling)
    return {
        **_common(sampling),
        "top_k": sampling.top_k,
        "min_p": float(sampling.min_p),
        "repeat_penalty": 1.0 if off else float(sampling.repeat_penalty),
        "repeat_last_n": 0 if off else sampling.repeat_last_n,
        "samplers": list(SAMPLERS),
        "dynatemp_range": 0.0,
        "mirostat": 0,
        "min_keep": 0,
        "n_probs": 0,
        "backend_sampling": False,
        "reasoning_format": "none",
        "n_cache_reuse": 0,
        "id_slot": 0,
        "timings_per_token": True,
    }


_FIELDS: Final[Mapping[Server, Callable[[Sampling], Fields]]] = {
    "llama-cpp-python": _llama_cpp_python,
    "llama-server": _llama_server,
    "openai": _common,
}

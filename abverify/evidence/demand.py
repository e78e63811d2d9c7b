"""What a contract demands of a run lock: the part of it that the contract decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._canonical import canonical_digest, sha256_hex
from abverify.evidence.order import ORDER_RULE
from abverify.evidence.seeds import SEED_RULE
from abverify.model.value import normal_decimal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abverify.evidence.lock import Scalar
    from abverify.model.config import EngineConfig, RunConfig, Sampling, Server
    from abverify.model.contract import Contract
    from abverify.model.identity import ModelSection


_AT_ITS_START = frozenset(["n_ubatch", "flash_attn", "cache_type"])
_UNTOLD: Mapping[Server | None, frozenset[str]] = {
    None: frozenset(["server"]),
    "llama-cpp-python": _AT_ITS_START,
    "llama-server": _AT_ITS_START,
    "openai": _AT_ITS_START | {"kv_cache"},
}
"""By server: the engine settings that no client can set or be told, so that no lock may hold them.
In process there is no server, and everything else is known."""


def demanded(contract: Contract, pins: Mapping[str, str]) -> dict[str, Scalar]:
    """The lock keys the contract fixes, with their values.

    Args:
        contract: the contract.
        pins: the pinned digest of each input, by repository path; an input
            without a pin is not demanded (and `check` reports it).
    """
    return {
        **model_demand(contract.model),
        **config_demand(contract.config, pins),
        **stop_demand(contract),
        **_pinned("corpus.sha256", contract.evidence.bench.corpus, pins),
    }


def stop_demand(contract: Contract) -> dict[str, Scalar]:
    """The keys that the declared stop rules fix; none for `never`."""
    rules = contract.evidence.bench.stop_rules
    if not rules:
        return {}
    # A field that a later version adds, and nobody sets, must not make these other criteria.
    criteria = [item.model_dump(mode="json", exclude_none=True) for item in contract.criteria]
    return {
        "bench.stop": ",".join(rules),
        "bench.criteria_sha256": canonical_digest(criteria),
        "bench.order_rule": ORDER_RULE,
    }


def model_demand(model: ModelSection) -> dict[str, Scalar]:
    """The `model.*` keys a contract fixes: the name always, bytes and description if stated."""
    values: dict[str, Scalar] = {"model.name": model.name}
    if model.weights.sha256 is not None:
        values["model.weights_sha256"] = model.weights.sha256
    for key, value in model.describe.to_json().items():
        if value is not None:
            values[f"model.{key}"] = value
    adapter = model.adapter
    values["model.adapter_sha256"] = adapter.sha256 if adapter else None
    values["model.adapter_scale"] = normal_decimal(adapter.scale) if adapter else None
    return values


def config_demand(config: RunConfig, pins: Mapping[str, str]) -> dict[str, Scalar]:
    """The keys a run configuration fixes, defaults included."""
    prompt, budgets = config.prompt, config.budgets
    return {
        **_engine(config.engine),
        **_pinned("prompt.system_sha256", prompt.system, pins),
        "prompt.history": prompt.history,
        "prompt.no_call_sha256": sha256_hex(prompt.no_call.encode("utf-8")),
        **_sampling(config.sampling),
        "parser.profile": config.parser.profile,
        "parser.version": config.parser.version,
        **{f"budgets.{name}": value for name, value in budgets.to_json().items()},
        **{f"loop.{name}": value for name, value in config.loop.to_json().items()},
    }


def _engine(engine: EngineConfig) -> dict[str, Scalar]:
    untold = _UNTOLD[engine.server]
    if engine.sequences == 1:
        untold |= {"turn_gap"}
    values = engine.to_json().items()
    return {f"engine.{name}": value for name, value in values if name not in untold}


def _sampling(sampling: Sampling) -> dict[str, Scalar]:
    return {
        "sampling.temperature": normal_decimal(sampling.temperature),
        "sampling.top_k": sampling.top_k,
        "sampling.top_p": normal_decimal(sampling.top_p),
        "sampling.min_p": normal_decimal(sampling.min_p),
        "sampling.repeat_penalty": normal_decimal(sampling.repeat_penalty),
        "sampling.repeat_last_n": sampling.repeat_last_n,
        "sampling.penalty_scope": sampling.penalty_scope,
        "sampling.max_tokens": sampling.max_tokens,
        "sampling.seeds": ",".join(map(str, sampling.seeds)),
        "sampling.seed_rule": SEED_RULE,
    }


def _pinned(key: str, path: str, pins: Mapping[str, str]) -> dict[str, Scalar]:
    return {key: pins[path]} if path in pins else {}

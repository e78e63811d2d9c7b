"""The run lock: every resolved variable that can change a result, under one digest.

A lock is flat: dotted keys to scalars. Two runs differ in exactly the keys
whose values differ, so "only the finetune varies" is a set comparison, and a
key that an imported log cannot tell is absent rather than guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import Field

from abverify._canonical import canonical_bytes, parse_canonical, sha256_hex
from abverify._frozen import frozen
from abverify.errors import UntrustedError
from abverify.model.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

Scalar: TypeAlias = str | int | bool | None

LOCK_SCHEMA = "abverify/run-lock/v1"

LOCK_KEYS: dict[str, str] = {
    "model.name": "the model's declared name",
    "model.weights_sha256": "digest of the weight file's bytes",
    "model.weights_bytes": "size of the weight file, in bytes",
    "model.architecture": "general.architecture of the weight file",
    "model.size_label": "general.size_label of the weight file",
    "model.finetune": "general.finetune of the weight file",
    "model.file_type": "quantization named by general.file_type",
    "model.general_name": "general.name of the weight file",
    "model.template_sha256": "digest of the chat template inside the weight file",
    "model.tokenizer_sha256": "digest of the tokenizer inside the weight file",
    "model.adapter_sha256": "digest of the adapter's bytes; null without one",
    "model.adapter_scale": "scale the adapter was applied with; null without one",
    "engine.name": "what produced the completions",
    "engine.server": "the program behind an endpoint; only there",
    "engine.version": "its version",
    "engine.system": "the build's own system line: instruction sets and back ends",
    "engine.n_ctx": "context length, in tokens",
    "engine.n_ubatch": "physical batch size; it changes logits",
    "engine.kv_cache": "continue the cache from turn to turn, or start fresh",
    "engine.sequences": "trials decoded together, in waves of the plan's order",
    "engine.turn_gap": "steps between two turns, null for turns in step; with several sequences",
    "engine.flash_attn": "flash attention; it changes logits",
    "engine.threads": "threads of the engine; only with flash attention, whose sums they part",
    "engine.cache_type": "type of the cached keys and values",
    "engine.sampler_chain": "the samplers applied, in order",
    "prompt.system_sha256": "digest of the system prompt's bytes",
    "prompt.history": "how earlier turns are rendered",
    "prompt.no_call_sha256": "digest of the observation given after a turn without a call",
    "prompt.tools_sha256": "digest of the tool declarations",
    "sampling.temperature": "temperature",
    "sampling.top_k": "top-k; 0 is off",
    "sampling.top_p": "top-p; 1 is off",
    "sampling.min_p": "min-p; 0 is off",
    "sampling.repeat_penalty": "repetition penalty; 1 is off",
    "sampling.repeat_last_n": "tokens the penalty looks back over",
    "sampling.penalty_scope": "whether prompt tokens are penalised too",
    "sampling.max_tokens": "tokens a turn may have",
    "sampling.seeds": "the declared seeds, comma separated",
    "sampling.seed_rule": "how a turn's seed follows from the declared one",
    "parser.profile": "tool-call parser profile",
    "parser.version": "its version",
    "budgets.max_turns": "turns a trial may have",
    "budgets.turn_seconds": "seconds a turn may take",
    "budgets.wall_seconds": "seconds a trial may take",
    "budgets.max_silent_turns": "turns in a row without a call that end a trial",
    "budgets.max_repeated_calls": "identical calls in a row that end a trial",
    "budgets.max_tokens_total": "tokens all completions of a trial may have together",
    "budgets.http_timeout_seconds": "seconds a request to a server may take",
    "loop.calls": "which calls of a turn are executed",
    "loop.oracle_every_turns": "how often the oracle runs",
    "loop.oracle_on_finish": "whether it has the last word",
    "bench.stop": "the declared stop rules, comma separated; absent where none is",
    "bench.criteria_sha256": "digest of the criteria that the stop rules speak of; only with them",
    "bench.order_rule": "how the order of the trials follows from the seeds; only with a stop rule",
    "bench.order_sha256": "digest of the trials in their order; only with a stop rule",
    "corpus.sha256": "digest over every file of the corpus",
    "corpus.fixtures": "fixtures in the corpus",
    "sandbox.name": "what confined the tools and the oracle",
    "sandbox.version": "its version",
    "sandbox.isolated": "whether it isolates at all",
    "toolchain.python": "the Python that oracles ran with",
    "toolchain.rust": "the Rust that oracles ran with",
    "harness.version": "version of abverify",
    "harness.sha256": "digest over the code that measures",
}
"""Every key a lock may hold, with its meaning. An unknown key is refused."""

METER_KEYS = ("harness.sha256", "corpus.sha256", "sandbox.name", "sandbox.isolated")
"""The keys that make up the meter: calibration counts for a run only if these agree."""


@frozen
class RunLock:
    """The resolved variables of a run; the digest of its bytes is the run's identity."""

    values: Mapping[str, Scalar]

    def __post_init__(self) -> None:
        unknown = sorted(set(self.values) - set(LOCK_KEYS))
        if unknown:
            raise ValueError(f"unknown lock keys: {', '.join(unknown)}")

    def to_bytes(self) -> bytes:
        """The canonical bytes of the lock document."""
        return canonical_bytes({"schema": LOCK_SCHEMA, "values": dict(self.values)})

    @property
    def sha256(self) -> str:
        """Digest of the lock's canonical bytes: the run's identity."""
        return sha256_hex(self.to_bytes())

    def absent(self) -> tuple[str, ...]:
        """The keys this lock cannot tell, in registry order.

        Toolchains are per language; `bench.*` is told only where a stop rule is declared, and
        threads and the gap between turns only where they count.
        """
        optional = ("toolchain.", "bench.", "engine.threads", "engine.turn_gap")
        return tuple(
            key for key in LOCK_KEYS if key not in self.values and not key.startswith(optional)
        )

    def differing(self, wanted: Mapping[str, Scalar]) -> tuple[str, ...]:
        """The keys of `wanted` whose value here is another one or absent, in registry order."""
        return tuple(
            key
            for key in LOCK_KEYS
            if key in wanted and (key not in self.values or self.values[key] != wanted[key])
        )

    def against(self, other: RunLock) -> tuple[str, ...]:
        """The keys whose values differ or that only one of two locks tells, in registry order."""
        mine, theirs = self.values, other.values
        return tuple(
            key
            for key in LOCK_KEYS
            if (key in mine) != (key in theirs) or mine.get(key) != theirs.get(key)
        )


class _Document(Value):
    schema_: Annotated[Literal["abverify/run-lock/v1"], Field(alias="schema")]
    values: dict[str, Scalar]


def parse_lock(data: bytes, *, name: str) -> RunLock:
    """Reads a lock document from its canonical bytes.

    Raises:
        UntrustedError: AV401 if they are not the canonical bytes of a lock.
    """
    parse_canonical(data, name=name)
    try:
        return RunLock(_Document.model_validate_json(data).values)
    except ValueError as error:
        found = " ".join(str(error).split())[:300]
        raise UntrustedError(
            "not a run lock", rule="AV401", place=name, expected=LOCK_SCHEMA, found=found
        ) from None

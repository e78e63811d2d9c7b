"""The run configuration of a contract: every knob that can change a result, none implied."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from abverify.model.value import Count, DecimalText, Positive, RelativePath, Text, Value

Seed = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""A declared seed. Zero is refused: llama.cpp's binding silently turns it into its default."""


Server = Literal["llama-cpp-python", "llama-server", "openai"]
"""The program behind an endpoint: it decides which knobs there are, and what they mean."""


class EngineConfig(Value):
    """What produces completions, and the settings of it that change bytes.

    `n_batch` is not here: measured, it changes speed only. Nor are threads, which a machine has:
    the lock tells them where they change bytes, with flash attention.
    """

    name: Literal["llama", "endpoint", "replay"]
    n_ctx: Positive
    kv_cache: Literal["continue", "fresh"]
    sequences: Annotated[int, Field(ge=1, le=64)] = 1
    """For the `llama` engine: trials that are decoded together, in waves; it changes logits."""
    turn_gap: Annotated[int, Field(ge=0, le=1000)] | None = None
    """With several sequences: decode steps that a trial sits out between two turns, while the
    others go on; null for turns in step, none of which begins while another is under way."""
    n_ubatch: Annotated[int, Field(ge=2)] = 512
    flash_attn: bool = False
    cache_type: Literal["f16", "q8_0"] = "f16"
    server: Server | None = None
    """For the `endpoint` engine only, which must name it: the program that answers."""

    @model_validator(mode="after")
    def _names_its_server(self) -> Self:
        if self.name == "endpoint" and self.server is None:
            raise ValueError(
                "the endpoint engine must name its server, such as server: llama-server"
            )
        if self.name != "endpoint" and self.server is not None:
            raise ValueError(f"only the endpoint engine has a server, not {self.name}")
        return self

    @model_validator(mode="after")
    def _decodes_together(self) -> Self:
        if self.name != "llama" and self.sequences != 1:
            raise ValueError(f"only the llama engine has sequences, not {self.name}")
        if self.turn_gap is not None and self.sequences == 1:
            raise ValueError("turn_gap is for several sequences: set sequences above 1")
        return self


class PromptConfig(Value):
    """The texts around the model: system prompt, history rendering, and the fixed replies."""

    system: RelativePath
    history: Literal["native-chat", "flattened"]
    no_call: Text
    """The observation given after a turn without a call: declared, and always the same."""


class Sampling(Value):
    """The sampler chain in the order llama.cpp applies it: penalties, top_k, top_p, min_p, temp.

    The schema is closed and every default is neutral, so that no engine's own
    default can enter unnoticed; `abverify lint` lists knobs left undeclared.
    """

    temperature: DecimalText
    top_k: Count = 0
    top_p: DecimalText = "1"
    min_p: DecimalText = "0"
    repeat_penalty: DecimalText = "1"
    repeat_last_n: Count = 0
    penalty_scope: Literal["generated", "prompt+generated"] = "generated"
    max_tokens: Positive
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)]

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        twice = sorted({seed for seed in seeds if seeds.count(seed) > 1})
        if twice:
            raise ValueError(f"seed declared twice: {', '.join(map(str, twice))}")
        return seeds


class ParserConfig(Value):
    """The tool-call parser profile that counts, by name and version."""

    profile: Literal["strict", "salvage", "markdown-edit"]
    version: Positive


class Budgets(Value):
    """When a trial ends although nobody finished it. Seconds are wall-clock."""

    max_turns: Positive
    turn_seconds: Positive
    wall_seconds: Positive
    max_silent_turns: Positive | None = None
    """End the trial after this many turns in a row without a call; null never does."""
    max_repeated_calls: Annotated[int, Field(ge=2)] | None = None
    """End the trial once the same call, name and arguments, was executed this many times in a
    row; null never does. The outcome is `text_loop`: a model that repeats itself."""
    max_tokens_total: Positive | None = None
    """Tokens all completions of a trial may have together; null sets no such limit."""
    http_timeout_seconds: Positive | None = None
    """For the `endpoint` engine only: the limit of one request."""


class LoopConfig(Value):
    """How the agent loop treats a turn: which calls it executes, and when the oracle runs."""

    calls: Literal["all", "first"] = "all"
    oracle_every_turns: Count = 1
    """Run the oracle after every n-th turn that changed the workspace; 0: only at the end."""
    oracle_on_finish: bool = True
    """However a trial ends, run the oracle on a workspace that it has not judged yet."""

    @model_validator(mode="after")
    def _judges_at_all(self) -> Self:
        if not self.oracle_every_turns and not self.oracle_on_finish:
            raise ValueError("oracle_every_turns: 0 without oracle_on_finish never runs the oracle")
        return self


class RunConfig(Value):
    """Everything a run is configured by."""

    engine: EngineConfig
    prompt: PromptConfig
    sampling: Sampling
    parser: ParserConfig
    budgets: Budgets
    loop: LoopConfig = LoopConfig()

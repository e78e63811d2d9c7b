"""The parts of Inspect AI's logs that are read; names as Inspect writes them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from abverify.evidence.foreign.document import Foreign


class Config(Foreign):
    """What was asked to run, and within which limits."""

    limit: int | list[int] | None = None
    sample_id: Any = None
    epochs: int | None = None
    turn_limit: int | None = None
    token_limit: int | None = None
    time_limit: int | None = None


class Generate(Foreign):
    """How the model was sampled."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_tokens: int | None = None


class Dataset(Foreign):
    """The samples that the task has."""

    samples: int | None = None
    sample_ids: list[str | int] | None = None


class Spec(Foreign):
    """What was run."""

    task: str
    model: str
    created: str
    config: Config = Config()
    model_generate_config: Generate = Generate()
    dataset: Dataset = Dataset()
    packages: dict[str, str] = Field(default_factory=dict)


class Metric(Foreign):
    """One number over all samples."""

    value: float | int | None = None


class ScoreSummary(Foreign):
    """What the log says that a scorer's grades come to."""

    name: str
    reducer: str | None = None
    metrics: dict[str, Metric] = Field(default_factory=dict)


class Results(Foreign):
    """The log's own summary."""

    total_samples: int = 0
    completed_samples: int = 0
    early_stopping: Any = None
    scores: tuple[ScoreSummary, ...] = ()


class Stats(Foreign):
    """When it was run."""

    started_at: str = ""
    completed_at: str = ""


class Header(Foreign):
    """Everything of a log but its samples."""

    version: int
    status: str
    eval: Spec
    results: Results | None = None
    stats: Stats = Stats()
    error: Any = None
    invalidated: bool = False
    log_updates: tuple[Any, ...] | None = None


class Score(Foreign):
    """One scorer's grade of one sample."""

    value: Any = None
    history: tuple[Any, ...] = ()


class Message(Foreign):
    """One message of the conversation."""

    role: str
    content: str | list[Any] = ""


class Choice(Foreign):
    """Why a completion ended."""

    stop_reason: str = "stop"


class Usage(Foreign):
    """Tokens of a completion."""

    input_tokens: int = 0
    output_tokens: int = 0


class Output(Foreign):
    """The last completion."""

    choices: tuple[Choice, ...] = ()
    usage: Usage | None = None


class Limit(Foreign):
    """The limit that cut a sample off."""

    type: str
    limit: float | None = None


class Sample(Foreign):
    """One sample, run once."""

    id: str | int
    epoch: int = 1
    messages: tuple[Message, ...] = ()
    output: Output = Output()
    scores: dict[str, Score] | None = None
    error: Any = None
    error_retries: tuple[Any, ...] | None = None
    limit: Limit | None = None
    invalidation: Any = None
    attachments: dict[str, str] = Field(default_factory=dict)

"""promptfoo's JSON output, version 3 of its summary.

One run may set several providers and prompts side by side. Each pair of them is a column, and an
import is of one column: ``smollm2 / two shots``.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import Field

from abverify._canonical import sha256_hex
from abverify.errors import AbverifyError
from abverify.evidence.foreign.document import (
    MAX_BYTES,
    Foreign,
    decimal_text,
    malformed,
    parse_json,
    read_as,
    the_one,
    timestamp,
)
from abverify.evidence.foreign.log import Claim, ForeignLog, ForeignTrial, ForeignTurn, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from abverify.evidence.rows import FinishReason

_SUMMARY = 3
_NO_MEASUREMENT = 2
"""promptfoo's `failureReason` for a provider or an assertion that broke; 1 is a failed test."""


class _Provider(Foreign):
    id: str
    label: str = ""


class _Prompt(Foreign):
    raw: str = ""
    label: str = ""


class _Tokens(Foreign):
    prompt: int = Field(default=0, le=MAX_BYTES)
    completion: int = Field(default=0, le=MAX_BYTES)


class _Response(Foreign):
    output: Any = None
    tokens: _Tokens = Field(default=_Tokens(), alias="tokenUsage")
    finish_reason: str | None = Field(default=None, alias="finishReason")


class _Component(Foreign):
    passed: bool = Field(alias="pass")


class _Grading(Foreign):
    components: list[_Component] | None = Field(default=None, alias="componentResults")


class _TestCase(Foreign):
    description: str | None = None
    vars: Any = None
    checks: Any = Field(default=None, alias="assert")
    threshold: float | None = None


class _Row(Foreign):
    provider: _Provider
    prompt: _Prompt = _Prompt()
    test: _TestCase = Field(default=_TestCase(), alias="testCase")
    test_index: int = Field(alias="testIdx")
    response: _Response | None = None
    failure: int = Field(default=0, alias="failureReason")
    success: bool
    score: float = 0
    grading: _Grading | None = Field(default=None, alias="gradingResult")

    @property
    def column(self) -> str:
        """The provider and the prompt, by their labels."""
        return f"{self.provider.label or self.provider.id} / {self.prompt.label or 'prompt'}"


class _Stats(Foreign):
    successes: int
    failures: int
    errors: int = 0
    duration: float = Field(default=0, alias="durationMs")


class _Summary(Foreign):
    version: int
    timestamp: str
    stats: _Stats
    rows: list[_Row] = Field(alias="results")


class _Settings(Foreign):
    description: str | None = None
    providers: Any = None
    tests: Any = None


class _Metadata(Foreign):
    version: str | None = Field(default=None, alias="promptfooVersion")


class _File(Foreign):
    summary: _Summary = Field(alias="results")
    config: _Settings = _Settings()
    metadata: _Metadata = _Metadata()


def recognises(files: Mapping[str, bytes]) -> bool:
    """Whether this is one output file of promptfoo."""
    (data,) = files.values() if len(files) == 1 else (b"",)
    return b'"failureReason"' in data and b'"promptIdx"' in data


def read(files: Mapping[str, bytes], *, scorer: str | None = None) -> ForeignLog:
    """Reads one column of a run.

    Args:
        files: the one output file.
        scorer: the column, where there are several.

    Raises:
        InvalidError: AV841 if the file cannot be read, AV842 if a column must be named.
    """
    if len(files) != 1:
        names = ", ".join(files)
        raise malformed(names, "one file is one run", expected="one file", found=str(len(files)))
    ((name, data),) = files.items()
    file = read_as(_File, parse_json(data, name=name), name=name)
    summary = file.summary
    if summary.version != _SUMMARY:
        raise malformed(
            f"{name}: results.version",
            "another version of promptfoo's summary",
            expected=str(_SUMMARY),
            found=str(summary.version),
        )
    columns = list(dict.fromkeys(row.column for row in summary.rows))
    column = the_one(columns, scorer, place=name, what="provider with one prompt")
    rows = [row for row in summary.rows if row.column == column]
    started = timestamp(summary.timestamp, name=name, where="results.timestamp")
    return ForeignLog(
        tool="promptfoo",
        version=file.metadata.version,
        task=file.config.description or "promptfoo",
        scorer=column,
        started_at=started,
        finished_at=_later(started, summary.stats.duration, name),
        claims=dict(_claims(file, rows)),
        trials=tuple(_trials(rows)),
        problems=tuple(_problems(file, rows)),
    )


def _later(started: str, milliseconds: float, name: str) -> str:
    try:
        moment = datetime.fromisoformat(started) + timedelta(milliseconds=max(0.0, milliseconds))
    except (ValueError, OverflowError):
        where, found = f"{name}: results.stats.durationMs", str(milliseconds)
        raise malformed(where, "no duration", expected="milliseconds", found=found) from None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _trials(rows: list[_Row]) -> Iterator[ForeignTrial]:
    """The tests in their order; the same test once more is another repetition of it."""
    times: dict[str, int] = {}
    for row in sorted(rows, key=lambda row: row.test_index):
        fixture = _name(row)
        times[fixture] = times.get(fixture, 0) + 1
        yield ForeignTrial(
            fixture=fixture,
            repetition=times[fixture],
            passed=None if row.failure == _NO_MEASUREMENT else row.success,
            grade=f"score {row.score:g}",
            turns=tuple(_turns(row)),
        )


def _name(row: _Row) -> str:
    """A test's name: what describes it, and a digest of what it asks, which names alone are not."""
    asked = repr((row.test.vars, row.test.checks, row.prompt.raw)).encode("utf-8", "replace")
    return f"{row.test.description or 'test'} {sha256_hex(asked)[:8]}"


def _turns(row: _Row) -> Iterator[ForeignTurn]:
    response = row.response
    if response is not None and isinstance(response.output, str):
        ends: dict[str | None, FinishReason] = {"length": "length"}
        yield ForeignTurn(
            raw=response.output,
            prompt_tokens=max(0, response.tokens.prompt),
            completion_tokens=max(0, response.tokens.completion),
            finish_reason=ends.get(response.finish_reason, "stop"),
        )


def _claims(file: _File, rows: list[_Row]) -> Iterator[tuple[str, Claim]]:
    if rows:
        yield "model.name", Claim("asserted", rows[0].provider.id, "results.results.provider.id")
        settings = _provider_settings(file.config.providers, rows[0].provider)
        for member in ("temperature", "top_p"):
            if (value := decimal_text(settings.get(member))) is not None:
                where = f"config.providers.config.{member}"
                yield f"sampling.{member}", Claim("asserted", value, where)
        if isinstance(limit := settings.get("max_tokens"), int):
            where = "config.providers.config.max_tokens"
            yield "sampling.max_tokens", Claim("asserted", limit, where)
    if isinstance(file.config.tests, list):
        yield "corpus.fixtures", Claim("asserted", len(file.config.tests), "config.tests")
    systems = {_system(row.prompt.raw) for row in rows}
    if len(systems) == 1 and (system := systems.pop()) is not None:
        digest = sha256_hex(system.encode("utf-8"))
        yield "prompt.system_sha256", Claim("attested", digest, "results.results.prompt.raw")


def _provider_settings(providers: Any, ran: _Provider) -> dict[str, Any]:
    """The settings of the provider that ran, where the file spells them out."""
    for one in providers if isinstance(providers, list) else ():
        if isinstance(one, dict) and (one.get("label") or one.get("id")) in (ran.label, ran.id):
            settings = one.get("config")
            return settings if isinstance(settings, dict) else {}
    return {}


def _system(raw: str) -> str | None:
    """The system message of a chat prompt."""
    try:
        messages = parse_json(raw.encode("utf-8", "replace"), name="prompt")
    except AbverifyError:
        return None
    first = messages[0] if isinstance(messages, list) and messages else None
    if not isinstance(first, dict) or first.get("role") != "system":
        return None
    content = first.get("content")
    return content if isinstance(content, str) else None


def _problems(file: _File, rows: list[_Row]) -> Iterator[Problem]:
    tests = file.config.tests
    distinct = len({_name(row) for row in rows})
    listed = len(tests) if isinstance(tests, list) else None
    if listed != distinct:
        message = "a part of the tests was run"
        wanted = "a list of all tests" if listed is None else f"{listed} tests"
        yield Problem("limited", message, "config.tests", wanted, f"{distinct}")
    for row in rows:
        if row.failure == _NO_MEASUREMENT:
            where = f"results.results.{row.test_index}"
            yield Problem("errored", "a test broke", where, "an answer", "an error")
        elif not _agrees(row):
            message = "a test's verdict is not what its assertions give"
            where = f"results.results.{row.test_index}"
            yield Problem("disagrees", message, where, f"{not row.success}", f"{row.success}")
    everything, stats = file.summary.rows, file.summary.stats
    errors = sum(row.failure == _NO_MEASUREMENT for row in everything)
    passes = sum(row.success for row in everything)
    again = (passes, len(everything) - passes - errors, errors)
    told = (stats.successes, stats.failures, stats.errors)
    if again != told:
        message = "the log's summary is not what its tests give"
        yield Problem("disagrees", message, "results.stats", str(again), str(told))


def _agrees(row: _Row) -> bool:
    """Whether a test passed just if all its assertions did; a threshold may decide otherwise."""
    components = row.grading.components if row.grading else None
    if row.success and (not components or row.failure):
        return False  # nothing was asserted that could have been met, or something was not
    if not components:
        return True
    if row.test.threshold is not None:
        return row.success == (row.score >= row.test.threshold)
    return row.success == all(component.passed for component in components)

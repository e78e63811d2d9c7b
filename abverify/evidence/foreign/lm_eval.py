"""lm-eval's logs: the results file of a run, and the samples files that `--log_samples` writes.

Which of a document's grades counts is named by metric and filter, as the results file has it:
``exact_match,strict-match``.
"""

from __future__ import annotations

import re
from math import isclose
from typing import TYPE_CHECKING, Any

from pydantic import Field

from abverify._canonical import sha256_hex
from abverify._frozen import frozen
from abverify.errors import InvalidError
from abverify.evidence.foreign.document import (
    MAX_BYTES,
    Foreign,
    as_number,
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

_SAMPLES = re.compile(r"(?:.*/)?(?:[0-9]+-)?samples_(?P<task>.+?)_[0-9T:.-]+\.jsonl")
_TOLERANCE = 1e-9


class _Counts(Foreign):
    original: int = Field(ge=0, le=MAX_BYTES)


class _Config(Foreign):
    model: str
    model_args: str | dict[str, Any] | None = None
    limit: float | None = None


class _Results(Foreign):
    results: dict[str, dict[str, Any]]
    config: _Config
    samples: dict[str, _Counts] = Field(default_factory=dict, alias="n-samples")
    higher_is_better: dict[str, dict[str, bool | None]] = Field(default_factory=dict)
    date: float
    seconds: float = Field(default=0, alias="total_evaluation_time_seconds")
    lm_eval_version: str | None = None
    model_name: str | None = None
    system_instruction: str | None = None
    system_instruction_sha: str | None = None


class _Row(Foreign):
    doc_id: int
    filter: str = "none"
    metrics: list[str]
    resps: list[Any] = Field(default_factory=list)
    arguments: Any = None


@frozen
class _Graded:
    """A row of a samples file: its task, what is read of it, and all of its members."""

    task: str
    row: _Row
    members: Mapping[str, Any]


def recognises(files: Mapping[str, bytes]) -> bool:
    """Whether there is a results file of lm-eval among these files."""
    return any(b'"lm_eval_version"' in data and b'"n-samples"' in data for data in files.values())


def read(files: Mapping[str, bytes], *, scorer: str | None = None) -> ForeignLog:
    """Reads one run.

    Args:
        files: the results file, and the samples file of each task.
        scorer: metric and filter, where samples have several.

    Raises:
        InvalidError: AV841 if a file cannot be read, AV842 if one scorer must be named.
    """
    name, results = _results(files)
    graded = [row for other, data in files.items() if other != name for row in _rows(other, data)]
    scorers = sorted({f"{key},{one.row.filter}" for one in graded for key in one.row.metrics})
    chosen = the_one(scorers, scorer, place=name, what="metric under one filter")
    metric, _, filter_ = chosen.partition(",")
    counted = [one for one in graded if one.row.filter == filter_ and metric in one.members]
    better = {results.higher_is_better.get(one.task, {}).get(metric) for one in counted}
    if False in better:
        raise _no_grade(name, chosen)
    return ForeignLog(
        tool="lm-eval",
        version=results.lm_eval_version,
        task=", ".join(sorted(results.results)),
        scorer=chosen,
        started_at=timestamp(results.date, name=name, where="date"),
        finished_at=timestamp(results.date + max(0.0, results.seconds), name=name, where="date"),
        claims=dict(_claims(results, graded)),
        trials=tuple(_trial(one, metric) for one in counted),
        problems=(*_problems(results, counted), *_disagreements(results, counted, chosen)),
    )


def _results(files: Mapping[str, bytes]) -> tuple[str, _Results]:
    found = [name for name, data in files.items() if b'"lm_eval_version"' in data]
    if len(found) != 1:
        names = ", ".join(files)
        raise malformed(
            names, "one run has one results file", expected="one", found=str(len(found))
        )
    (name,) = found
    return name, read_as(_Results, parse_json(files[name], name=name), name=name)


def _rows(name: str, data: bytes) -> Iterator[_Graded]:
    match = _SAMPLES.fullmatch(name)
    if match is None:
        expected = "samples_TASK_DATE.jsonl, as lm-eval names it"
        raise malformed(name, "not a samples file", expected=expected, found=name)
    seen: set[tuple[int, str]] = set()
    for number, line in enumerate(data.splitlines(), 1):
        place = f"{name}:{number}"
        value = parse_json(line, name=place)
        row = read_as(_Row, value, name=place)
        if (row.doc_id, row.filter) in seen:
            found = f"doc_id {row.doc_id}, filter {row.filter}"
            raise malformed(place, "a sample stands there twice", expected="once", found=found)
        seen.add((row.doc_id, row.filter))
        yield _Graded(match["task"], row, value)


def _no_grade(name: str, scorer: str) -> InvalidError:
    return InvalidError(
        f"{scorer} is no grade: of it less is better",
        rule="AV842",
        place=f"{name}: higher_is_better",
        expected="a metric of which 1 is full marks",
        found=scorer,
        next_step="name another scorer with --scorer",
    )


def _trial(one: _Graded, metric: str) -> ForeignTrial:
    value = one.members[metric]
    number = as_number(value)
    return ForeignTrial(
        fixture=f"{one.task}/{one.row.doc_id}",
        repetition=1,
        passed=None if number is None else number == 1,
        grade=str(value),
        turns=_turns(one.row),
    )


def _turns(row: _Row) -> tuple[ForeignTurn, ...]:
    """The one text that was generated; several are repetitions, and none were likelihoods."""
    texts = row.resps[0] if row.resps and isinstance(row.resps[0], list) else []
    if len(row.resps) != 1 or len(texts) != 1 or not isinstance(texts[0], str):
        return ()
    return (ForeignTurn(texts[0], 0, 0, "stop"),)


def _claims(results: _Results, graded: list[_Graded]) -> Iterator[tuple[str, Claim]]:
    model = results.model_name or _argument(results.config.model_args)
    if model is not None:
        yield "model.name", Claim("asserted", model, "model_name")
    yield "engine.name", Claim("asserted", results.config.model, "config.model")
    if results.system_instruction is not None:
        digest = sha256_hex(results.system_instruction.encode("utf-8"))
        yield "prompt.system_sha256", Claim("attested", digest, "system_instruction")
    documents = sum(counts.original for counts in results.samples.values())
    if documents:
        yield "corpus.fixtures", Claim("asserted", documents, "n-samples")
    generated = [_generation(one.row) for one in graded]
    for key, member in (
        ("sampling.temperature", "temperature"),
        ("sampling.max_tokens", "max_gen_toks"),
    ):
        values = {_scalar(member, one.get(member)) for one in generated}
        if len(values) == 1 and None not in values:
            where = f"arguments.gen_args_0.arg_1.{member}"
            yield key, Claim("asserted", values.pop(), where)


def _argument(arguments: str | dict[str, Any] | None) -> str | None:
    """The model among a backend's arguments, which are text or members."""
    if isinstance(arguments, str):
        pairs = (part.partition("=") for part in arguments.split(","))
        arguments = {key.strip(): value for key, _, value in pairs}
    named = (arguments or {}).get("pretrained") or (arguments or {}).get("model")
    return named if isinstance(named, str) else None


def _generation(row: _Row) -> dict[str, Any]:
    first = row.arguments.get("gen_args_0") if isinstance(row.arguments, dict) else None
    settings = first.get("arg_1") if isinstance(first, dict) else None
    return settings if isinstance(settings, dict) else {}


def _scalar(member: str, value: Any) -> str | int | None:
    if member == "temperature":
        return decimal_text(value) if isinstance(value, (int, float)) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _problems(results: _Results, counted: list[_Graded]) -> Iterator[Problem]:
    if results.config.limit is not None:
        found = f"{results.config.limit:g}"
        message = "a part of the task was run"
        yield Problem("limited", message, "config.limit", "no limit", found)
    told = results.system_instruction_sha
    if results.system_instruction is not None and told is not None:
        again = sha256_hex(results.system_instruction.encode("utf-8"))
        if told != again:
            message = "the system prompt is not the one whose digest stands there"
            yield Problem("edited", message, "system_instruction_sha", again, told)
    for task in sorted(results.results):
        counts = results.samples.get(task)
        graded = sum(one.task == task for one in counted)
        wanted = counts.original if counts else None
        if graded != wanted:
            message = "samples of the task are missing"
            told = "the size of the task" if wanted is None else f"{wanted} samples"
            yield Problem("limited", message, f"n-samples.{task}", told, f"{graded}")


def _disagreements(results: _Results, counted: list[_Graded], scorer: str) -> Iterator[Problem]:
    metric = scorer.partition(",")[0]
    for task, summary in sorted(results.results.items()):
        graded = [one for one in counted if one.task == task]
        numbers = [as_number(one.members[metric]) for one in graded]
        for one, number in zip(graded, numbers, strict=True):
            if number is None:
                where, found = f"{task}/{one.row.doc_id}", str(one.members[metric])[:80]
                yield Problem("unmeasured", "a sample has no grade", where, "a number", found)
        if not numbers or None in numbers:
            continue
        again = sum(filter(None, numbers)) / len(numbers)
        told = summary.get(scorer)
        claimed = as_number(told)
        if claimed is None or not isclose(again, claimed, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE):
            message = "the log's summary is not what its grades give"
            where, found = f"results.{task}.{scorer}", str(told)[:80]
            yield Problem("disagrees", message, where, f"{again:.6g}", found)

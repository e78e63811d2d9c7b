"""BFCL's result and score files, version 4: one category of one model.

A score file names the entries that failed; the others of the result file passed. BFCL counts a
request that broke as a wrong answer, which is told apart here. Its files do not say when they
were written: such evidence is as old as can be.
"""

from __future__ import annotations

import re
from math import isclose
from typing import TYPE_CHECKING, Any

from pydantic import Field

from abverify.evidence.foreign.document import (
    MAX_BYTES,
    Foreign,
    malformed,
    parse_json,
    read_as,
    the_one,
)
from abverify.evidence.foreign.log import Claim, ForeignLog, ForeignTrial, ForeignTurn, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FILE = re.compile(r"(?:.*/)?(?:[0-9]+-)?BFCL_v4_(?P<category>\w+)_(?P<kind>result|score)\.json")
_BROKEN = "Error during inference:"
_TOLERANCE = 1e-9
_NEVER_TOLD = "1970-01-01T00:00:00Z"
_ENTRIES = {
    "irrelevance": 240,
    "live_irrelevance": 884,
    "live_multiple": 1053,
    "live_parallel": 16,
    "live_parallel_multiple": 24,
    "live_relevance": 16,
    "live_simple": 258,
    "multi_turn_base": 200,
    "multi_turn_long_context": 200,
    "multi_turn_miss_func": 200,
    "multi_turn_miss_param": 200,
    "multiple": 200,
    "parallel": 200,
    "parallel_multiple": 200,
    "simple_java": 100,
    "simple_javascript": 50,
    "simple_python": 400,
}
"""Entries of each category, as bfcl-eval 2026.3.23 brings them."""


class _Result(Foreign):
    id: str
    result: Any
    prompt_tokens: Any = Field(default=0, alias="input_token_count")
    completion_tokens: Any = Field(default=0, alias="output_token_count")


class _Summary(Foreign):
    accuracy: float
    correct: int = Field(alias="correct_count")
    total: int = Field(alias="total_count")


class _Failed(Foreign):
    id: str
    valid: bool = False
    model_name: str | None = None


def recognises(files: Mapping[str, bytes]) -> bool:
    """Whether all files are named as BFCL names its results and scores."""
    return bool(files) and all(_FILE.fullmatch(name) for name in files)


def read(files: Mapping[str, bytes], *, scorer: str | None = None) -> ForeignLog:
    """Reads one category.

    Args:
        files: its result file and its score file.
        scorer: the category, where there are several.

    Raises:
        InvalidError: AV841 if a file cannot be read or is missing, AV842 for several categories.
    """
    categories = sorted({_parts(name)["category"] for name in files})
    category = the_one(categories, scorer, place=", ".join(files), what="category")
    named = {_kind(name): name for name in files if _parts(name)["category"] == category}
    if set(named) != {"result", "score"}:
        found = ", ".join(sorted(named)) or "none"
        where = ", ".join(files)
        what = "a category is its result and its score"
        raise malformed(where, what, expected="both files", found=found)
    results = list(_results(named["result"], files[named["result"]]))
    summary, failed = _scores(named["score"], files[named["score"]])
    trials = tuple(_trial(result, failed) for result in results)
    return ForeignLog(
        tool="bfcl",
        version="4",
        task=category,
        scorer=f"bfcl {category}",
        started_at=_NEVER_TOLD,
        finished_at=_NEVER_TOLD,
        claims=dict(_claims(category, failed)),
        trials=trials,
        problems=tuple(_problems(category, summary, failed, trials)),
    )


def _parts(name: str) -> re.Match[str]:
    match = _FILE.fullmatch(name)
    if match is None:
        expected = "BFCL_v4_CATEGORY_result.json and BFCL_v4_CATEGORY_score.json"
        raise malformed(name, "not a file of BFCL", expected=expected, found=name)
    return match


def _kind(name: str) -> str:
    return _parts(name)["kind"]


def _lines(name: str, data: bytes) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(data.splitlines(), 1):
        if line.strip():
            yield f"{name}:{number}", parse_json(line, name=f"{name}:{number}")


def _results(name: str, data: bytes) -> Iterator[_Result]:
    seen: set[str] = set()
    for place, value in _lines(name, data):
        result = read_as(_Result, value, name=place)
        if result.id in seen:
            raise malformed(place, "an entry stands there twice", expected="once", found=result.id)
        seen.add(result.id)
        yield result


def _scores(name: str, data: bytes) -> tuple[_Summary, dict[str, _Failed]]:
    lines = list(_lines(name, data))
    if not lines:
        raise malformed(name, "an empty score file", expected="a summary", found="nothing")
    summary = read_as(_Summary, lines[0][1], name=lines[0][0])
    failed = [read_as(_Failed, value, name=place) for place, value in lines[1:]]
    return summary, {one.id: one for one in failed}


def _trial(result: _Result, failed: Mapping[str, _Failed]) -> ForeignTrial:
    broken = isinstance(result.result, str) and result.result.startswith(_BROKEN)
    passed = result.id not in failed
    return ForeignTrial(
        fixture=result.id,
        repetition=1,
        passed=None if broken else passed,
        grade="broken" if broken else "valid" if passed else "invalid",
        turns=() if broken else tuple(_turns(result)),
    )


def _turns(result: _Result) -> Iterator[ForeignTurn]:
    """The completions: one text, or of a conversation the texts of each of its turns."""
    if isinstance(result.result, str):
        tokens = (result.prompt_tokens, result.completion_tokens)
        counted = [n if type(n) is int and 0 <= n <= MAX_BYTES else 0 for n in tokens]
        yield ForeignTurn(result.result, counted[0], counted[1], "stop")
        return
    for turn in result.result if isinstance(result.result, list) else ():
        for text in turn if isinstance(turn, list) else ():
            if isinstance(text, str):
                yield ForeignTurn(text, 0, 0, "stop")


def _claims(category: str, failed: Mapping[str, _Failed]) -> Iterator[tuple[str, Claim]]:
    names = {one.model_name for one in failed.values()}
    if len(names) == 1 and (name := names.pop()) is not None:
        yield "model.name", Claim("asserted", name, "score: model_name")
    if category in _ENTRIES:
        where = "entries of the category in bfcl-eval 2026.3.23"
        yield "corpus.fixtures", Claim("asserted", _ENTRIES[category], where)


def _problems(
    category: str,
    summary: _Summary,
    failed: Mapping[str, _Failed],
    trials: tuple[ForeignTrial, ...],
) -> Iterator[Problem]:
    wanted, ran = _ENTRIES.get(category), len(trials)
    if wanted != ran:
        told = f"{wanted} entries" if wanted else "a category whose size is known"
        yield Problem("limited", "a part of the category was run", "result", told, f"{ran}")
    for trial in trials:
        if trial.passed is None:
            where = f"result: {trial.fixture}"
            yield Problem("errored", "a request broke", where, "an answer", "an error")
    strangers = sorted(set(failed) - {trial.fixture for trial in trials})
    if strangers:
        message = "a score of an entry without a result"
        yield Problem("disagrees", message, f"score: {strangers[0]}", "a result", "none")
    passes = ran - sum(trial.fixture in failed for trial in trials)
    exact = (summary.correct, summary.total) == (passes, ran)
    if not exact or not isclose(summary.accuracy * ran, passes, abs_tol=_TOLERANCE):
        message = "the score's summary is not what its entries give"
        found = f"{summary.correct} of {summary.total}, accuracy {summary.accuracy:g}"
        yield Problem("disagrees", message, "score", f"{passes} of {ran}", found)

"""Inspect AI's logs, `.eval` and `.json`, format 1 and 2."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from math import isclose
from typing import TYPE_CHECKING, Any

from abverify._canonical import sha256_hex
from abverify.errors import IndeterminateError
from abverify.evidence.foreign.document import (
    MAX_BYTES,
    as_number,
    decimal_text,
    malformed,
    parse_json,
    read_as,
    the_one,
    timestamp,
)
from abverify.evidence.foreign.inspect_format import Header, Message, Sample, Usage
from abverify.evidence.foreign.log import Claim, ForeignLog, ForeignTrial, ForeignTurn, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from abverify.evidence.rows import FinishReason

_FORMATS = (1, 2)
_FINISHED: dict[str, FinishReason] = {"max_tokens": "length", "model_length": "context"}
_GRADES: dict[str, float] = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
_TOLERANCE = 1e-9


def recognises(files: Mapping[str, bytes]) -> bool:
    """Whether this is one log of Inspect: a zip, or JSON that begins as its logs do."""
    (data,) = files.values() if len(files) == 1 else (b"",)
    begin = data[:4096]
    return data[:4] == b"PK\x03\x04" or (b'"status"' in begin and b'"eval"' in begin)


def read(files: Mapping[str, bytes], *, scorer: str | None = None) -> ForeignLog:
    """Reads a log.

    Args:
        files: the one file.
        scorer: which scorer's grades count; needed only where there are several.

    Raises:
        InvalidError: AV841 if the log cannot be read, AV842 if it has not one scorer of that name.
        IndeterminateError: AV846 if the log is packed in a way that nothing here can unpack.
    """
    if len(files) != 1:
        names = ", ".join(files)
        raise malformed(names, "one file is one run", expected="one file", found=str(len(files)))
    ((name, data),) = files.items()
    header, raw = _parts(data, name)
    head = read_as(Header, header, name=name)
    if head.version not in _FORMATS:
        raise malformed(
            f"{name}: version", "another format of Inspect's logs",
            expected=" or ".join(map(str, _FORMATS)), found=str(head.version),
        )  # fmt: skip
    samples = [read_as(Sample, item, name=f"{name}: {where}") for where, item in raw]
    scorers = list(dict.fromkeys(key for one in samples for key in one.scores or {}))
    chosen = the_one(scorers, scorer, place=name, what="scorer")
    _refuse_twice(samples, name)
    trials = tuple(_trial(sample, chosen) for sample in samples)
    return ForeignLog(
        tool="inspect",
        version=head.eval.packages.get("inspect_ai"),
        task=head.eval.task,
        scorer=chosen,
        started_at=timestamp(
            head.stats.started_at or head.eval.created, name=name, where="stats.started_at"
        ),
        finished_at=timestamp(
            head.stats.completed_at or head.eval.created, name=name, where="stats.completed_at"
        ),
        claims=dict(_claims(head, samples)),
        trials=trials,
        problems=(*_run_problems(head, samples), *_disagreements(head, samples, chosen)),
    )


def _parts(data: bytes, name: str) -> tuple[Any, list[tuple[str, Any]]]:
    """The header, and every sample with its place."""
    if data[:2] == b"PK":
        return _unzipped(data, name)
    value = parse_json(data, name=name)
    if not isinstance(value, dict):
        raise malformed(name, "not a log of Inspect", expected="an object", found="another value")
    samples = value.get("samples") or []
    if not isinstance(samples, list):
        raise malformed(f"{name}: samples", "no samples", expected="a list", found="another value")
    return value, [(f"samples.{number}", item) for number, item in enumerate(samples)]


def _unzipped(data: bytes, name: str) -> tuple[Any, list[tuple[str, Any]]]:
    """An `.eval` file: a zip of JSON files, which newer versions of Inspect pack with zstd."""
    zipped, damage = _zip_library(name)
    try:
        with zipped.ZipFile(io.BytesIO(data)) as archive:
            sizes = {item.filename: item.file_size for item in archive.infolist()}
            wanted = sorted(n for n in sizes if n.startswith("samples/") and n.endswith(".json"))
            if "header.json" not in sizes:
                raise malformed(name, "the run never ended", expected="header.json", found="none")
            if sum(sizes.values()) > MAX_BYTES or len(sizes) != len(archive.infolist()):
                most, found = f"at most {MAX_BYTES} bytes", f"{sum(sizes.values())} bytes"
                what = "the log is too large, or holds a file twice"
                raise malformed(name, what, expected=most, found=found)
            texts = {
                member: _bounded(archive.open(member), sizes[member], f"{name}!{member}")
                for member in ("header.json", *wanted)
            }
    except damage as error:
        found = " ".join(str(error).split())[:200]
        what = "the log cannot be unpacked"
        raise malformed(name, what, expected="an .eval file", found=found) from None
    parsed = {member: parse_json(text, name=f"{name}!{member}") for member, text in texts.items()}
    return parsed["header.json"], [(member, parsed[member]) for member in wanted]


def _zip_library(name: str) -> tuple[Any, tuple[type[Exception], ...]]:
    """A zipfile module that knows zstd, and what it raises for damaged archives."""
    try:
        if sys.version_info >= (3, 14):
            import zipfile

            from compression.zstd import ZstdError
        else:
            from backports.zstd import ZstdError, zipfile
    except ImportError:
        raise IndeterminateError(
            "an .eval log needs a library that unpacks zstd",
            rule="AV846",
            place=name,
            expected="the package backports.zstd",
            found="none",
            next_step="pip install 'abverify[import]', or: inspect log convert --to json",
        ) from None
    broken = (zipfile.BadZipFile, ZstdError, zlib.error, EOFError, OSError)
    return zipfile, (*broken, NotImplementedError, RuntimeError, ValueError, struct.error)


def _bounded(stream: Any, size: int, name: str) -> bytes:
    """A member of a zip, which must not be larger than its entry says."""
    with stream:
        data: bytes = stream.read(size + 1)
    if len(data) != size:
        raise malformed(name, "a member lies about its size", expected=f"{size}", found="another")
    return data


def _refuse_twice(samples: list[Sample], name: str) -> None:
    """A sample that stands there twice could count twice, or by the better of its grades."""
    seen: set[tuple[str, int]] = set()
    for sample in samples:
        key = (str(sample.id), sample.epoch)
        if key in seen:
            where = f"{name}: sample {sample.id} epoch {sample.epoch}"
            raise malformed(where, "a sample stands there twice", expected="once", found="twice")
        seen.add(key)


def _trial(sample: Sample, scorer: str) -> ForeignTrial:
    score = (sample.scores or {}).get(scorer)
    value = _number(score.value) if score else None
    broken = sample.error is not None
    return ForeignTrial(
        fixture=str(sample.id),
        repetition=sample.epoch,
        passed=None if value is None or broken else value == 1,
        grade="none" if score is None else str(score.value),
        turns=tuple(_turns(sample)),
    )


def _number(value: Any) -> float | None:
    """A grade as a number, as Inspect's own `value_to_float` reads it."""
    return _GRADES.get(value) if isinstance(value, str) else as_number(value)


def _turns(sample: Sample) -> Iterator[ForeignTurn]:
    """The model's messages; the tokens are told for the last completion alone."""
    said = [_text(m, sample) for m in sample.messages if m.role == "assistant"]
    usage = sample.output.usage or Usage()
    reason = sample.output.choices[0].stop_reason if sample.output.choices else "stop"
    for number, raw in enumerate(said, 1):
        last = number == len(said)
        yield ForeignTurn(
            raw=raw,
            prompt_tokens=max(0, usage.input_tokens) if last else 0,
            completion_tokens=max(0, usage.output_tokens) if last else 0,
            finish_reason=_FINISHED.get(reason, "stop") if last else "stop",
        )


def _text(message: Message, sample: Sample) -> str:
    """A message's text, with what the log keeps elsewhere put back."""
    parts = message.content if isinstance(message.content, list) else [message.content]
    texts = (part.get("text", "") if isinstance(part, dict) else part for part in parts)
    whole = "".join(text for text in texts if isinstance(text, str))
    reference = whole.removeprefix("attachment://")
    return sample.attachments.get(reference, whole) if reference != whole else whole


def _claims(head: Header, samples: list[Sample]) -> Iterator[tuple[str, Claim]]:
    spec, generate, config = head.eval, head.eval.model_generate_config, head.eval.config
    asserted = {
        "model.name": (spec.model, "eval.model"),
        "sampling.temperature": (decimal_text(generate.temperature), "temperature"),
        "sampling.top_p": (decimal_text(generate.top_p), "top_p"),
        "sampling.top_k": (generate.top_k, "top_k"),
        "sampling.max_tokens": (generate.max_tokens, "max_tokens"),
        "budgets.max_turns": (config.turn_limit, "eval.config.turn_limit"),
        "budgets.max_tokens_total": (config.token_limit, "eval.config.token_limit"),
        "budgets.wall_seconds": (config.time_limit, "eval.config.time_limit"),
        "corpus.fixtures": (spec.dataset.samples, "eval.dataset.samples"),
    }
    for key, (value, where) in asserted.items():
        if value is not None:
            place = where if "." in where else f"eval.model_generate_config.{where}"
            yield key, Claim("asserted", value, place)
    system = {_text(m, s) for s in samples for m in s.messages[:1] if m.role == "system"}
    if len(system) == 1 and all(s.messages and s.messages[0].role == "system" for s in samples):
        digest = sha256_hex(system.pop().encode("utf-8"))
        yield "prompt.system_sha256", Claim("attested", digest, "samples.*.messages.0")


def _run_problems(head: Header, samples: list[Sample]) -> Iterator[Problem]:
    config, data = head.eval.config, head.eval.dataset
    if head.status != "success":
        yield Problem("errored", "the run did not end well", "status", "success", head.status)
    if head.invalidated:
        yield Problem("edited", "the run was declared invalid", "invalidated", "false", "true")
    if head.log_updates:
        yield Problem("edited", "the log was edited", "log_updates", "none", "some")
    if config.limit is not None or config.sample_id is not None:
        limit = config.limit if config.limit is not None else config.sample_id
        yield Problem(
            "limited", "a part of the task was run", "eval.config", "no limit", str(limit)
        )
    if head.results and head.results.early_stopping:
        yield Problem("limited", "the run stopped early", "results.early_stopping", "none", "some")
    planned = len(data.sample_ids or ()) * (config.epochs or 1)
    if planned and len(samples) != planned:
        yield Problem(
            "limited", "samples are missing", "samples", f"{planned} samples", f"{len(samples)}"
        )
    for sample in samples:
        yield from _sample_problems(sample)


def _sample_problems(sample: Sample) -> Iterator[Problem]:
    where = f"sample {sample.id} epoch {sample.epoch}"
    if sample.error is not None:
        yield Problem("errored", "a sample broke", where, "no error", "an error")
    elif sample.limit is not None:
        found = f"{sample.limit.type} limit"
        yield Problem("limited", "a sample was cut off by a limit", where, "no limit", found)
    elif not sample.scores:
        yield Problem("unmeasured", "a sample has no grade", where, "a grade", "none")
    if sample.error_retries:
        yield Problem("errored", "a sample was run again", where, "one run", "retries")
    if sample.invalidation is not None:
        yield Problem("edited", "a sample was declared invalid", where, "valid", "invalidated")
    for scorer, score in (sample.scores or {}).items():
        if score.history:
            yield Problem(
                "edited", "a grade was changed", f"{where}: {scorer}", "as given", "edited"
            )


def _disagreements(head: Header, samples: list[Sample], scorer: str) -> Iterator[Problem]:
    """The mean that the log claims against the one that its grades give."""
    by_id: dict[str, list[float]] = {}
    for sample in samples:
        score = (sample.scores or {}).get(scorer)
        number = _number(score.value) if score else None
        if number is not None:
            by_id.setdefault(str(sample.id), []).append(number)
    means = [sum(grades) / len(grades) for grades in by_id.values()]
    for summary in head.results.scores if head.results else ():
        accuracy = summary.metrics.get("accuracy") or summary.metrics.get("mean")
        counts = summary.name == scorer and summary.reducer in (None, "mean")
        if not counts or accuracy is None or accuracy.value is None or not means:
            continue
        again = sum(means) / len(means)
        if not isclose(again, accuracy.value, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE):
            yield Problem(
                "disagrees",
                "the log's summary is not what its grades give",
                f"results.scores.{scorer}",
                f"{again:.6g}",
                f"{accuracy.value:.6g}",
            )

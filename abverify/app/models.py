"""Model identity: what a file or a gate's model is, and what two of them share."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.app.model_sides import open_side
from abverify.app.reasons import error_reasons
from abverify.bench.tensor_diff import compare_tensors
from abverify.errors import InvalidError
from abverify.model.model_diff import compare_models
from abverify.model.model_report import ModelDiffReport, ModelReport
from abverify.model.report import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abverify.app.model_sides import OpenedSide, Reading
    from abverify.model.model_diff import ModelSide, TensorDifference


@frozen
class DiffRequest:
    """What to compare.

    Attributes:
        a: FILE, FILE+ADAPTER or GATE.
        b: another one.
        expect_only: the only key that may differ, or null.
    """

    a: str
    b: str
    expect_only: str | None = None


def inspect_model(target: str, reading: Reading) -> ModelReport:
    """Reads what a file is, or what a gate's model is declared to be and is.

    Raises:
        AbverifyError: AV510 to AV512, AV516 and AV553 for the files, AV110 and AV111 for the gate.
    """
    opened = open_side(target, reading)
    contradictions = tuple(_contradictions(opened.side))
    missing = (reason for error in opened.missing for reason in error_reasons(error, "not-here"))
    return ModelReport(opened.side, (*contradictions, *missing, *_cache_notes(opened.side)))


def diff_models(request: DiffRequest, reading: Reading) -> ModelDiffReport:
    """Compares two models in everything that can tell them apart.

    Raises:
        AbverifyError: as `inspect_model`; AV553 for a model and an adapter.
    """
    a, b = open_side(request.a, reading), open_side(request.b, reading)
    _require_one_kind(a.side, b.side)
    tensors = _compare_bytes(a, b, reading)
    notes = [note for one in (a, b) for note in (*_missing(one), *_cache_notes(one.side))]
    return ModelDiffReport(
        a.side,
        b.side,
        compare_models(a.side, b.side, tensors),
        request.expect_only,
        tuple(dict.fromkeys(notes)),
    )


def _missing(opened: OpenedSide) -> Iterator[Reason]:
    for error in opened.missing:
        for reason in error_reasons(error, "not-here"):
            yield replace(reason, severity="warning")


def _compare_bytes(a: OpenedSide, b: OpenedSide, reading: Reading) -> TensorDifference | None:
    """Compares two different files whose tensors have the same names and shapes."""
    ours, theirs = a.side.facts, b.side.facts
    if not (ours and theirs and a.path and b.path) or ours.sha256 == theirs.sha256:
        return None
    if ours.shapes != theirs.shapes:
        return None
    return compare_tensors(a.path, b.path, watch=reading.watcher("comparing tensors"))


def _require_one_kind(a: ModelSide, b: ModelSide) -> None:
    if a.facts and b.facts and a.facts.kind != b.facts.kind:
        raise InvalidError(
            "a model and an adapter have nothing in common to compare",
            rule="AV553",
            place=f"{a.label}, {b.label}",
            expected="two models or two adapters",
            found=f"{a.facts.kind}, {b.facts.kind}",
            next_step="name the adapter with its base: abverify model diff BASE BASE+ADAPTER",
        )


def _contradictions(side: ModelSide) -> Iterator[Reason]:
    """Where the file is not what the contract describes."""
    if side.facts is None or side.declared is None:
        return
    for name, wanted in side.declared.describe.to_json().items():
        found = getattr(side.facts, name)
        if wanted is not None and wanted != found:
            yield Reason(
                "contradicted",
                "AV531",
                "error",
                f"the file's {name} is not the described one",
                side.facts.file,
                wanted,
                str(found),
                "mend the contract's description, or fetch the model it names",
            )


def _cache_notes(side: ModelSide) -> Iterator[Reason]:
    files = [side.facts, side.adapter.facts if side.adapter else None]
    for facts in files:
        if facts is not None and facts.from_cache:
            yield Reason(
                "cached-digest",
                "AV554",
                "note",
                "hash from cache; --paranoid reads the bytes again",
                place=facts.file,
            )

"""What is only declared is compared as declared, and what nobody knows is never the same."""

from __future__ import annotations

import pytest

from abverify.model.identity import ModelDescription, ModelSection, Weights
from abverify.model.model_diff import (
    KEYS,
    AdapterSide,
    Comparison,
    ModelSide,
    compare_models,
)
from abverify.model.model_report import ModelDiffReport

DIGEST, OTHER = "a" * 64, "b" * 64


def side(
    *, sha256: str | None = None, adapter: AdapterSide | None = None, **described: str
) -> ModelSide:
    model = ModelSection(
        name="Tiny",
        weights=Weights(file="m.gguf", sha256=sha256),
        describe=ModelDescription(**described),
        adapter=None,
        source="m.gguf",
    )
    return ModelSide("gate", None, model, adapter)


def line(key: str, a: ModelSide, b: ModelSide) -> Comparison:
    lines = compare_models(a, b, None)
    assert tuple(one.key for one in lines) == KEYS
    (found,) = (one for one in lines if one.key == key)
    return found


@pytest.mark.parametrize(
    ("a", "b", "relation"),
    [
        (side(sha256=DIGEST), side(sha256=DIGEST), "same"),
        (side(sha256=DIGEST), side(sha256=OTHER), "differs"),
        (side(sha256=DIGEST), side(), "unknown"),
        (side(), side(), "unknown"),
        (side(finetune="Coder"), side(finetune="Coder"), "unknown"),
        (side(finetune="Coder"), side(finetune="Instruct"), "differs"),
        (side(finetune="Coder"), side(), "unknown"),
    ],
    ids=["one pin", "two pins", "half", "none", "one name", "two names", "half a name"],
)
def test_weights_are_the_same_by_their_pin_alone(a: ModelSide, b: ModelSide, relation: str) -> None:
    assert line("weights", a, b).relation == relation


@pytest.mark.parametrize("key", ["hyperparameters", "shapes", "tokenizer", "template"])
def test_what_only_a_file_tells_is_unknown_without_it(key: str) -> None:
    a = b = side(sha256=DIGEST, architecture="llama")
    found = line(key, a, b)
    assert (found.relation, found.basis) == ("unknown", "none")


@pytest.mark.parametrize(
    ("a", "b", "relation"),
    [
        (None, None, "same"),
        (AdapterSide("x", DIGEST, None), None, "differs"),
        (AdapterSide("x", None, None), None, "differs"),
        (AdapterSide("x", DIGEST, None), AdapterSide("y", DIGEST, None), "same"),
        (AdapterSide("x", DIGEST, None), AdapterSide("x", OTHER, None), "differs"),
        (AdapterSide("x", None, None), AdapterSide("x", None, None), "unknown"),
        (AdapterSide("x", DIGEST, None), AdapterSide("x", DIGEST, None, "0.5"), "differs"),
    ],
)
def test_adapters_are_compared_by_digest_and_scale(
    a: AdapterSide | None, b: AdapterSide | None, relation: str
) -> None:
    assert line("adapter", side(adapter=a), side(adapter=b)).relation == relation


def test_nothing_stated_is_nothing_shared() -> None:
    report = ModelDiffReport(side(), side(), compare_models(side(), side(), None))
    assert (report.verdict, report.exit_code) == ("cannot-evaluate", 3)
    assert set(report.unknown) == set(KEYS) - {"adapter"}
    assert report.conclusion[0] == "as declared: same as far as known: adapter"


def test_an_adapter_over_unknown_weights_is_no_clean_comparison() -> None:
    a, b = side(), side(adapter=AdapterSide("x", DIGEST, None))
    report = ModelDiffReport(a, b, compare_models(a, b, None))
    assert report.conclusion[0] == "as declared: differs in adapter, same in nothing"

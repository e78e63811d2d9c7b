"""The package as its callers meet it: names, frozen answers, light imports."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import FrozenInstanceError, fields, is_dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from abverify.verify import stats


def test_every_answer_is_a_frozen_value_or_a_float() -> None:
    tests: list[
        stats.FisherTest | stats.BoschlooTest | stats.PermutationTest | stats.LogrankTest
    ] = [
        stats.fisher_exact([[1, 2], [3, 4]]),
        stats.boschloo(1, 2, 1, 2),
        stats.stratified_exact_permutation([(1, 2, 1, 2)]),
        stats.logrank([1, 2, 3], [1, 1, 1], [0, 1, 0]),
    ]
    values = [*tests, stats.wilson(1, 2), stats.kaplan_meier([1], [1])]
    for value in values:
        assert is_dataclass(value)
        assert not hasattr(value, "__dict__")
        with pytest.raises(FrozenInstanceError):
            setattr(value, fields(value)[0].name, 0.0)
    assert [float(test) for test in tests] == [test.p_value for test in tests]
    assert type(stats.mcnemar_exact(1, 7)) is float
    assert type(stats.pass_at_k(5, 1, 2)) is float


def test_every_public_function_says_what_it_raises_and_where_it_comes_from() -> None:
    functions = [getattr(stats, name) for name in stats.__all__ if name.islower()]
    own = {"required_count", "threshold_decision", "curtailed_expected_n"} | {
        "exact_power_control_zero",
        "min_discordant",
        "stratified_power_control_zero",
    }

    assert len(functions) >= 25
    for function in functions:
        assert "Raises:\n        ValueError:" in function.__doc__, function
        assert "Args:" in function.__doc__, function
        assert function.__name__ in own or "Source: " in function.__doc__, function


def test_the_reference_names_every_field_of_every_answer() -> None:
    text = (Path(__file__).parents[4] / "docs" / "reference" / "statistics.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (`.*`) \|", text, re.MULTILINE))

    for name in (name for name in stats.__all__ if is_dataclass(getattr(stats, name))):
        told = re.findall(r"`(\w+)`", rows[name])
        assert told == [field.name for field in fields(getattr(stats, name))], name


def test_the_reference_names_every_function_and_its_examples_are_true() -> None:
    text = (Path(__file__).parents[4] / "docs" / "reference" / "statistics.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    values: dict[str, Any] = {}
    exec(example, values)  # noqa: S102 (our own document)

    assert [name for name in stats.__all__ if name.islower() and f"`{name}(" not in text] == []
    assert (values["low"], round(values["high"], 3)) == (0.0, 0.168)
    assert (values["test"].exact, values["test"].informative) == (Fraction(1, 343000), 3)


def test_importing_and_counting_need_neither_scipy_nor_numpy() -> None:
    code = (
        "import sys; from abverify.verify import stats;"
        "stats.mcnemar_exact(1, 7); stats.stratified_exact_permutation([(4, 4, 0, 4)]);"
        "stats.tango_paired_diff([[1, 1], [7, 12]]); stats.boschloo(4, 20, 0, 20);"
        "print(sorted({'scipy', 'numpy'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"

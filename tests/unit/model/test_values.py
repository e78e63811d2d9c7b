from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from abverify.model.value import (
    DecimalText,
    Identifier,
    RelativePath,
    Sha256,
    Timestamp,
    Value,
    Version,
    exact,
    normal_decimal,
    version_key,
)


class Sample(Value):
    decimal: DecimalText = "0"
    path: RelativePath = "a"
    sha256: Sha256 = "0" * 64
    identifier: Identifier = "a"
    version: Version = "0.0.0"
    moment: Timestamp = "2026-01-01T00:00:00Z"
    number: int = 0


def accepts(field: str, value: Any) -> bool:
    try:
        Sample.model_validate_json(json.dumps({field: value}))
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("text", ["0", "1", "0.3", "0.30", "-1", "-0.5", "10.05", "1" * 24])
def test_decimals_are_plain_decimal_texts(text: str) -> None:
    assert accepts("decimal", text)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "+1",
        ".5",
        "1.",
        "01",
        "1e3",
        "NaN",
        "inf",
        "1_000",
        " 1",
        "1 ",
        "1\n",
        "٣",
        "1" * 25,
        0,
        1,
        0.3,
        None,
        True,
    ],
)
def test_other_spellings_and_numbers_are_no_decimal_texts(value: Any) -> None:
    assert not accepts("decimal", value)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("0.30", "0.3"),
        ("1.0", "1"),
        ("-0", "0"),
        ("-0.00", "0"),
        ("100", "100"),
        ("0.05", "0.05"),
        ("-1.50", "-1.5"),
    ],
)
def test_a_decimal_has_one_normal_spelling(text: str, normal: str) -> None:
    assert normal_decimal(text) == normal


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-999, max_value=999))
def test_normalizing_keeps_the_value_and_is_the_same_for_equal_values(number: Any) -> None:
    text = f"{number:f}"

    assert exact(normal_decimal(text)) == exact(text)
    assert (
        normal_decimal(text) == normal_decimal(f"{text}00") == normal_decimal(normal_decimal(text))
    )


def test_decimals_are_exact() -> None:
    assert exact("0.1") + exact("0.2") == exact("0.3") == Fraction(3, 10)
    assert exact(3) == 3


@pytest.mark.parametrize("path", ["a", "a/b.yaml", "fixtures/corpora/small", "_x/y-z/1.0"])
def test_relative_paths_are_made_of_portable_names(path: str) -> None:
    assert accepts("path", path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/a",
        "a/",
        "a//b",
        "./a",
        "../a",
        "a/../b",
        "a/..",
        "a\\b",
        "C:/a",
        "a b",
        ".git/config",
        "a/.b",
        "~/x",
        "-rf",
        "a\n",
        "é",
        "a\x00",
        "nul",
        "a/CON.txt",
        "com1",
        "a.",
        "a/b./c",
        "a" * 241,
    ],
)
def test_paths_that_lead_out_or_that_some_file_system_cannot_hold_are_refused(path: str) -> None:
    assert not accepts("path", path)


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("sha256", ["a" * 64, "0" * 64], ["A" * 64, "a" * 63, "a" * 65, "g" * 64, "a" * 64 + "\n"]),
        ("identifier", ["a", "V1_004", "a.b-c", "x" * 80], ["", "-a", "a b", "é", "x" * 81, "a\n"]),
        (
            "version",
            ["0.0.0", "1.10.0"],
            ["1.0", "1.0.0.0", "01.0.0", "1.0.0-rc1", "v1.0.0", "\u0661.0.0"],
        ),
        (
            "moment",
            ["2026-02-28T23:59:59Z", "2024-02-29T00:00:00Z"],
            [
                "2026-02-29T00:00:00Z",
                "2026-01-01T24:00:00Z",
                "2026-01-01",
                "2026-01-01T00:00:00",
                "2026-01-01T00:00:00+00:00",
                "2026-1-1T00:00:00Z",
                "2026-01-01t00:00:00z",
            ],
        ),
    ],
)
def test_texts_with_a_form_keep_to_it(field: str, good: list[str], bad: list[str]) -> None:
    assert [text for text in good if not accepts(field, text)] == []
    assert [text for text in bad if accepts(field, text)] == []


@pytest.mark.parametrize("value", ["1", 1.0, True, None])
def test_types_are_never_coerced(value: Any) -> None:
    assert not accepts("number", value)


def test_values_are_frozen_and_closed() -> None:
    sample = Sample()

    with pytest.raises(ValidationError):
        sample.number = 2  # type: ignore[misc]
    assert not accepts("unknown", 1)


def test_versions_are_ordered_by_number() -> None:
    versions = ["1.10.0", "1.9.0", "0.99.99", "2.0.0", "1.9.1"]

    assert sorted(versions, key=version_key) == ["0.99.99", "1.9.0", "1.9.1", "1.10.0", "2.0.0"]

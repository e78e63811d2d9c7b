from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from abverify._canonical import (
    canonical_bytes,
    canonical_digest,
    parse_canonical,
    sha256_file,
    sha256_hex,
    tree_digest,
)
from abverify.errors import UntrustedError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_canonical_form_is_sorted_and_has_no_white_space() -> None:
    value = {"b": [1, None, True, "é"], "a": {"z": -1, "y": ""}}

    assert canonical_bytes(value) == '{"a":{"y":"","z":-1},"b":[1,null,true,"é"]}'.encode()


def test_tuples_are_arrays() -> None:
    assert canonical_bytes((1, (2,))) == b"[1,[2]]"


@pytest.mark.parametrize(
    "value",
    [
        0.5,
        1.0,
        float("nan"),
        float("inf"),
        {"a": [0.1]},
        {"é": 1},
        {1: "a"},
        {None: "a"},
        2**53,
        -(2**53),
        b"bytes",
        {1, 2},
        1j,
        "\ud800",
    ],
    ids=repr,
)
def test_what_two_json_libraries_could_write_differently_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical_bytes(value)


def test_the_largest_integers_are_canonical() -> None:
    assert canonical_bytes([2**53 - 1, -(2**53) + 1]) == b"[9007199254740991,-9007199254740991]"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" {}",
        b"{}\n",
        b'{"a": 1}',
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a":1}{"a":1}',
        b"[1.0]",
        b"[1e2]",
        b"[-0]",
        b"[01]",
        b"NaN",
        b"[Infinity]",
        b"[9007199254740992]",
        b'"\\u0041"',
        b'"\\/"',
        b'"\\ud800"',
        b"\xef\xbb\xbf{}",
        b'"\xff"',
        b"\xff\xfe{\x00}\x00",
        '{"é":1}'.encode(),
        b"[" * 100_000,
        b"1" * 5_000,
    ],
    ids=lambda data: repr(data[:24]),
)
def test_bytes_in_any_other_form_are_untrusted_and_the_message_names_the_file(data: bytes) -> None:
    with pytest.raises(UntrustedError) as refusal:
        parse_canonical(data, name="gates/x.json")

    assert refusal.value.rule == "AV401"
    assert str(refusal.value.place) == "gates/x.json"


def test_canonical_bytes_are_read_back_as_their_value() -> None:
    assert parse_canonical(b'{"a":[1,null,"x"]}', name="x") == {"a": [1, None, "x"]}


def test_digests_are_sha256_in_lower_case_hex(tmp_path: Path) -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    file = tmp_path / "file"
    file.write_bytes(b"x" * 3_000_000)

    assert sha256_hex(b"") == empty
    assert canonical_digest({}) == sha256_hex(b"{}")
    assert sha256_file(file) == hashlib.sha256(b"x" * 3_000_000).hexdigest()


def test_a_tree_digest_is_the_digest_of_names_sizes_and_digests_in_order_of_name() -> None:
    ca978 = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    leaves = f'[["a","1","{ca978}"]]'.replace('"1"', "1")

    assert tree_digest({"a": b"a"}) == sha256_hex(leaves.encode())


@pytest.mark.parametrize(
    "other",
    [
        {"a": b"x", "b": b"z"},
        {"a": b"x", "c": b"y"},
        {"a": b"x"},
        {"a": b"x", "b": b"y", "c": b""},
        {"a": b"y", "b": b"x"},
        {"a": b"xy", "b": b""},
    ],
    ids=repr,
)
def test_a_tree_digest_depends_on_every_name_and_content(other: dict[str, bytes]) -> None:
    assert tree_digest(other) != tree_digest({"a": b"x", "b": b"y"})


def test_a_tree_digest_does_not_depend_on_the_order_files_were_found_in() -> None:
    assert tree_digest({"b": b"y", "a": b"x"}) == tree_digest({"a": b"x", "b": b"y"})


@pytest.mark.parametrize(
    "text",
    [
        '{"a":"é"}',
        '{"a":["é","ü"],"b":"{\\"é\\":1}"}',
        '{"a":{"b":",\\"é\\":"}}',
        '{"a\\"b":"é"}',
        '{"a":9007199254740991}',
        '{"a":"12345678901234567890"}',
    ],
)
def test_text_may_hold_whatever_a_key_or_a_number_may_not(text: str) -> None:
    data = text.encode()

    assert canonical_bytes(parse_canonical(data, name="x")) == data


@pytest.mark.parametrize(
    "text",
    [
        '{"é":1}',
        '{"a":1,"é":1}',
        '{"a":{"a\\"é":1}}',
        '{"a":[{"\\\\é":"x"}]}',
        '{"a":9007199254740992}',
        '{"a":"é","b":-9007199254740992}',
    ],
)
def test_a_key_beyond_ascii_or_a_number_beyond_53_bits_is_refused_anywhere(text: str) -> None:
    with pytest.raises(UntrustedError, match="canonical"):
        parse_canonical(text.encode(), name="x")

"""Laws of the two document readers, for whatever comes in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abverify._canonical import canonical_bytes, parse_canonical, tree_digest
from abverify._yaml import Document, read_yaml
from abverify.errors import InvalidError, UntrustedError

# Fragments that YAML gives a meaning to, so that random documents are not only random noise.
FRAGMENTS = st.sampled_from(
    [
        *"{}[]:,-?&*!|>'\"%@`#~\n\t\r \\",
        *(
            "\n  ",
            "\n- ",
            "a: ",
            "key",
            "- ",
            "? ",
            ": ",
            "...",
            "---",
            "<<: ",
            "&a ",
            "*a",
            "!!int ",
        ),
        *(
            "%YAML 1.1\n",
            "%TAG ! x\n",
            "|2-\n",
            ">+\n",
            "\\x",
            "\\u12",
            "\\UFFFFFFFF",
            "0x1F",
            "017",
        ),
        *("é", "\u2028", "\ufeff", "\x00", "\x85", "1", "null", "=", "\\\n", "''", '""', "# c\n"),
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(codec="utf-8"))
)
KEYS = st.text(st.characters(max_codepoint=127))
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=20
)
PLAIN_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"])
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15) + 1, 10**15 - 1) | PLAIN_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PLAIN_TEXT, inner, max_size=4),
    max_leaves=20,
)


def read(data: bytes) -> Document | None:
    """The document, or None where it was refused in the one way a refusal may come."""
    try:
        return read_yaml(data, name="x.yaml")
    except InvalidError as error:
        refusal = error
    assert refusal.rule == "AV101"
    assert refusal.place is not None
    assert refusal.place.file == "x.yaml"
    return None


@given(st.binary(max_size=200))
def test_any_bytes_are_a_yaml_document_or_refused(data: bytes) -> None:
    read(data)


@given(st.lists(FRAGMENTS, max_size=30).map("".join))
def test_any_mixture_of_yaml_marks_is_a_document_or_refused(text: str) -> None:
    read(text.encode("utf-8"))


@given(PLAIN)
def test_plain_data_written_as_strict_yaml_reads_back_as_itself(value: Any) -> None:
    """JSON text is strict YAML: every string is quoted, every number a plain integer."""
    text = json.dumps(value, ensure_ascii=False)

    document = read(text.encode("utf-8"))

    assert document is not None
    assert repr(document.value) == repr(value)


@given(JSON)
def test_writing_and_reading_canonical_json_gives_the_value_back(value: Any) -> None:
    assert parse_canonical(canonical_bytes(value), name="x") == value


@given(JSON)
def test_canonical_bytes_are_a_fixed_point(value: Any) -> None:
    data = canonical_bytes(value)

    assert canonical_bytes(parse_canonical(data, name="x")) == data
    assert canonical_bytes(json.loads(json.dumps(value, indent=3))) == data


@given(st.dictionaries(KEYS, SCALARS))
def test_the_order_of_insertion_leaves_no_trace(value: dict[str, Any]) -> None:
    assert canonical_bytes(dict(reversed(value.items()))) == canonical_bytes(value)


@given(JSON, st.data())
def test_a_changed_byte_is_refused_or_means_another_value(value: Any, data: st.DataObject) -> None:
    original = canonical_bytes(value)
    at = data.draw(st.integers(0, len(original) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda new: new != original[at]))
    changed = original[:at] + bytes([byte]) + original[at + 1 :]

    try:
        other = parse_canonical(changed, name="x")
    except UntrustedError:
        return
    assert canonical_bytes(other) == changed != original


@pytest.mark.parametrize("value", [{"a": [1, True, None, "é\n"], "b": {"c": -7}}])
def test_every_change_of_one_byte_is_refused_or_means_another_value(value: Any) -> None:
    original = canonical_bytes(value)
    accepted = set()
    for at in range(len(original)):
        for byte in range(256):
            changed = original[:at] + bytes([byte]) + original[at + 1 :]
            try:
                accepted.add(canonical_bytes(parse_canonical(changed, name="x")))
            except UntrustedError:
                continue
            assert changed in accepted

    assert original in accepted
    assert len(accepted) > 256


@given(st.dictionaries(st.text(max_size=5), st.binary(max_size=5), min_size=1), st.data())
def test_a_tree_digest_changes_with_any_one_file(
    files: dict[str, bytes], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(files)))
    other = data.draw(st.binary(max_size=5).filter(lambda new: new != files[name]))
    without = {key: value for key, value in files.items() if key != name}

    digests = {tree_digest(files), tree_digest({**files, name: other}), tree_digest(without)}

    assert len(digests) == 3

from __future__ import annotations

import pytest

from abverify._yaml import MAX_BYTES, Document, read_yaml
from abverify.errors import InvalidError, Place


def refusal_of(text: str | bytes) -> InvalidError:
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    with pytest.raises(InvalidError) as refusal:
        read_yaml(data, name="c.yaml")
    assert refusal.value.rule == "AV101"
    return refusal.value


def test_a_plain_document_becomes_plain_data() -> None:
    document = read_yaml(
        b"# a comment\n"
        b"name: Qwen3-Coder\n"
        b"sha256: null\n"
        b"none: ~\n"
        b"on_time: true\n"
        b"count: -12\n"
        b'temperature: "0.3"\n'
        b"seeds: [1, 2]\n"
        b"describe: {size_label: 30B-A3B}\n"
        b"text: |\n  two\n  lines\n"
        b"folded: >-\n  one\n  line\n",
        name="c.yaml",
    )

    assert document.value == {
        "name": "Qwen3-Coder",
        "sha256": None,
        "none": None,
        "on_time": True,
        "count": -12,
        "temperature": "0.3",
        "seeds": [1, 2],
        "describe": {"size_label": "30B-A3B"},
        "text": "two\nlines\n",
        "folded": "one line",
    }


def test_every_value_has_its_place_and_an_unknown_path_has_its_parents() -> None:
    document = read_yaml(b"a:\n  b: 1\n  c: [x, {d: 2}]\n", name="c.yaml")

    assert document.places == {
        (): Place("c.yaml", 1, 1),
        ("a",): Place("c.yaml", 2, 3),
        ("a", "b"): Place("c.yaml", 2, 6),
        ("a", "c"): Place("c.yaml", 3, 6),
        ("a", "c", 0): Place("c.yaml", 3, 7),
        ("a", "c", 1): Place("c.yaml", 3, 10),
        ("a", "c", 1, "d"): Place("c.yaml", 3, 14),
    }
    assert document.place(("a", "missing", "deeper")) == Place("c.yaml", 2, 3)
    assert Document("c.yaml", None, {}).place(("a",)) == Place("c.yaml")


def test_a_key_may_have_any_spelling_and_keeps_its_place() -> None:
    assert read_yaml(b"<key>: 1\nx: 2\n", name="c").place(("<key>",)) == Place("c", 1, 8)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a:\n\tb: 1\n", "c.yaml:2:1", "cannot start any token"),
        ("a: b\tc\n", "c.yaml:1:4", "a tab in an unquoted value"),
        ("a\tb: c\n", "c.yaml:1:1", "a tab in an unquoted value"),
        ("a: 1\nb: 2\na: 3\n", "c.yaml:3:1", "duplicate key 'a'"),
        ("x: {a: 1, a: 1}\n", "c.yaml:1:11", "duplicate key 'a'"),
        ("a: NaN\n", "c.yaml:1:4", "must be quoted"),
        ("a: .nan\n", "c.yaml:1:4", "must be quoted"),
        ("a: -.inf\n", "c.yaml:1:4", "must be quoted"),
        ("a: 017\n", "c.yaml:1:4", "must be quoted"),
        ("a: 0o17\n", "c.yaml:1:4", "must be quoted"),
        ("a: 1_000\n", "c.yaml:1:4", "must be quoted"),
        ("a: 0x1F\n", "c.yaml:1:4", "must be quoted"),
        ("a: 0b11\n", "c.yaml:1:4", "must be quoted"),
        ("a: 0.3\n", "c.yaml:1:4", "must be quoted"),
        ("a: 1e3\n", "c.yaml:1:4", "must be quoted"),
        ("a: +1\n", "c.yaml:1:4", "must be quoted"),
        ("a: -0\n", "c.yaml:1:4", "must be quoted"),
        ("a: 1:30\n", "c.yaml:1:4", "must be quoted"),
        ("a: 2026-01-31\n", "c.yaml:1:4", "must be quoted"),
        ("a: 2026-01-31T12:00:00Z\n", "c.yaml:1:4", "must be quoted"),
        ("a: 2026-01-31 12:00:00\n", "c.yaml:1:4", "must be quoted"),
        ("a: yes\n", "c.yaml:1:4", "must be quoted"),
        ("a: No\n", "c.yaml:1:4", "must be quoted"),
        ("a: off\n", "c.yaml:1:4", "must be quoted"),
        ("a: TRUE\n", "c.yaml:1:4", "must be quoted"),
        ("a: Null\n", "c.yaml:1:4", "must be quoted"),
        ("a: 1000000000000000\n", "c.yaml:1:4", "the integer is too large"),
        ("a:\n", "c.yaml:1:1", "the key 'a' has no value"),
        ("a:\n  b:\n\nc: 1\n", "c.yaml:2:3", "the key 'b' has no value"),
        ("- a\n-\n- b\n", "c.yaml:2:2", "a value is missing"),
        ("x: &a\ny: 1\n", "c.yaml:1:4", "anchors are not allowed"),
        ("a: &x 1\n", "c.yaml:1:4", "anchors are not allowed"),
        ("a: 1\nb: *x\n", "c.yaml:2:4", "aliases are not allowed"),
        ("*x : 1\n", "c.yaml:1:1", "aliases are not allowed"),
        ("<<: {a: 1}\n", "c.yaml:1:1", "must be quoted"),
        ("a: !!str 1\n", "c.yaml:1:4", "tags are not allowed"),
        ("a: !python/object x\n", "c.yaml:1:4", "tags are not allowed"),
        ("%YAML 1.1\n---\na: 1\n", "c.yaml:1:1", "directives are not allowed"),
        ("a: 1\n---\nb: 2\n", "c.yaml:2:1", "more than one document"),
        ("1: x\n", "c.yaml:1:1", "a key must be a string"),
        ("null: x\n", "c.yaml:1:1", "a key must be a string"),
        ("? [a]\n: 1\n", "c.yaml:1:3", "a key must be a plain word"),
        ("a: [1, 2\n", "c.yaml:2:1", "not valid YAML"),
        ("\ufeffa: 1\n", "c.yaml:1:1", "byte order mark"),
        ("a: b\ufeff\n", "c.yaml:1:5", "control or text-direction"),
        ("a: 1\nb: x\u202ey\n", "c.yaml:2:5", "control or text-direction"),
        ("a: 1 # \u2066 hidden\n", "c.yaml:1:8", "control or text-direction"),
        ('a: "x\u061c"\n', "c.yaml:1:6", "control or text-direction"),
        ('a: "x\u2028y"\n', "c.yaml:1:6", "control or text-direction"),
        ("a: x\x00\n", "c.yaml:1:5", "control or text-direction"),
        ("a: x\x1b[0m\n", "c.yaml:1:5", "control or text-direction"),
        ("a: b\rc: d\n", "c.yaml:1:5", "control or text-direction"),
        ('a: "\\x1b"\n', "c.yaml:1:4", "control or text-direction character in a string"),
        ('a: "\\u202e"\n', "c.yaml:1:4", "control or text-direction character in a string"),
        ('a: "\\ud800"\n', "c.yaml:1:7", "not valid YAML"),
        ('a: "\\UFFFFFFFF"\n', "c.yaml:1:7", "not valid YAML"),
        (b"a: 1\nb: \xff\n", "c.yaml:2", "not UTF-8"),
        ("a: 1\n".encode("utf-16"), "c.yaml:1", "not UTF-8"),
        ("", "c.yaml", "the file is empty"),
        ("# only a comment\n", "c.yaml", "the file is empty"),
    ],
)
def test_what_has_more_than_one_reading_is_refused_where_it_stands(
    text: str | bytes, place: str, message: str
) -> None:
    refusal = refusal_of(text)

    assert str(refusal.place) == place
    assert message in refusal.message


@pytest.mark.parametrize(
    "word", ["1.2.3", "30B-A3B", "V1_004", "2026-Q1", "nothing", "1st", "a:b", "-x", "e3"]
)
def test_a_word_that_no_reader_takes_for_anything_else_needs_no_quotes(word: str) -> None:
    assert read_yaml(f"a: {word}\n".encode(), name="c").value == {"a": word}


@pytest.mark.parametrize("text", ["no", "017", "0.3", "2026-01-31", "null", "", "<<", "=", "é"])
def test_whatever_is_quoted_is_a_string(text: str) -> None:
    assert read_yaml(f"a: \"{text}\"\nb: '{text}'\n".encode(), name="c").value == {
        "a": text,
        "b": text,
    }


def test_windows_line_ends_read_like_others() -> None:
    assert read_yaml(b"a: 1\r\nb: x\r\n", name="c").value == {"a": 1, "b": "x"}


def test_a_billion_laughs_is_refused_at_its_first_anchor() -> None:
    lines = ["a: &a [lol, lol]"]
    lines += [f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]" for i in range(9)]

    assert str(refusal_of("\n".join(lines)).place) == "c.yaml:1:4"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("[\n" * 3_000, "c.yaml:34:1", "nested too deeply"),
        ("{a:\n" * 3_000, "c.yaml:34:1", "nested too deeply"),
        ("- " * 3_000, "c.yaml:1:67", "nested too deeply"),
        ("[" * 3_000, "c.yaml:1", "too many brackets on one line"),
        ("a: " + "x" * 70_000, "c.yaml:1", "a line is too long"),
        ("- 1\n" * 100_000, "c.yaml:20000:3", "too many values"),
        ("#" * 80 + "\n" + "a: " + "x" * MAX_BYTES, "c.yaml", "the file is too large"),
    ],
)
def test_depth_and_size_are_bounded_before_anything_is_built(
    text: str, place: str, message: str
) -> None:
    refusal = refusal_of(text)

    assert str(refusal.place) == place
    assert message in refusal.message


def test_thirty_two_levels_are_enough_for_any_document_and_thirty_three_too_many() -> None:
    value = read_yaml(("[" * 33 + "]" * 33).encode(), name="c").value

    assert repr(value) == "[" * 33 + "]" * 33
    assert "nested too deeply" in refusal_of("[" * 34 + "]" * 34).message

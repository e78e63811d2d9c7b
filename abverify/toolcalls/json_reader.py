"""Reads one JSON value, strictly by the standard library or relaxed by explicit rules.

The strict path is `json.JSONDecoder.raw_decode`. Only when that fails does the relaxed reader
run: one forward pass with its own stack (no recursion), which notes every deviation under a
stable code and stops at the first thing that could be read in two ways.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from abverify._frozen import frozen

from .json_strings import read_string
from .values import Malformed

MAX_DEPTH: Final = 64
# Only strict JSON may be longer: damaged text with more members than this is not a tool call.
MAX_DAMAGED_MEMBERS: Final = 10_000
# How many JSON values are tried in running text; an honest turn has a handful.
MAX_UNTAGGED_READS: Final = 256
ARGUMENT_KEYS: Final = ("arguments", "input", "parameters", "args")

_SPACE = re.compile(r"[ \t\r\n]*")
_GAP = re.compile(r"(?:[\s\ufeff\u200b]+|//[^\n]*|/\*.*?\*/|#[^\n]*)+", re.DOTALL)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])", re.ASCII)
_WORD = re.compile(r"[A-Za-z_$][\w$-]*", re.ASCII)
_LITERALS: Final = {"true": True, "false": False, "null": None}
_PYTHON: Final = {"True": True, "False": False, "None": None}
# Where a call's body is over although brackets are still open: a tag, a fence, or another call.
_BODY_END = re.compile(
    r"</|<\|?(?:tool|function|invoke)|```|~~~|\[TOOL_CALLS\]|\[/?TOOL_CALL", re.IGNORECASE
)


class Note(NamedTuple):
    """A deviation from strict JSON, and where it is."""

    code: str
    start: int
    end: int


@frozen
class JsonValue:
    """One value as read: the value, the offset after it, and the deviations on the way."""

    value: Any
    end: int
    notes: tuple[Note, ...] = ()


class _NotStrictError(ValueError):
    """Valid for the C scanner but not for us: a duplicate key, `NaN`, a float overflow."""


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _NotStrictError
    return made


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise _NotStrictError
    return number


def _no_constant(name: str) -> Any:
    raise _NotStrictError(name)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_distinct, parse_float=_finite, parse_constant=_no_constant
)


_CONTAINERS: Final = (dict, list)


def too_deep(value: Any) -> bool:
    """Whether containers nest deeper than `MAX_DEPTH`, found without recursion."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(v for v in item.values() if isinstance(v, _CONTAINERS))
            elif isinstance(item, list):
                inner.extend(v for v in item if isinstance(v, _CONTAINERS))
        if not inner:
            return False
        level = inner
    return True


def _brackets(text: str, pos: int, end: int) -> int:
    return text.count("{", pos, end) + text.count("[", pos, end)


def read_json(text: str, pos: int, limit: int) -> JsonValue:
    """Read the JSON value that starts at `pos`, before `limit`.

    Raises:
        Malformed: the text has no reading, or more than one.
    """
    try:
        value, end = _DECODER.raw_decode(text, pos)
    except (ValueError, RecursionError):
        end = limit + 1
        value = None
    if end <= limit:
        # So deep a value has at least so many brackets, in strings or out of them.
        if _brackets(text, pos, end) > MAX_DEPTH and too_deep(value):
            raise Malformed("too-deep", pos, pos + 1, f"nested deeper than {MAX_DEPTH}")
        return JsonValue(value, end)
    return _Relaxed(text, limit).read(pos)


def read_json_without_brace(text: str, pos: int, limit: int) -> JsonValue:
    """Read an object whose opening `{` was lost: `pos` stands at its first key."""
    return _Relaxed(text, limit).read(pos, brace_lost=True)


def read_literal(text: str, pos: int, limit: int) -> JsonValue:
    """Read one value the relaxed way, without trying strict JSON first."""
    return _Relaxed(text, limit).read(pos)


@dataclass(slots=True)
class _Frame:
    items: dict[str, Any] | list[Any]
    start: int
    key: str = ""


@dataclass(slots=True)
class _Relaxed:
    text: str
    limit: int
    notes: list[Note] = field(default_factory=list)
    frames: list[_Frame] = field(default_factory=list)
    members: int = 0

    def note(self, code: str, start: int, end: int) -> None:
        self.notes.append(Note(code, start, end))

    def read(self, pos: int, *, brace_lost: bool = False) -> JsonValue:
        if brace_lost:
            self.note("missing-open-brace", pos, pos)
            self.frames.append(_Frame({}, pos))
            pos = self.key(pos)
        while True:
            value, pos, complete = self.value(self.gap(pos))
            while complete:
                if not self.frames:
                    return self.finished(value, pos)
                self.attach(value, pos)
                pos, complete = self.after_member(self.gap(pos))
                if complete:
                    value = self.frames.pop().items

    def finished(self, value: Any, pos: int) -> JsonValue:
        codes = {note.code for note in self.notes}
        if {"missing-open-brace", "missing-brace"} <= codes:
            raise Malformed("malformed-json", pos, pos, "braces are lost at both ends")
        return JsonValue(value, pos, tuple(self.notes))

    def gap(self, pos: int) -> int:
        """Skip white space and comments."""
        match = _SPACE.match(self.text, pos, self.limit)
        pos = match.end() if match else pos
        if pos < self.limit and (self.text[pos] in "/#\ufeff\u200b" or self.text[pos].isspace()):
            odd = _GAP.match(self.text, pos, self.limit)
            if odd:
                comment = any(mark in odd.group() for mark in "/#")
                self.note("comment" if comment else "odd-whitespace", pos, odd.end())
                return odd.end()
        return pos

    def value(self, pos: int) -> tuple[Any, int, bool]:
        """Read a scalar whole, or open a container; the flag says whether a value is complete."""
        if pos >= self.limit:
            raise Malformed("truncated", pos, pos, "the text ends where a value should stand")
        mark = self.text[pos]
        if mark in "{[":
            return self.open(pos, mark)
        if mark in "\"'":
            return self.string_value(pos)
        number = _NUMBER.match(self.text, pos, self.limit)
        if number:
            return self.number(number.group(), pos), number.end(), True
        word = _WORD.match(self.text, pos, self.limit)
        if word and word.group() in _LITERALS:
            return _LITERALS[word.group()], word.end(), True
        if word and word.group() in _PYTHON:
            self.note("python-literal", pos, word.end())
            return _PYTHON[word.group()], word.end(), True
        raise Malformed("malformed-json", pos, pos + 1, "no JSON value starts here")

    def number(self, digits: str, pos: int) -> int | float:
        try:
            return int(digits) if digits.lstrip("-").isdigit() else _finite(digits)
        except ValueError:
            raise Malformed("number-out-of-range", pos, pos + len(digits)) from None

    def string_value(self, pos: int) -> tuple[Any, int, bool]:
        """A string value; in `"arguments": "path": …` the string is the key of a lost object."""
        value, end = read_string(self.text, pos, self.limit, self.note)
        at_argument = (
            len(self.frames) == 1
            and isinstance(self.frames[0].items, dict)
            and self.frames[0].key in ARGUMENT_KEYS
        )
        if at_argument and self.text.startswith(":", self.gap(end)):
            self.note("missing-open-brace", pos, pos)
            self.frames.append(_Frame({}, pos, value))
            return None, self.gap(end) + 1, False
        return value, end, True

    def open(self, pos: int, mark: str) -> tuple[Any, int, bool]:
        if len(self.frames) >= MAX_DEPTH:
            raise Malformed("too-deep", pos, pos + 1, f"nested deeper than {MAX_DEPTH}")
        frame = _Frame({} if mark == "{" else [], pos)
        inner = self.gap(pos + 1)
        if self.text.startswith("}" if mark == "{" else "]", inner) and inner < self.limit:
            return frame.items, inner + 1, True
        self.frames.append(frame)
        return None, self.key(inner) if mark == "{" else inner, False

    def key(self, pos: int) -> int:
        """Read `key:` into the innermost frame; returns the offset of the value."""
        if pos >= self.limit:
            raise Malformed("truncated", pos, pos, "the text ends where a key should stand")
        if self.text[pos] == "{" and not self.frames[-1].items:
            self.note("surplus-brace", pos, pos + 1)  # `{{"name"`: an object is no key
            pos = self.gap(pos + 1)
            if pos >= self.limit or self.text[pos] == "{":
                raise Malformed("malformed-json", pos, pos + 1, "no key starts here")
        if self.text[pos] in "\"'":
            name, end = read_string(self.text, pos, self.limit, self.note)
        else:
            word = _WORD.match(self.text, pos, self.limit)
            if not word:
                raise Malformed("malformed-json", pos, pos + 1, "no key starts here")
            name, end = word.group(), word.end()
            self.note("unquoted-key", pos, end)
        end = self.gap(end)
        if end >= self.limit or self.text[end] != ":":
            raise Malformed("malformed-json", end, end + 1, "a key without a colon")
        self.frames[-1].key = name
        return end + 1

    def attach(self, value: Any, pos: int) -> None:
        frame = self.frames[-1]
        self.members += 1
        if self.members > MAX_DAMAGED_MEMBERS:
            raise Malformed("too-long", frame.start, pos, "damaged JSON of many members")
        if isinstance(frame.items, list):
            frame.items.append(value)
        elif frame.key not in frame.items:
            frame.items[frame.key] = value
        elif same_json(frame.items[frame.key], value):
            self.note("duplicate-key", pos, pos)
        else:
            raise Malformed(
                "conflicting-duplicate", frame.start, pos, f"{frame.key!r} has two values"
            )

    def after_member(self, pos: int) -> tuple[int, bool]:
        """Read what follows a member: a comma (and the next key), or the closing bracket."""
        frame = self.frames[-1]
        closer = "}" if isinstance(frame.items, dict) else "]"
        if pos >= self.limit or _BODY_END.match(self.text, pos, self.limit):
            self.note("missing-brace", pos, pos)
            return pos, True
        mark = self.text[pos]
        if mark == closer:
            return pos + 1, True
        if mark != ",":
            raise Malformed("malformed-json", pos, pos + 1, f"expected ',' or {closer!r}")
        after = self.gap(pos + 1)
        if after < self.limit and self.text[after] == closer:
            self.note("trailing-comma", pos, pos + 1)
            return after + 1, True
        return (self.key(after) if closer == "}" else after), False


def same_json(left: Any, right: Any) -> bool:
    """Equality of JSON values, in which `1`, `1.0` and `true` are three values."""
    return bool(left == right) and json.dumps(left, sort_keys=True) == json.dumps(
        right, sort_keys=True
    )

r"""Reads one quoted string, and decides which damaged strings still have one reading.

A string that is open, or that mixes escapes JSON knows with escapes it does not, is refused:
in `"C:\new\\data"` nobody can say whether `\n` is a line feed or two characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from json.decoder import scanstring  # type: ignore[attr-defined]  # public, not in typeshed
from typing import Final

from .values import Malformed

NoteTaker = Callable[[str, int, int], None]

_PLAIN: Final = {
    '"': re.compile(r'[^"\\]*'),
    "'": re.compile(r"[^'\\]*"),
    '"""': re.compile(r'(?:[^"\\]|"(?!""))*+'),
    "'''": re.compile(r"(?:[^'\\]|'(?!''))*+"),
}
_SIMPLE: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "\\": "\\", "/": "/"}
_CONTROL = re.compile(r"[\x00-\x1f]")
_HEX4 = re.compile(r"[0-9a-fA-F]{4}")
_LOW_SURROGATE = re.compile(r"\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_HIGH_FIRST, _LOW_FIRST = 0xD800, 0xDC00
# Python decodes these and JSON does not: inside a Python string they have two readings.
_PYTHON_ONLY: Final = frozenset("av01234567NU")


def read_string(text: str, pos: int, limit: int, note: NoteTaker) -> tuple[str, int]:
    """Read the string whose opening quote stands at `pos`; returns its value and its end.

    Raises:
        Malformed: `open-string`, `ambiguous-escape` or `lone-surrogate`.
    """
    if text[pos] == '"' and not text.startswith('"""', pos):
        try:
            value, end = scanstring(text, pos + 1, True)  # noqa: FBT003  # C function, positional
        except ValueError:
            end = limit + 1
            value = ""
        if end <= limit:
            return value, end
    return _Damaged(text, limit, note).read(pos)


class _Damaged:
    """The slow path: one pass over a string that strict JSON does not accept."""

    def __init__(self, text: str, limit: int, note: NoteTaker) -> None:
        self.text, self.limit, self.note = text, limit, note
        self.parts: list[str] = []
        self.known = False
        self.unknown = -1
        self.control = -1

    def read(self, start: int) -> tuple[str, int]:
        quote = self.text[start]
        if self.text.startswith(quote * 3, start):
            quote *= 3
            self.note("triple-quotes", start, start + 3)
        elif quote == "'":
            self.note("single-quotes", start, start + 1)
        end = self.scan(start, quote)
        if self.unknown >= 0:
            if self.known:
                raise Malformed(
                    "ambiguous-escape", self.unknown, self.unknown + 2, "escapes of two kinds"
                )
            self.note("invalid-escape", self.unknown, self.unknown + 2)
        if self.control >= 0:
            self.note("raw-control-character", self.control, self.control + 1)
        return "".join(self.parts), end

    def scan(self, start: int, quote: str) -> int:
        plain, pos = _PLAIN[quote], start + len(quote)
        while True:
            chunk = plain.match(self.text, pos, self.limit)
            if chunk and chunk.end() > pos:
                self.parts.append(chunk.group())
                control = _CONTROL.search(self.text, pos, chunk.end()) if self.control < 0 else None
                if control and len(quote) == 1:
                    self.control = control.start()
                pos = chunk.end()
            if pos >= self.limit:
                raise Malformed("open-string", start, pos, "a string is never closed")
            if self.text.startswith(quote, pos):
                if pos + len(quote) > self.limit:
                    raise Malformed("open-string", start, self.limit, "a string is never closed")
                return pos + len(quote)
            pos = self.escape(pos, python=quote != '"')

    def escape(self, pos: int, *, python: bool) -> int:
        """Decode the escape at `pos`, or keep it as it stands and remember that we did."""
        if pos + 1 >= self.limit:
            raise Malformed("open-string", pos, pos + 1, "a string ends in a backslash")
        mark = self.text[pos + 1]
        if mark in "\"'":
            self.parts.append(mark)
            if mark == "'" and not python:
                self.note("escaped-apostrophe", pos, pos + 2)
            return pos + 2
        if mark in _SIMPLE:
            self.known = True
            self.parts.append(_SIMPLE[mark])
            return pos + 2
        if mark == "u" and _HEX4.match(self.text, pos + 2, self.limit):
            self.known = True
            return self.code_unit(pos)
        if mark in "x\n\r" or (python and mark in _PYTHON_ONLY):
            raise Malformed("ambiguous-escape", pos, pos + 2, "an escape with two readings")
        self.unknown = pos if self.unknown < 0 else self.unknown
        self.parts.append("\\" + mark)
        return pos + 2

    def code_unit(self, pos: int) -> int:
        unit = int(self.text[pos + 2 : pos + 6], 16)
        low = _LOW_SURROGATE.match(self.text, pos + 6, self.limit)
        if _HIGH_FIRST <= unit < _LOW_FIRST and low:
            low_bits = int(low.group(1), 16) - _LOW_FIRST
            self.parts.append(chr(0x10000 + ((unit - _HIGH_FIRST) << 10) + low_bits))
            return low.end()
        self.parts.append(chr(unit))
        return pos + 6

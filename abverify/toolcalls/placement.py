"""Decides whether a call stands where a call can stand, or is only being talked about.

A tag in inline code, in a block quote, inside quotation marks or in the middle of a sentence is
text about a call. Executing it would let any quoted file or tool result give orders.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_LINE_EVENTS = re.compile(r"[\n`]")
_SENTENCE_GOES_ON = re.compile(r"[ \t]*[,;)\"'`\u201d\u2019]|[ \t]+[a-z]")
_SENTENCE_ENDS: Final = frozenset(".!?:…)>*")
_QUOTES: Final = frozenset("\"'\u201c\u2018\u00ab")
_BLANK: Final = " \t\ufeff\u200b"


@dataclass(slots=True)
class LineCursor:
    """Follows the current line from left to right, so that no line is scanned twice."""

    text: str
    pos: int = 0
    line_start: int = 0
    backticks: int = 0

    def advance(self, pos: int) -> None:
        """Move to `pos`, noting line starts and inline-code marks on the way."""
        for event in _LINE_EVENTS.finditer(self.text, self.pos, pos):
            if event.group() == "\n":
                self.line_start, self.backticks = event.end(), 0
            elif not self.text.startswith("`", event.start() - 1) or event.start() == 0:
                self.backticks += 1
        self.pos = max(self.pos, pos)

    def jump(self, pos: int) -> None:
        """Continue behind a call, whose own text says nothing about the line."""
        self.pos = self.line_start = pos
        self.backticks = 0

    def before(self, pos: int) -> int:
        """Offset just after the last character on this line that is not blank, before `pos`."""
        while pos > self.line_start and self.text[pos - 1] in _BLANK:
            pos -= 1
        return pos

    def at_line_start(self, pos: int) -> bool:
        """Whether only blanks precede `pos` on its line."""
        return self.before(pos) == self.line_start

    def quoted(self, pos: int) -> str:
        """The code of the quotation `pos` stands in, or an empty string."""
        first = self.line_start
        while first < pos and self.text[first] in _BLANK:
            first += 1
        if first < pos and self.text[first] == ">":
            return "block-quote"
        if self.backticks % 2:
            return "inline-code"
        if pos > self.line_start and self.text[pos - 1] in _QUOTES:
            return "quoted"
        return ""

    def after_sentence(self, pos: int) -> bool:
        """Whether the text before `pos` on its line is finished (or there is none)."""
        end = self.before(pos)
        return end == self.line_start or self.text[end - 1] in _SENTENCE_ENDS


def sentence_goes_on(text: str, pos: int, limit: int) -> bool:
    """Whether the sentence around a call continues behind it, on the same line."""
    return bool(_SENTENCE_GOES_ON.match(text, pos, limit))

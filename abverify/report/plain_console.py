"""Text blocks without colour and without rich, whose import takes longer than a whole report.

The lines are the ones rich would print: words go on below where they do not fit, and a word
longer than a line is cut. Only ASCII without tabs is laid out here: how wide the rest is, rich
knows.
"""

from __future__ import annotations

import io
import re
from dataclasses import field
from itertools import pairwise
from typing import TYPE_CHECKING

from abverify._frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORD = re.compile(r"\s*\S+\s*")


@frozen
class PlainConsole:
    """What plain blocks are written to.

    Attributes:
        width: columns of a line.
        buffer: what was written.
    """

    width: int
    buffer: io.StringIO = field(default_factory=io.StringIO)

    def write(self, text: str, *, indent: int = 0, label: str = "") -> None:
        """Writes ASCII text in its lines, with a label before the first, all of it indented."""
        first = " " * indent + label
        margin = " " * len(first)
        for number, line in enumerate(_wrapped(text, self.width - len(first))):
            self.buffer.write(f"{margin if number else first}{line}\n")


def _wrapped(text: str, width: int) -> Iterator[str]:
    """The lines of a text, none wider than `width`."""
    for line in text.split("\n"):
        edges = [0, *_breaks(line, width), len(line)]
        yield from (line[a:b].rstrip() for a, b in pairwise(edges))


def _breaks(line: str, width: int) -> Iterator[int]:
    """Where a line is broken: before a word that does not fit, and inside one that never does."""
    used = 0
    for match in _WORD.finditer(line):
        start, word = match.start(), match.group()
        length = len(word.rstrip())
        if used + length <= width:
            used += len(word)
        elif length <= width:
            if used and start:
                yield start
            used = len(word)
        else:
            yield from (at for at in range(start, start + len(word), width) if at)
            used = len(word) % width or width

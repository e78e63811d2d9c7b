"""Text that nobody vouches for, as a reader may see it: every control made visible and inert.

Beyond HTML's own signs this concerns characters that show nothing or turn the text around:
terminal escapes, direction controls, zero-width characters, tags, lone surrogates. What Unicode
does not call printable is shown by its number.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abverify.model.page_transcript import Mark

_KEPT = "\n\t "
_RUN = re.compile(r"[\x20-\x7e\n\t]+|.", re.DOTALL)


def visible(text: str) -> str:
    r"""The text with everything that shows nothing written out: `\x1b`, `\u202e`, `\U000e0041`."""
    return "".join(map(_written, _RUN.findall(text)))


def marked(text: str) -> Markup:
    """The same as HTML, where what was written out is set apart from what stood there."""
    return Markup("").join(map(_set_apart, _RUN.findall(text)))


def annotated(text: str, marks: Sequence[Mark]) -> Markup:
    """The text as HTML with its marks around it; marks may lie inside each other or overlap."""
    return Markup("").join(_pieces(text, marks))


def _pieces(text: str, marks: Sequence[Mark]) -> Iterator[Markup]:
    edges = sorted({0, len(text), *(m.start for m in marks), *(m.end for m in marks)})
    for start, end in zip(edges, [*edges[1:], len(text)], strict=True):
        for mark in marks:
            if mark.start == mark.end == start:
                yield Markup('<i class="point {}" title="{}"></i>').format(mark.kind, _told([mark]))
        over = [mark for mark in marks if mark.start <= start and end <= mark.end and start < end]
        piece = marked(text[start:end])
        if over:
            kinds = " ".join(dict.fromkeys(mark.kind for mark in over))
            yield Markup('<span class="m {}" title="{}">{}</span>').format(
                kinds, _told(over), piece
            )
        else:
            yield piece


def _told(marks: Sequence[Mark]) -> str:
    return visible("; ".join(f"{mark.kind} {mark.code}: {mark.meaning}" for mark in marks))


def _shows(run: str) -> bool:
    return len(run) > 1 or run in _KEPT or run.isprintable()


def _written(run: str) -> str:
    return run if _shows(run) else _number(ord(run))


def _set_apart(run: str) -> Markup:
    if _shows(run):
        return escape(run)
    return Markup('<b class="ctl">{}</b>').format(_number(ord(run)))


def _number(code: int) -> str:
    if code <= 0xFF:  # noqa: PLR2004 (one byte)
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004

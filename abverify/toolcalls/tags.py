"""The marks that open and close a call: the native ones, their known variants, and damage."""

from __future__ import annotations

import re
from typing import Final

from abverify._frozen import frozen

OPEN: Final = "<tool_call>"
CLOSE: Final = "</tool_call>"
_CALL_WORD: Final = r"(?:tool|function)[_\- ]?calls?"
_NAME: Final = rf"(?:{_CALL_WORD}|tool_uses?|tools?|functions?|json)"

OPENER: Final = (
    rf"<{_NAME}>|<\|{_NAME}(?:_begin|_start)?\|?>|<{_NAME}\|>|\[(?:{_CALL_WORD}|tool_use)\]"
)
# `<tool_call` without its bracket, or, at the start of a line, only the tail of the tag; something
# must follow directly.
DAMAGED_OPENER: Final = r"<tool_call[ \t]*(?=\r?\n[ \t]*\{|\{)"
TORN_OPENER: Final = r"[ \t]*(?:tool_call|ool_call|ol_call|l_call|_call|call)>(?=\s*[{<])"
CLOSER: Final = (
    rf"(?:</{_NAME}\s*>|<\|/?{_NAME}(?:_end)?\|>|</\|?{_NAME}\|?>|<\\/?{_NAME}>|<{_NAME}/>"
    rf"|\[/(?:{_CALL_WORD}|tool_use)\])"
)
_CLOSER = re.compile(rf"\s*{CLOSER}", re.IGNORECASE)
_EXACT_CLOSER = re.compile(r"\s*</tool_call>")
_OPENER_AS_CLOSER = re.compile(r"\s*<tool_call>\s*(?=\Z|</tool_call>)")
_HALF_CLOSER = re.compile(r"\s*</tool_call\b[ \t]*(?!>)(?=\n|\Z)")
_JUNK = re.compile(r"\s*(?:[;.,`]+|//[^\n<]*|#[^\n<]*|/\*[^*]*\*/)")


_LONGEST_TAG: Final = 64


@frozen
class Closing:
    """How a call is closed: where the closing mark ends and how good it is.

    Attributes:
        end: the offset after the mark, or after the call where there is none.
        present: some closing mark is there.
        whole: it is complete, in whatever variant.
        exact: it is `</tool_call>`.
    """

    end: int
    present: bool = False
    whole: bool = False
    exact: bool = False


def closing(text: str, pos: int, limit: int, *, surplus: bool = False) -> Closing:
    """Read the closing mark at `pos`, if there is one.

    With `surplus` the call is closed already, so that an opening tag opens something.
    """
    exact = _EXACT_CLOSER.match(text, pos, limit)
    if exact:
        return Closing(exact.end(), present=True, whole=True, exact=True)
    for pattern in (_OPENER_AS_CLOSER, _CLOSER, _HALF_CLOSER):
        other = (
            None if surplus and pattern is _OPENER_AS_CLOSER else pattern.match(text, pos, limit)
        )
        if other:
            return Closing(other.end(), present=True, whole=pattern is _CLOSER)
    cut_off = text[pos:limit].strip() if limit - pos <= _LONGEST_TAG else ""
    if len(cut_off) > 1 and CLOSE.startswith(cut_off):
        return Closing(limit, present=True)
    return Closing(pos)


def past_closers(text: str, pos: int, limit: int) -> tuple[int, bool]:
    """Read past closing marks nobody is waiting for; tells whether there were any."""
    found = False
    while True:
        mark = closing(text, pos, limit, surplus=True)
        if not mark.present:
            return pos, found
        pos, found = mark.end, True


def past_junk(text: str, pos: int, limit: int) -> int:
    """Read past a stray mark or comment between a call and the closing mark that follows it."""
    junk = _JUNK.match(text, pos, limit)
    after = junk.end() if junk else pos
    return after if after > pos and closing(text, after, limit).present else pos

"""Finds Markdown code fences and the calls inside them."""

from __future__ import annotations

import re
from typing import Final

from abverify._frozen import frozen

from .body import read_body, skip_space, starts_body, starts_json
from .candidates import Body, Candidate, Context, repair
from .envelope import looks_like_call
from .json_reader import read_json
from .tags import OPENER, closing, past_closers
from .values import Malformed, Refusal, Span

CALL_LANGUAGES: Final = frozenset({"", "json", "json5", "jsonc", "jsonl", "xml"}) | {
    "tool",
    "tool_call",
    "tool_calls",
    "tool_code",
    "tool_use",
    "function_call",
}
_OPENING = re.compile(r"[ \t]*(?P<mark>`{3,}|~{3,})[ \t]*(?P<info>[^\n`]*)(?:\n|\Z)")
_OPENER = re.compile(OPENER, re.IGNORECASE)


@frozen
class Fence:
    """A code block: its info string, and the ranges of the block and of its content."""

    info: str
    start: int
    content: int
    content_end: int
    end: int
    closed: bool


@frozen
class FenceCalls:
    """A fence and the calls it holds; none where it holds something else."""

    fence: Fence
    calls: tuple[Candidate | Refusal, ...] = ()
    explicit: bool = False


def fence_at(text: str, start: int, content_from: int = -1) -> Fence | None:
    """The code block that opens on the line at `start`; unclosed blocks run to the end.

    `content_from` moves the search for the closing line behind content already read.
    """
    opening = _OPENING.match(text, start)
    if not opening:
        return None
    mark = opening.group("mark")
    close = re.compile(rf"^[ \t]*{re.escape(mark[0])}{{{len(mark)},}}[ \t]*\r?$", re.MULTILINE)
    content = opening.end()
    found = close.search(text, max(content, content_from))
    content_end, end = (found.start(), found.end()) if found else (len(text), len(text))
    return Fence(
        opening.group("info").strip(), start, content, content_end, end, closed=found is not None
    )


def read_fence(text: str, fence: Fence, context: Context) -> FenceCalls:
    """Read a block as calls, if its language says that it may hold some."""
    if fence.info.lower() not in CALL_LANGUAGES or not context.spend_read():
        return FenceCalls(fence)
    start = skip_space(text, fence.content, len(text))
    opener = _OPENER.match(text, start)
    body_start = skip_space(text, opener.end(), len(text)) if opener else start
    if body_start >= fence.content_end:
        return FenceCalls(fence)
    try:
        if not _holds_call(text, body_start, context, tagged=opener is not None):
            return FenceCalls(fence)
        body = read_body(text, body_start, len(text), context, tagged=opener is not None)
    except Malformed as broken:
        return FenceCalls(fence, (broken.refusal(),))
    # A string may hold a line of backticks: look for the closing line behind the calls.
    fence = fence_at(text, fence.start, body.end) or fence
    return _closed(text, fence, body, tagged=opener is not None)


def _holds_call(text: str, start: int, context: Context, *, tagged: bool) -> bool:
    """Whether a block holds something meant as a call, not just some JSON."""
    if not starts_body(text, start, len(text)):
        return False
    if tagged or not starts_json(text, start, len(text)):
        return True
    return looks_like_call(read_json(text, start, len(text)).value, context)


def _closed(text: str, fence: Fence, body: Body, *, tagged: bool) -> FenceCalls:
    """Judge how the calls and their block are closed, and that nothing else is in it."""
    repairs = [repair("fenced-call", fence.start)]
    after, closers = past_closers(text, body.end, len(text))
    if not fence.closed:
        repairs.append(repair("unclosed-fence", fence.start))
    if tagged and not closers:
        repairs.append(repair("missing-closer", body.end))
    if closers and not tagged:
        repairs.append(repair("missing-opener", body.end))
    rest = skip_space(text, after, len(text))
    if not body.failed and rest < fence.content_end:
        other = Refusal("text-in-call", Span(rest, fence.content_end), "more than calls in it")
        return FenceCalls(fence, (other,))
    explicit = closers and closing(text, body.end, len(text)).exact
    return FenceCalls(fence, body.repaired(repairs).items, explicit)

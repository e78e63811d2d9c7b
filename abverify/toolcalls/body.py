"""Reads what stands between a call's tags, in a fence, or bare: whatever dialect it is in."""

from __future__ import annotations

import json
import re
from typing import Final

from .candidates import Body, Candidate, Context, repair
from .envelope import HERMES, Style, calls_in
from .heads import CALL_HEAD, GLM_HEAD, XML_HEAD
from .json_reader import JsonValue, Note, read_json, read_json_without_brace
from .values import Malformed, Refusal

_SPACE = re.compile(r"\s*")
_BETWEEN = re.compile(r"[\s,;]*")
_SURPLUS = re.compile(r"\s*[}\]](?:\s*[}\]])*")
_AFTER_SURPLUS = re.compile(r"\s*(?:\Z|</|<\|?/?\w|```|~~~|[\[{])")
_LOST_BRACE = re.compile(r"[\"']?(?:name|function|tool)[\"']?\s*:")
_LIST_OF_CALLS = re.compile(r"\[\s*[A-Za-z_]\w*\(", re.ASCII)
_ESCAPED_JSON = re.compile(r"\{\s*\\\"")
_ESCAPED_END = re.compile(r"\s*(?:</|<tool_call>|```)")
FENCE_LINE: Final = re.compile(r"[ \t]*(```+|~~~+)[ \t]*(?:json\w*|tool_\w+|xml)?[ \t]*\r?\n")


def skip_space(text: str, pos: int, limit: int) -> int:
    """The offset of the next character that is not white space."""
    match = _SPACE.match(text, pos, limit)
    return match.end() if match else pos


def starts_body(text: str, pos: int, limit: int) -> bool:
    """Whether something that can be a call starts at `pos`."""
    if pos >= limit:
        return False
    return (
        text[pos] in '{["'
        or bool(XML_HEAD.match(text, pos, limit))
        or bool(CALL_HEAD.match(text, pos, limit))
        or bool(GLM_HEAD.match(text, pos, limit))
        or bool(_LOST_BRACE.match(text, pos, limit))
        or bool(FENCE_LINE.match(text, pos, limit))
    )


def starts_json(text: str, pos: int, limit: int) -> bool:
    """Whether an object or array of JSON starts at `pos`, not escaped and not keyword calls."""
    return text[pos] in "{[" and not (
        _ESCAPED_JSON.match(text, pos, limit) or _LIST_OF_CALLS.match(text, pos, limit)
    )


def read_body(
    text: str, pos: int, limit: int, context: Context, style: Style = HERMES, *, tagged: bool = True
) -> Body:
    """Read every call of one stretch of text.

    Args:
        text: the answer.
        pos: where the first call starts.
        limit: where the answer ends.
        context: tools, profile and how the turn ended.
        style: the dialect whose forms are not damage.
        tagged: the stretch stands inside call tags, so that nothing else can be meant.

    Raises:
        Malformed: the first call has no reading, or more than one.
    """
    if XML_HEAD.match(text, pos, limit):
        return _functions(text, pos, limit, context)
    if tagged and FENCE_LINE.match(text, pos, limit):
        return _fence_in_tag(text, pos, limit, context, style)
    if tagged and GLM_HEAD.match(text, pos, limit):
        from .other_bodies import read_glm

        return read_glm(text, pos, limit, context)
    if CALL_HEAD.match(text, pos, limit) or _LIST_OF_CALLS.match(text, pos, limit):
        from .other_bodies import read_pythonic

        return read_pythonic(text, pos, limit, context).repaired([repair("keyword-call", pos)])
    return _json_calls(text, pos, limit, context, style, tagged=tagged)


def _functions(text: str, pos: int, limit: int, context: Context) -> Body:
    """One `<function=…>`, and those that follow it directly."""
    from .xml_body import read_function

    first = read_function(text, pos, limit, context)
    items: list[Candidate | Refusal] = [first.call]
    end, explicit = first.end, first.explicit
    while XML_HEAD.match(text, skip_space(text, end, limit), limit):
        pos = skip_space(text, end, limit)
        try:
            following = read_function(text, pos, limit, context)
        except Malformed as broken:
            return Body((*items, broken.refusal()), max(pos, broken.end))
        items.append(following.call)
        end, explicit = following.end, following.explicit
    body = Body(tuple(items), end, explicit)
    return body.repaired([repair("several-in-one-tag", pos)]) if len(items) > 1 else body


def _fence_in_tag(text: str, pos: int, limit: int, context: Context, style: Style) -> Body:
    """A code fence inside the tags: the fence is decoration."""
    line = FENCE_LINE.match(text, pos, limit)
    start = skip_space(text, line.end(), limit) if line else pos
    body = read_body(text, start, limit, context, style)
    after = skip_space(text, body.end, limit)
    mark = line.group(1) if line else ""
    if body.failed or not text.startswith(mark, after):
        return body.repaired([repair("fence-in-tag", pos)])
    inner = Body(body.items, after + len(mark))
    return inner.repaired([repair("fence-in-tag", pos)])


def _json_calls(
    text: str, pos: int, limit: int, context: Context, style: Style, *, tagged: bool
) -> Body:
    """JSON envelopes: one, an array of them, or several in a row."""
    items: list[Candidate | Refusal] = []
    start, extra = pos, []
    while True:
        try:
            read = _json_value(text, pos, limit, tagged=tagged)
        except Malformed as broken:
            if not items:
                raise
            return Body((*items, broken.refusal()), max(pos, broken.end))
        found = list(calls_in(read, pos, context, style))
        if not found:
            raise Malformed("empty-call", pos, read.end, "an empty list holds no call")
        items.extend(found)
        end = _past_surplus(text, read.end, limit)
        if end > read.end:
            extra.append(repair("surplus-brace", read.end, end))
        between = _BETWEEN.match(text, end, limit)
        following = between.end() if between else end
        if isinstance(items[-1], Refusal) or not text.startswith("{", following):
            break
        if following >= limit:
            break
        pos = following
    if len(items) > 1 and pos > start:
        extra.append(repair("several-in-one-tag", pos))
    return Body(tuple(items), end).repaired(extra)


def _json_value(text: str, pos: int, limit: int, *, tagged: bool) -> JsonValue:
    if _ESCAPED_JSON.match(text, pos, limit):
        return _escaped_call(text, pos, limit)
    if tagged and _LOST_BRACE.match(text, pos, limit):
        return read_json_without_brace(text, pos, limit)
    read = read_json(text, pos, limit)
    if tagged and isinstance(read.value, str):
        return _decoded(read.value, pos, read.end)
    if not isinstance(read.value, dict | list):
        raise Malformed("not-an-object", pos, read.end, "a call is a JSON object")
    return read


def _escaped_call(text: str, pos: int, limit: int) -> JsonValue:
    r"""A whole call escaped once more, `{\"name\": …}`; mixed escaping has no reading."""
    stop = _ESCAPED_END.search(text, pos, limit)
    end = stop.start() if stop else limit
    try:
        inner = json.loads(f'"{text[pos:end].rstrip()}"', strict=False)
    except ValueError:
        raise Malformed("ambiguous-escape", pos, end, "escaped and unescaped quotes") from None
    return _decoded(inner, pos, end)


def _decoded(inner: str, pos: int, end: int) -> JsonValue:
    """A call that is itself a JSON string, one level deep."""
    inner = inner.strip(" \t\r\n")
    try:
        read = read_json(inner, 0, len(inner)) if inner.startswith("{") else None
    except Malformed:
        read = None
    if read is None or read.notes or read.end != len(inner):
        raise Malformed("malformed-json", pos, end, "a string is not a call")
    return JsonValue(read.value, end, (Note("string-call", pos, end),))


def _past_surplus(text: str, pos: int, limit: int) -> int:
    """Closing brackets nobody opened, where the call is over anyway."""
    surplus = _SURPLUS.match(text, pos, limit)
    if surplus and _AFTER_SURPLUS.match(text, surplus.end(), limit):
        return surplus.end()
    return pos

"""Reads the dialects that are neither JSON envelopes nor Qwen XML: keyword calls and GLM."""

from __future__ import annotations

import re
from typing import Any, Final

from .candidates import Body, Candidate, Context, repair
from .heads import CALL_HEAD, GLM_HEAD
from .json_reader import read_literal, same_json
from .schema import typed_value
from .values import Malformed, Refusal, Repair, Span

_GLM_PAIR = re.compile(r"\s*<arg_key>([^<>]*)</arg_key>\s*<arg_value>")
_SPACE = re.compile(r"\s*")
_KEYWORD = re.compile(r"([A-Za-z_]\w*)\s*=(?!=)\s*", re.ASCII)
# What JSON calls damage is plain Python here.
_PYTHONS_OWN: Final = frozenset(
    {"single-quotes", "python-literal", "triple-quotes", "trailing-comma", "escaped-apostrophe"}
)


def _skip(text: str, pos: int, limit: int) -> int:
    match = _SPACE.match(text, pos, limit)
    return match.end() if match else pos


def read_pythonic(text: str, pos: int, limit: int, context: Context) -> Body:
    """Read `f(a=1)`, several of them a line each, or the list `[f(a=1), g(b=2)]`.

    Raises:
        Malformed: the first call has no reading; a later one ends the body with a refusal.
    """
    in_list = text.startswith("[", pos)
    start = pos
    pos = _skip(text, pos + 1, limit) if in_list else pos
    items: list[Candidate | Refusal] = []
    while True:
        try:
            call, pos = _keyword_call(text, pos, limit, context)
        except Malformed as broken:
            if in_list or not items:
                raise
            return Body((*items, broken.refusal()), max(pos, broken.end))
        items.append(call)
        after = _skip(text, pos, limit)
        if in_list:
            if text.startswith("]", after) and after < limit:
                return Body(tuple(items), after + 1, explicit=True)
            if not text.startswith(",", after) or after >= limit:
                raise Malformed("malformed-keyword-call", start, after, "the list is not closed")
            pos = _skip(text, after + 1, limit)
        else:
            after = _skip(text, after + 1, limit) if text.startswith(";", after) else after
            if not CALL_HEAD.match(text, after, limit):
                return Body(tuple(items), pos)
            pos = after


def _keyword_call(text: str, start: int, limit: int, context: Context) -> tuple[Candidate, int]:
    head = CALL_HEAD.match(text, start, limit)
    if not head:
        raise Malformed("malformed-keyword-call", start, start + 1, "no call starts here")
    name = head.group(1)
    if name not in context.tools:
        raise Malformed("unknown-tool", start, head.end(), f"no tool is called {name!r}")
    arguments: dict[str, Any] = {}
    repairs: list[Repair] = []
    pos = _skip(text, head.end(), limit)
    while pos < limit and text[pos] != ")":
        keyword = _KEYWORD.match(text, pos, limit)
        if not keyword:
            raise Malformed("positional-argument", pos, pos + 1, "arguments need their names")
        read = read_literal(text, keyword.end(), limit)
        repairs += [
            repair(n.code, n.start, n.end) for n in read.notes if n.code not in _PYTHONS_OWN
        ]
        if keyword.group(1) in arguments:
            raise Malformed("conflicting-duplicate", pos, read.end, "an argument stands twice")
        arguments[keyword.group(1)] = read.value
        pos = _skip(text, read.end, limit)
        if pos < limit and text[pos] == ",":
            pos = _skip(text, pos + 1, limit)
        elif pos < limit and text[pos] != ")":
            raise Malformed("malformed-keyword-call", pos, pos + 1, "expected ',' or ')'")
    if pos >= limit:
        raise Malformed("truncated", start, limit, "the call is not closed")
    return Candidate(name, arguments, Span(start, pos + 1), tuple(repairs)), pos + 1


def read_glm(text: str, pos: int, limit: int, context: Context) -> Body:
    """Read `NAME<arg_key>K</arg_key><arg_value>V</arg_value>…`, inside `<tool_call>` only.

    Raises:
        Malformed: the text has no reading.
    """
    head = GLM_HEAD.match(text, pos, limit)
    if not head or head.group(1) not in context.tools:
        raise Malformed("unknown-tool", pos, pos + 1, "no tool has this name")
    tool = context.tools[head.group(1)]
    arguments: dict[str, Any] = {}
    end = head.end()
    while pair := _GLM_PAIR.match(text, end, limit):
        close = text.find("</arg_value>", pair.end(), limit)
        value = text[pair.end() : close]
        if close < 0 or "<arg_key>" in value or "<arg_value>" in value:
            raise Malformed("open-value", pair.end(), limit, "an argument is never closed")
        key = pair.group(1).strip()
        read = typed_value(tool, key, value, pair.end())
        if key in arguments and not same_json(arguments[key], read.value):
            raise Malformed("conflicting-duplicate", pair.start(), close, f"{key!r} stands twice")
        arguments[key] = read.value
        end = close + len("</arg_value>")
    note = repair("foreign-dialect", pos, message="the argument tags of GLM")
    return Body((Candidate(tool.name, arguments, Span(pos, end), (note,)),), end)

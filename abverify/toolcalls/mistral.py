"""Reads the calls announced by a control token: Mistral's and Llama's."""

from __future__ import annotations

import re

from .body import read_body, skip_space
from .candidates import Body, Candidate, Context, repair
from .envelope import LLAMA, MISTRAL
from .heads import MISTRAL_MARK
from .json_reader import read_json
from .values import Malformed, Refusal, Span

_NAMED = re.compile(
    r"(?:\[TOOL_CALLS\])?[ \t]*(?P<name>[A-Za-z_][\w.\-]*)[ \t]*"
    r"(?:\[CALL_ID\][\w\-]+)?(?:\[ARGS\])?\s*(?=\{)"
)


def announces_call(text: str, start: int, limit: int) -> bool:
    """Whether a named call follows the mark at `start`."""
    return bool(_NAMED.match(text, start, limit))


def read_mistral(text: str, start: int, limit: int, context: Context) -> Body:
    """Read `[TOOL_CALLS] [{…}, …]` or `[TOOL_CALLS]name[ARGS]{…}`, one or several.

    Raises:
        Malformed: the first call has no reading.
    """
    pos = skip_space(text, start + len(MISTRAL_MARK), limit)
    if not announces_call(text, start, limit):
        body = read_body(text, pos, limit, context, MISTRAL)
        array = text.startswith("[", pos)
        if not array:
            body = body.repaired([repair("missing-array", pos)])
        mended = any(
            item.code == "missing-brace"
            for call in body.items
            if isinstance(call, Candidate)
            for item in call.repairs
        )
        return Body(body.items, body.end, explicit=array and not mended)
    items: list[Candidate | Refusal] = []
    end = start
    while head := _NAMED.match(text, skip_space(text, end, limit), limit):
        if items and not text.startswith(MISTRAL_MARK, head.start()):
            break
        try:
            call, end = _named(text, head, limit, context)
        except Malformed as broken:
            if not items:
                raise
            return Body((*items, broken.refusal()), max(end, broken.end))
        items.append(call)
    return Body(tuple(items), end)


def _named(text: str, head: re.Match[str], limit: int, context: Context) -> tuple[Candidate, int]:
    name = head.group("name")
    span = Span(head.start(), head.end())
    if name not in context.tools:
        raise Malformed("unknown-tool", span.start, span.end, f"no tool is called {name!r}")
    read = read_json(text, head.end(), limit)
    repairs = tuple(repair(note.code, note.start, note.end) for note in read.notes)
    return Candidate(name, read.value, Span(span.start, read.end), repairs), read.end


def read_python_tag(text: str, pos: int, limit: int, context: Context) -> Body:
    """Read what follows `<|python_tag|>`: JSON calls, or `name.call(key=value)`.

    Raises:
        Malformed: it is neither, for example a program.
    """
    body = read_body(text, pos, limit, context, LLAMA)
    kept = tuple(_own(item) if isinstance(item, Candidate) else item for item in body.items)
    return Body(kept, body.end)


def _own(call: Candidate) -> Candidate:
    """Keyword calls and several calls in a row are this dialect's own forms, not damage."""
    own = ("keyword-call", "several-in-one-tag")
    return Candidate(
        call.name,
        call.arguments,
        call.span,
        tuple(item for item in call.repairs if item.code not in own),
    )

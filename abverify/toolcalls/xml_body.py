"""Reads one `<function=NAME>…</function>` call, the dialect of Qwen3-Coder.

Values have no escaping, so every rule here asks one question: can this tag be anything else?
A closing tag that is followed by what must follow it ends the value; an opening tag of another
call inside a value cannot be told from a nested call, and is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from abverify._frozen import frozen

from .candidates import Candidate, Context, repair
from .heads import XML_HEAD
from .json_reader import read_json, same_json
from .schema import typed_value
from .values import Malformed, Repair, Span

_PARAMETER = re.compile(
    r"<parameter(?P<how>=|[ \t]+name[ \t]*=[ \t]*)(?P<quote>[\"']?)(?P<name>[^<>=\"'\s]+)(?P=quote)"
    r"(?P<close>>|=|(?=\r?\n))"
)
_EDGE = re.compile(
    r"</parameter>|<parameter\b|</(?:function|invoke)>|<(?:function|invoke)\b|</tool_call>|<tool_call>"
)
_SPACE = re.compile(r"\s*")
_NEXT_CALL = re.compile(r"<tool_call>|<(?:function|invoke)\b|<\|im_|</tool_call|</function_calls>")
_CLOSE_FUNCTION = re.compile(r"</(?:function|invoke)>")
_AFTER_CLOSING_TAG = re.compile(r"</parameter>|<tool_call>|<(?:function|invoke)\b|<parameter\b")
_CALL_INSIDE = re.compile(r"<tool_call>\s*(?:[{\[]|<(?:function|invoke)\b)")


@frozen
class XmlCall:
    """One call and the offset after its `</function>`; `explicit` when that tag was there."""

    call: Candidate
    end: int
    explicit: bool


def read_function(text: str, pos: int, limit: int, context: Context) -> XmlCall:
    """Read the call whose `<function=` stands at `pos`.

    Raises:
        Malformed: the text has no reading, or more than one.
    """
    return _Function(text, limit, context, pos).read()


@dataclass(slots=True)
class _Function:
    text: str
    limit: int
    context: Context
    start: int
    name: str = ""
    repairs: list[Repair] = field(default_factory=list)
    mended: set[str] = field(default_factory=set)
    arguments: dict[str, Any] = field(default_factory=dict)

    def mend(self, code: str, start: int, end: int | None = None) -> None:
        """Read past a deviation, unless the turn or the profile forbids it."""
        if not self.context.lenient_xml:
            raise Malformed(
                "not-explicitly-closed" if not self.context.complete else code,
                start,
                end,
                "an XML call is only repaired in a finished turn",
            )
        if code not in self.mended:
            self.mended.add(code)
            self.repairs.append(repair(code, start, end))

    def read(self) -> XmlCall:
        head = XML_HEAD.match(self.text, self.start, self.limit)
        if not head:
            raise Malformed("malformed-xml", self.start, self.start + 1, "no function name")
        self.name = head.group("name")
        if self.name not in self.context.tools:
            raise Malformed(
                "unknown-tool", self.start, head.end(), f"no tool is called {self.name!r}"
            )
        if head.group() != f"<function={self.name}>":
            self.mend("xml-tag-form", self.start, head.end())
        pos = self.skip(head.end())
        if pos < self.limit and self.text[pos] == "{":
            end, explicit = self.json_arguments(pos)
        else:
            end, explicit = self.parameters(pos)
        absent = self.context.tools[self.name].required - self.arguments.keys()
        if absent:
            raise Malformed("missing-parameter", self.start, end, f"{sorted(absent)} missing")
        call = Candidate(self.name, self.arguments, Span(self.start, end), tuple(self.repairs))
        return XmlCall(call, end, explicit)

    def skip(self, pos: int) -> int:
        match = _SPACE.match(self.text, pos, self.limit)
        return match.end() if match else pos

    def json_arguments(self, pos: int) -> tuple[int, bool]:
        """`<function=NAME>{…}</function>`: the arguments as one JSON object."""
        self.mend("function-tag-json", pos)
        read = read_json(self.text, pos, self.limit)
        self.repairs.extend(repair(note.code, note.start, note.end) for note in read.notes)
        self.arguments = read.value
        close = _CLOSE_FUNCTION.match(self.text, self.skip(read.end), self.limit)
        if close:
            return close.end(), True
        return self.unclosed(self.skip(read.end)), False

    def parameters(self, pos: int) -> tuple[int, bool]:
        while True:
            close = _CLOSE_FUNCTION.match(self.text, pos, self.limit)
            if close:
                if close.group() != "</function>" and self.text.startswith("<function", self.start):
                    self.mend("xml-tag-form", pos, close.end())
                return close.end(), True
            if not self.text.startswith("<parameter", pos) or pos >= self.limit:
                return self.unclosed(pos), False
            pos = self.skip(self.parameter(pos))

    def unclosed(self, pos: int) -> int:
        """No `</function>`: fine to read past where the call cannot go on, else refused."""
        if pos < self.limit and not _NEXT_CALL.match(self.text, pos, self.limit):
            raise Malformed("text-in-call", pos, pos + 1, "text between the parameters")
        self.mend("xml-unclosed-function", pos)
        return pos

    def parameter(self, pos: int) -> int:
        head = _PARAMETER.match(self.text, pos, self.limit)
        if not head:
            raise Malformed("malformed-xml", pos, pos + 1, "no parameter name")
        name = head.group("name")
        if head.group() != f"<parameter={name}>":
            self.mend("xml-tag-form", pos, head.end())
        end, after = self.value_end(head.end())
        value = self.text[head.end() : end]
        if end == after:
            value = _without_wrong_close(value, name)
        read = typed_value(self.context.tools[self.name], name, _unwrapped(value), head.end())
        for note in read.notes:
            self.mend(note.code, note.start)
        if name in self.arguments:
            if not same_json(self.arguments[name], read.value):
                raise Malformed("conflicting-duplicate", pos, after, f"{name!r} has two values")
            self.mend("duplicate-key", pos, after)
        self.arguments[name] = read.value
        return after

    def value_end(self, start: int) -> tuple[int, int]:
        """Where a value ends, and where the text goes on after its closing tags."""
        literal_until = start
        for edge in _EDGE.finditer(self.text, start, self.limit):
            tag, pos = edge.group(), edge.start()
            if tag == "</parameter>":
                return pos, self.after_close(edge.end())
            if tag == "<parameter":
                return self.next_parameter(start, pos)
            if tag.startswith(("<function", "<invoke")) or (
                tag == "<tool_call>" and _CALL_INSIDE.match(self.text, pos, self.limit)
            ):
                raise Malformed("nested-call", pos, edge.end(), "a call inside a value")
            if pos >= literal_until and tag.startswith("</"):
                literal_until = self.closing_tag(pos)
                if literal_until < 0 and pos == start:
                    raise Malformed("open-value", start, pos, "an unclosed parameter is empty")
                if literal_until < 0:
                    self.mend("xml-unclosed-parameter", pos)
                    return pos, pos
        raise Malformed("open-value", start, self.limit, "a parameter is never closed")

    def after_close(self, pos: int) -> int:
        """Read past doubled `</parameter>`; refuse text where only a tag may stand."""
        while self.text.startswith("</parameter>", self.skip(pos)):
            pos = self.skip(pos)
            self.mend("xml-surplus-close", pos, pos + len("</parameter>"))
            pos += len("</parameter>")
            if pos > self.limit:
                raise Malformed("open-value", pos, pos, "a parameter is never closed")
        following = self.skip(pos)
        if following < self.limit and self.text[following] != "<":
            raise Malformed(
                "ambiguous-value", following, following + 1, "a value goes on after </parameter>"
            )
        return pos

    def next_parameter(self, start: int, pos: int) -> tuple[int, int]:
        """`<parameter=` inside a value: the next one if it is due, else undecidable."""
        head = _PARAMETER.match(self.text, pos, self.limit)
        tool = self.context.tools[self.name]
        due = head and head.group("name") in tool.properties.keys() - self.arguments.keys()
        if not due or pos == start:
            raise Malformed("ambiguous-value", pos, pos + 1, "a parameter inside a value")
        self.mend("xml-unclosed-parameter", pos)
        return pos, pos

    def closing_tag(self, pos: int) -> int:
        """`</function>` or `</tool_call>` inside a value.

        Returns:
            The offset up to which the text is the value's own, or -1 if the value ends here.
        """
        following = _AFTER_CLOSING_TAG.search(self.text, pos, self.limit)
        literal = following is not None and following.group() == "</parameter>"
        return following.start() if following and literal else -1


def _without_wrong_close(value: str, name: str) -> str:
    """The value of an unclosed parameter without the damaged tag that was to close it."""
    wrong = re.compile(rf"</(?:parameter\w{{0,9}}|{re.escape(name)})/?>?\s*\Z")
    at = value.rfind("</")
    return value[:at] if at >= 0 and wrong.match(value, at) else value


def _unwrapped(value: str) -> str:
    """The value without the one line break the dialect puts at either end.

    Which break that is, the opening one tells: after a plain one, a carriage return at
    the end is the value's own.
    """
    newline = "\n" if value.startswith("\n") else "\r\n"
    value = value.removeprefix(newline)
    return value.removesuffix(newline if value.endswith(newline) else "\n")

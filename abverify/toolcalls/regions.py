"""Finds the part of a turn that is the assistant's answer.

Reasoning is not an instruction to act, and text after an invented user turn or tool result was
never the assistant's to write: both are left out before anything is read as a call. A marker
counts only outside JSON strings and XML values, where it is an argument's own text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from .json_reader import MAX_UNTAGGED_READS, read_json
from .values import Malformed, Refusal, Span

_CONTROL: Final = (
    r"<\|(?:im_start|im_end|im_sep|endoftext|end_of_text|begin_of_text|eot_id|eom_id|"
    r"start_header_id|end_header_id|end|user|assistant|system|return|channel|message|start|"
    r"observation|endofprompt|fim_\w+)\|>|</s>|<(?:start|end)_of_turn>|<[eb]os>|\[/?INST\]"
)
_RESPONSE: Final = r"<(?:(?:tool|function)_(?:response|result)s?|tool_outputs?)\b|\[TOOL_RESULTS\]"
_SPEAKERS: Final = (
    r"(?:Human|HUMAN|User|USER|Assistant|ASSISTANT|System|SYSTEM"
    r"|Observation|Tool [Rr]esult|Tool [Rr]esponse)"
)
_JSON: Final = r"(?=\{\s*[\"'}\w]|\[\s*[{\[])"
# What may match is told by one character or by the line's start: nearly every place of a text is
# left after two looks at it.
_MARKER = re.compile(
    rf"(?=[<\[])(?:(?P<think></?think(?:ing)?>)|(?P<control>{_CONTROL})"
    rf"|(?P<response>{_RESPONSE})|(?P<value><parameter(?:=|[ \t]+name)[^>\n]*>))"
    rf"|^(?:(?P<role>[ \t]*(?:\#{{1,4}}[ ]*)?(?:\*\*)?{_SPEAKERS}(?:\*\*)?:)"
    rf"|(?P<bare_role>(?:user|assistant|human)[ \t]*\r?$)|(?P<json>[ \t]*{_JSON}))"
    rf"|(?=[>\]])(?P<json_behind>(?:>\s*|\][ ]?){_JSON})",
    re.MULTILINE,
)
_PREFIX = re.compile(
    r"\s*(?:<\|im_start\|>\s*assistant\s*|<\|assistant\|>\s*|Assistant:[ \t]*"
    r"|assistant[ \t]*\r?\n)",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Region:
    """The answer: `text[start:end]`, what was left out, and whether reasoning stayed open.

    `closed_by_token` tells that a chat-control token, not the token limit, ended the answer.
    """

    start: int
    end: int
    refusals: list[Refusal] = field(default_factory=list)
    open_reasoning: bool = False
    closed_by_token: bool = False


def find_answer(text: str) -> Region:
    """Locate the answer in a turn; one pass, never raises."""
    prefix = _PREFIX.match(text)
    region = Region(prefix.end() if prefix else 0, len(text))
    in_think, pos = -1, region.start
    protector = _Protector(text)
    while match := _MARKER.search(text, pos):
        pos = max(match.end(), pos + 1)
        kind = match.lastgroup
        if kind in ("json", "json_behind", "value"):
            pos = max(pos, protector.end(match))
        elif _in_code(text, match.start()):
            continue
        elif kind == "think":
            if match.group().startswith("</"):
                in_think, region.start = -1, match.end()
            elif in_think < 0:
                in_think = match.start()
        elif kind == "control" or in_think < 0:
            _cut(region, match, kind or "", len(text))
            break
    if in_think >= 0 and in_think < region.end:
        region.open_reasoning = True
        region.refusals.append(
            Refusal("open-reasoning", Span(in_think, region.end), "reasoning is never closed")
        )
    return region


def _cut(region: Region, match: re.Match[str], kind: str, length: int) -> None:
    region.end = match.start()
    region.closed_by_token = kind == "control"
    if kind == "control" and not match.string[match.end() :].strip():
        return  # the ordinary end-of-turn token, with nothing after it
    code = {"control": "control-token", "response": "invented-tool-result"}.get(kind, "role-marker")
    region.refusals.append(
        Refusal(code, Span(match.start(), length), "what follows is not the assistant's text")
    )


def _in_code(text: str, pos: int) -> bool:
    """Whether a marker is quoted as inline code: a backtick stands directly before it."""
    return pos > 0 and text[pos - 1] == "`"


@dataclass(slots=True)
class _Protector:
    """Finds the ends of JSON values and XML values, each stretch of text tried once."""

    text: str
    tried_to: int = 0
    reads: int = 0
    no_close: bool = False

    def end(self, match: re.Match[str]) -> int:
        """The offset up to which no marker counts; the match's own end if there is none."""
        if match.lastgroup == "value":
            return self.value_end(match.end())
        start = match.end()
        if start < self.tried_to or self.reads >= MAX_UNTAGGED_READS:
            return start
        self.reads += 1
        try:
            return read_json(self.text, start, len(self.text)).end
        except Malformed as broken:
            self.tried_to = max(start + 1, broken.end)
            return start

    def value_end(self, start: int) -> int:
        close = -1 if self.no_close else self.text.find("</parameter>", start)
        self.no_close = close < 0
        return start if close < 0 else close

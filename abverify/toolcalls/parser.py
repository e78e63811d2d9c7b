"""`parse`: one assistant turn in, the calls that may be executed out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from .candidates import Candidate, Context
from .profiles import Profile, resolve
from .regions import Region, find_answer
from .schema import check_arguments
from .sites import Item, Walk, walk
from .tags import past_closers
from .values import Malformed, ParsedTurn, Refusal, Repair, Span, ToolCall, ToolSpec, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .fences import Fence

# The ways an engine says that the model ended the turn itself. Anything else cut it off.
COMPLETE: Final = frozenset(
    (
        "stop",
        "tool_calls",
        "function_call",
        "tool_use",
        "end_turn",
        "stop_sequence",
        "eos",
        "eos_token",
    )
)
_CALL_MARKS: Final = re.compile(
    r"<tool_call\b[^<>]{0,80}>?\s*[{\[<]|<function=\w|<\|python_tag\|>"
    r"|\[TOOL_CALLS\]\s*(?:\[\s*\{|\{|\w+[\[{])|<\|channel\|>[^<]{0,80}to=|to=functions\."
    r"|<\uff5ctool\u2581call|^Action:.{0,80}\nAction Input:",
    re.MULTILINE,
)
_NAMED_CALL: Final = re.compile(
    r"\\?[\"'](?:name|function|tool)\\?[\"']\s{0,9}:\s{0,9}\\?[\"'](?P<name>[\w.\-]{1,64})\\?[\"']"
    r"(?P<args>\s{0,9},?\s{0,9}\\?[\"'](?:arguments|input|parameters|args)\\?[\"']\s{0,9}:)?"
)


@dataclass(slots=True)
class _Outcome:
    calls: list[ToolCall] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)


def parse(
    text: str,
    *,
    finish_reason: str,
    tools: Sequence[ToolSpec],
    profile: Profile | str,
    workspace_files: Sequence[str] = (),
) -> ParsedTurn:
    """Turn assistant text into the calls that may be executed, and say why not for the rest.

    Pure, total and linear in the length of the text. Pass assistant text only: a tool result
    must never be given to this function.

    Args:
        text: the raw completion, special tokens included where the engine shows them.
        finish_reason: why the engine stopped; everything but a normal end counts as cut off.
        tools: the tools the model was offered.
        profile: the declared rules, a `Profile` or its name, for example `salvage/1`.
        workspace_files: relative paths of the files that exist, for `markdown-edit` only.

    Returns:
        The calls, the verdict, and a coded repair or refusal for every deviation.

    Raises:
        ValueError: `profile` is a string that names no profile. No text raises anything.
    """
    rules = resolve(profile)
    region = find_answer(text)
    answer = text[region.start : region.end]
    context = Context(
        tools={tool.name: tool for tool in tools},
        complete=finish_reason in COMPLETE,
        repairs=rules.repairs,
    )
    outcome = _Outcome()
    found = Walk()
    if not region.open_reasoning:
        found = walk(answer, context)
        _select(answer, found, context, region, outcome)
        if rules.markdown and not (outcome.calls or outcome.refusals or found.items):
            _markdown(answer, found, context, outcome, workspace_files)
    return _turn(text, region, outcome, context, found.fences)


def _select(answer: str, found: Walk, context: Context, region: Region, outcome: _Outcome) -> None:
    """Choose the most explicit kind of call there is, and take its valid prefix."""
    outcome.refusals.extend(found.mentions)
    kinds = [k for k in ("tagged", "fenced", "bare") if any(i.kind == k for i in found.items)]
    if not kinds or (kinds[0] != "tagged" and not context.repairs):
        return
    chosen = [item for item in found.items if item.kind == kinds[0]]
    ends_turn = _ends_turn(answer, found.items)
    if kinds[0] != "tagged" and not all(ends_turn[id(item)] for item in chosen):
        code = "fence-not-last" if kinds[0] == "fenced" else "not-at-end"
        outcome.refusals.extend(
            Refusal(code, Span(item.start, item.end), "the turn goes on behind it")
            for item in chosen
        )
        return
    for item in chosen:
        if item.must_end and not ends_turn[id(item)]:
            place = Span(item.start, item.end)
            outcome.refusals.append(Refusal("not-at-end", place, "the turn goes on behind it"))
            break
        try:
            _take(item, context, region, len(answer), outcome)
        except Malformed as broken:
            outcome.refusals.append(broken.refusal())
            break


def _ends_turn(answer: str, items: Sequence[Item]) -> dict[int, bool]:
    """For each item, whether only blanks, stray closing marks and further calls follow it."""
    result: dict[int, bool] = {}
    following, open_end = len(answer), True
    for item in reversed(items):
        after, _ = past_closers(answer, item.end, following)
        rest = answer[after:following].strip(" \t\r\n,;\ufeff\u200b")
        open_end = open_end and not rest
        failed = isinstance(item.calls[-1], Refusal)
        open_end = open_end or (failed and following == len(answer))
        result[id(item)] = open_end
        following = item.start
    return result


def _take(item: Item, context: Context, region: Region, length: int, outcome: _Outcome) -> None:
    """Accept the calls of one item up to the first that cannot be executed."""
    by_token = region.closed_by_token and item.end == length
    for call in item.calls:
        if isinstance(call, Refusal):
            raise Malformed(call.code, call.span.start, call.span.end, call.message)
        if not (context.complete or item.explicit or by_token):
            raise Malformed(
                "not-explicitly-closed", item.start, item.end, "the turn was cut off here"
            )
        _accept(call, item, context, outcome)


def _accept(call: Candidate, item: Item, context: Context, outcome: _Outcome) -> None:
    if call.repairs and not context.repairs:
        first = call.repairs[0]
        raise Malformed(first.code, first.span.start, first.span.end, "strict reads no damage")
    if not isinstance(call.arguments, dict):
        raise Malformed("arguments-not-an-object", call.span.start, call.span.end)
    encoded = check_arguments(context.tools[call.name], call.arguments, call.span)
    span = Span(item.start, item.end) if len(item.calls) == 1 else call.span
    outcome.calls.append(ToolCall(call.name, encoded, not call.repairs, span))
    outcome.repairs.extend(call.repairs)
    outcome.spans.append(Span(item.start, item.end))


def _markdown(
    answer: str, found: Walk, context: Context, outcome: _Outcome, files: Sequence[str]
) -> None:
    # Not above: only one profile reads Markdown blocks as edits.
    from .markdown_edit import markdown_edits

    for edit in markdown_edits(answer, found.fences, context, files):
        if isinstance(edit, Refusal):
            outcome.refusals.append(edit)
            break
        try:
            whole = Item("fenced", (edit,), edit.span.start, edit.span.end, explicit=True)
            _accept(edit, whole, context, outcome)
        except Malformed as broken:
            outcome.refusals.append(broken.refusal())
            break


def _turn(
    text: str, region: Region, outcome: _Outcome, context: Context, fences: Sequence[Fence]
) -> ParsedTurn:
    calls, repairs, own = _shifted(outcome, region.start)
    refusals = tuple(region.refusals) + own
    verdict: Verdict = "none"
    if calls:
        verdict = "native" if all(call.native for call in calls) else "recovered"
    elif own or _mentions_call(text, context):
        verdict = "refused"
        if not refusals:
            refusals = (_unplaced(text, region, fences),)
    return ParsedTurn(
        calls,
        verdict,
        _prose(text, region, outcome.spans),
        tuple(call.span for call in calls),
        repairs,
        refusals,
    )


def _shifted(
    outcome: _Outcome, shift: int
) -> tuple[tuple[ToolCall, ...], tuple[Repair, ...], tuple[Refusal, ...]]:
    """Calls, repairs and refusals, each once, with offsets in the whole text."""
    repairs = dict.fromkeys(outcome.repairs)
    if not shift:
        return tuple(outcome.calls), tuple(repairs), tuple(outcome.refusals)
    return (
        tuple(
            ToolCall(call.name, call.arguments_json, call.native, call.span.shifted(shift))
            for call in outcome.calls
        ),
        tuple(Repair(r.code, r.span.shifted(shift), r.message) for r in repairs),
        tuple(Refusal(r.code, r.span.shifted(shift), r.message) for r in outcome.refusals),
    )


def _mentions_call(text: str, context: Context) -> bool:
    """Whether any of the raw text looks like a call; decides only `refused` against `none`."""
    if not context.repairs:
        return False
    if _CALL_MARKS.search(text):
        return True
    return any(
        match.group("args") or match.group("name") in context.tools
        for match in _NAMED_CALL.finditer(text)
    )


def _unplaced(text: str, region: Region, fences: Sequence[Fence]) -> Refusal:
    """The reason for call-like text that no site holds."""
    if region.start and _NAMED_CALL.search(text, 0, region.start):
        return Refusal("in-reasoning", Span(0, region.start), "a call inside the reasoning")
    for fence in fences:
        inside = Span(region.start + fence.content, region.start + fence.content_end)
        if _NAMED_CALL.search(text, inside.start, inside.end):
            return Refusal("fence-language", inside, "a call in a block of another language")
    return Refusal("mid-sentence", Span(region.start, region.end), "a call inside other text")


def _prose(text: str, region: Region, spans: Sequence[Span]) -> str:
    parts, pos = [], region.start
    for span in sorted(set(spans), key=lambda item: item.start):
        start, end = span.start + region.start, span.end + region.start
        if start >= pos:
            parts.append(text[pos:start])
            pos = end
    parts.append(text[pos : region.end])
    return "".join(parts).strip()

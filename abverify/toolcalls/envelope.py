"""Turns a JSON value into calls: `{"name", "arguments"}` and the shapes that mean the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from abverify._frozen import frozen

from .candidates import Candidate, Context, from_notes, repair
from .json_reader import ARGUMENT_KEYS, JsonValue, read_json, same_json
from .values import Malformed, Refusal, Repair, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAME_KEYS: Final = ("name", "function", "tool")
_MARKS: Final = {
    "type": ("function", "tool_use", "tool_call", "function_call"),
    "id": None,
    "index": None,
    "call_id": None,
    "tool_call_id": None,
}
_MESSAGE_KEYS: Final = frozenset({"role", "content", "type", "id"})


@frozen
class Style:
    """What a dialect writes without being damaged.

    Attributes:
        argument_keys: its own names for the arguments.
        marks: keys beside name and arguments that are part of the dialect.
        arrays: several calls stand in one array.
    """

    argument_keys: tuple[str, ...] = ("arguments",)
    marks: tuple[str, ...] = ()
    arrays: bool = False


HERMES: Final = Style()
MISTRAL: Final = Style(marks=("id", "type"), arrays=True)
LLAMA: Final = Style(argument_keys=("parameters", "arguments"), marks=("type",))


def looks_like_call(value: Any, context: Context) -> bool:
    """Whether a JSON value found in running text is meant as a call, well-formed or not."""
    if isinstance(value, list):
        return bool(value) and looks_like_call(value[0], context)
    if not isinstance(value, dict):
        return False
    inner = _unwrap(value)
    if inner is not None:
        return looks_like_call(inner, context)
    names = [value[key] for key in NAME_KEYS if isinstance(value.get(key), str)]
    return bool(names) and (
        any(key in value for key in ARGUMENT_KEYS) or any(name in context.tools for name in names)
    )


def calls_in(
    read: JsonValue, start: int, context: Context, style: Style
) -> Iterator[Candidate | Refusal]:
    """Every call in a value, in order; ends after the first refusal."""
    repairs = from_notes(read.notes)
    for item in _spread(read.value, start, repairs, style):
        try:
            yield _call(item, Span(start, read.end), context, style).repaired(repairs)
        except Malformed as broken:
            yield broken.refusal()
            return


def _spread(value: Any, start: int, repairs: list[Repair], style: Style) -> list[Any]:
    """The envelopes inside a value: itself, the items of an array, or of a `tool_calls` list."""
    if (
        isinstance(value, dict)
        and isinstance(value.get("tool_calls"), list)
        and not (value.keys() - _MESSAGE_KEYS - {"tool_calls"})
    ):
        repairs.append(repair("wrapped-call", start))
        return list(value["tool_calls"])
    if not isinstance(value, list):
        return [value]
    if not style.arrays:
        repairs.append(repair("call-array", start))
    return value


def _unwrap(value: Mapping[str, Any]) -> Any:
    """The call inside `{"function": {…}}`, `{"tool_call": {…}}` or a list of `tool_calls`."""
    calls = value.get("tool_calls")
    if isinstance(calls, list) and not value.keys() - _MESSAGE_KEYS - {"tool_calls"}:
        return calls
    for key in ("function", "tool_call"):
        if isinstance(value.get(key), dict) and not value.keys() - {key, *_MARKS}:
            return value[key]
    return None


def _call(value: Any, span: Span, context: Context, style: Style) -> Candidate:
    repairs: list[Repair] = []
    if isinstance(value, dict):
        inner = _unwrap(value)
        if isinstance(inner, dict):
            repairs.append(repair("wrapped-call", span.start))
            value = inner
    if not isinstance(value, dict):
        raise Malformed("not-an-object", span.start, span.end, "a call is a JSON object")
    name_keys = [key for key in NAME_KEYS if key in value]
    name = _one_name(value, name_keys, span)
    if name not in context.tools:
        raise Malformed("unknown-tool", span.start, span.end, f"no tool is called {name!r}")
    if name_keys != ["name"]:
        repairs.append(repair("key-alias", span.start, message=f"{name_keys} for the name"))
    arguments = _arguments(value, name, name_keys, span, context, style, repairs)
    return Candidate(name, arguments, span, tuple(repairs))


def _one_name(value: Mapping[str, Any], keys: list[str], span: Span) -> str:
    if not keys:
        raise Malformed("missing-name", span.start, span.end, "no key names a tool")
    names = [value[key] for key in keys]
    if any(not isinstance(name, str) for name in names):
        raise Malformed("missing-name", span.start, span.end, "the tool's name is not a string")
    if len(set(names)) > 1:
        raise Malformed("two-names", span.start, span.end, f"the call names {names}")
    return str(names[0])


def _arguments(
    value: Mapping[str, Any],
    name: str,
    name_keys: list[str],
    span: Span,
    context: Context,
    style: Style,
    repairs: list[Repair],
) -> dict[str, Any]:
    tool = context.tools[name]
    keys = [key for key in ARGUMENT_KEYS if key in value]
    rest = value.keys() - {*keys, *name_keys}
    if not keys or (not _is_envelope(value, keys) and set(keys) <= set(tool.properties)):
        return _flattened(value, name, name_keys, span, context, repairs)
    if any(not same_json(value[keys[0]], value[key]) for key in keys[1:]):
        raise Malformed("conflicting-duplicate", span.start, span.end, f"{keys} differ")
    if keys[0] not in style.argument_keys or len(keys) > 1:
        repairs.append(repair("key-alias", span.start, message=f"{keys} for the arguments"))
    for key in sorted(rest):
        if key in tool.properties and not _is_mark(key, value[key]):
            raise Malformed("split-arguments", span.start, span.end, f"{key!r} stands outside")
        if key not in style.marks or not _is_mark(key, value[key]):
            repairs.append(repair("extra-key", span.start, message=f"{key!r} is ignored"))
    return _object(value[keys[0]], span, repairs)


def _is_envelope(value: Mapping[str, Any], keys: list[str]) -> bool:
    return any(isinstance(value[key], dict | str) for key in keys)


def _is_mark(key: str, value: Any) -> bool:
    allowed = _MARKS.get(key, ())
    return allowed is None or value in allowed


def _object(value: Any, span: Span, repairs: list[Repair]) -> dict[str, Any]:
    """The arguments as an object, decoding one level of JSON-in-a-string."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, str):
        raise Malformed("arguments-not-an-object", span.start, span.end, "arguments are no object")
    text = value.strip(" \t\r\n")
    try:
        read = read_json(text, 0, len(text)) if text.startswith("{") else None
    except Malformed:
        read = None
    if read is None or read.end != len(text) or not isinstance(read.value, dict):
        raise Malformed("plain-string-arguments", span.start, span.end, "arguments are a string")
    repairs.append(repair("string-arguments", span.start))
    repairs.extend(repair(note.code, span.start) for note in read.notes)
    return read.value


def _flattened(
    value: Mapping[str, Any],
    name: str,
    name_keys: list[str],
    span: Span,
    context: Context,
    repairs: list[Repair],
) -> dict[str, Any]:
    """Arguments beside the name, accepted only when they are exactly what the schema declares."""
    tool = context.tools[name]
    flat = {
        key: item
        for key, item in value.items()
        if key not in name_keys and (key in tool.properties or not _is_mark(key, item))
    }
    if not flat and tool.required:
        raise Malformed("missing-parameter", span.start, span.end, "the call has no arguments")
    if not flat.keys() <= tool.properties.keys() or not tool.required <= flat.keys():
        raise Malformed(
            "not-the-schema", span.start, span.end, f"{sorted(flat)} are not the parameters"
        )
    repairs.append(repair("flattened-arguments", span.start))
    return flat

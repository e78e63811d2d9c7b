"""Checks arguments against a tool's JSON Schema, and types XML text by it."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any, Final

from .json_reader import JsonValue, Note, read_json
from .values import Malformed, Span, ToolSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

_CODES: Final = {
    "required": "missing-parameter",
    "additionalProperties": "unexpected-parameter",
    "type": "wrong-type",
}

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


@functools.lru_cache(maxsize=256)
def _validator(schema_json: str) -> Any:
    """A validator that resolves references inside the schema only, and never over a network."""
    from jsonschema import Draft202012Validator
    from referencing import Registry

    schema = json.loads(schema_json)
    Draft202012Validator.check_schema(schema)
    registry: Any = Registry()
    return Draft202012Validator(schema, registry=registry)


def _plain_strings(tool: ToolSpec, arguments: Mapping[str, Any]) -> bool:
    """The common case without jsonschema: only string parameters, all required, none extra."""
    schema = tool.parameters
    return (
        schema.keys() <= {"type", "properties", "required", "additionalProperties"}
        and schema.get("type") == "object"
        and tool.required == tool.properties.keys() == arguments.keys()
        and all(spec == {"type": "string"} for spec in tool.properties.values())
        and all(isinstance(value, str) for value in arguments.values())
    )


def check_arguments(tool: ToolSpec, arguments: Mapping[str, Any], span: Span) -> str:
    """Validate arguments; returns them as JSON text.

    Raises:
        Malformed: the schema does not accept them, or they are not representable in UTF-8.
    """
    try:
        encoded = _ENCODER.encode(arguments)
        encoded.encode()
    except (ValueError, RecursionError):
        raise Malformed("lone-surrogate", span.start, span.end, "half a character") from None
    if not _plain_strings(tool, arguments):
        _validate(tool, arguments, span)
    return encoded


def _validate(tool: ToolSpec, arguments: Mapping[str, Any], span: Span) -> None:
    try:
        validator = _validator(json.dumps(dict(tool.parameters), sort_keys=True))
        error = next(iter(validator.iter_errors(arguments)), None)
    except Exception as broken:  # noqa: BLE001  # whatever a tool file holds, parsing is total
        raise Malformed(
            "invalid-tool-schema", span.start, span.end, f"{tool.name}: {broken}"
        ) from None
    if error is not None:
        code = _CODES.get(str(error.validator), "schema-mismatch")
        raise Malformed(code, span.start, span.end, f"{tool.name}: {error.message[:200]}")


def typed_value(tool: ToolSpec, name: str, text: str, at: int) -> JsonValue:
    """Give the text of an XML parameter the type its schema declares.

    Where a string is allowed the text is the value, so `null` stays a string. Otherwise the
    text must be one JSON value.

    Raises:
        Malformed: the text is no value of the declared type.
    """
    spec = tool.properties.get(name, {})
    kinds = spec.get("type") if isinstance(spec, dict) else None
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if not isinstance(kinds, list) or "string" in kinds:
        return JsonValue(text, len(text))
    body = text.strip(" \t\r\n")
    try:
        read = read_json(body, 0, len(body))
    except Malformed:
        read = None
    if read is None or read.end != len(body):
        raise Malformed("wrong-type", at, at + len(text), f"{name!r} is not of type {kinds}")
    return JsonValue(read.value, len(text), tuple(Note(n.code, at, at) for n in read.notes))

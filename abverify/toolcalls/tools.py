"""The default tools of the arena, and reading a tools file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .values import ToolSpec


def _strings(name: str, description: str, *parameters: str) -> ToolSpec:
    """A tool whose parameters are all required strings."""
    return ToolSpec(
        name,
        description,
        {
            "type": "object",
            "properties": {parameter: {"type": "string"} for parameter in parameters},
            "required": list(parameters),
            "additionalProperties": False,
        },
    )


DEFAULT_TOOLS: Final = (
    _strings("file_read", "Read a file of the workspace.", "path"),
    _strings("file_write", "Create or replace a file of the workspace.", "path", "content"),
    _strings(
        "file_edit",
        "Replace the one occurrence of a string in a file.",
        "path",
        "old_string",
        "new_string",
    ),
    _strings("shell", "Run a shell command in the workspace.", "command"),
    _strings("grep", "Search the files under a path for a pattern.", "pattern", "path"),
    _strings("glob", "List the files that match a pattern.", "pattern"),
)


def tools_from_json(value: Any) -> tuple[ToolSpec, ...]:
    """Read declared tools: a list of `{"name", "description", "parameters"}`.

    The OpenAI shape, `{"type": "function", "function": {…}}`, is read too.

    Raises:
        ValueError: the value has another shape; the message says which entry and why.
    """
    entries = value.get("tools") if isinstance(value, Mapping) else value
    if not isinstance(entries, list) or not entries:
        raise ValueError("tools: expected a non-empty list of tool declarations")
    return tuple(_tool(entry, place) for place, entry in enumerate(entries))


def _tool(entry: Any, place: int) -> ToolSpec:
    if isinstance(entry, Mapping) and isinstance(entry.get("function"), Mapping):
        entry = entry["function"]
    if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
        raise ValueError(  # noqa: TRY004  # a wrong value in a file, not a wrong type in code
            f"tools[{place}]: expected an object with a string 'name'"
        )
    parameters = entry.get("parameters", entry.get("input_schema"))
    if not isinstance(parameters, Mapping) or parameters.get("type") != "object":
        raise ValueError(
            f"tools[{place}] ({entry['name']}): expected 'parameters', a JSON Schema of "
            f"type 'object'; found {type(parameters).__name__}"
        )
    return ToolSpec(entry["name"], str(entry.get("description", "")), dict(parameters))

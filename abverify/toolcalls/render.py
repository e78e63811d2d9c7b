"""Writes calls in the native dialects: for scripted agents, and to prove that reading inverts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

Renderer = Callable[[str, Mapping[str, Any]], str]


def _json(name: str, arguments: Mapping[str, Any], key: str = "arguments") -> str:
    return json.dumps({"name": name, key: dict(arguments)}, ensure_ascii=False)


def render_hermes(name: str, arguments: Mapping[str, Any]) -> str:
    """`<tool_call>` around one JSON object."""
    return f"<tool_call>\n{_json(name, arguments)}\n</tool_call>"


def render_mistral(name: str, arguments: Mapping[str, Any]) -> str:
    """`[TOOL_CALLS]` and a JSON array."""
    return f"[TOOL_CALLS] [{_json(name, arguments)}]"


def render_mistral_named(name: str, arguments: Mapping[str, Any]) -> str:
    """`[TOOL_CALLS]name[ARGS]` and the arguments object."""
    return f"[TOOL_CALLS]{name}[ARGS]{json.dumps(dict(arguments), ensure_ascii=False)}"


def render_llama(name: str, arguments: Mapping[str, Any]) -> str:
    """`<|python_tag|>` and one JSON object, closed by the end-of-message token."""
    return f"<|python_tag|>{_json(name, arguments, 'parameters')}<|eom_id|>"


def render_xml(name: str, arguments: Mapping[str, Any]) -> str:
    """Qwen3-Coder's XML.

    Raises:
        ValueError: a value holds text the dialect cannot carry, because it has no escaping.
    """
    parts = [_xml_parameter(key, value) for key, value in arguments.items()]
    return f"<tool_call>\n<function={name}>\n{''.join(parts)}</function>\n</tool_call>"


_UNCARRIABLE: Final = ("<parameter", "</parameter>", "<function", "<invoke", "<tool_call>")


def _xml_parameter(key: str, value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    for mark in _UNCARRIABLE:
        if mark in text:
            raise ValueError(f"parameter {key!r} holds {mark!r}, which this dialect cannot carry")
    return f"<parameter={key}>\n{text}\n</parameter>\n"


NATIVE_RENDERERS: Final[Mapping[str, Renderer]] = {
    "hermes": render_hermes,
    "qwen-xml": render_xml,
    "mistral": render_mistral,
    "mistral-named": render_mistral_named,
    "llama": render_llama,
}

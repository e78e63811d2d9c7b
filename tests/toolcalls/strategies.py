"""Hypothesis strategies: arguments, the permissive tool that takes them, and hostile text."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from abverify.toolcalls import ToolSpec
from abverify.toolcalls.render import render_xml

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
MARKUP = st.sampled_from(
    [
        "<tool_call>", "</tool_call>", "<function=f>", "</function>", "<parameter=p>",
        "</parameter>", "<think>", "</think>", "\nHuman: x", "<|im_end|>", "<tool_response>",
        "```", "\n```json\n", '"', "'", "\\", "\\n", "{", "}", "[", "]", ",", ":", "\n", "\r\n",
        '{"name": "f", "arguments": {}}', "[TOOL_CALLS]", "<|python_tag|>", "[ARGS]", "f(", ")",
        "> ", "`", "//", "/*", "#", '"""', "null", "-1e9", "\\u12", "\ufeff", "file_read", "é",
    ]
)  # fmt: skip
SPICED = st.lists(TEXT | MARKUP, max_size=8).map("".join)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,11}", fullmatch=True)
NUMBERS = st.integers(-(2**80), 2**80) | st.floats(allow_nan=False, allow_infinity=False).map(float)
SCALARS = st.none() | st.booleans() | NUMBERS | SPICED
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(SPICED, inner, max_size=4),
    max_leaves=12,
)
ARGUMENTS = st.dictionaries(NAMES, VALUES, max_size=5)
HOSTILE = st.lists(MARKUP | TEXT, max_size=40).map("".join)


ANYTHING = ToolSpec("f", "", {"type": "object"})


def permissive(arguments: dict[str, Any], dialect: str) -> ToolSpec:
    """A tool that takes anything; XML needs to know which of these keys are strings."""
    if dialect != "qwen-xml":
        return ANYTHING
    properties = {
        key: {"type": "string"} if isinstance(value, str) else {"type": _kinds()}
        for key, value in arguments.items()
    }
    return ToolSpec("f", "", {"type": "object", "properties": properties})


def _kinds() -> list[str]:
    return ["null", "boolean", "number", "array", "object"]


def carriable(arguments: dict[str, Any]) -> bool:
    """Whether XML, which has no escaping, can carry these arguments."""
    try:
        render_xml("f", arguments)
    except ValueError:
        return False
    return True

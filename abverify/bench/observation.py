"""What the model is told after a turn with calls: each tool's answer, marked as such.

The text goes into a user message. Only assistant text is ever parsed for
calls, so nothing that stands in a tool's answer can become one.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from abverify.evidence.rows import ToolResult


def observation(results: tuple[ToolResult, ...]) -> str:
    """One `<tool_response>` block for each executed call, in order."""
    return "\n".join(_block(result) for result in results)


def _block(result: ToolResult) -> str:
    body = {"name": result.tool, "ok": result.ok, "output": result.output}
    text = json.dumps(body, ensure_ascii=False).replace("</", "<\\/")
    return f"<tool_response>\n{text}\n</tool_response>"

"""`abverify toolcalls parse`: what a parser profile makes of raw assistant text."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abverify.toolcalls import Profile, ToolSpec


@click.group()
def command() -> None:
    """Parse tool calls out of raw assistant text."""


@command.command(
    epilog='Example:\n\n  echo \'{"name": "file_read", "input": {"path": "a.py"}}\' '
    "| abverify toolcalls parse --profile salvage"
)
@click.option("--profile", default="salvage/1", show_default=True, help="NAME or NAME/VERSION.")
@click.option("--tools", metavar="FILE", help="JSON: [{name, description, parameters}]…")
@click.option("--jsonl", is_flag=True, help='Read lines of {"id", "raw", "finish_reason"}.')
@click.option("--finish-reason", default="stop", show_default=True, help="For raw input.")
def parse(profile: str, tools: str | None, jsonl: bool, finish_reason: str) -> int:  # noqa: FBT001
    """Read assistant text on standard input; print one JSON line for each turn."""
    from abverify.app.toolcalls import named_profile, read_tools

    chosen, specs = named_profile(profile), read_tools(tools)
    data = sys.stdin.buffer.read().decode("utf-8", "replace")
    if not jsonl:
        _print(None, data, finish_reason, specs, chosen)
        return 0
    from abverify.app.toolcalls import read_turns

    for turn in read_turns(data):
        _print(turn.id, turn.raw, turn.finish_reason, specs, chosen)
    return 0


def _print(
    turn_id: Any, raw: str, reason: str, tools: Sequence[ToolSpec], profile: Profile
) -> None:
    from abverify.toolcalls import parse as parse_text

    parsed = parse_text(raw, finish_reason=reason, tools=tools, profile=profile)
    line = {
        "id": turn_id,
        "verdict": parsed.verdict,
        "calls": [{"name": call.name, "arguments": call.arguments} for call in parsed.calls],
        "codes": list(parsed.codes),
    }
    # ASCII escapes keep every string that the model wrote, lone surrogates included.
    click.echo(json.dumps(line, ensure_ascii=True))

"""Reading what `abverify toolcalls parse` is given: profiles, tool declarations, turns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abverify._frozen import frozen
from abverify.errors import IndeterminateError, InvalidError, Place, UsageError
from abverify.toolcalls import DEFAULT_TOOLS, profile_by_name, tools_from_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abverify.toolcalls import Profile, ToolSpec


@frozen
class Turn:
    """One turn to parse: an id to give back, the raw text, and why the completion ended."""

    id: Any
    raw: str
    finish_reason: str


def named_profile(text: str) -> Profile:
    """The profile called `NAME` (its version 1) or `NAME/VERSION`.

    Raises:
        UsageError: AV140 if there is no such profile.
    """
    name, _, version = text.partition("/")
    try:
        return profile_by_name(name, int(version or "1"))
    except (ValueError, KeyError):
        raise UsageError(
            f"no parser profile {text!r}",
            rule="AV140",
            expected="strict/1, salvage/1 or markdown-edit/1",
            found=text,
        ) from None


def read_tools(path: str | None) -> Sequence[ToolSpec]:
    """The tools declared in a JSON file, or abverify's own six.

    Raises:
        IndeterminateError: AV003 if the file cannot be read.
        InvalidError: AV141 if it does not declare tools.
    """
    if path is None:
        return DEFAULT_TOOLS
    try:
        return tools_from_json(json.loads(Path(path).read_text(encoding="utf-8")))
    except OSError as error:
        raise IndeterminateError(
            "cannot read the tool declarations", rule="AV003", place=path, found=error.strerror
        ) from None
    except (ValueError, RecursionError) as error:
        raise InvalidError(
            "not a list of tool declarations",
            rule="AV141",
            place=path,
            expected='[{"name": …, "description": …, "parameters": {…}}]',
            found=str(error)[:200],
        ) from None


def read_turns(data: str) -> Iterator[Turn]:
    """The turns of a JSON Lines text.

    Raises:
        InvalidError: AV141 naming the line that is not a turn.
    """
    for number, line in enumerate(data.split("\n"), 1):
        if line.strip():
            yield _turn(line, number)


def _turn(line: str, number: int) -> Turn:
    try:
        item = json.loads(line)
        raw, reason = item["raw"], item.get("finish_reason") or "stop"
        if not isinstance(raw, str) or not isinstance(reason, str):
            raise TypeError("raw and finish_reason are strings")  # noqa: TRY301
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidError(
            "not a turn",
            rule="AV141",
            place=Place("<stdin>", number),
            expected='{"id": …, "raw": "…", "finish_reason": "stop"}',
            found=f"{type(error).__name__}: {error}"[:200],
        ) from None
    return Turn(item.get("id"), raw, reason)

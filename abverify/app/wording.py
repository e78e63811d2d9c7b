"""Faults that a value's own rules found, in words fit for a message."""

from __future__ import annotations

_LONGEST = 300


def fault_text(error: ValueError) -> str:
    """What a value error says, on one line; of pydantic's, each fault with its field."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return " ".join(str(error).split())[:_LONGEST]
    faults = []
    for item in error.errors(include_url=False, include_input=False):
        field = ".".join(map(str, item["loc"]))
        message = item["msg"].removeprefix("Value error, ")
        faults.append(f"{field}: {message}" if field else message)
    return "; ".join(faults)[:_LONGEST]

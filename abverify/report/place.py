"""A finding's place taken apart: `contracts/V1_004.yaml:11:69` is a file, a line and a column."""

from __future__ import annotations

import re
from typing import NamedTuple

_PLACE = re.compile(
    r"(?P<file>[^:\s][^:\n]*?\.[A-Za-z0-9]{1,16})(?::(?P<line>[1-9]\d*)(?::(?P<col>[1-9]\d*))?)?"
)


class Place(NamedTuple):
    """Where a finding is; None for what is not known, all of it where the place is no file."""

    file: str | None
    line: int | None = None
    column: int | None = None


def place_of(text: str | None) -> Place:
    """The place as a file of the repository with line and column, where it is one."""
    found = _PLACE.fullmatch(text or "")
    if found is None or found["file"].startswith("/"):
        return Place(None)
    line, column = (int(found[name]) if found[name] else None for name in ("line", "col"))
    return Place(found["file"], line, column)

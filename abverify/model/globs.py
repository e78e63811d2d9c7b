"""File globs as regular expressions: `**` crosses folders, `*` and `?` do not."""

from __future__ import annotations

import re
from functools import lru_cache

_MAX_PATTERN = 500


@lru_cache(maxsize=256)
def glob_regex(pattern: str) -> str:
    """The regular expression of a glob; runs of stars collapse, so that matching stays cheap."""
    pieces: list[str] = []
    for piece in re.split(r"(\*\*/?|\*|\?)", pattern[:_MAX_PATTERN]):
        regex = _piece(piece)
        if regex and not (pieces and pieces[-1] == regex and "*" in regex):
            pieces.append(regex)
    return "".join(pieces)


def _piece(piece: str) -> str:
    if piece.startswith("**"):
        return "(?:.*/)?" if piece.endswith("/") else ".*"
    return {"*": "[^/]*", "?": "[^/]"}.get(piece, re.escape(piece))

"""What a trial left changed in its workspace, as digests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._canonical import sha256_hex
from abverify.evidence.rows import FileChange

if TYPE_CHECKING:
    from collections.abc import Mapping


def changes(start: Mapping[str, bytes], end: Mapping[str, str]) -> tuple[FileChange, ...]:
    """The files that differ between a start state and the digests of an end state, by path."""
    before = {path: sha256_hex(data) for path, data in start.items()}
    return tuple(
        FileChange(path=path, before=before.get(path), after=end.get(path))
        for path in sorted({*before, *end})
        if before.get(path) != end.get(path)
    )

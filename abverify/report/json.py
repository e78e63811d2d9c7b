"""Reports as JSON: versioned, complete, for machines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class JsonReport(Protocol):
    """A report that knows its own JSON shape."""

    def to_json(self) -> dict[str, object]:
        """The report as plain JSON data."""


def render(reports: Sequence[JsonReport]) -> str:
    """One report as indented JSON, keys in their documented order; several as a list."""
    texts = [json.dumps(report.to_json(), indent=2, ensure_ascii=False) for report in reports]
    if len(texts) == 1:
        return f"{texts[0]}\n"
    listed = ",\n".join(texts)
    return f"[\n{listed}\n]\n"

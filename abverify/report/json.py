"""Reports as JSON: versioned, complete, for machines."""

from __future__ import annotations

import json
from typing import Protocol


class JsonReport(Protocol):
    """A report that knows its own JSON shape."""

    def to_json(self) -> dict[str, object]:
        """The report as plain JSON data."""


def render(report: JsonReport) -> str:
    """The report as indented JSON, keys in their documented order."""
    return json.dumps(report.to_json(), indent=2, ensure_ascii=False) + "\n"

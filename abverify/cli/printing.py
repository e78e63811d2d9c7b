"""Prints any report in the format asked for, and gives back its exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abverify.cli.options import Common
    from abverify.model.report import Report


def show(common: Common, report: Report) -> int:
    """Writes the report and returns its exit code; the format never changes the code."""
    common.emit(render(common, report))
    return report.exit_code


def show_all(common: Common, reports: Sequence[Report]) -> int:
    """Writes several reports as one result, in JSON as a list; the gravest exit code counts."""
    texts = [render(common, report) for report in reports]
    if len(texts) == 1 or common.format == "text":
        common.emit("\n".join(texts))
    else:
        listed = ",\n".join(text.rstrip() for text in texts)
        common.emit(f"[\n{listed}\n]\n")
    return max(report.exit_code for report in reports)


def render(common: Common, report: Report) -> str:
    """The report in the format asked for."""
    if common.format == "json":
        from abverify.report import json

        return json.render(report)
    from abverify.report import text

    return text.render(report, width=common.width, color=common.color)

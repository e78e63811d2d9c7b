"""Prints any report in the format asked for, and gives back its exit code."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abverify.cli.invocation import Common
    from abverify.errors import AbverifyError
    from abverify.model.report import Report


def show(common: Common, report: Report) -> int:
    """Writes the report and returns its exit code; the format never changes the code."""
    return show_all(common, [report])


def show_all(common: Common, reports: Sequence[Report]) -> int:
    """Writes several reports as one result; the gravest exit code counts."""
    common.emit(_rendered(common, reports))
    return max(report.exit_code for report in reports)


def show_error(common: Common, error: AbverifyError) -> None:
    """Writes an error as a result in the format asked for."""
    from abverify.app.reasons import error_report

    verb = click.get_current_context().command_path.partition(" ")[2]
    common.emit(_rendered(common, [error_report(error, verb)]))


def _rendered(common: Common, reports: Sequence[Report]) -> str:
    match common.format:
        case "text":
            from abverify.report import text

            texts = [text.render(r, width=common.width, color=common.color) for r in reports]
            return "\n".join(texts)
        case "json":
            from abverify.report import json

            return json.render(reports)
        case _:
            from abverify.report.told import tell

            family = import_module(f"abverify.report.{common.format}")
            rendered: str = family.render([tell(report) for report in reports])
            return rendered

"""Prints any report in the format asked for, and gives back its exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from abverify.cli.options import Common
    from abverify.model.bundle_report import BundleReport
    from abverify.model.report import CheckReport, FindingsReport
    from abverify.model.run_report import RunReport
    from abverify.model.status_report import StatusReport

    Report = BundleReport | CheckReport | FindingsReport | RunReport | StatusReport


def show(common: Common, report: Report) -> int:
    """Writes the report and returns its exit code; the format never changes the code."""
    common.emit(render(common, report))
    return report.exit_code


def render(common: Common, report: Report) -> str:
    """The report in the format asked for."""
    if common.format == "json":
        from abverify.report import json

        return json.render(report)
    from abverify.report import text

    return text.render(report, width=common.width, color=common.color)

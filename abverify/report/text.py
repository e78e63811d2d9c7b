"""Reports as text for a terminal: verdict first, then why, then what to type."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from abverify.report.blocks import (
    field,
    heading,
    new_console,
    reasons_block,
    styled,
    text_console,
    trimmed,
)
from abverify.report.rows import Cell, Column, print_rows

if TYPE_CHECKING:
    from rich.console import Console

    from abverify.model.bundle_report import BundleReport
    from abverify.model.calibration_report import CalibrationLine
    from abverify.model.report import (
        CheckReport,
        CriterionLine,
        EvidenceLine,
        FindingsReport,
        Report,
    )
    from abverify.model.run_report import RunReport
    from abverify.model.status_report import StatusReport
    from abverify.report.plain_console import PlainConsole

_VERDICT_STYLE = {
    "met": "bold green",
    "not-met": "bold red",
    "cannot-evaluate": "bold yellow",
    "clean": "bold green",
    "done": "bold green",
    "planned": "bold",
    "trusted": "bold green",
    "faults": "bold red",
    "drift": "bold red",
    "nothing-to-check": "bold yellow",
}


_RENDERERS = {
    "AmendCheckReport": ("amend_check_text", "render_amend_check"),
    "HistoryReport": ("amend_check_text", "render_history"),
    "AmendDiffReport": ("amend_text", "render_amend_diff"),
    "BundleReport": ("text", "render_bundle"),
    "CheckReport": ("text", "render_check"),
    "CompareReport": ("compare_text", "render_compare"),
    "DoctorReport": ("doctor_text", "render_doctor"),
    "FindingsReport": ("text", "render_findings"),
    "LogReport": ("log_text", "render_log"),
    "ModelDiffReport": ("model_text", "render_model_diff"),
    "ModelReport": ("model_text", "render_model"),
    "PageReport": ("html.summary", "render_page"),
    "PlanReport": ("compare_text", "render_plan"),
    "RecordReport": ("log_text", "render_record"),
    "RenderReport": ("text", "render_findings"),
    "RunReport": ("text", "render_run"),
    "StatusReport": ("text", "render_status"),
    "TableReport": ("compare_text", "render_table"),
}
"""The module and the function that render each kind of report, imported when it is used."""


def render(report: Report, *, width: int, color: bool) -> str:
    """Any report as text, at most `width` columns wide."""
    module, function = _RENDERERS[type(report).__name__]
    renderer = getattr(importlib.import_module(f"abverify.report.{module}"), function)
    text: str = renderer(report, width=width, color=color)
    return text


def render_check(report: CheckReport, *, width: int, color: bool) -> str:
    """The verdict block of one gate."""
    console, buffer = text_console(width, color=color)
    heading(console, report.gate, report.verdict.upper(), _VERDICT_STYLE[report.verdict])
    field(console, "contract", f"{report.contract_version}  sha256 {report.contract_sha256[:16]}")
    field(console, "model", f"{report.model}  ({_weights(report)})")
    field(console, "state", report.state)
    for scope in report.scopes:
        held = f" by {', '.join(scope.held_by)}" if scope.held_by else ""
        field(console, "scope", f"{scope.scope}: {scope.state}{held}")
    for line in report.evidence:
        _evidence(console, line, decided=line.path == report.decided_by)
    for criterion in report.criteria:
        _criterion(console, criterion)
    if report.metrics:
        shown = "  ".join(f"{name} {x}/{n}" for name, x, n in report.metrics)
        field(console, "measured", shown)
    for label, text in report.stop.lines() if report.stop else ():
        field(console, label, text)
    if report.calibration:
        _calibration(console, report.calibration)
    if report.attempts_total:
        field(console, "attempts", f"{report.attempts_total} in all, abandoned ones included")
    reasons_block(console, report.reasons)
    if report.record:
        field(console, "record", report.record)
    for step in report.next:
        field(console, "next", step)
    field(console, "checked", f"{report.checked}/{report.total} criteria")
    return trimmed(buffer)


def render_findings(report: FindingsReport, *, width: int, color: bool) -> str:
    """The findings of lint, audit and their like: each fault whole, then the count."""
    console, buffer = text_console(width, color=color)
    for label, text in report.facts:
        field(console, label, text)
    reasons_block(console, report.reasons)
    heading(console, report.kind, report.verdict.upper(), _VERDICT_STYLE[report.verdict])
    field(console, "checked", f"{report.checked}/{report.total} items")
    if report.verdict == "nothing-to-check":
        field(console, "why", report.empty_message)
    return trimmed(buffer)


def render_run(report: RunReport, *, width: int, color: bool) -> str:
    """What a stage measured, and where the evidence is."""
    console, buffer = text_console(width, color=color)
    style = "bold green" if report.exit_code == 0 else "bold yellow"
    heading(console, f"{report.gate} {report.stage}", report.verdict.upper(), style)
    for outcome, trials in report.outcomes:
        field(console, "outcome", f"{outcome}: {trials}")
    for label, text in report.calibration.lines() if report.calibration else ():
        field(console, label, text)
    if report.metrics:
        shown = "  ".join(f"{name} {x}/{n}" for name, x, n in report.metrics)
        field(console, "measured", shown)
    for label, text in report.stop.lines() if report.stop else ():
        field(console, label, text)
    reasons_block(console, report.reasons)
    found = "" if report.fresh else " (finished before; nothing ran)"
    field(console, "evidence", f"{report.path}{found}\nsha256 {report.sha256}")
    for note in report.notes:
        field(console, "note", note, "yellow")
    what = "readings right" if report.stage == "calibrate" else "trials measured"
    field(console, "checked", f"{report.checked}/{report.total} {what}")
    for step in report.next:
        field(console, "next", step)
    return trimmed(buffer)


_GATE_COLUMNS = (
    Column("gate", whole=True),
    Column("state", whole=True),
    Column("version", whole=True),
    Column("model"),
    Column("why"),
)
_TRIAL_COLUMNS = (Column("fixture"), Column("seed"), Column("result"), Column("detail"))
_STATE_STYLE = {"discharged": "green", "open": "green", "suspended": "red", "retracted": "red"}


def render_status(report: StatusReport, *, width: int, color: bool) -> str:
    """The daily view: each scope with what holds it, each gate with its state and why."""
    console, buffer = new_console(width, color=color)
    if report.at:
        field(console, "as of", report.at)
    reasons_block(console, report.reasons)
    for scope in report.scopes:
        held = f" by {', '.join(scope.held_by)}" if scope.held_by else ""
        style = _STATE_STYLE.get(scope.state, "yellow")
        field(console, "scope", f"{scope.scope}: {scope.state}{held}", style)
    rows = [
        (
            Cell(gate.gate, "bold"),
            Cell(gate.state, _STATE_STYLE.get(gate.state, "yellow")),
            *(Cell(text) for text in (gate.version or "-", gate.model, gate.why)),
        )
        for gate in report.gates
    ]
    print_rows(console, _GATE_COLUMNS, rows)
    return trimmed(buffer)


def render_bundle(report: BundleReport, *, width: int, color: bool) -> str:
    """A bundle: what it is, each of its trials, each of its faults."""
    console, buffer = new_console(width, color=color)
    for label, text in report.facts:
        field(console, label, text)
    if report.trials:
        texts = (
            (line.fixture, str(line.seed), line.result, "\n".join((line.detail, *line.signs)))
            for line in report.trials
        )
        print_rows(console, _TRIAL_COLUMNS, [tuple(map(Cell, row)) for row in texts])
    for sign in report.signs:
        name = sign.name.replace("_", " ")
        field(console, "signs", f"{name}: {sign.found}/{sign.total} trials ({sign.meaning})")
    reasons_block(console, report.reasons)
    word = "FAULTS" if report.reasons else "SOUND"
    style = "bold red" if report.reasons else "bold green"
    console.print(styled(f"{report.path}  ", "bold").append_text(styled(word, style)))
    field(console, "checked", f"{report.checked}/{report.total}")
    return trimmed(buffer)


def _weights(report: CheckReport) -> str:
    if report.weights_sha256 is None:
        return "weights described, not pinned"
    proof = f", identity {report.identity}" if report.decided_by else ""
    return f"weights sha256 {report.weights_sha256[:16]}{proof}"


def _evidence(console: Console | PlainConsole, line: EvidenceLine, *, decided: bool) -> None:
    codes = ", ".join(dict.fromkeys(r.code for r in line.reasons if r.severity == "error"))
    judgement = "eligible" if line.eligible else f"not eligible: {codes}"
    mark = "decides" if decided else "does not count" if not line.eligible else "not needed"
    text = (
        f"{line.path}\n{line.stage}, {line.model}, sha256 {line.sha256[:16]}, {judgement} ({mark})"
    )
    field(console, "evidence", text)


def _calibration(console: Console | PlainConsole, line: CalibrationLine) -> None:
    """The calibration that the verdict relies on, and how far it carries."""
    field(console, "calibrated", f"{line.path}\n{line.finished_at}, sha256 {line.sha256[:16]}")
    for label, text in line.count.lines():
        field(console, label, text)


_HOLDS_STYLE = {True: "green", False: "red", None: "yellow"}


def _criterion(console: Console | PlainConsole, line: CriterionLine) -> None:
    if line.bounds is not None:
        low, high = line.bounds
        word = {True: "certain", False: "certainly not", None: "left open"}[line.holds]
        text = f"{line.id}: {line.metric} {line.expected}: {word}, at least {low}, at most {high}"
        field(console, "criterion", text, _HOLDS_STYLE[line.holds])
        return
    if line.observed is None:
        field(console, "criterion", f"{line.id}: {line.metric} {line.expected}: not observed")
        return
    low_high = f", 95% {line.interval[0]} to {line.interval[1]}" if line.interval else ""
    counted = f"{line.numerator}/{line.denominator}"
    text = (
        f"{line.id}: {line.metric} {line.expected}: observed {line.observed} ({counted}{low_high})"
    )
    field(console, "criterion", text, _HOLDS_STYLE[line.holds])

"""Reports as text for a terminal: verdict first, then why, then what to type."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from abverify.errors import one_line
from abverify.report.plain import inert

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console
    from rich.text import Text

    from abverify.model.bundle_report import BundleReport
    from abverify.model.report import (
        CheckReport,
        CriterionLine,
        EvidenceLine,
        FindingsReport,
        Reason,
    )
    from abverify.model.run_report import RunReport
    from abverify.model.status_report import StatusReport

    Report = BundleReport | CheckReport | FindingsReport | RunReport | StatusReport

_VERDICT_STYLE = {
    "met": "bold green",
    "not-met": "bold red",
    "cannot-evaluate": "bold yellow",
    "clean": "bold green",
    "done": "bold green",
    "trusted": "bold green",
    "faults": "bold red",
    "nothing-to-check": "bold yellow",
}
_SEVERITY_STYLE = {"error": "red", "warning": "yellow", "note": "dim"}
_LABEL = 10


def render(report: Report, *, width: int, color: bool) -> str:
    """Any report as text, at most `width` columns wide."""
    from abverify.model.bundle_report import BundleReport
    from abverify.model.report import CheckReport, FindingsReport
    from abverify.model.run_report import RunReport

    match report:
        case CheckReport():
            return render_check(report, width=width, color=color)
        case FindingsReport():
            return render_findings(report, width=width, color=color)
        case RunReport():
            return render_run(report, width=width, color=color)
        case BundleReport():
            return render_bundle(report, width=width, color=color)
        case _:
            return render_status(report, width=width, color=color)


def render_check(report: CheckReport, *, width: int, color: bool) -> str:
    """The verdict block of one gate."""
    console, buffer = _console(width, color=color)
    head = _styled(f"{report.verdict.upper()}", _VERDICT_STYLE[report.verdict])
    console.print(_styled(f"{report.gate}  ", "bold").append_text(head))
    _field(console, "contract", f"{report.contract_version}  sha256 {report.contract_sha256[:16]}")
    _field(console, "model", f"{report.model}  ({_weights(report)})")
    _field(console, "state", report.state)
    for scope in report.scopes:
        held = f" by {', '.join(scope.held_by)}" if scope.held_by else ""
        _field(console, "scope", f"{scope.scope}: {scope.state}{held}")
    for line in report.evidence:
        _evidence(console, line, decided=line.path == report.decided_by)
    for criterion in report.criteria:
        _criterion(console, criterion)
    if report.metrics:
        shown = "  ".join(f"{name} {x}/{n}" for name, x, n in report.metrics)
        _field(console, "measured", shown)
    if report.attempts_total:
        _field(console, "attempts", f"{report.attempts_total} in all, abandoned ones included")
    _reasons(console, report.reasons)
    if report.record:
        _field(console, "record", report.record)
    for step in report.next:
        _field(console, "next", step)
    _field(console, "checked", f"{report.checked}/{report.total} criteria")
    return _trimmed(buffer)


def render_findings(report: FindingsReport, *, width: int, color: bool) -> str:
    """The findings of lint, audit and their like: each fault whole, then the count."""
    console, buffer = _console(width, color=color)
    for label, text in report.facts:
        _field(console, label, text)
    _reasons(console, report.reasons)
    verdict = _styled(report.verdict.upper(), _VERDICT_STYLE[report.verdict])
    console.print(_styled(f"{report.kind}  ", "bold").append_text(verdict))
    _field(console, "checked", f"{report.checked}/{report.total} items")
    if report.verdict == "nothing-to-check":
        _field(console, "why", report.empty_message)
    return _trimmed(buffer)


def render_run(report: RunReport, *, width: int, color: bool) -> str:
    """What a stage measured, and where the evidence is."""
    console, buffer = _console(width, color=color)
    good = report.exit_code == 0
    head = _styled(report.verdict.upper(), "bold green" if good else "bold yellow")
    console.print(_styled(f"{report.gate} {report.stage}  ", "bold").append_text(head))
    for label, text in report.outcomes:
        _field(console, "outcome", f"{label}: {text}")
    if report.metrics:
        shown = "  ".join(f"{name} {x}/{n}" for name, x, n in report.metrics)
        _field(console, "measured", shown)
    found = "" if report.fresh else " (finished before; nothing ran)"
    _field(console, "evidence", f"{report.path}{found}\nsha256 {report.sha256}")
    for note in report.notes:
        _field(console, "note", note, "yellow")
    what = "readings right" if report.stage == "calibrate" else "trials measured"
    _field(console, "checked", f"{report.checked}/{report.total} {what}")
    for step in report.next:
        _field(console, "next", step)
    return _trimmed(buffer)


_STATE_STYLE = {"discharged": "green", "open": "green", "suspended": "red", "retracted": "red"}


def render_status(report: StatusReport, *, width: int, color: bool) -> str:
    """The daily view: each scope with what holds it, each gate with its state and why."""
    from rich.table import Table

    console, buffer = _console(width, color=color)
    _reasons(console, report.reasons)
    for scope in report.scopes:
        held = f" by {', '.join(scope.held_by)}" if scope.held_by else ""
        style = _STATE_STYLE.get(scope.state, "yellow")
        _field(console, "scope", f"{scope.scope}: {scope.state}{held}", style)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title, keep in (("gate", True), ("state", True), ("version", True), ("model", False)):
        table.add_column(title, overflow="fold", no_wrap=keep)
    table.add_column("why", overflow="fold")
    for gate in report.gates:
        state = _styled(gate.state, _STATE_STYLE.get(gate.state, "yellow"))
        row = (gate.version or "-", gate.model, gate.why)
        table.add_row(_styled(gate.gate, "bold"), state, *(_styled(cell, "") for cell in row))
    console.print(table)
    return _trimmed(buffer)


def render_bundle(report: BundleReport, *, width: int, color: bool) -> str:
    """A bundle: what it is, each of its trials, each of its faults."""
    from rich.table import Table

    console, buffer = _console(width, color=color)
    for label, text in report.facts:
        _field(console, label, text)
    if report.trials:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for title in ("fixture", "seed", "result", "detail"):
            table.add_column(title, overflow="fold")
        for line in report.trials:
            cells = (line.fixture, str(line.seed), line.result, line.detail)
            table.add_row(*(_styled(cell, "") for cell in cells))
        console.print(table)
    _reasons(console, report.reasons)
    word = "FAULTS" if report.reasons else "SOUND"
    style = "bold red" if report.reasons else "bold green"
    console.print(_styled(f"{report.path}  ", "bold").append_text(_styled(word, style)))
    _field(console, "checked", f"{report.checked}/{report.total}")
    return _trimmed(buffer)


def _console(width: int, *, color: bool) -> tuple[Console, io.StringIO]:
    from rich.console import Console

    buffer = io.StringIO()
    console = Console(
        file=buffer,
        width=width,
        force_terminal=color,
        no_color=not color,
        color_system="standard" if color else None,
        highlight=False,
        markup=False,
        emoji=False,
    )
    return console, buffer


def _trimmed(buffer: io.StringIO) -> str:
    """The rendered text without the blanks that tables pad their lines with."""
    return "".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines())


def _styled(text: str, style: str) -> Text:
    from rich.text import Text

    return Text(inert(text), style=style)


def _field(console: Console, label: str, text: str, style: str = "") -> None:
    """A labelled line; what does not fit goes on below, under the text."""
    from rich.padding import Padding
    from rich.table import Table

    table = Table.grid(padding=(0, 1))
    table.add_column(width=max(_LABEL, len(label)), style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(label, _styled(text, style))
    console.print(Padding(table, (0, 0, 0, 2)))


def _weights(report: CheckReport) -> str:
    if report.weights_sha256 is None:
        return "weights described, not pinned"
    proof = f", identity {report.identity}" if report.decided_by else ""
    return f"weights sha256 {report.weights_sha256[:16]}{proof}"


def _evidence(console: Console, line: EvidenceLine, *, decided: bool) -> None:
    codes = ", ".join(dict.fromkeys(r.code for r in line.reasons if r.severity == "error"))
    judgement = "eligible" if line.eligible else f"not eligible: {codes}"
    mark = "decides" if decided else "does not count" if not line.eligible else "not needed"
    text = (
        f"{line.path}\n{line.stage}, {line.model}, sha256 {line.sha256[:16]}, {judgement} ({mark})"
    )
    _field(console, "evidence", text)


def _criterion(console: Console, line: CriterionLine) -> None:
    if line.observed is None:
        _field(console, "criterion", f"{line.id}: {line.metric} {line.expected}: not observed")
        return
    low_high = f", 95% {line.interval[0]} to {line.interval[1]}" if line.interval else ""
    counted = f"{line.numerator}/{line.denominator}"
    text = (
        f"{line.id}: {line.metric} {line.expected}: observed {line.observed} ({counted}{low_high})"
    )
    style = {True: "green", False: "red", None: "yellow"}[line.holds]
    _field(console, "criterion", text, style)


def _reasons(console: Console, reasons: Iterable[Reason]) -> None:
    from rich.padding import Padding

    for reason in reasons:
        style = _SEVERITY_STYLE[reason.severity]
        head = f"{reason.severity}[{reason.rule}] {reason.code}: {one_line(reason.message)}"
        console.print(Padding(_styled(head, style), (0, 0, 0, 2)))
        facts = (
            ("at", reason.place),
            ("expected", reason.expected),
            ("found", reason.found),
            ("next", reason.next),
        )
        for label, text in facts:
            if text is not None:
                _field(console, f"  {label}", one_line(text))

"""The judgement on a change as text: the verdict, the contracts, the five steps, the findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.model.change import CLASSES, headline
from abverify.model.ritual_report import STEPS
from abverify.report.blocks import field, new_console, reasons_block, styled, trimmed

if TYPE_CHECKING:
    from rich.console import Console

    from abverify.model.amend_check_report import (
        AmendCheckReport,
        ContractChange,
        HistoryReport,
    )

_STYLE = {
    "lawful": "bold green",
    "unlawful": "bold red",
    "cannot-evaluate": "bold yellow",
    "nothing-to-check": "bold yellow",
    "kept": "green",
    "drift": "red",
    "not-applicable": "dim",
}


def render_amend_check(report: AmendCheckReport, *, width: int, color: bool) -> str:
    """One change: the verdict first, then what it touches, then what it lacks."""
    console, buffer = new_console(width, color=color)
    verdict = styled(report.verdict.upper(), _STYLE[report.verdict])
    console.print(styled(f"{report.base[:12]}..{report.head[:12]}  ", "bold").append_text(verdict))
    for line in report.contracts:
        _contract(console, line)
    for gate in report.lapses:
        field(console, "lapses", f"the discharge of {gate}")
    for item in report.replays:
        field(console, "evidence", f"{item.path}: {item.before} -> {item.after}", "yellow")
    for step in report.steps:
        style = _STYLE.get(step.status, "yellow")
        field(console, step.status, f"{STEPS[step.name]} ({step.checked} checked)", style)
    reasons_block(console, report.all_reasons)
    counted = report.to_json()
    field(console, "checked", f"{counted['checked']}/{counted['total']} things hold")
    return trimmed(buffer)


def _contract(console: Console, line: ContractChange) -> None:
    versions = f"{line.old_version or 'new'} -> {line.new_version or 'gone'}"
    field(console, "contract", f"{line.gate or line.path}  {versions}", "bold")
    if line.changes:
        top = headline(change.change_class for change in line.changes)
        found, needed = line.approvals
        field(console, "class", f"{top} {CLASSES[top][0]}, {found}/{needed} approvals")
    for change in line.changes:
        text = f"{change.change_class} {change.path}: {change.old} -> {change.new}"
        field(console, "change", f"{text}\n{change.why}; evidence: {change.consequence}")


def render_history(report: HistoryReport, *, width: int, color: bool) -> str:
    """One line a commit, then every finding."""
    console, buffer = new_console(width, color=color)
    for line in report.lines:
        text = styled(f"{line.commit[:12]}  ", "bold")
        text.append_text(styled(f"{line.verdict:<17}", _STYLE[line.verdict]))
        told = " ".join((*line.classes, *line.codes))
        console.print(text.append_text(styled(told, "")))
    reasons_block(console, report.reasons)
    counted = report.to_json()
    field(console, "checked", f"{counted['checked']}/{counted['total']} commits lawful")
    return trimmed(buffer)

"""A comparison of two contract versions as text: the class first, then every change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.model.change import CLASSES, headline
from abverify.report.blocks import field, new_console, reasons_block, styled, trimmed

if TYPE_CHECKING:
    from rich.console import Console

    from abverify.model.amend_report import AmendDiffReport
    from abverify.model.change import Change

_VERDICT_STYLE = {"lawful": "bold green", "unlawful": "bold red", "unchanged": "bold"}
_CLASS_STYLE = {"C0": "dim", "C1": "dim", "C2": "green", "C8": "bold red", "C9": "magenta"}


def render_amend_diff(report: AmendDiffReport, *, width: int, color: bool) -> str:
    """Every change with its class and consequence, then what the law says."""
    console, buffer = new_console(width, color=color)
    verdict = styled(report.verdict.upper(), _VERDICT_STYLE[report.verdict])
    console.print(styled(f"{report.gate}  ", "bold").append_text(verdict))
    for label, (name, version, sha256) in (("old", report.old), ("new", report.new)):
        field(console, label, f"{name}  version {version}, sha256 {sha256[:16]}")
    if report.changes:
        top = headline(change.change_class for change in report.changes)
        field(console, "class", f"{top} {CLASSES[top][0]}: {CLASSES[top][1]}")
        people = "person" if report.approvals == 1 else "people"
        if report.succeeds:
            field(console, "needs", "an introduction: the new gate takes the old one's place")
        else:
            step = f"a {report.bump} version step"
            field(console, "needs", f"{step}, {report.approvals} {people} to approve")
    for change in report.changes:
        _change(console, change)
    for line in report.replays:
        word = f"{line.before} -> {line.after}" if line.before != line.after else line.before
        style = "yellow" if line.before != line.after else "dim"
        field(console, "evidence", f"{line.path}: {word}", style)
    if report.replays:
        counted = f"{len(report.flips)}/{len(report.replays)} stored results would turn"
        field(console, "replay", f"{counted}; none of them decides the new version")
    reasons_block(console, report.reasons)
    field(console, "checked", f"{len(report.changes)}/{len(report.changes)} changes classed")
    return trimmed(buffer)


def _change(console: Console, change: Change) -> None:
    name = CLASSES[change.change_class][0]
    style = _CLASS_STYLE.get(change.change_class, "yellow")
    console.print(styled(f"  {change.change_class} {name}: {change.path}", style))
    facts = (
        ("  at", change.new_place or change.old_place),
        ("  old", change.old),
        ("  new", change.new),
        ("  because", change.why),
        ("  evidence", change.consequence),
        *(("  example", line) for line in change.witness),
    )
    for label, text in facts:
        if text is not None:
            field(console, label, text)

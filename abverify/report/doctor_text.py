"""What a machine has, as text: one line each, and under what is missing the command to type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.report.blocks import field, new_console, styled, trimmed

if TYPE_CHECKING:
    from abverify.model.doctor_report import DoctorLine, DoctorReport


def render_doctor(report: DoctorReport, *, width: int, color: bool) -> str:
    """Every line, then whether what is needed is here."""
    console, buffer = new_console(width, color=color)
    field(console, "judged for", report.judged_for)
    for line in report.lines:
        word, style = _state(line)
        text = f"{line.name}: {line.found}; {'needed ' if line.needed else ''}for {line.purpose}"
        field(console, word, text, style)
        if line.mend is not None:
            field(console, "  mend", line.mend)
    style = "bold yellow" if report.lacking else "bold green"
    head = styled(report.verdict.upper(), style)
    console.print(styled("doctor  ", "bold").append_text(head))
    field(console, "checked", f"{report.checked}/{len(report.lines)} present")
    return trimmed(buffer)


def _state(line: DoctorLine) -> tuple[str, str]:
    if line.present:
        return "present", "green"
    return ("MISSING", "red") if line.needed else ("missing", "yellow")

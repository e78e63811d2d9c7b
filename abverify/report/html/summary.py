"""What making a page tells in a terminal: the answer, and where the page is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.report.blocks import field, new_console, reasons_block, styled, trimmed

if TYPE_CHECKING:
    from abverify.model.page import PageReport

_STYLE = {"good": "bold green", "bad": "bold red", "open": "bold yellow"}


def render_page(report: PageReport, *, width: int, color: bool) -> str:
    """The subject with its verdict, then the file."""
    console, buffer = new_console(width, color=color)
    page = report.page
    verdict = styled(page.verdict.upper(), _STYLE[page.tone])
    console.print(styled(f"{page.subject}  ", "bold").append_text(verdict))
    reasons_block(console, page.reasons)
    field(console, "page", f"{report.path}  ({report.size} bytes)\nsha256 {report.sha256}")
    field(console, "checked", f"{page.checked}/{page.total} {page.what}")
    return trimmed(buffer)

"""Reports as Markdown for a pull request: the verdict first, one screen, the details folded.

Whatever a model, a file or a contract says is text here: no link, no mention, no markup, no HTML.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from abverify.report.plain import inert

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from abverify.model.report import Reason
    from abverify.report.told import Table, Told

_MARKUP = re.compile(r"[\\`*_{}\[\]|~$^!]")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;", ":": "&#58;", "#": "&#35;"}
_SHOWN = 5
"""Findings that are shown before the rest is folded."""
_MARK = {"pass": "yes", "fail": "no", "open": "cannot be told", "note": "not asked"}


def render(told: Iterable[Told]) -> str:
    """One section for each report."""
    return "\n".join(_section(report) for report in told)


def _section(told: Told) -> str:
    head = f"### {plain(told.title)}: {plain(told.verdict.upper())}"
    counted = f"**{told.checked}/{told.total}** · exit code {told.exit_code}"
    parts = [head, "", f"{counted} · answer: {_MARK[told.status]}", ""]
    graver = sorted(told.reasons, key=lambda r: ("error", "warning", "note").index(r.severity))
    parts += [line for reason in graver[:_SHOWN] for line in _finding(reason)]
    parts += [""] if graver else []
    if graver[_SHOWN:]:
        parts += _folded(f"{len(graver) - _SHOWN} more findings", _findings(graver[_SHOWN:]))
    for table in told.tables:
        parts += _folded(f"{table.title} ({len(table.rows)})", _table(table))
    return "\n".join(parts).rstrip("\n") + "\n"


def _findings(reasons: Iterable[Reason]) -> list[str]:
    return [line for reason in reasons for line in _finding(reason)]


def _finding(reason: Reason) -> Iterator[str]:
    place = f" at {plain(reason.place)}" if reason.place else ""
    yield f"- **{reason.severity} {reason.rule}** {plain(reason.message)}{place}"
    seen = [
        f"{label}: {plain(value)}"
        for label in ("expected", "found", "next")
        if (value := getattr(reason, label)) is not None
    ]
    if seen:
        yield f"  {'; '.join(seen)}"


def _table(table: Table) -> list[str]:
    lines = [" | ".join(table.columns), " | ".join("---" for _ in table.columns)]
    lines += [" | ".join(plain(cell) or " " for cell in row) for row in table.rows]
    return [f"| {line} |" for line in lines]


def _folded(title: str, lines: Iterable[str]) -> list[str]:
    return [f"<details><summary>{plain(title)}</summary>", "", *lines, "", "</details>", ""]


def plain(text: str) -> str:
    """The text as itself: markup escaped, HTML written out, in one line.

    A colon is written out too, and the dot of `www.`, so that no address becomes a link.
    """
    flat = inert(" ".join(text.split()))
    escaped = _MARKUP.sub(lambda found: f"\\{found.group()}", flat)
    written = re.sub("[&<>@:#]", lambda found: _HTML[found.group()], escaped)
    return re.sub("(?i)(www)[.]", r"\1&#46;", written)

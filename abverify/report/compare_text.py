"""Experiments as text: the comparison of arms, the ledger of hypotheses, the power of a design."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.report.blocks import field, heading, new_console, reasons_block, styled, trimmed
from abverify.report.plain import inert
from abverify.report.rows import column_widths

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from abverify.model.compare_report import (
        ArmLine,
        CompareReport,
        ContrastLine,
        EffectLine,
        Limits,
        PairLine,
        PlanReport,
        TableReport,
        TableRow,
    )

_STYLE = {
    "confirmed": "bold green",
    "refuted": "bold red",
    "inconclusive": "bold yellow",
    "necessary-not-sufficient": "bold yellow",
    "confounded": "bold magenta",
    "cannot-evaluate": "bold yellow",
    "sufficient": "bold green",
    "exploratory": "bold yellow",
    "refused": "bold red",
}
_DIGEST = 10
_COLUMNS: dict[str, int | None] = {
    "test": None,
    "variable": 12,
    "outcome": None,
    "level": 13,
    "effect": None,
    "interval": None,
    "p": None,
    "evidence": None,
}
"""The table's columns; one with a least width may shrink to that, and wrap its words."""


def render_compare(report: CompareReport, *, width: int, color: bool) -> str:
    """The conclusion, the arms, the pairs and effects, and what else is known of the claim."""
    console, buffer = new_console(width, color=color)
    console.print(
        styled(f"{report.experiment}  ", "bold").append_text(
            styled(stated(report.conclusion, report.level), _STYLE[report.conclusion])
        )
    )
    field(console, "title", report.title)
    field(console, "hypothesis", report.hypothesis)
    field(console, "variable", f"{report.variable}: {', '.join(report.keys)}")
    field(console, "estimand", report.estimand)
    if report.exploratory:
        field(console, "note", "exploratory: the design may be too small for its question")
    for arm in report.arms:
        _arm(console, arm, control=arm.id == report.control)
    for line in report.contrasts:
        _contrast(console, report, line)
    field(console, "power", f"{report.power:.3f}  {report.power_text}")
    for row in report.known:
        _known(console, row)
    if report.known:
        field(console, "strongest", f"{report.strongest} is the strongest result of this claim")
    for step in report.next:
        field(console, "next", step)
    field(console, "checked", f"{report.checked}/{report.total} arms have evidence that counts")
    return trimmed(buffer)


def render_table(report: TableReport, *, width: int, color: bool) -> str:
    """A row for each claim that was tested: what was said, and what the rule concludes.

    Where the columns do not fit beside each other, each claim is a block of lines: no column is
    ever cut off.
    """
    console, buffer = new_console(width, color=color)
    cells = [_cells(row) for row in report.rows]
    widths = _column_widths([tuple(_COLUMNS), *cells], width)
    if widths:
        _columns(console, report.rows, cells, widths)
    for row, texts in zip(report.rows, cells, strict=True):
        if not widths:
            _block(console, row, texts)
        _row_notes(console, row, row.id if widths else "claim")
    field(
        console, "checked", f"{len(report.rows)}/{len(report.rows)} rows derived from their facts"
    )
    return trimmed(buffer)


def _cells(row: TableRow) -> tuple[str, ...]:
    """A row's texts, one for each column."""
    texts = (
        row.id,
        row.variable,
        row.conclusion,
        f"{row.level} {row.coverage}" if row.level != "none" else "-",
        "-" if row.effect is None else f"{row.effect:+.2f}",
        _limits(row.interval, digits=2),
        "-" if row.p is None else _p(row.p),
        row.evidence[:_DIGEST] if row.evidence else "none",
    )
    return tuple(map(inert, texts))


def _column_widths(lines: Iterable[Sequence[str]], width: int) -> list[int] | None:
    """How wide each column is within a line; None where even their least widths do not fit."""
    from rich.cells import cell_len

    natural = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    least = [asked or most for most, asked in zip(natural, _COLUMNS.values(), strict=True)]
    return column_widths(natural, least, width)


def _columns(
    console: Console, rows: Iterable[TableRow], cells: Iterable[Sequence[str]], widths: list[int]
) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for title, wide in zip(_COLUMNS, widths, strict=True):
        table.add_column(title, overflow="fold", width=wide)
    for row, (name, variable, outcome, *rest) in zip(rows, cells, strict=True):
        said = styled(outcome, _STYLE[row.conclusion])
        table.add_row(styled(name, "bold"), variable, said, *rest)
    console.print(table)


def _block(console: Console, row: TableRow, texts: Sequence[str]) -> None:
    """A row as lines, for a narrow terminal."""
    heading(console, texts[0], texts[2], _STYLE[row.conclusion])
    for title, text in zip(_COLUMNS, texts, strict=True):
        if title not in {"test", "outcome"} and text != "-":
            field(console, title, text)


def render_plan(report: PlanReport, *, width: int, color: bool) -> str:
    """The power of a design, of larger ones, and whether it may set out."""
    console, buffer = new_console(width, color=color)
    head = styled(report.verdict.upper(), _STYLE[report.verdict])
    console.print(styled(f"{report.experiment} plan  ", "bold").append_text(head))
    design = report.design
    field(
        console,
        "design",
        f"{design.fixtures} fixtures × seeds {design.seeds}; {report.rule}",
    )
    field(console, "power", f"{design.power:.3f} for a difference of {design.delta}, control at 0")
    for other in report.others:
        field(console, "with", f"{other.seeds} seeds: {other.power:.3f}")
    if report.fixtures_needed:
        field(console, "needed", f"{report.fixtures_needed} fixtures at these seeds for 0.8")
    field(
        console,
        "zero",
        f"no success in an arm still leaves a rate of {report.zero_bound:.1%} (exact 95 %)",
    )
    reasons_block(console, report.reasons)
    return trimmed(buffer)


def stated(conclusion: str, level: str) -> str:
    """A conclusion with its level: `CONFIRMED (bench)`."""
    return conclusion.upper() if level == "none" else f"{conclusion.upper()} ({level})"


def _arm(console: Console, arm: ArmLine, *, control: bool) -> None:
    settings = f"  set {', '.join(arm.settings)}" if arm.settings else ""
    role = "control  " if control else ""
    field(console, "arm", f"{arm.id}  {role}{arm.model}  {arm.gate}{settings}", "bold")
    if arm.evidence is None:
        field(console, "", "no evidence that counts")
        return
    field(console, "", f"{arm.stage} {arm.evidence}  identity {arm.identity}")
    field(console, "", f"evidence sha256 {arm.evidence_sha256}")
    field(console, "", f"lock sha256 {arm.lock_sha256}")
    for rate in arm.rates:
        low, high = rate.interval
        limits = f"at most {high:.1%}" if rate.x == 0 else f"{low:.1%} to {high:.1%}"
        field(console, "", f"{rate.endpoint} {rate.x}/{rate.n}  ({limits}, exact 95 %)")


def _contrast(console: Console, report: CompareReport, line: ContrastLine) -> None:
    title = f"{line.treatment} against {report.control}: {stated(line.conclusion, line.level)}"
    field(console, "contrast", title, _STYLE[line.conclusion])
    if line.varied:
        field(console, "varied", ", ".join(line.varied))
    for item in line.confounds:
        field(
            console,
            "confound",
            f"{item.key} ({item.what}): {item.control} → {item.treatment}",
            "magenta",
        )
    if line.pairs:
        _pairs(console, line.pairs, report.control, line.treatment)
    for effect in line.effects:
        _effect(console, effect)
    reasons_block(console, line.reasons)


def _pairs(console: Console, pairs: Iterable[PairLine], control: str, treatment: str) -> None:
    """Discordant pairs first: they are what decides."""
    ordered = sorted(pairs, key=lambda pair: (pair.control == pair.treatment, pair.fixture))
    for pair in ordered:
        field(
            console,
            "pair",
            f"{pair.fixture}  {control} {pair.control}/{pair.control_n}"
            f"  {treatment} {pair.treatment}/{pair.treatment_n}",
        )


def _effect(console: Console, effect: EffectLine) -> None:
    (x0, n0), (x1, n1) = effect.control, effect.treatment
    field(
        console,
        effect.role,
        f"{effect.endpoint}: {x0}/{n0} → {x1}/{n1}  effect {effect.effect:+.3f}",
        "bold" if effect.role == "primary" else "",
    )
    limits = f"95 % interval {_limits(effect.interval)} ({effect.method})"
    adjusted = f", adjusted {_p(effect.p_adjusted)}" if effect.p_adjusted != effect.p else ""
    field(console, "", f"{limits}  exact p {_p(effect.p)}{adjusted}")


def _known(console: Console, row: TableRow) -> None:
    effect = "" if row.effect is None else f", effect {row.effect:+.2f}"
    text = f"{row.id} ({row.date}): {stated(row.conclusion, row.level)} {row.coverage}{effect}"
    field(console, "reported", f"{text}; it was said: {row.said}")
    for later in row.later:
        field(console, "", later, "yellow")


def _row_notes(console: Console, row: TableRow, label: str) -> None:
    said = f"; said then: {row.said}" if row.said else ""
    field(console, label, f"{row.test}{said}")
    for item in row.confounds:
        field(
            console,
            "",
            f"confounded by {item.key} ({item.what}): {item.control} → {item.treatment}",
            "magenta",
        )
    for reason in row.reasons:
        field(console, "", f"{reason.code}: {reason.message}", "dim")


def _limits(interval: Limits | None, *, digits: int = 3) -> str:
    if interval is None:
        return "-"
    low, high = (f"{limit:+.{digits}f}" for limit in interval)
    return f"{low} … {high}"


def _p(value: float) -> str:
    return f"{value:.3g}"

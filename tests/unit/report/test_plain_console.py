"""Plain blocks are the lines that rich prints."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abverify.model.report import Reason
from abverify.report.blocks import field, heading, new_console, reasons_block, text_console, trimmed

TEXT = st.text(st.sampled_from("ab c-_/.:  \n\té漢"), max_size=120)


@given(width=st.integers(40, 120), text=TEXT, label=st.sampled_from(["next", "calibrated_at"]))
def test_every_block_is_laid_out_as_rich_lays_it_out(width: int, text: str, label: str) -> None:
    reason = Reason("a-code", "AV300", "error", text, place=text, expected=text, next="do it")
    shown = []
    for console, buffer in (new_console(width, color=False), text_console(width, color=False)):
        heading(console, "laptop/T1_001", text.replace("\n", " "), "bold red")
        field(console, label, text, "yellow")
        reasons_block(console, [reason])
        shown.append(trimmed(buffer))

    assert shown[1] == shown[0]


@pytest.mark.parametrize("color", [True, False])
def test_a_long_path_is_cut_where_the_line_ends(color: bool) -> None:  # noqa: FBT001
    console, buffer = text_console(40, color=color)

    field(console, "evidence", "gates/laptop/T1_001/evidence/bench-1cc51ebca344")

    lines = trimmed(buffer).replace("\x1b[2m", "").replace("\x1b[0m", "").splitlines()
    assert [line.strip() for line in lines] == [
        "evidence   gates/laptop/T1_001/evidenc",
        "e/bench-1cc51ebca344",
    ]

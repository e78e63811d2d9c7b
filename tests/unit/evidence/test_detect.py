"""The signs of trouble in a trial, read off its turns and nothing else."""

from __future__ import annotations

import pytest

from abverify.evidence.detect import (
    LoopLimits,
    Signs,
    described,
    leaks_role,
    repeats_now,
    signs,
    silence_now,
    totals,
)
from abverify.evidence.rows import Trial, TurnRow
from tests.builders import NATIVE, PROSE, RECOVERED, turn

TRIAL = Trial(fixture="unix__01-head", seed=1)
BROKEN = "<tool_call>{broken</tool_call>"


def told(*raws: str) -> list[TurnRow]:
    return [turn(TRIAL, number, raw) for number, raw in enumerate(raws, 1)]


def call(path: str) -> str:
    return f'<tool_call>\n{{"name": "file_read", "arguments": {{"path": "{path}"}}}}\n</tool_call>'


@pytest.mark.parametrize(
    ("raws", "longest", "now"),
    [
        ((), 0, 0),
        ((NATIVE,), 0, 0),
        ((PROSE, PROSE, NATIVE), 2, 0),
        ((PROSE, PROSE, NATIVE, PROSE), 2, 1),
        ((BROKEN, PROSE, BROKEN), 3, 3),
    ],
)
def test_silence_is_turns_in_a_row_without_a_call(
    raws: tuple[str, ...], longest: int, now: int
) -> None:
    turns = told(*raws)

    assert (signs(turns).silence, silence_now(turns)) == (longest, now)


@pytest.mark.parametrize(
    ("raws", "longest", "now"),
    [
        ((PROSE,), 0, 0),
        ((call("a"),), 1, 1),
        ((call("a"), call("b"), call("a")), 1, 1),
        ((call("a"), call("a"), call("b")), 2, 1),
        ((call("a"), PROSE, call("a")), 2, 2),
        ((call("a") + call("a"), call("a")), 3, 3),
    ],
)
def test_repetition_is_equal_calls_right_after_each_other(
    raws: tuple[str, ...], longest: int, now: int
) -> None:
    turns = told(*raws)

    assert (signs(turns).repeats, repeats_now(turns)) == (longest, now)


def test_a_call_that_was_parsed_and_not_executed_is_not_repeated() -> None:
    (both,) = told(call("a") + call("a"))
    first_only = both.model_copy(update={"results": both.results[:1]})

    assert signs([first_only]).repeats == 1


@pytest.mark.parametrize(
    ("raws", "kept", "lost_at"),
    [
        ((PROSE, PROSE), False, None),
        ((NATIVE, PROSE, NATIVE), True, None),
        ((NATIVE, PROSE, PROSE), True, 2),
        ((PROSE, RECOVERED, BROKEN), True, 3),
    ],
)
def test_the_format_is_lost_at_the_first_turn_after_the_last_call(
    raws: tuple[str, ...], lost_at: int | None, *, kept: bool
) -> None:
    found = signs(told(*raws))

    assert (found.kept_format, found.format_lost_at) == (kept, lost_at)


@pytest.mark.parametrize(
    "raw",
    [
        "Done.\n\nHuman: now the next task",
        "Human: mend it",
        "Done.\nUser: thanks\nAssistant: welcome",
        "### Human: again",
        "**User:** again",
        "Done.<|im_end|>\n<|im_start|>user\nand now",
        "ok<|start_header_id|>user<|end_header_id|>",
        "ok<start_of_turn>user\n",
        "ok<|user|>",
        "[INST] mend it [/INST]",
        NATIVE + '\n<tool_response>\n{"ok": true}\n</tool_response>',
        NATIVE + "Human: thank you",
    ],
)
def test_text_that_goes_on_with_the_users_turn_is_a_role_leak(raw: str) -> None:
    assert leaks_role(raw)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        PROSE,
        "The human: resources file is fine.",
        "UserStory: none",
        "I tell the User: nothing.",
        "<|im_start|>assistant\nyes",
        "```\nHuman: a comment in a file\n```",
        "```\nUser: an unclosed block",
        "<tool_call>\n<function=file_write><parameter=content>\nUser: x\n</tool_call>",
        "<function=file_write><parameter=content>\nHuman: x\n</parameter></function>",
    ],
)
def test_words_of_a_text_and_the_contents_of_calls_and_blocks_are_none(raw: str) -> None:
    assert not leaks_role(raw)


def test_a_leak_is_told_by_its_first_turn() -> None:
    assert signs(told(PROSE, "Human: a", "Human: b")).role_leak_at == 2


def test_a_loop_is_as_long_as_the_lock_declares_and_else_three() -> None:
    declared = {"budgets.max_silent_turns": 5, "budgets.max_repeated_calls": None}

    assert LoopLimits.of(declared) == LoopLimits(silence=5, repeats=3)


def test_totals_count_loops_and_leaks_of_all_and_format_loss_of_those_that_had_it() -> None:
    lost = signs(told(NATIVE, PROSE, PROSE, PROSE))
    silent = signs(told(PROSE, PROSE, "Human: x"))
    fine = signs(told(NATIVE))

    counted = {t.name: (t.found, t.total) for t in totals([lost, silent, fine], LoopLimits())}

    assert counted == {
        "text_loop": (2, 3),
        "repeated_call": (0, 3),
        "format_loss": (1, 2),
        "role_leak": (1, 3),
    }


def test_signs_are_told_in_words_and_only_where_there_are_any() -> None:
    all_of_them = Signs(silence=3, repeats=4, kept_format=True, format_lost_at=5, role_leak_at=6)

    assert described(all_of_them, LoopLimits()) == (
        "text loop: 3 turns without a call",
        "repeated call: 4 times in a row",
        "format lost at turn 5",
        "role leak at turn 6",
    )
    assert described(signs(told(NATIVE)), LoopLimits()) == ()

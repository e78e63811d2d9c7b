"""Before which step of the batch a seat begins its next turn."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from abverify.bench.engines.llama_admission import Admission

LENGTHS = st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=4), min_size=1, max_size=4)
"""By seat: how many steps each of its turns takes."""


def timeline(lengths: list[list[int]], gap: int | None) -> list[list[int]]:
    """The seats of each step's batch, where every seat takes the turns it has and leaves."""
    admission = Admission(range(len(lengths)), gap)
    turns = [list(seat) for seat in lengths]
    left: dict[int, int] = {}
    steps: list[list[int]] = []
    while left or admission.joining():
        for seat in admission.joining():
            if turns[seat]:
                admission.begin(seat)
                left[seat] = turns[seat].pop(0)
            else:
                admission.leave(seat)
        if not left:
            continue
        steps.append(sorted(left))
        admission.stepped()
        left = {seat: length - 1 for seat, length in left.items()}
        for seat in [seat for seat, length in left.items() if not length]:
            del left[seat]
            admission.end(seat)
    return steps


def test_in_step_nobody_begins_while_a_turn_is_under_way() -> None:
    assert timeline([[1, 2], [3, 1]], None) == [[0, 1], [1], [1], [0, 1], [0]]


def test_without_a_gap_a_seat_goes_on_at_once() -> None:
    assert timeline([[1, 2], [3, 1]], 0) == [[0, 1], [0, 1], [0, 1], [1]]


def test_a_seat_sits_out_the_gap() -> None:
    assert timeline([[1, 2], [4, 1]], 2) == [[0, 1], [1], [1], [0, 1], [0], [1]]


def test_steps_that_nobody_would_make_are_passed_over() -> None:
    assert timeline([[1, 1]], 100) == [[0], [0]]


@given(lengths=LENGTHS, gap=st.none() | st.integers(0, 4))
def test_every_turn_gets_its_steps_one_after_the_other(
    lengths: list[list[int]], gap: int | None
) -> None:
    steps = timeline(lengths, gap)

    for seat, turns in enumerate(lengths):
        assert sum(seat in step for step in steps) == sum(turns)
    assert all(steps)
    if gap is None:
        rounds = [[turns[at] for turns in lengths if at < len(turns)] for at in range(4)]
        assert len(steps) == sum(max(turns) for turns in rounds if turns)
    else:
        longest = max(sum(turns) + gap * (len(turns) - 1) for turns in lengths)
        assert len(steps) <= longest
        assert gap or len(steps) == longest

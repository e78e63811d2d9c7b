from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from abverify.evidence.seeds import SEED_RULE, turn_seed


@given(st.integers(1, 2**31 - 1), st.text(max_size=80), st.integers(1, 10_000))
def test_a_turn_seed_is_never_zero_and_fits_a_signed_32_bit_integer(
    declared: int, fixture: str, turn: int
) -> None:
    assert 1 <= turn_seed(declared, fixture, turn) <= 2**31 - 1


def test_the_rule_is_the_published_one() -> None:
    text = b"abverify/turn-seed/1|1|unix__01-head|1"
    head = int.from_bytes(hashlib.sha256(text).digest()[:8], "big")

    assert SEED_RULE == "sha256/1"
    assert turn_seed(1, "unix__01-head", 1) == head % (2**31 - 1) + 1


def test_every_part_of_a_turns_name_changes_its_seed() -> None:
    seeds = {
        turn_seed(1, "a", 1),
        turn_seed(2, "a", 1),
        turn_seed(1, "b", 1),
        turn_seed(1, "a", 2),
    }

    assert len(seeds) == 4

"""How a turn's seed follows from the declared one.

Every turn gets a seed of its own, computed and never drawn, so that a trial
can be run again alone and a reader can check the seeds of a journal. The
gate's name takes no part: evidence is shared by run-lock digest.
"""

from __future__ import annotations

import hashlib

SEED_RULE = "sha256/1"
_SPAN = 2**31 - 1


def turn_seed(declared: int, fixture: str, turn: int) -> int:
    """The engine's seed for one turn, from 1 to 2**31 - 1 (0 means "default" to llama.cpp).

    Args:
        declared: the seed the contract declares for the trial.
        fixture: the fixture's id.
        turn: the turn, from 1.
    """
    text = f"abverify/turn-seed/1|{declared}|{fixture}|{turn}"
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return int.from_bytes(digest[:8], "big") % _SPAN + 1

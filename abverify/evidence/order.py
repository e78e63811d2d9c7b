"""The order in which a bench that may stop early runs its trials: computed, never chosen.

Whoever could choose which trials come first could stop at a favourable moment. So the order
follows from the declared seeds and the names of the pinned fixtures alone: seed by seed as
declared, and for each seed the fixtures by a digest, so that every prefix spans the corpus.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from abverify._canonical import canonical_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ORDER_RULE = "sha256/1"
"""The name of this rule in a run lock."""


def trial_order(fixtures: Iterable[str], seeds: Sequence[int]) -> tuple[tuple[str, int], ...]:
    """Every trial of a bench, by fixture and declared seed, in the order of its running.

    Args:
        fixtures: the ids of the corpus; their own order means nothing.
        seeds: the declared seeds, as declared.
    """
    ids = sorted(fixtures)
    return tuple(
        (fixture, seed)
        for seed in seeds
        for fixture in sorted(ids, key=lambda fixture: _place(seed, fixture))
    )


def order_sha256(order: Iterable[tuple[str, int]]) -> str:
    """The digest of an order, for the run lock."""
    return canonical_digest([[fixture, seed] for fixture, seed in order])


def _place(seed: int, fixture: str) -> bytes:
    return hashlib.sha256(f"abverify/trial-order/1|{seed}|{fixture}".encode()).digest()

"""The shape of a rule."""

from __future__ import annotations

from abverify._frozen import frozen


@frozen
class Rule:
    """One rule.

    Attributes:
        id: `AV` and three digits; never reused.
        title: the rule in a few words.
        why: the rule in full, and the reason for it.
        failing: an example that breaks it.
        passing: an example that keeps it.
    """

    id: str
    title: str
    why: str
    failing: str
    passing: str

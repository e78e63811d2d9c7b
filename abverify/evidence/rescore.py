"""Stored turns parsed again under another profile: what would have changed, and how far that holds.

Up to the first turn whose parse differs, the transcript is what it would have
been. From there on the model would have seen other answers, so what it then
said is no counterfactual: later differences are not counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.evidence.reparse import is_stored, parse_turn, stored

if TYPE_CHECKING:
    from abverify.evidence.rows import Parse
    from abverify.evidence.trials import WholeTrial
    from abverify.toolcalls import Profile


@frozen
class RescoredTrial:
    """One trial under another profile.

    Attributes:
        fixture: the trial's fixture.
        seed: its declared seed.
        turns: turns it had.
        valid_turns: turns that say what the other profile would have made of this trial;
            all of them, or up to and including the first that differs.
        before: the stored parse of the first differing turn; None when none differs.
        after: the other profile's parse of it; None when none differs.
    """

    fixture: str
    seed: int
    turns: int
    valid_turns: int
    before: Parse | None
    after: Parse | None

    @property
    def differs_at(self) -> int | None:
        """The first turn, from 1, whose parse differs; None when none does."""
        return self.valid_turns if self.after is not None else None


def rescore(trial: WholeTrial, profile: Profile) -> RescoredTrial:
    """Parses a trial's turns again, up to the first whose parse differs."""
    name, seed, turns = trial.trial.fixture, trial.trial.seed, len(trial.turns)
    for turn in trial.turns:
        again = parse_turn(turn.raw, turn.finish_reason, profile, turn.files or ())
        if not is_stored(again, turn.parse):
            return RescoredTrial(name, seed, turns, turn.turn, turn.parse, stored(again))
    return RescoredTrial(name, seed, turns, turns, None, None)

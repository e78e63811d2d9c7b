"""How long trials keep the call format: turns until it is first lost, others being censored."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from abverify.evidence.detect import CALLED
from abverify.model.page import SurvivalLine, SurvivalStep
from abverify.verify.stats import kaplan_meier

if TYPE_CHECKING:
    from abverify.evidence.bundle import Bundle
    from abverify.evidence.trials import TrialResult


def survival_line(bundle: Bundle, arm: str) -> SurvivalLine | None:
    """The curve of a bundle's measured trials; None where no trial has a turn.

    A trial loses the format at its first turn without a native or recovered call. A trial that
    ends with the format intact is censored at its last turn.
    """
    trials = [trial for trial in bundle.trials.values() if trial.measured and trial.turns]
    if not trials:
        return None
    lost = [_lost_at(trial) for trial in trials]
    times = [at or len(trial.turns) for at, trial in zip(lost, trials, strict=True)]
    curve = kaplan_meier(times, [at is not None for at in lost])
    steps = zip(
        curve.time, curve.at_risk, curve.events, curve.survival, curve.low, curve.high, strict=True
    )
    return SurvivalLine(
        arm=arm,
        trials=len(trials),
        steps=tuple(
            SurvivalStep(int(turn), risk, events, share, _limit(low), _limit(high))
            for turn, risk, events, share, low, high in steps
        ),
        censored=tuple(map(int, curve.censored)),
        last=max(len(trial.turns) for trial in trials),
    )


def _lost_at(trial: TrialResult) -> int | None:
    return next((t.turn for t in trial.turns if t.verdict not in CALLED), None)


def _limit(value: float) -> float | None:
    return None if isnan(value) else value

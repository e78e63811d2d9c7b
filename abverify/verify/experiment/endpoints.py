"""What an endpoint asks of one trial: yes or no, a trial counting once however long it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.evidence.scores import MARKDOWN_CODE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from abverify.evidence.trials import TrialResult, TurnFacts
    from abverify.model.experiment import MeasureName


def shows(measure: MeasureName, trial: TrialResult) -> bool:
    """Whether a measured trial shows what the measure asks for."""
    return _ASKED[measure](trial)


def _strict(turn: TurnFacts) -> bool:
    return turn.verdict == "native"


def _repairable(turn: TurnFacts) -> bool:
    recovered = turn.verdict == "recovered" and MARKDOWN_CODE not in turn.codes
    return recovered or _strict(turn)


_ASKED: Mapping[MeasureName, Callable[[TrialResult], bool]] = {
    "oracle_passed": lambda trial: trial.passed,
    "strict_call": lambda trial: any(map(_strict, trial.turns)),
    "repairable_call": lambda trial: any(map(_repairable, trial.turns)),
    "first_turn_strict_call": lambda trial: any(map(_strict, trial.turns[:1])),
    "first_turn_repairable_call": lambda trial: any(map(_repairable, trial.turns[:1])),
    "every_turn_call": lambda trial: bool(trial.turns) and all(map(_repairable, trial.turns)),
}

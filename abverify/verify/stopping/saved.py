"""What an early stop saved, in completion tokens: an estimate, and a limit, told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abverify.evidence.stop import Stop
    from abverify.evidence.trials import TrialResult
    from abverify.model.config import RunConfig
    from abverify.model.stop_report import StopLine


def stop_line(
    stop: Stop, results: Mapping[tuple[str, int], TrialResult], config: RunConfig
) -> StopLine:
    """An early stop with what it saved.

    Only trials that were not measured are saved: what ran past the stop was paid for. The limit
    is their number times the tokens that a trial may have, the estimate their number times the
    mean over the trials that count, rounded down.

    Args:
        stop: where the bench stopped.
        results: its trials.
        config: the contract's run configuration, for the budgets.
    """
    from abverify.model.stop_report import StopLine

    past = tuple(key for key in stop.remaining if key in results and results[key].measured)
    not_run = tuple(key for key in stop.remaining if key not in past)
    tokens = sum(_tokens(results[key]) for key in stop.counted if key in results)
    return StopLine(
        rules=stop.rules,
        fired=stop.fired,
        ran=sum(key in results and results[key].measured for key in stop.counted),
        planned=stop.planned,
        not_run=not_run,
        not_counted=past,
        bounds=stop.bounds,
        tokens=tokens,
        saved_at_most=len(not_run) * _most(config),
        saved_at_the_mean=len(not_run) * tokens // len(stop.counted),
    )


def _tokens(result: TrialResult) -> int:
    return sum(turn.completion_tokens for turn in result.turns)


def _most(config: RunConfig) -> int:
    """Tokens that the completions of a trial may have together."""
    by_turns = config.budgets.max_turns * config.sampling.max_tokens
    return min(by_turns, config.budgets.max_tokens_total or by_turns)

"""An early stop as a report shows it: where, by which rule, what did not run, what that saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abverify._frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    TrialId = tuple[str, int]

_SHOWN = 6


@frozen
class StopLine:
    """What the declared stop rules came to in the bench that a report is about.

    Attributes:
        rules: the declared rules.
        fired: the rule that stopped the bench; None when every planned trial was needed.
        ran: trials that count, the first ones of the fixed order.
        planned: trials that the contract demands.
        not_run: the trials after the stop that were never measured, in their order.
        not_counted: those after it that were on their way when it fired; they count for nothing.
        bounds: of each metric the least and the most that it could have become.
        tokens: completion tokens of the trials that count.
        saved_at_most: tokens that the trials not run could have taken by their budgets.
        saved_at_the_mean: tokens they would have taken at the mean of those that count.
    """

    rules: tuple[str, ...]
    fired: str | None
    ran: int
    planned: int
    not_run: tuple[TrialId, ...]
    not_counted: tuple[TrialId, ...]
    bounds: Mapping[str, tuple[str, str]]
    tokens: int
    saved_at_most: int
    saved_at_the_mean: int

    def lines(self) -> tuple[tuple[str, str], ...]:
        """The stop as labels and texts."""
        if self.fired is None:
            declared = " or ".join(self.rules)
            return (("stop", f"{declared}: no early stop, {self.ran} of {self.planned} run"),)
        bounds = (f"{name} {low} to {high}" for name, (low, high) in self.bounds.items())
        past = (("past stop", f"{_listed(self.not_counted)}: measured, not counted"),)
        saved = (
            f"about {self.saved_at_the_mean} tokens at the mean of the trials run"
            f" ({self.tokens} in {self.ran}), at most {self.saved_at_most} by the budgets"
        )
        return (
            ("stop", f"stopped at {self.ran} of {self.planned} by {self.fired}"),
            ("bounds", f"no rate is measured; at least and at most: {', '.join(bounds)}"),
            ("not run", _listed(self.not_run)),
            *(past if self.not_counted else ()),
            ("saved", saved),
        )

    def to_json(self) -> dict[str, Any]:
        """The stop as plain JSON data."""
        return {
            "rules": list(self.rules),
            "fired": self.fired,
            "ran": self.ran,
            "planned": self.planned,
            "notRun": [list(trial) for trial in self.not_run],
            "notCounted": [list(trial) for trial in self.not_counted],
            "bounds": {name: list(pair) for name, pair in self.bounds.items()},
            "tokens": self.tokens,
            "savedAtMost": self.saved_at_most,
            "savedAtTheMean": self.saved_at_the_mean,
        }


def _listed(trials: tuple[TrialId, ...]) -> str:
    """The trials by name, the first few of many."""
    if not trials:
        return "none"
    shown = ", ".join(f"{fixture} seed {seed}" for fixture, seed in trials[:_SHOWN])
    more = len(trials) - _SHOWN
    return f"{len(trials)} trials: {shown}" + (f" and {more} more" if more > 0 else "")

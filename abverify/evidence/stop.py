"""Where a bench stopped early, as its scores say it: after which trial and by which rule.

A stopped bench decides its gate and measures no rate: which trials were run depends on what they
said. So its scores hold, instead of metrics, the least and the most that each could have become.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from abverify._frozen import frozen
from abverify.evidence.order import ORDER_RULE

if TYPE_CHECKING:
    from collections.abc import Mapping


@frozen
class Stop:
    """What the declared stop rules came to in one bench.

    Attributes:
        rules: the declared rules.
        fired: the rule that stopped the bench; None when every planned trial was needed.
        counted: the trials that count, in the fixed order; all of them where no rule fired.
        remaining: the trials after the stop. None of them counts, whether it was run or not.
        bounds: of each metric the least and the most that it could have become, as exact numbers;
            empty where no rule fired.
    """

    rules: tuple[str, ...]
    fired: str | None
    counted: tuple[tuple[str, int], ...]
    remaining: tuple[tuple[str, int], ...]
    bounds: Mapping[str, tuple[str, str]]

    @property
    def planned(self) -> int:
        """Trials that the contract demands."""
        return len(self.counted) + len(self.remaining)

    def text(self) -> str:
        """One line for people, the same wherever the stop is told."""
        declared = " or ".join(self.rules)
        if self.fired is None:
            return f"{declared}: every planned trial was needed, {self.planned} of {self.planned}"
        return stopped_text(len(self.counted), self.planned, self.fired)

    def to_json(self) -> dict[str, Any]:
        """The stop as plain JSON data."""
        return {
            "rules": list(self.rules),
            "fired": self.fired,
            "ran": len(self.counted),
            "planned": self.planned,
            "order": ORDER_RULE,
            "remaining": [list(trial) for trial in self.remaining],
            "bounds": {metric: list(pair) for metric, pair in self.bounds.items()},
        }


@frozen
class ClaimedStop:
    """An early stop as stored scores claim it; whether it is true is for the journal to say.

    Attributes:
        fired: the rule that is said to have fired.
        ran: the trials that are said to count.
        remaining: the trials after the stop, by fixture and seed.
    """

    fired: str
    ran: int
    remaining: tuple[tuple[str, int], ...]

    def text(self) -> str:
        """The claim, in the words of `Stop.text`."""
        return stopped_text(self.ran, self.ran + len(self.remaining), self.fired)


def claimed_stop(scores: bytes) -> ClaimedStop | None:
    """The early stop that the bytes of a `scores.json` claim; None where they claim none."""
    try:
        stop = json.loads(scores)["stop"]
        remaining = tuple((str(fixture), int(seed)) for fixture, seed in stop["remaining"])
        fired, ran = stop["fired"], int(stop["ran"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return None if fired is None else ClaimedStop(str(fired), ran, remaining)


def stopped_text(ran: int, planned: int, rule: str) -> str:
    """How an early stop is told, the same in manifest, record and report."""
    return (
        f"stopped at {ran} of {planned} by {rule}: every completion of the bench has this verdict"
    )

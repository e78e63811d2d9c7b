"""What a calibration read, counted, and how often its meter can misread at most."""

from __future__ import annotations

from typing import Any

from pydantic.alias_generators import to_camel

from abverify._frozen import frozen, named

Tally = tuple[int, int]
"""Readings that were right, and all of that kind."""


@frozen
class CalibrationCount:
    """A calibration's readings by kind, each as right of all.

    Attributes:
        references: reference solutions, which must pass.
        bad_states: untouched and known-bad states, which must fail.
        good_agent: trials of the scripted agent that does everything right.
        give_up_agent: trials of the agent that gives up at once.
        parser: the parser's own cases.
        fails_good_at_most: upper limit of the rate at which the meter fails good work.
        passes_bad_at_most: upper limit of the rate at which it passes bad work.
        misreads_at_most: upper limit of the rate at which it reads anything wrong.

    The limits are exact (Clopper-Pearson), one-sided, at 95 % confidence: decimal texts of four
    places, rounded up. Of n readings without one that is wrong the limit is 1 - 0.05^(1/n).
    """

    references: Tally
    bad_states: Tally
    good_agent: Tally
    give_up_agent: Tally
    parser: Tally
    fails_good_at_most: str
    passes_bad_at_most: str
    misreads_at_most: str

    @property
    def readings(self) -> Tally:
        """All readings of the meter together; the parser's cases are no readings of it."""
        kinds = (self.references, self.bad_states, self.good_agent, self.give_up_agent)
        return sum(right for right, _ in kinds), sum(total for _, total in kinds)

    def lines(self) -> tuple[tuple[str, str], ...]:
        """The count as a reader sees it, pairs of a label and a sentence."""
        right, total = self.readings
        states = (
            f"{_of(self.references)} references pass",
            f"{_of(self.bad_states)} bad states fail",
        )
        agents = (
            f"scripted agent passes {_of(self.good_agent)}",
            f"give-up agent fails {_of(self.give_up_agent)}",
        )
        limits = (
            f"at 95% confidence the meter misreads at most {self.misreads_at_most}",
            f"fails good work at most {self.fails_good_at_most}",
            f"passes bad work at most {self.passes_bad_at_most}",
        )
        return (
            ("states", ", ".join(states)),
            ("agents", ", ".join(agents)),
            ("parser", f"{_of(self.parser)} cases exact"),
            ("bound", f"{right}/{total} readings right: {', '.join(limits)}"),
        )

    def to_json(self) -> dict[str, Any]:
        """The count as plain JSON data."""
        return {
            to_camel(name): list(value) if isinstance(value, tuple) else value
            for name, value in named(self).items()
        }


@frozen
class CalibrationLine:
    """The calibration that a verdict relies on.

    Attributes:
        path: its folder.
        sha256: its digest.
        finished_at: when it was taken.
        count: what it read.
    """

    path: str
    sha256: str
    finished_at: str
    count: CalibrationCount

    def to_json(self) -> dict[str, Any]:
        """The line as plain JSON data."""
        return {
            "path": self.path,
            "sha256": self.sha256,
            "finishedAt": self.finished_at,
            "count": self.count.to_json(),
        }


def _of(tally: Tally) -> str:
    return f"{tally[0]}/{tally[1]}"

"""When the trials of a wave begin their next turn, counted in steps of their batch.

Who is decoded beside whom changes logits, so it follows from the trials' own tokens and no clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Admission:
    """Which seats begin a turn before the next step.

    Args:
        seats: those of the wave; each begins its first turn before the first step.
        gap: steps that a seat sits out between two turns; null to go in step, so that no turn
            begins while another one is under way.
    """

    def __init__(self, seats: Iterable[int], gap: int | None) -> None:
        self._gap = gap
        self._steps = 0
        self._due = dict.fromkeys(seats, 0)
        self._busy: set[int] = set()

    def joining(self) -> list[int]:
        """The seats that begin a turn now, or leave, in their order.

        Where nothing is under way the steps until the next of them are nobody's, and passed over.
        """
        if self._busy and self._gap is None:
            return []
        if self._due and not self._busy:
            self._steps = max(self._steps, min(self._due.values()))
        return sorted(seat for seat, at in self._due.items() if at <= self._steps)

    def begin(self, seat: int) -> None:
        """A seat's turn is under way from now on."""
        del self._due[seat]
        self._busy.add(seat)

    def stepped(self) -> None:
        """A step of the batch was made."""
        self._steps += 1

    def end(self, seat: int) -> None:
        """A seat's turn has ended with the last step."""
        self._busy.remove(seat)
        self._due[seat] = self._steps + (self._gap or 0)

    def leave(self, seat: int) -> None:
        """A seat will have no further turn."""
        del self._due[seat]

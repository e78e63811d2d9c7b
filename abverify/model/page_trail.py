"""The trail as a picture: records in columns, and a lane for each gate and scope they speak of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from abverify._frozen import frozen

if TYPE_CHECKING:
    from abverify.model.log_report import RecordLine


@frozen
class Lane:
    """A gate or a scope, and its state after each record of the picture.

    Attributes:
        kind: which of the two it is.
        name: the gate's qualified id, or the scope.
        states: one state for each column, and one more for now; a gate is `unknown` before
            its introduction, a scope `none` before a suspension names it.
    """

    kind: Literal["gate", "scope"]
    name: str
    states: tuple[str, ...]


@frozen
class TrailPage:
    """The records that a subject rests on, oldest first.

    Attributes:
        lines: the records.
        lanes: the states that they made; one column for each of the newest records.
        first: how many of the oldest records have no column.
        links: which record cites which, as pairs of indices into `lines`: cited, citing.
    """

    lines: tuple[RecordLine, ...]
    lanes: tuple[Lane, ...]
    first: int
    links: tuple[tuple[int, int], ...]

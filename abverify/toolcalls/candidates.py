"""What the dialect readers hand on: calls as read, before tools and schemas are consulted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from abverify._frozen import frozen

from .json_reader import MAX_UNTAGGED_READS
from .values import Refusal, Repair, Span, ToolSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .json_reader import Note


_SEVERAL = 2


@frozen
class Candidate:
    """A call as the text gives it: name and arguments are read but not yet checked."""

    name: str
    arguments: dict[str, Any]
    span: Span
    repairs: tuple[Repair, ...] = ()

    def repaired(self, extra: Sequence[Repair]) -> Candidate:
        """The same call with further repairs, put in the order of the text."""
        if not extra and len(self.repairs) < _SEVERAL:
            return self
        merged = sorted(dict.fromkeys((*extra, *self.repairs)), key=lambda item: item.span.start)
        return replace(self, repairs=tuple(merged))


@frozen
class Body:
    """The calls of one stretch of text, in order; a `Refusal` ends them.

    Attributes:
        items: calls, and at most one refusal, which is last.
        end: the offset after the last thing read.
        explicit: the last call was closed by its own closing mark, not by the end of the text.
    """

    items: tuple[Candidate | Refusal, ...]
    end: int
    explicit: bool = False

    @property
    def failed(self) -> bool:
        """Whether the stretch ends in something malformed."""
        return bool(self.items) and isinstance(self.items[-1], Refusal)

    def repaired(self, extra: Sequence[Repair]) -> Body:
        """The same calls, each with further repairs."""
        if not extra:
            return self
        return replace(
            self,
            items=tuple(
                item.repaired(extra) if isinstance(item, Candidate) else item for item in self.items
            ),
        )


@dataclass(slots=True)
class Context:
    """What every reader needs to know about the turn.

    Attributes:
        tools: the declared tools by name.
        complete: the model ended the turn itself (it was not cut off).
        repairs: the profile recovers damaged calls.
        reads_left: how many JSON values may still be tried; the bound on hostile input.
    """

    tools: Mapping[str, ToolSpec]
    complete: bool
    repairs: bool
    reads_left: int = field(default=MAX_UNTAGGED_READS)

    @property
    def lenient_xml(self) -> bool:
        """Whether damaged XML calls may be read: never in a turn that was cut off."""
        return self.complete and self.repairs

    def spend_read(self) -> bool:
        """Count one attempt at a value in untagged text; false once the allowance is spent."""
        self.reads_left -= 1
        return self.reads_left >= 0


def repair(code: str, start: int, end: int | None = None, message: str = "") -> Repair:
    """A repair at an offset."""
    return Repair(code, Span(start, start if end is None else end), message)


def from_notes(notes: Sequence[Note]) -> list[Repair]:
    """The reader's deviations as repairs, each code once, at its first place."""
    first: dict[str, Note] = {}
    for note in notes:
        first.setdefault(note.code, note)
    return [repair(note.code, note.start, note.end) for note in first.values()]

"""Where each value of a YAML text begins and ends, to the character."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abverify._frozen import frozen
from abverify._yaml import event_kind, parse_events

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abverify._yaml import Path

_BLOCK_STYLES = ("|", ">")


@frozen
class Node:
    """One value's span in its text.

    Attributes:
        start: the index of its first character.
        end: the index after its last one; comments and blanks behind it are not part of it.
        column: the column of its first character, from 0.
        flow: whether it is a mapping or list in brackets.
        in_flow: whether it stands inside brackets.
        style: how a scalar is quoted; empty for a plain one and for collections.
        members: the keys of a mapping, or the positions of a list.
    """

    start: int
    end: int
    column: int
    flow: bool
    in_flow: bool
    style: str
    members: tuple[str | int, ...] = ()


def nodes_of(text: str) -> dict[Path, Node]:
    """The span of every value of a document that `read_yaml` has accepted, by path."""
    events = parse_events(text)
    for event in events:
        if event_kind(event) == "DocumentStart":
            break
    found: dict[Path, Node] = {}
    _Walk(text, events, found).node(next(events), (), in_flow=False)
    return found


@frozen
class _Walk:
    text: str
    events: Iterator[Any]
    found: dict[Path, Node]

    def node(self, event: Any, path: Path, *, in_flow: bool) -> Node:
        if event_kind(event) == "Scalar":
            end = event.end_mark.index
            if event.style in _BLOCK_STYLES:
                end = len(self.text[:end].rstrip("\n"))
            node = self._made(event, end, (), in_flow=in_flow, style=event.style or "")
        else:
            node = self._collection(event, path, in_flow=in_flow)
        self.found[path] = node
        return node

    def _collection(self, event: Any, path: Path, *, in_flow: bool) -> Node:
        flow = bool(event.flow_style)
        walk = self._mapping if event_kind(event) == "MappingStart" else self._sequence
        members, last, closing = walk(path, in_flow=in_flow or flow)
        end = closing.end_mark.index if flow or last is None else last
        return self._made(event, end, members, in_flow=in_flow, flow=flow)

    def _mapping(
        self, path: Path, *, in_flow: bool
    ) -> tuple[tuple[str | int, ...], int | None, Any]:
        members: list[str | int] = []
        last: int | None = None
        while event_kind(event := next(self.events)) != "MappingEnd":
            key = event.value
            members.append(key)
            last = self.node(next(self.events), (*path, key), in_flow=in_flow).end
        return tuple(members), last, event

    def _sequence(
        self, path: Path, *, in_flow: bool
    ) -> tuple[tuple[str | int, ...], int | None, Any]:
        members: list[str | int] = []
        last: int | None = None
        while event_kind(event := next(self.events)) != "SequenceEnd":
            position = len(members)
            members.append(position)
            last = self.node(event, (*path, position), in_flow=in_flow).end
        return tuple(members), last, event

    def _made(
        self,
        event: Any,
        end: int,
        members: tuple[str | int, ...],
        *,
        in_flow: bool,
        flow: bool = False,
        style: str = "",
    ) -> Node:
        mark = event.start_mark
        return Node(mark.index, end, mark.column, flow, in_flow, style, members)

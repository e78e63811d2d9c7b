"""The gate timeline: a column for each record, a lane for each gate and scope, filled by state."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from abverify.report.html.svg import group, line, picture, shortened, tag, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markupsafe import Markup

    from abverify.model.page_trail import Lane, TrailPage

LETTERS = {
    "amendment": "A",
    "suspension": "S",
    "non-discharge": "N",
    "discharge": "D",
    "lift": "L",
    "retraction": "R",
}
"""How each kind of record is written in the picture and beside the list."""

_LEFT = 256.0
_WIDTH = 1032.0
_LANE = 34.0
_TOP = 30.0
_NARROWEST = 30.0
_LETTER = 6.4
"""About how wide a letter of the small type is."""


def trail_chart(trail: TrailPage) -> Markup | None:
    """The picture; None for an empty trail."""
    drawn = len(trail.lines) - trail.first
    if not drawn or not trail.lanes:
        return None
    column = max(_NARROWEST, (_WIDTH - _LEFT) / (drawn + 0.6))
    lanes = [_lane(lane, _TOP + row * _LANE, column) for row, lane in enumerate(trail.lanes)]
    height = _TOP + len(trail.lanes) * _LANE + 8
    label = f"{drawn} records and the states of {len(trail.lanes)} gates and scopes"
    width = _LEFT + column * (drawn + 0.6)
    return picture(
        width, height, label, _days(trail, column, height), *lanes, *_events(trail, column)
    )


def _days(trail: TrailPage, column: float, height: float) -> Markup:
    """A thin line and a date where a new day begins."""
    marks: list[Markup] = []
    day, written = "", 0.0
    for place, item in enumerate(trail.lines[trail.first :]):
        x = _LEFT + place * column
        if item.issued_at[:10] != day:
            day = item.issued_at[:10]
            marks.append(line(x, _TOP - 8, x, height - 8, "rule"))
            if x >= written:
                marks.append(text(x + 3, _TOP - 14, day, "small dim"))
                written = x + len(day) * _LETTER + 14
    return group(marks)


def _lane(lane: Lane, y: float, column: float) -> Markup:
    middle = y + _LANE / 2
    name = text(0, middle + 4, shortened(lane.name, 36), f"lane-{lane.kind}")
    return group([name, *_stretches(lane, middle, column)])


def _stretches(lane: Lane, middle: float, column: float) -> Iterator[Markup]:
    """One bar for each stretch of columns with the same state, its name in it where it fits."""
    x = _LEFT
    # The state for now takes what is left of the last column.
    widths = [column] * (len(lane.states) - 1) + [column * 0.6]
    pairs = zip(lane.states, widths, strict=True)
    for state, stretch in groupby(pairs, key=lambda pair: pair[0]):
        width = sum(wide for _, wide in stretch)
        if state != "none":
            yield tag(
                "rect",
                tag("title", f"{lane.name}: {state}"),
                x=x,
                y=middle - 9,
                width=width - 1.5,
                height=18,
                rx=3,
                class_=f"state {state}",
            )
            if width - 34 > len(state) * _LETTER:
                yield text(x + 24, middle + 4, state, f"small state-name {state}")
        x += width


def _events(trail: TrailPage, column: float) -> Iterator[Markup]:
    rows = {lane.name: row for row, lane in enumerate(trail.lanes) if lane.kind == "gate"}
    places: dict[int, tuple[float, float]] = {}
    for number, item in enumerate(trail.lines):
        if number >= trail.first and item.gate in rows:
            x = _LEFT + (number - trail.first) * column + 10
            places[number] = (x, _TOP + (rows[item.gate] + 0.5) * _LANE)
    for cited, citing in trail.links:
        if cited in places and citing in places:
            yield _link(places[cited], places[citing])
    for number, (x, y) in places.items():
        item = trail.lines[number]
        yield tag(
            "a",
            tag("title", f"{item.gate}#{item.seq} {item.kind}, {item.issued_at}: {item.summary}"),
            tag("circle", cx=x, cy=y, r=9, class_=f"event {item.kind} {item.standing}"),
            text(x, y + 3.6, LETTERS[item.kind], f"letter {item.standing}", "middle"),
            href=f"#r-{number + 1}",
        )


def _link(start: tuple[float, float], end: tuple[float, float]) -> Markup:
    """A line from a record to the one that cites it, bent so that it leaves its own lane."""
    (x1, y1), (x2, y2) = start, end
    bend = (y1 + y2) / 2 + (26 if y1 == y2 else 0)
    return tag("path", d=f"M{x1:g},{y1:g} Q{(x1 + x2) / 2:g},{bend:g} {x2:g},{y2:g}", class_="link")

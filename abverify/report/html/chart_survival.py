"""Survival of the call format: a falling curve for each arm, with its limits and who is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.report.html.svg import group, line, picture, shortened, tag, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markupsafe import Markup

    from abverify.model.page import SurvivalLine

_LEFT = 56.0
_RIGHT = 230.0
_WIDTH = 1032.0
_TOP = 16.0
_HEIGHT = 200.0
_ROW = 18.0
_MOST_TICKS = 20
_LABEL = 16.0
"""The least distance between two labels."""


class _Frame:
    """Where a turn and a share lie in the picture."""

    def __init__(self, last: int, *, several: bool) -> None:
        self.last = max(1, last)
        self._first = 0 if several else 1

    def x(self, turn: float) -> float:
        return _LEFT + turn / self.last * (_WIDTH - _LEFT - _RIGHT)

    def y(self, share: float) -> float:
        return _TOP + (1 - share) * _HEIGHT

    def arm(self, number: int) -> str:
        """The class of an arm's signs; a curve that stands alone is no control."""
        return f"arm-{number + self._first}"

    def ticks(self) -> list[int]:
        every = -(-self.last // _MOST_TICKS)
        return list(range(0, self.last + 1, every))


def survival_chart(lines: Sequence[SurvivalLine]) -> Markup | None:
    """The curves of all arms; the first is drawn as the control where there are several."""
    if not lines:
        return None
    frame = _Frame(max(item.last for item in lines), several=len(lines) > 1)
    height = _TOP + _HEIGHT + 44 + len(lines) * _ROW
    curves = [_curve(item, number, frame) for number, item in enumerate(lines)]
    label = "Share of trials that have kept the call format, by turn (Kaplan-Meier, 95 % limits)"
    labels = _labels(lines, frame)
    risk = group(_at_risk(lines, frame))
    return picture(_WIDTH, height, label, group(_grid(frame)), *curves, labels, risk)


def _grid(frame: _Frame) -> Iterator[Markup]:
    for share in (0, 0.5, 1):
        yield line(_LEFT, frame.y(share), _WIDTH - _RIGHT, frame.y(share), "rule")
        yield text(_LEFT - 8, frame.y(share) + 4, f"{share:.0%}", "small dim", "end")
    for turn in frame.ticks():
        yield text(frame.x(turn), _TOP + _HEIGHT + 18, str(turn), "small dim", "middle")
    yield text(_LEFT - 16, _TOP + _HEIGHT + 18, "turn", "small dim", "end")


def _curve(item: SurvivalLine, number: int, frame: _Frame) -> Markup:
    """The curve ends where its last trial ended: nothing is known beyond."""
    path = [f"M{frame.x(0):.1f},{frame.y(1):.1f}"]
    for step in item.steps:
        path += [f"H{frame.x(step.turn):.1f}", f"V{frame.y(step.share):.1f}"]
    path.append(f"H{frame.x(item.last):.1f}")
    marks = [
        line(frame.x(turn), y - 5, frame.x(turn), y + 5, f"censor {frame.arm(number)}")
        for turn in sorted(set(item.censored))
        for y in (frame.y(_at(item, turn)),)
    ]
    band = _band(item, number, frame)
    return group([band, tag("path", d=" ".join(path), class_=f"curve {frame.arm(number)}"), *marks])


def _band(item: SurvivalLine, number: int, frame: _Frame) -> Markup:
    """The limits, as boxes from each step to the next."""
    ends = [*(step.turn for step in item.steps), item.last][1:]
    return group(
        tag(
            "rect",
            x=frame.x(step.turn),
            y=frame.y(step.high),
            width=frame.x(end) - frame.x(step.turn),
            height=frame.y(step.low) - frame.y(step.high),
            class_=f"band {frame.arm(number)}",
        )
        for step, end in zip(item.steps, ends, strict=True)
        if step.low is not None and step.high is not None and end > step.turn
    )


def _labels(lines: Sequence[SurvivalLine], frame: _Frame) -> Markup:
    """Each curve's name and where it ends, moved apart where they would lie on each other."""
    ends = sorted((frame.y(_at(item, item.last)), n) for n, item in enumerate(lines))
    parts: list[Markup] = []
    below = -_LABEL
    for wanted, number in ends:
        below = max(wanted, below + _LABEL)
        item = lines[number]
        words = f"{shortened(item.arm, 20)} {_at(item, item.last):.0%}"
        parts.append(text(_WIDTH - _RIGHT + 12, below + 4, words, f"name {frame.arm(number)}"))
    return group(parts)


def _at_risk(lines: Sequence[SurvivalLine], frame: _Frame) -> Iterator[Markup]:
    top = _TOP + _HEIGHT + 38
    for number, item in enumerate(lines):
        y = top + (number + 0.5) * _ROW
        yield text(_WIDTH - _RIGHT + 12, y, f"left in {shortened(item.arm, 20)}", "small dim")
        for turn in frame.ticks():
            left = str(_left(item, turn))
            yield text(frame.x(turn), y, left, f"small num {frame.arm(number)}", "middle")


def _left(item: SurvivalLine, turn: int) -> int:
    """The trials that have neither lost the format nor ended before a turn."""
    lost = sum(step.events for step in item.steps if step.turn < turn)
    return item.trials - lost - sum(ended < turn for ended in item.censored)


def _at(item: SurvivalLine, turn: int) -> float:
    shares = [step.share for step in item.steps if step.turn <= turn]
    return shares[-1] if shares else 1.0

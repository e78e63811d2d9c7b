"""Shares with their exact limits on one scale: criteria with bounds, arms, and differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.report.html.svg import group, line, picture, shortened, tag, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markupsafe import Markup

    from abverify.model.compare_report import ArmLine, ContrastLine
    from abverify.model.page import CriterionBar

_LEFT = 250.0
_RIGHT = 230.0
_WIDTH = 1032.0
_ROW = 26.0
_HEAD = 30.0


class _Scale:
    """A straight scale over the middle of a picture."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def __call__(self, value: float) -> float:
        span = _WIDTH - _LEFT - _RIGHT
        return _LEFT + (value - self.low) / (self.high - self.low) * span


_SHARE = _Scale(0, 1)
_DIFFERENCE = _Scale(-1, 1)


def criteria_chart(bars: Sequence[CriterionBar]) -> Markup | None:
    """Each criterion: what was seen with its limits, and the region that was asked for."""
    drawn = [bar for bar in bars if bar.share is not None]
    if not drawn:
        return None
    rows = [_criterion(bar, _HEAD + row * (_ROW + 4)) for row, bar in enumerate(drawn)]
    height = _HEAD + len(drawn) * (_ROW + 4) + 6
    label = "Criteria: the share seen with exact 95 % limits, and the share asked for"
    return picture(_WIDTH, height, label, _axis(_SHARE, (0, 0.25, 0.5, 0.75, 1), height), *rows)


def _criterion(bar: CriterionBar, y: float) -> Markup:
    middle = y + _ROW / 2
    low = _SHARE(min(1, bar.at_least or 0))
    high = _SHARE(1 if bar.at_most is None else min(1, bar.at_most))
    tone = {True: "good", False: "bad", None: "open"}[bar.line.holds]
    wanted = tag(
        "rect", tag("title", f"asked for: {bar.line.expected}"), x=low, y=middle - 9,
        width=max(2, high - low), height=18, rx=2, class_="wanted",
    )  # fmt: skip
    bounds = [
        line(_SHARE(min(1, bound)), middle - 11, _SHARE(min(1, bound)), middle + 11, "bound")
        for bound in (bar.at_least, bar.at_most)
        if bound is not None
    ]
    seen = _point(_SHARE, bar.share or 0, bar.interval, middle, tone)
    said = f"{bar.line.observed}  ({bar.line.numerator}/{bar.line.denominator})"
    return group(
        [
            text(0, middle + 4, shortened(f"{bar.line.id}: {bar.line.expected}", 38)),
            wanted,
            *bounds,
            seen,
            text(_WIDTH, middle + 4, said, f"num {tone}", "end"),
        ]
    )


def arms_chart(arms: Sequence[ArmLine], control: str) -> Markup | None:
    """The forest plot: every endpoint in every arm, with exact 95 % limits."""
    endpoints = list(dict.fromkeys(rate.endpoint for arm in arms for rate in arm.rates))
    if not endpoints:
        return None
    parts: list[Markup] = []
    y = _HEAD
    for endpoint in endpoints:
        parts.append(text(0, y + 15, shortened(endpoint, 38), "strong"))
        y += _ROW
        for arm, rate in ((a, r) for a in arms for r in a.rates if r.endpoint == endpoint):
            middle = y + _ROW / 2
            role = "control" if arm.id == control else "treatment"
            low, high = rate.interval
            parts += [
                text(16, middle + 4, shortened(f"{arm.id} ({role})", 36), "dim"),
                _point(_SHARE, rate.x / rate.n, rate.interval, middle, role),
                _said(f"{rate.x}/{rate.n}", f"{low:.1%} to {high:.1%}", middle),
            ]
            y += _ROW
        y += 6
    label = "Arms: each endpoint's share with exact 95 % limits"
    return picture(_WIDTH, y + 6, label, _axis(_SHARE, (0, 0.25, 0.5, 0.75, 1), y + 6), *parts)


def effects_chart(contrast: ContrastLine) -> Markup | None:
    """The differences between one arm and the control, with 95 % limits around them."""
    if not contrast.effects:
        return None
    height = _HEAD + len(contrast.effects) * _ROW + 6
    zero = line(_DIFFERENCE(0), _HEAD - 6, _DIFFERENCE(0), height - 4, "zero")
    rows: list[Markup] = []
    for row, effect in enumerate(contrast.effects):
        middle = _HEAD + (row + 0.5) * _ROW
        low, high = effect.interval
        rows += [
            text(0, middle + 4, shortened(f"{effect.endpoint} ({effect.role})", 38)),
            _point(_DIFFERENCE, effect.effect, effect.interval, middle, "treatment"),
            _said(f"{effect.effect:+.3f}", f"{low:+.3f} to {high:+.3f}", middle),
        ]
    label = f"{contrast.treatment} minus control: differences of shares with 95 % limits"
    axis = _axis(_DIFFERENCE, (-1, -0.5, 0, 0.5, 1), height)
    return picture(_WIDTH, height, label, axis, zero, *rows)


def _said(value: str, limits: str, middle: float) -> Markup:
    """A value and its limits as text, in two columns at the right."""
    return group(
        [
            text(_WIDTH - 130, middle + 4, value, "strong", "end"),
            text(_WIDTH, middle + 4, limits, "dim", "end"),
        ]
    )


def _point(
    scale: _Scale, value: float, limits: tuple[float, float] | None, middle: float, class_: str
) -> Markup:
    parts: list[Markup] = []
    if limits is not None:
        low, high = (scale(max(scale.low, min(scale.high, limit))) for limit in limits)
        parts.append(line(low, middle, high, middle, f"limits {class_}"))
        parts += [line(x, middle - 5, x, middle + 5, f"limits {class_}") for x in (low, high)]
    parts.append(tag("circle", cx=scale(value), cy=middle, r=5, class_=f"dot {class_}"))
    return group(parts)


def _axis(scale: _Scale, ticks: Sequence[float], height: float) -> Markup:
    return group(_ticks(scale, ticks, height))


def _ticks(scale: _Scale, ticks: Sequence[float], height: float) -> Iterator[Markup]:
    for tick in ticks:
        x = scale(tick)
        yield line(x, _HEAD - 6, x, height - 4, "rule")
        words = f"{tick:+.1f}" if scale.low < 0 else f"{tick:.0%}"
        yield text(x, _HEAD - 14, words, "small dim", "middle")

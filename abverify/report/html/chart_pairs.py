"""Each fixture in both arms: two dots on one line, so that gains and losses are seen one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.report.html.svg import group, line, picture, shortened, tag, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup

    from abverify.model.compare_report import ContrastLine, PairLine

_LEFT = 250.0
_RIGHT = 230.0
_WIDTH = 1032.0
_ROW = 22.0
_HEAD = 30.0
_APART = 5.0
"""How far two dots of the same share are moved apart, so that both are seen."""


def pairs_chart(
    contrast: ContrastLine, control: str, anchors: Mapping[tuple[str, str], str]
) -> Markup | None:
    """The picture of one contrast; each dot leads to its trial.

    Args:
        contrast: the contrast.
        control: the control's name.
        anchors: where the trials stand on the page, by arm and fixture.
    """
    if not contrast.pairs:
        return None
    arms = (control, contrast.treatment)
    height = _HEAD + len(contrast.pairs) * _ROW + 8
    rows = [
        _pair(pair, _HEAD + (row + 0.5) * _ROW, arms, anchors)
        for row, pair in enumerate(sorted(contrast.pairs, key=_gained))
    ]
    ticks = [
        part
        for share in (0, 0.5, 1)
        for part in (
            line(_x(share), _HEAD - 6, _x(share), height - 6, "rule"),
            text(_x(share), _HEAD - 14, f"{share:.0%}", "small dim", "middle"),
        )
    ]
    label = f"Successes by fixture: {contrast.treatment} against {control}"
    return picture(_WIDTH, height, label, *ticks, *rows)


def _gained(pair: PairLine) -> tuple[float, str]:
    """The order of the rows: the greatest gain first, the greatest loss last."""
    before, after = _rates(pair)
    return before - after, pair.fixture


def _rates(pair: PairLine) -> tuple[float, float]:
    before = pair.control / pair.control_n if pair.control_n else 0.0
    return before, pair.treatment / pair.treatment_n if pair.treatment_n else 0.0


def _x(share: float) -> float:
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _pair(
    pair: PairLine, middle: float, arms: tuple[str, str], anchors: Mapping[tuple[str, str], str]
) -> Markup:
    before, after = _rates(pair)
    apart = _APART if before == after else 0.0
    way = "gain" if after > before else "loss" if after < before else "tie"
    said = f"{pair.control}/{pair.control_n} → {pair.treatment}/{pair.treatment_n}"
    dots = (
        (arms[0], _x(before) - apart, "control", f"{pair.control}/{pair.control_n}"),
        (arms[1], _x(after) + apart, "treatment", f"{pair.treatment}/{pair.treatment_n}"),
    )
    return group(
        [
            text(0, middle + 4, shortened(pair.fixture, 38)),
            line(_x(before), middle, _x(after), middle, f"join {way}"),
            *(
                _dot(anchors.get((arm, pair.fixture)), f"{pair.fixture}, {arm}: {n}", x, middle, c)
                for arm, x, c, n in dots
            ),
            text(_WIDTH, middle + 4, said, f"num {way}", "end"),
        ]
    )


def _dot(anchor: str | None, label: str, x: float, y: float, class_: str) -> Markup:
    circle = tag("circle", tag("title", label), cx=x, cy=y, r=5, class_=f"dot {class_}")
    return tag("a", circle, href=f"#{anchor}", aria_label=label) if anchor else circle

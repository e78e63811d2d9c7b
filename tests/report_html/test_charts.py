"""Charts say what the values say: places, ways and words, read back from the drawn SVG."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from abverify.model.compare_report import ArmLine, ContrastLine, EffectLine, PairLine, RateLine
from abverify.model.page import SurvivalLine, SurvivalStep
from abverify.model.page_trail import Lane, TrailPage
from abverify.report.html.chart_pairs import pairs_chart
from abverify.report.html.chart_shares import arms_chart, criteria_chart, effects_chart
from abverify.report.html.chart_survival import survival_chart
from abverify.report.html.chart_trail import trail_chart
from tests.report_html.pages import Reader, page, record_line

if TYPE_CHECKING:
    from markupsafe import Markup

LEFT, RIGHT = 250.0, 802.0
"""Where 0 % and 100 % lie in the charts of shares."""


def drawn(chart: Markup | None) -> Reader:
    """A chart that is there, read back."""
    assert chart is not None
    return Reader(str(chart))


def across(share: float) -> float:
    """Where a share lies between the two ends of its scale."""
    return LEFT + share * (RIGHT - LEFT)


def dots(chart: Reader, class_: str) -> list[float]:
    """The places of the dots of a class, from the left."""
    return [
        float(str(found["cx"])) for found in chart.named("circle", **{"class": f"dot {class_}"})
    ]


def arm(name: str, x: int, low: float, high: float) -> ArmLine:
    """An arm with one endpoint over 20 trials."""
    rates = (RateLine("oracle", x, 20, (low, high)),)
    return ArmLine(name, "laptop/T1_001", (), "Tiny", "bench", "attested", None, None, None, rates)


def contrast(*pairs: PairLine) -> ContrastLine:
    """One arm against the control on some fixtures."""
    effect = EffectLine(
        endpoint="oracle",
        measure="oracle_passed",
        role="primary",
        control=(0, 20),
        treatment=(16, 20),
        effect=0.8,
        interval=(0.471, 0.8),
        method="exact",
        p=3.05e-05,
        p_adjusted=3.05e-05,
        refutation_bound=None,
    )
    return ContrastLine("adapter", "confirmed", "bench", (), (), pairs, (effect,), ())


class TestShares:
    def test_a_criterion_is_a_dot_its_limits_and_the_region_asked_for(self) -> None:
        chart = drawn(criteria_chart(page().criteria))
        assert dots(chart, "bad") == [across(0)]
        (wanted,) = chart.named("rect", **{"class": "wanted"})
        assert float(str(wanted["x"])) == pytest.approx(across(0.05), abs=0.01)
        limits = [
            float(str(found["x2"])) for found in chart.named("line", **{"class": "limits bad"})
        ]
        assert limits == pytest.approx([across(0.1684), across(0), across(0.1684)], abs=0.01)

    def test_a_criterion_without_a_share_has_no_picture(self) -> None:
        (bar,) = page().criteria
        unseen = type(bar)(bar.line, None, None, None, None, "")
        assert criteria_chart([unseen]) is None

    def test_the_forest_has_the_control_hollow_and_each_arm_at_its_rate(self) -> None:
        chart = drawn(
            arms_chart([arm("base", 0, 0, 0.168), arm("adapter", 16, 0.563, 0.943)], "base")
        )
        assert dots(chart, "control") == [across(0)]
        assert dots(chart, "treatment") == pytest.approx([across(0.8)], abs=0.01)
        assert "56.3% to 94.3%" in chart.text

    def test_a_difference_lies_on_a_scale_from_minus_one_to_one(self) -> None:
        chart = drawn(effects_chart(contrast()))
        assert dots(chart, "treatment") == pytest.approx([across(0.9)], abs=0.01)
        (zero,) = chart.named("line", **{"class": "zero"})
        assert float(str(zero["x1"])) == across(0.5)
        assert "+0.471 to +0.800" in chart.text


class TestPairs:
    PAIRS = (
        PairLine("a", 1, 2, 0, 2),
        PairLine("b", 1, 2, 1, 2),
        PairLine("c", 0, 2, 2, 2),
    )

    def test_gains_come_first_then_ties_then_losses(self) -> None:
        chart = drawn(pairs_chart(contrast(*self.PAIRS), "base", {}))
        joins = [str(f["class"]) for name, f in chart.elements if "join" in str(f.get("class"))]
        assert joins == ["join gain", "join tie", "join loss"]
        assert dots(chart, "control") == [across(0), across(0.5) - 5, across(0.5)]
        assert dots(chart, "treatment") == [across(1), across(0.5) + 5, across(0)]

    def test_a_dot_is_a_way_to_the_trial_only_where_there_is_one(self) -> None:
        chart = drawn(pairs_chart(contrast(*self.PAIRS), "base", {("adapter", "c"): "t2-3"}))
        assert [way["href"] for way in chart.named("a")] == ["#t2-3"]


class TestSurvival:
    STEPS = (SurvivalStep(2, 4, 1, 0.75, 0.4, 1.0), SurvivalStep(4, 2, 2, 0.0, None, None))
    LINE = SurvivalLine("base", 4, STEPS, (3,), 4)

    def test_the_curve_falls_at_each_step_and_ends_with_its_last_trial(self) -> None:
        chart = drawn(survival_chart([self.LINE]))
        (curve,) = chart.named("path", **{"class": "curve arm-1"})
        assert re.findall(r"[MHV][\d.,]+", str(curve["d"])) == [
            "M56.0,16.0",
            "H429.0",
            "V66.0",
            "H802.0",
            "V216.0",
            "H802.0",
        ]

    def test_who_ends_with_the_format_intact_is_a_tick_and_leaves_those_at_risk(self) -> None:
        chart = drawn(survival_chart([self.LINE]))
        (tick,) = chart.named("line", **{"class": "censor arm-1"})
        assert (tick["x1"], tick["y1"], tick["y2"]) == ("615.5", "61", "71")
        assert chart.texts[-5:] == ["4", "4", "4", "3", "2"]

    def test_of_several_arms_the_first_is_drawn_as_the_control(self) -> None:
        chart = drawn(survival_chart([self.LINE, SurvivalLine("adapter", 2, (), (4, 4), 4)]))
        curves = [str(f["class"]) for f in chart.named("path")]
        assert curves == ["curve arm-0", "curve arm-1"]


class TestTrail:
    def test_each_record_is_a_letter_in_its_gates_lane_that_leads_to_its_line(self) -> None:
        lines = (record_line(1), record_line(2, kind="suspension", standing="past"))
        lanes = (
            Lane("scope", "phase-1", ("none", "suspended", "open")),
            Lane("gate", "laptop/T1_001", ("proposed", "proposed", "proposed")),
        )
        chart = drawn(trail_chart(TrailPage(lines, lanes, 0, ())))
        assert [way["href"] for way in chart.named("a")] == ["#r-1", "#r-2"]
        states = [str(f["class"]) for f in chart.named("rect")]
        assert states == ["state suspended", "state open", "state proposed"]
        assert len(chart.named("circle", **{"class": "event suspension past"})) == 1

    def test_a_citation_is_a_line_from_what_is_cited(self) -> None:
        lines = tuple(record_line(seq) for seq in (1, 2, 3))
        lanes = (Lane("gate", "laptop/T1_001", ("proposed",) * 4),)
        chart = drawn(trail_chart(TrailPage(lines, lanes, 0, ((0, 2),))))
        (link,) = chart.named("path")
        first, _, last = (float(str(found["cx"])) for found in chart.named("circle"))
        start, end = re.findall(r"(?:M|Q\S+ )([\d.]+),", str(link["d"]))
        assert (float(start), float(end)) == pytest.approx((first, last), abs=0.01)

    def test_the_oldest_records_of_a_long_trail_have_no_column(self) -> None:
        lines = tuple(record_line(seq) for seq in (1, 2, 3))
        lanes = (Lane("gate", "laptop/T1_001", ("proposed",) * 3),)
        chart = drawn(trail_chart(TrailPage(lines, lanes, 1, ((0, 2),))))
        assert [way["href"] for way in chart.named("a")] == ["#r-2", "#r-3"]
        assert not chart.named("path")

    def test_no_record_is_no_picture(self) -> None:
        assert trail_chart(TrailPage((), (), 0, ())) is None

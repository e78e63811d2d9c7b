"""The power of designs, against the table that was simulated and computed beforehand."""

from __future__ import annotations

from typing import Any

import pytest

from abverify.verify.experiment.planning import plan, power
from tests.unit.verify.experiment.arms import experiment


def designed(rate: str, seeds: int, *, sided: str = "two", estimand: str = "this_bench") -> float:
    """The power of 20 fixtures to find a difference of `rate` from a control at 0."""
    chosen = experiment(
        decision__delta_min=rate,
        decision__sided=sided,
        seeds=list(range(1, seeds + 1)),
        estimand=estimand,
    )
    return power(chosen, 20)


@pytest.mark.parametrize(
    ("rate", "sided", "expected"),
    [
        ("0.05", "one", 0.003),
        ("0.10", "two", 0.011),
        ("0.10", "one", 0.043),
        ("0.20", "two", 0.196),
        ("0.20", "one", 0.370),
        ("0.30", "two", 0.584),
        ("0.40", "two", 0.874),
        ("0.50", "two", 0.979),
    ],
)
def test_at_one_seed_it_is_mcnemars(rate: str, sided: str, expected: float) -> None:
    assert designed(rate, 1, sided=sided) == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize(
    ("rate", "seeds", "expected"), [("0.10", 3, 0.468), ("0.10", 5, 0.891), ("0.05", 5, 0.289)]
)
def test_about_a_population_a_fixture_counts_once(rate: str, seeds: int, expected: float) -> None:
    found = designed(rate, seeds, estimand="fixture_population")
    assert found == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize(("rate", "seeds", "simulated"), [("0.10", 3, 0.598), ("0.10", 5, 0.941)])
def test_about_this_bench_every_trial_counts(rate: str, seeds: int, simulated: float) -> None:
    assert designed(rate, seeds) == pytest.approx(simulated, abs=0.02)


@pytest.mark.parametrize(
    ("rate", "sided", "needed"),
    [("0.10", "two", 78), ("0.10", "one", 66), ("0.05", "two", 157), ("0.30", "two", 25)],
)
def test_the_fixtures_needed_at_one_seed(rate: str, sided: str, needed: int) -> None:
    chosen = experiment(decision__delta_min=rate, decision__sided=sided)
    assert plan(chosen, 20).fixtures_needed == needed
    assert plan(chosen, needed).verdict == "sufficient"
    assert plan(chosen, needed - 1).verdict == "refused"


@pytest.mark.parametrize(
    ("changes", "verdict", "code"),
    [
        ({}, "refused", 1),
        ({"exploratory": True}, "exploratory", 0),
        ({"decision__delta_min": "0.50"}, "sufficient", 0),
    ],
)
def test_a_confirmatory_design_that_is_too_small_is_refused(
    changes: dict[str, Any], verdict: str, code: int
) -> None:
    report = plan(experiment(**changes), 20)
    assert (report.verdict, report.exit_code) == (verdict, code)


def test_every_arm_against_the_control_takes_its_share_of_the_level() -> None:
    arms = [{"id": name, "gate": f"laptop/{name}"} for name in ("base", "mild", "strong")]
    two = power(experiment(decision__delta_min="0.50"), 20)
    three = power(experiment(decision__delta_min="0.50", arms=arms), 20)
    assert three < two


def test_an_arm_without_a_success_is_told_with_its_bound() -> None:
    assert plan(experiment(), 20).zero_bound == pytest.approx(0.168433, abs=5e-7)

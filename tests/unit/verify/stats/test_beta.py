"""Beta quantiles at whole-number parameters, beside scipy's."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abverify.verify.stats._beta import LARGEST, beta_quantile


@given(
    a=st.integers(1, LARGEST // 2),
    b=st.integers(1, LARGEST // 2),
    below=st.floats(1e-9, 0.5),
)
def test_scipy_agrees(a: int, b: int, below: float) -> None:
    from scipy.special import betaincinv

    assert beta_quantile(a, b, below) == pytest.approx(betaincinv(a, b, below), rel=1e-11)


@pytest.mark.parametrize("n", [1, 2, 20, 600, LARGEST - 1])
def test_a_run_of_all_or_nothing_has_a_limit_in_closed_form(n: int) -> None:
    assert beta_quantile(n, 1, 0.025) == pytest.approx(0.025 ** (1 / n), rel=1e-14)
    assert beta_quantile(1, n, 0.025) == pytest.approx(1 - 0.975 ** (1 / n), rel=1e-12)


def test_the_interval_that_a_verdict_quotes_needs_no_scipy() -> None:
    program = (
        "import sys; from abverify.verify.stats import clopper_pearson;"
        "print(clopper_pearson(3, 20)); print('scipy' in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == "False"

"""Exact statistics for small benches: plain numbers in, floats and frozen values out.

A function whose whole answer is one number returns a float; one with more to say returns a frozen
value, with its p value in `p_value`. Arguments that make no sense raise ValueError. Neither scipy
nor numpy is imported before a function needs it, and whatever is a matter of counting is counted
in integers.

Left out on purpose, because they mislead on a small bench: normal-theory (CLT) intervals, whose
error is zero at 0/20; tests on turns pooled over fixtures, whose real error rate is 20-55 %;
rates from a run that stopped early (see `inverse_binomial`).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from abverify.verify.stats._arguments import Alternative
    from abverify.verify.stats.independent import (
        FisherTest,
        fisher_exact,
        newcombe_indep_diff,
    )
    from abverify.verify.stats.intervals import (
        Interval,
        clopper_pearson,
        inverse_binomial,
        jeffreys,
        wilson,
    )
    from abverify.verify.stats.multiplicity import p_adjust
    from abverify.verify.stats.paired import (
        mcnemar_exact,
        mcnemar_midp,
        newcombe_paired_diff,
        tango_paired_diff,
    )
    from abverify.verify.stats.passk import pass_at_k, pass_hat_k
    from abverify.verify.stats.permutation import (
        PermutationTest,
        sign_flip_permutation,
        stratified_exact_permutation,
    )
    from abverify.verify.stats.power import (
        exact_power_control_zero,
        min_discordant,
        stratified_power_control_zero,
    )
    from abverify.verify.stats.sequential import (
        curtailed_expected_n,
        evalue_sign_fixed,
        evalue_sign_mixture,
        required_count,
        threshold_decision,
    )
    from abverify.verify.stats.survival import LogrankTest, SurvivalCurve, kaplan_meier, logrank
    from abverify.verify.stats.unconditional import BoschlooTest, boschloo

__all__ = [
    "Alternative",
    "BoschlooTest",
    "FisherTest",
    "Interval",
    "LogrankTest",
    "PermutationTest",
    "SurvivalCurve",
    "boschloo",
    "clopper_pearson",
    "curtailed_expected_n",
    "evalue_sign_fixed",
    "evalue_sign_mixture",
    "exact_power_control_zero",
    "fisher_exact",
    "inverse_binomial",
    "jeffreys",
    "kaplan_meier",
    "logrank",
    "mcnemar_exact",
    "mcnemar_midp",
    "min_discordant",
    "newcombe_indep_diff",
    "newcombe_paired_diff",
    "p_adjust",
    "pass_at_k",
    "pass_hat_k",
    "required_count",
    "sign_flip_permutation",
    "stratified_exact_permutation",
    "stratified_power_control_zero",
    "tango_paired_diff",
    "threshold_decision",
    "wilson",
]

_HOMES: dict[str, tuple[str, ...]] = {
    "_arguments": ("Alternative",),
    "independent": (
        "FisherTest",
        "fisher_exact",
        "newcombe_indep_diff",
    ),
    "intervals": (
        "Interval",
        "clopper_pearson",
        "inverse_binomial",
        "jeffreys",
        "wilson",
    ),
    "multiplicity": ("p_adjust",),
    "paired": (
        "mcnemar_exact",
        "mcnemar_midp",
        "newcombe_paired_diff",
        "tango_paired_diff",
    ),
    "passk": (
        "pass_at_k",
        "pass_hat_k",
    ),
    "permutation": (
        "PermutationTest",
        "sign_flip_permutation",
        "stratified_exact_permutation",
    ),
    "power": (
        "exact_power_control_zero",
        "min_discordant",
        "stratified_power_control_zero",
    ),
    "sequential": (
        "curtailed_expected_n",
        "evalue_sign_fixed",
        "evalue_sign_mixture",
        "required_count",
        "threshold_decision",
    ),
    "survival": (
        "LogrankTest",
        "SurvivalCurve",
        "kaplan_meier",
        "logrank",
    ),
    "unconditional": (
        "BoschlooTest",
        "boschloo",
    ),
}
"""Which module each name is defined in: one interval does not wait for every test."""


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

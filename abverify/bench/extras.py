"""Packages that not every installation has, and what to say where one is missing."""

from __future__ import annotations

from abverify.errors import IndeterminateError


def missing_package(package: str) -> IndeterminateError:
    """The error that says a package of the `llama` extra is not installed (AV514)."""
    return IndeterminateError(
        f"the package {package} is not installed",
        rule="AV514",
        expected="the packages that run a model in process",
        found=f"no module {package}",
        next_step="pip install 'abverify[llama]'",
    )

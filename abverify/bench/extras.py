"""Packages that not every installation has, and what to say where one is missing."""

from __future__ import annotations

from abverify.errors import IndeterminateError


def missing_package(package: str, *, extra: str = "llama") -> IndeterminateError:
    """The error that says a package of an extra is not installed (AV514)."""
    return IndeterminateError(
        f"the package {package} is not installed",
        rule="AV514",
        expected=f"the packages of the extra {extra}",
        found=f"no module {package}",
        next_step=f"pip install 'abverify[{extra}]'",
    )

"""The short bench under a law that it fails early: two of three, where the model passes none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.repository import S1_004, Repository, done, shared
from tests.support.short import BENCH, short_repository

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def two_of_three(repository: Repository) -> None:
    """Declares both stop rules, and asks for two passes."""
    repository.edit(S1_004, "stop: never", "stop: [success-certain, failure-certain]")
    repository.edit(S1_004, "oracle_passed, at_least: 1", "oracle_passed, at_least: 2")


def stopped_early(factory: pytest.TempPathFactory) -> tuple[Repository, Repository]:
    """A repository before its bench, and another copy after it stopped; both read only."""
    folder = shared(factory, "stopped", _make)
    return tuple(  # type: ignore[return-value]
        Repository(folder / when / "repository", folder / when / "keys")
        for when in ("before", "after")
    )


def _make(folder: Path) -> None:
    before = short_repository(folder / "before", prepare=two_of_three)
    after = before.copy(folder / "after")
    done(after.spawn("run", "S1_004", "--stage", "calibrate"))
    done(after.spawn(*BENCH))

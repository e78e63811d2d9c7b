"""A gate that its real evidence meets: the short bench, held to having no failure of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.support.repository import S1_004, Repository, done, shared
from tests.support.short import short_repository

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SCOPE = "laptop-phase"


def met_repository(factory: pytest.TempPathFactory) -> Repository:
    """S1_004 is met and not yet discharged, and S280 holds a scope until it is; read only."""
    folder = shared(factory, "met", _make)
    return Repository(folder / "repository", folder / "keys")


def _make(folder: Path) -> None:
    repository = short_repository(folder)
    criterion = "metric: oracle_passed, at_least: 1"
    repository.edit(S1_004, criterion, "metric: infrastructure_failures, at_most: 0")
    raise_version(repository, "3.0.0")
    done(repository.sign("amend", "S1_004"))
    done(repository.sign("suspend", "S280", "--scope", SCOPE, "--lift-when", "S1_004"))
    for stage in ("calibrate", "bench"):
        done(repository.spawn("run", "S1_004", "--stage", stage))


def raise_version(repository: Repository, version: str) -> None:
    """Gives the working S1_004 another version."""
    file = repository.root / S1_004
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r"(?m)^version: .*$", f"version: {version}", text), encoding="utf-8")

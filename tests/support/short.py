"""A short bench: the real model and sandbox on three fixtures, a few tokens a turn."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tests.support.repository import S1_004, SMALL, Repository, done, opened, shared

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

BENCH = ("run", "S1_004", "--stage", "bench", "--format", "json")
ONE_ENGINE = (*BENCH, "--engines", "1")
"""The same, where it matters how many trials are under way at once."""
_FIXTURES = 3


def short_repository(
    folder: Path, *, prepare: Callable[[Repository], None] | None = None
) -> Repository:
    """A repository with a published S1_004 that takes seconds, not a minute.

    Args:
        folder: where it is made.
        prepare: what else is changed before the gate is published.
    """
    repository = opened(folder)
    shorten(repository)
    if prepare is not None:
        prepare(repository)
    done(repository.sign("amend", "S1_004", "--introduce"))
    return repository


def shorten(repository: Repository) -> None:
    """Leaves S1_004, not published yet, with three fixtures and a few tokens a turn."""
    for extra in sorted((repository.root / SMALL).iterdir())[_FIXTURES:]:
        shutil.rmtree(extra)
    repository.edit(S1_004, "max_tokens: 160", "max_tokens: 48")
    repository.edit(S1_004, "min_completed: 20", f"min_completed: {_FIXTURES}")


def uninterrupted(factory: pytest.TempPathFactory) -> tuple[Repository, Repository]:
    """The short repository before its bench, and another copy after it; both read only."""
    folder = shared(factory, "short", _make)
    return tuple(  # type: ignore[return-value]
        Repository(folder / when / "repository", folder / when / "keys")
        for when in ("before", "after")
    )


def _make(folder: Path) -> None:
    before = short_repository(folder / "before")
    done(before.copy(folder / "after").spawn(*BENCH))


def journal(repository: Repository) -> Path | None:
    """The journal of the repository's bench, once it is begun."""
    found = list(repository.root.glob("gates/laptop-replica/S1_004/evidence/bench-*/rows.jsonl"))
    return found[0] if found else None


def in_mid_trial(repository: Repository) -> bool:
    """Whether the second trial has journaled a turn and goes on."""
    path = journal(repository)
    lines = path.read_bytes().splitlines() if path else []
    starts = [number for number, line in enumerate(lines) if b'"kind":"trial"' in line]
    return len(starts) > 1 and len(lines) > starts[1] + 1

"""Every command of the guides is run, in its page's order, and ends as the page says."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pytest

from tests.adoption.visits import ELSEWHERE, VISITS, Visit
from tests.support.documents import commands
from tests.support.repository import CHECKOUT, Repository, scratch
from tests.support.shell import open_shell
from tests.support.short import shorten
from tests.support.story import compared

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

T = TypeVar("T")
GUIDES = sorted(path.name for path in (CHECKOUT / "docs/guide").glob("*.md"))
OWN_TESTS = {
    "start.md": "tests/adoption/test_guides.py",
    "verify-by-hand.md": "tests/records/test_verify_by_hand.py",
}


@pytest.mark.slow
@pytest.mark.parametrize("visit", VISITS, ids=str)
def test_the_commands_of_a_guide_do_what_it_says(
    visit: Visit, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    repository = _repository(visit, tmp_path, tmp_path_factory)
    shell = open_shell(repository.root, keys=repository.keys, beside=tmp_path)
    for line in visit.first:
        shell.done(line)
    for line in visit.lines():
        for earlier in _of(visit.before, line, ()):
            shell.done(earlier)
        shell.done(visit.typed(line), _of(visit.codes, line, 0))


def test_no_command_of_a_guide_is_left_out() -> None:
    """Each is typed by a visitor, or stands on a page or in a table with a test of its own."""
    typed = {(visit.page, line) for visit in VISITS for line in visit.lines()}
    for page in sorted(set(GUIDES) - set(OWN_TESTS)):
        left = {line for line in commands(CHECKOUT / "docs/guide" / page)
                if (page, line) not in typed and not line.startswith(tuple(ELSEWHERE))}  # fmt: skip
        assert left == set(), page
    for test in (*OWN_TESTS.values(), *ELSEWHERE.values()):
        assert (CHECKOUT / test).exists()


def _repository(visit: Visit, folder: Path, factory: pytest.TempPathFactory) -> Repository:
    if visit.repository == "compared":
        return compared(factory).repository.copy(folder)
    repository = scratch(folder)
    shorten(repository)
    return repository


def _of(table: Mapping[str, T], line: str, otherwise: T) -> T:
    """What a table holds for a command line, by the first beginning that fits."""
    return next((value for start, value in table.items() if line.startswith(start)), otherwise)

"""Linting the corpora that contracts measure on: every fixture, each counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.app.reasons import error_reasons
from abverify.errors import AbverifyError
from abverify.verify.lint_fixtures import lint_categories, lint_fixture, lint_fixture_budget
from abverify.workspace.corpora import read_corpus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from abverify.model.contract import Contract
    from abverify.model.report import Reason
    from abverify.workspace.corpora import CorpusReading, LoadedFixture


@frozen
class LintedCorpus:
    """What linting a corpus found.

    Attributes:
        ids: the ids of its fixtures; None if one of them is faulty, or none could be read.
        clean: fixtures without an error.
        total: fixtures there are.
        reasons: what was found.
    """

    ids: tuple[str, ...] | None
    clean: int
    total: int
    reasons: tuple[Reason, ...]


def lint_corpus(root: Path, path: str, contracts: Sequence[Contract]) -> LintedCorpus:
    """Lints one corpus, for the contracts that measure on it."""
    try:
        reading = read_corpus(root, path)
    except AbverifyError as error:
        return LintedCorpus(None, 0, 0, error_reasons(error, "invalid"))
    found = [tuple(_fixture(loaded, contracts)) for loaded in reading.fixtures]
    clean = sum(all(reason.severity != "error" for reason in reasons) for reasons in found)
    ids = tuple(loaded.fixture.id for loaded in reading.fixtures)
    faults = [reason for fault in reading.faults for reason in error_reasons(fault, "invalid")]
    return LintedCorpus(
        ids=ids if len(ids) == reading.total else None,
        clean=clean,
        total=reading.total,
        reasons=(*faults, *(r for reasons in found for r in reasons), *_categories(reading, ids)),
    )


def _fixture(loaded: LoadedFixture, contracts: Sequence[Contract]) -> Iterator[Reason]:
    place = _placer(loaded)
    yield from lint_fixture(loaded.fixture, place=place)
    for contract in contracts:
        yield from lint_fixture_budget(loaded.fixture, contract, place=place)


def _categories(reading: CorpusReading, ids: tuple[str, ...]) -> Iterator[Reason]:
    """Gaps are told only of a corpus that could be read whole: a faulty fixture is no gap."""
    if len(ids) == reading.total:
        yield from lint_categories(ids, place=reading.path)


def _placer(loaded: LoadedFixture) -> Callable[..., str]:
    return lambda *path: str(loaded.document.place(path))

"""The pytest plugin: with `--abverify`, every gate and every roll-up is a test item.

Pytest loads this module for whoever has abverify installed, so it imports nothing of it before
it is asked for. A gate's item passes when its verdict is met, fails when it is not met, and is
an error when it cannot be evaluated: no state of a gate is ever shown as a skipped test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from abverify.app.testing import Question
    from abverify.model.contract import Contract
    from abverify.records.ledger import Ledger

    ContractOf = Callable[[str], Contract]

_MARK = "abverify: a gate or a roll-up of the repository, as --abverify finds it"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--abverify` and `--abverify-root`."""
    group = parser.getgroup("abverify", "contract gates for language models")
    group.addoption(
        "--abverify",
        action="store_true",
        help="Ask every contract gate and roll-up as a test; -m abverify runs nothing else.",
    )
    group.addoption(
        "--abverify-root", metavar="DIR", help="The repository; found from pytest's root upwards."
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declares the marker of the items."""
    config.addinivalue_line("markers", _MARK)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Adds the items, before -k and -m choose among all."""
    if config.getoption("--abverify"):
        items += Law.from_parent(session, name="abverify", nodeid="abverify").collect()


def _root(config: pytest.Config) -> Path:
    """The repository that is asked about; UsageError AV001 where there is none."""
    from abverify.errors import UsageError
    from abverify.workspace.root import find_root

    named = config.getoption("--abverify-root")
    if named is not None:
        return find_root(str(named))
    for folder in (config.rootpath, *config.rootpath.parents):
        if (folder / "contracts").is_dir():
            return folder.resolve()
    try:
        return find_root(str(config.rootpath))
    except UsageError as error:
        error.next_step = "name the repository with --abverify-root"
        raise


class Law(pytest.Collector):
    """The contracts and roll-ups of a repository."""

    def collect(self) -> list[pytest.Item]:
        """An item for each gate and each roll-up; one that fails where there is nothing."""
        from abverify.app.testing import questions
        from abverify.errors import AbverifyError

        try:
            asked = questions(_root(self.config))
        except AbverifyError as error:
            return [LawItem.from_parent(self, name="law", question=None, fault=error)]
        return [
            LawItem.from_parent(self, name=question.id, question=question) for question in asked
        ]


class LawItem(pytest.Item):
    """One question put to the repository, with its true answer as the result."""

    def __init__(
        self,
        *,
        name: str,
        parent: pytest.Collector,
        question: Question | None,
        fault: Exception | None = None,
    ) -> None:
        super().__init__(name, parent)
        self._question, self._fault = question, fault
        self._unmet: str | None = None
        self.add_marker("abverify")

    def setup(self) -> None:
        """Asks; what cannot be answered ends here, as an error."""
        from abverify.errors import AbverifyError

        try:
            if self._question is None:
                assert self._fault is not None  # noqa: S101 (an item has one or the other)
                raise self._fault
            answer = self._question.ask()
        except AbverifyError as error:
            pytest.fail(error.diagnostics(), pytrace=False)
        self.user_properties += [(f"abverify.{name}", text) for name, text in answer.facts]
        if answer.holds is None:
            pytest.fail(answer.text, pytrace=False)
        self._unmet = None if answer.holds else answer.text

    def runtest(self) -> None:
        """Fails when the answer is no."""
        if self._unmet is not None:
            pytest.fail(self._unmet, pytrace=False)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the item comes from, for the head of its failure."""
        return self.path, None, f"abverify {self.name}"


@pytest.fixture(scope="session")
def abverify_ledger(pytestconfig: pytest.Config) -> Ledger:
    """The repository's ledger, verified; an error when it cannot be trusted."""
    from abverify.app.docket import open_repository, require_sound

    repository = open_repository(_root(pytestconfig))
    require_sound(repository)
    return repository.ledger


@pytest.fixture(scope="session")
def abverify_contract(pytestconfig: pytest.Config) -> ContractOf:
    """Gives the working contract of the gate that a name stands for, qualified or short."""
    from abverify.app.docket import open_repository

    registry = open_repository(_root(pytestconfig)).registry
    return lambda name: registry.find(name).contract

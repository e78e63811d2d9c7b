"""The main story, told once for each test run: the demo's steps with a live model."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from tests.support.console import Ran
from tests.support.repository import GATES, Repository, scratch, shared

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

_REASON = ("--reason", "told once")
_STEPS: tuple[tuple[str, ...], ...] = (
    ("keys", "new", "operator", "--unencrypted"),
    ("trust", "init", "--origin", "example/story", "--principal", "operator"),
    *(("amend", gate, "--introduce", *_REASON) for gate in GATES),
    ("suspend", "M280", "--scope", "phase-6", "--lift-when", "V1_004", *_REASON),
    ("suspend", "S280", "--scope", "laptop-phase", "--lift-when", "S1_004", *_REASON),
    ("check", "S1_004"),
    ("check", "S1_004", "--run", "--record", "--format", "json"),
)
_COMPARED: tuple[tuple[str, ...], ...] = (("compare", "S294", "--run", "--format", "json"),)


class Story:
    """The repository after the story, and how each of its commands ended."""

    def __init__(self, folder: Path) -> None:
        self.repository = Repository(folder / "repository", folder / "keys")
        steps = json.loads((folder / "steps.json").read_text(encoding="utf-8"))
        self._steps = {tuple(words): Ran(**ran) for words, ran in steps}

    def step(self, *words: str) -> Ran:
        """How the first command that begins with these words ended."""
        return next(ran for step, ran in self._steps.items() if step[: len(words)] == words)

    @property
    def live(self) -> Ran:
        """The command that ran the bench and signed the verdict."""
        return self.step("check", "S1_004", "--run")

    @property
    def codes(self) -> list[int]:
        """The exit code of every step, in order."""
        return [ran.code for ran in self._steps.values()]


def told(factory: pytest.TempPathFactory) -> Story:
    """The story, told now if no other process of this test run has told it."""
    return Story(shared(factory, "story", _tell))


def compared(factory: pytest.TempPathFactory) -> Story:
    """The story with the adapter's bench beside the base's, and nothing decided of it yet."""
    first = told(factory)
    return Story(shared(factory, "compared", lambda folder: _compare(first, folder)))


def _tell(folder: Path) -> None:
    _take(folder, scratch(folder), _STEPS)


def _compare(first: Story, folder: Path) -> None:
    _take(folder, first.repository.copy(folder), _COMPARED)


def _take(folder: Path, repository: Repository, steps: tuple[tuple[str, ...], ...]) -> None:
    ran = [(step, asdict(repository.spawn(*step))) for step in steps]
    (folder / "steps.json").write_text(json.dumps(ran), encoding="utf-8")

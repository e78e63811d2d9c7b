"""Folders to start a repository in, as a newcomer has them: empty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.support.console import Ran, in_process, in_subprocess

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody with an empty folder, an empty key folder, and a passphrase."""

    folder: Path
    keys: Path
    passphrase: str = "correct horse"  # noqa: S105 (a test's own)

    @property
    def environment(self) -> dict[str, str]:
        """The newcomer's environment."""
        return {"ABVERIFY_KEYS": str(self.keys), "ABVERIFY_PASSPHRASE": self.passphrase}

    def run(self, *arguments: str) -> Ran:
        """Runs a command line on the newcomer's repository."""
        return in_process(*arguments, "--root", str(self.folder), environment=self.environment)

    def spawn(self, *arguments: str) -> Ran:
        """Runs a command line on the newcomer's repository, in a process of its own."""
        return in_subprocess(*arguments, "--root", str(self.folder), environment=self.environment)

    def files(self) -> list[str]:
        """What is in the folder."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return sorted(path.relative_to(self.folder).as_posix() for path in found)


@pytest.fixture
def newcomer(tmp_path: Path) -> Newcomer:
    """An empty folder called `my-models`."""
    (tmp_path / "my-models").mkdir()
    return Newcomer(tmp_path / "my-models", tmp_path / "keys")

"""A repository to type commands at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.repository import Repository, introduced
from tests.support.story import Story, told

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def docket(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Four introduced gates and two held scopes, no evidence; read only."""
    return introduced(tmp_path_factory.mktemp("docket"))


@pytest.fixture
def repository(docket: Repository, tmp_path: Path) -> Repository:
    """Four introduced gates in a copy that a test may change."""
    return docket.copy(tmp_path)


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The main story with its live bench; read only."""
    return told(tmp_path_factory)


@pytest.fixture
def after_story(story: Story, tmp_path: Path) -> Repository:
    """The story's repository in a copy that a test may change."""
    return story.repository.copy(tmp_path)

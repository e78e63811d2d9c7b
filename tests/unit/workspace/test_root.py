from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abverify.errors import UsageError
from abverify.workspace.root import find_root

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    (root / "contracts").mkdir(parents=True)
    (root / "deep" / "er").mkdir(parents=True)
    return root


def test_the_option_names_the_root(repository: Path) -> None:
    assert find_root(str(repository)) == repository


def test_the_option_is_taken_at_its_word_and_not_searched_upwards(repository: Path) -> None:
    with pytest.raises(UsageError) as refusal:
        find_root(str(repository / "deep"))

    assert refusal.value.rule == "AV001"
    assert refusal.value.found == "no contracts/ in this folder"


def test_without_the_option_the_nearest_folder_upwards_is_the_root(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / "deep" / "er")

    assert find_root(None) == repository


def test_pyproject_says_where_the_root_is(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = repository.parent
    (project / "pyproject.toml").write_text('[tool.abverify]\nroot = "repository"\n')
    monkeypatch.chdir(project)

    assert find_root(None) == repository
    assert find_root(str(project)) == repository


@pytest.mark.parametrize(
    "text", ["not toml [", "[tool]\nabverify = 1\n", "tool = 1\n", '[tool.abverify]\nroot = "x"\n']
)
def test_a_pyproject_that_says_nothing_usable_is_passed_over(
    repository: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    (repository / "deep" / "pyproject.toml").write_text(text)
    monkeypatch.chdir(repository / "deep")

    assert find_root(None) == repository


def test_no_repository_is_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UsageError) as refusal:
        find_root(None)

    assert (refusal.value.rule, refusal.value.found) == (
        "AV001",
        "no contracts/ in this folder or above it",
    )

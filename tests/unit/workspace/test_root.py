from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abverify.errors import UsageError
from abverify.workspace.git import open_git
from abverify.workspace.root import Search, find_root, search_in
from tests.unit.workspace.test_git import commit, run_git

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


class TestInACommit:
    """The same search over what was committed, so that a change can be judged where it was."""

    @pytest.fixture
    def top(self, tmp_path: Path) -> Path:
        run_git(tmp_path, "init", "-q", "-b", "main")
        commit(tmp_path, {"models/contracts/a.yaml": b"", "models/src/x": b"", "y/z/x": b""})
        return tmp_path

    def found(self, top: Path, start: str, *, upwards: bool = True) -> str | None:
        with open_git(top) as git:
            return Search(start, upwards=upwards).root_at(git, git.commit("HEAD"))

    def test_it_is_the_nearest_folder_upwards(self, top: Path) -> None:
        assert self.found(top, "models/src") == "models/"
        assert self.found(top, "models/src", upwards=False) is None
        assert self.found(top, "models", upwards=False) == "models/"
        assert self.found(top, "y/z") is None

    def test_pyproject_says_where_it_is(self, top: Path) -> None:
        commit(top, {"y/pyproject.toml": b'[tool.abverify]\nroot = "../models"\n'})
        assert self.found(top, "y/z") == "models/"
        assert self.found(top, "y", upwards=False) == "models/"

    def test_the_top_itself(self, top: Path) -> None:
        commit(top, {"contracts/a.yaml": b""})
        assert self.found(top, "") == ""
        assert self.found(top, "y/z") == ""

    @pytest.mark.parametrize("root", ["../elsewhere", "/models", "nothing"])
    def test_what_is_not_in_the_commit_is_passed_over(self, top: Path, root: str) -> None:
        commit(top, {"pyproject.toml": f'[tool.abverify]\nroot = "{root}"\n'.encode()})
        assert self.found(top, "y") is None

    def test_a_link_is_no_configuration(self, top: Path) -> None:
        (top / "pyproject.toml").symlink_to("elsewhere.toml")
        commit(top, {"elsewhere.toml": b'[tool.abverify]\nroot = "models"\n'})
        assert self.found(top, "") is None

    def test_a_search_that_begins_outside_cannot_be_repeated(self, top: Path) -> None:
        assert search_in(top / "models", str(top)) is None
        assert search_in(top, str(top / "models")) == Search("models", upwards=False)
        assert search_in(top, str(top)) == Search("", upwards=False)

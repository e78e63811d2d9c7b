"""Reading git objects raw: revisions, trees and blobs of a real repository."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from abverify.errors import IndeterminateError, UntrustedError, UsageError
from abverify.workspace.git import GitRepository, open_git

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WHO = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "t"), ("EMAIL", "t@example.org"))
}


def run_git(root: Path, *arguments: str) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(root), **WHO}
    command = ["git", "-c", "init.defaultBranch=main", *arguments]
    ran = subprocess.run(
        command, cwd=root, env=environment, check=True, capture_output=True, text=True
    )
    return ran.stdout.strip()


def commit(root: Path, files: dict[str, bytes], message: str = "change") -> str:
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    run_git(root, "add", "-A")
    run_git(root, "commit", "-q", "--allow-empty", "-m", message)
    return run_git(root, "rev-parse", "HEAD")


@pytest.fixture
def history(tmp_path: Path) -> tuple[Path, list[str]]:
    """Three commits on main."""
    run_git(tmp_path, "init", "-q")
    return tmp_path, [
        commit(tmp_path, {"a.txt": b"one\n", "deep/er/b.bin": bytes(range(256))}),
        commit(tmp_path, {"a.txt": b"two\n"}),
        commit(tmp_path, {"deep/c.txt": "ä\n".encode()}),
    ]


@pytest.fixture
def git(history: tuple[Path, list[str]]) -> Iterator[GitRepository]:
    with open_git(history[0]) as opened:
        yield opened


def test_a_file_is_read_as_it_stood(git: GitRepository, history: tuple[Path, list[str]]) -> None:
    first, second, third = history[1]
    assert [git.read(c, "a.txt") for c in history[1]] == [b"one\n", b"two\n", b"two\n"]
    assert git.read(first, "deep/er/b.bin") == bytes(range(256))
    assert git.read(second, "deep/c.txt") is None
    assert git.read(third, "deep/c.txt") == "ä\n".encode()
    assert git.read(third, "a.txt/inside") is None


def test_a_folder_is_read_whole(git: GitRepository, history: tuple[Path, list[str]]) -> None:
    assert list(git.files(history[1][2], "deep")) == ["c.txt", "er/b.bin"]
    assert git.read_folder(history[1][2], "deep")["c.txt"] == "ä\n".encode()
    assert git.files(history[1][0], "nothing") == {}


def test_revisions_are_resolved(git: GitRepository, history: tuple[Path, list[str]]) -> None:
    first, second, third = history[1]
    assert git.commit("main") == git.commit("HEAD") == third
    assert git.commit("HEAD~1") == second
    assert git.commit(first[:8]) == first
    assert git.commits(first, third) == (second, third)
    assert git.is_ancestor(first, third)
    assert not git.is_ancestor(third, first)
    assert not git.is_ancestor("0" * 40, third)


@pytest.mark.parametrize(
    "name", ["nosuch", "a b", "a b c", "--all", "HEAD:a.txt", "a\nb", "", "0" * 40]
)
def test_what_names_no_commit_is_refused(git: GitRepository, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        git.commit(name)
    assert caught.value.rule == "AV701"


def test_a_subfolder_is_the_root_it_is_asked_for(history: tuple[Path, list[str]]) -> None:
    with open_git(history[0] / "deep") as git:
        assert git.read(git.commit("HEAD"), "c.txt") == "ä\n".encode()


def test_another_folder_of_the_same_objects(history: tuple[Path, list[str]]) -> None:
    with open_git(history[0] / "deep") as git:
        head = git.commit("HEAD")
        assert (git.prefix, git.top) == ("deep/", history[0].resolve())
        assert git.below("").read(head, "deep/c.txt") == git.read(head, "c.txt")
        assert git.below("").touching(head, "a.txt") == tuple(reversed(history[1][:2]))
        assert git.touching(head, "a.txt") == ()


def test_a_symlink_is_no_file(history: tuple[Path, list[str]]) -> None:
    root = history[0]
    (root / "link").symlink_to("/etc/passwd")
    head = commit(root, {})
    with open_git(root) as git:
        with pytest.raises(UntrustedError) as caught:
            git.read(head, "link")
        assert caught.value.rule == "AV402"
        with pytest.raises(UntrustedError):
            git.files(head, "")


def test_outside_a_repository_nothing_can_be_said(tmp_path: Path) -> None:
    with pytest.raises(IndeterminateError) as caught, open_git(tmp_path):
        pass
    assert caught.value.rule == "AV700"


def test_a_shallow_clone_says_what_it_lacks(
    history: tuple[Path, list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    clone = tmp_path_factory.mktemp("clone")
    run_git(clone, "clone", "-q", "--depth", "1", history[0].as_uri(), "shallow")
    with open_git(clone / "shallow") as git:
        assert not git.has_commit(history[1][0])
        assert git.has_commit(history[1][2])


def test_the_environment_cannot_point_it_elsewhere(
    history: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    with open_git(history[0]) as git:
        assert git.commit("main") == history[1][2]


def test_replaced_objects_are_not_followed(history: tuple[Path, list[str]]) -> None:
    """`git replace` lets one object stand in for another: not for a judge."""
    root, (first, second, _) = history
    run_git(root, "replace", second, first)
    with open_git(root) as git:
        assert git.read(second, "a.txt") == b"two\n"

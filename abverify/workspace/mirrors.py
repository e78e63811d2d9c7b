"""Mirrors: the same bytes in a folder, in another git repository, or in a bundle of one."""

from __future__ import annotations

import os
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.errors import IndeterminateError
from abverify.workspace.git import open_git

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abverify.model.policy import Mirror
    from abverify.workspace.git import GitRepository

_REF = "refs/heads/mirror"


@frozen
class MirrorView:
    """A mirror that can be asked.

    Attributes:
        mirror: the mirror as the policy declares it.
        folder: its folder; None for one in git.
        git: its repository, whose branch `mirror` is the declared one; None for a folder.
        head: the newest commit of that branch.
    """

    mirror: Mirror
    folder: Path | None = None
    git: GitRepository | None = None
    head: str | None = None

    def read(self, commit: str | None = None) -> bytes | None:
        """The mirrored bytes, at a commit or at the branch's head; None if there are none."""
        if self.git is not None and self.head is not None:
            return self.git.read(commit or self.head, self.mirror.file)
        path = (self.folder or Path()) / self.mirror.file
        return path.read_bytes() if path.is_file() else None

    def knows(self, commit: str) -> bool | None:
        """Whether a commit is there at all; None where there are no commits to ask for."""
        return None if self.git is None else self.git.has_commit(commit)

    def reaches(self, commit: str) -> bool:
        """Whether a commit is reachable from the declared branch."""
        if self.git is None or self.head is None:
            return False
        return self.git.is_ancestor(commit, self.head)


@contextmanager
def open_mirror(mirror: Mirror, root: Path) -> Iterator[MirrorView]:
    """A mirror, made readable; what must be fetched goes to a folder of its own.

    Raises:
        IndeterminateError: AV722 if it cannot be reached: then nothing is known of it.
    """
    if mirror.kind == "folder":
        folder = root / mirror.location
        if not folder.is_dir():
            raise unreachable(mirror, "no such folder")
        yield MirrorView(mirror, folder=folder)
        return
    with tempfile.TemporaryDirectory(prefix="abverify-mirror-") as name:
        bare = Path(name)
        _fetch(mirror, root, bare)
        with open_git(bare) as git:
            yield MirrorView(mirror, git=git, head=git.commit(_REF))


def _fetch(mirror: Mirror, root: Path, bare: Path) -> None:
    local = root / mirror.location
    source = str(local.resolve()) if local.exists() else mirror.location
    if source.startswith("-"):
        raise unreachable(mirror, "a location that looks like an option")
    _run(mirror, bare, "init", "-q", "--bare", ".")
    refspec = f"+refs/heads/{mirror.branch}:{_REF}"
    _run(mirror, bare, "fetch", "-q", "--no-tags", "--", source, refspec)


def _run(mirror: Mirror, folder: Path, *arguments: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment = {
        **kept,
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "file:https:ssh",
    }
    try:
        ran = subprocess.run(
            ["git", *arguments], cwd=folder, env=environment, capture_output=True, check=False
        )
    except FileNotFoundError:
        raise unreachable(mirror, "no git command") from None
    if ran.returncode:
        lines = ran.stderr.decode("utf-8", "replace").strip().splitlines() or ["git failed"]
        raise unreachable(mirror, lines[-1])


def unreachable(mirror: Mirror, found: str) -> IndeterminateError:
    """The error for a mirror that cannot be asked."""
    return IndeterminateError(
        "the mirror cannot be read, so nothing is known of its bytes",
        rule="AV722",
        place=mirror.location,
        expected=f"a {mirror.kind} that can be read from here",
        found=found,
        next_step="make it reachable, or declare a bundle of it in contracts/policy.yaml",
    )

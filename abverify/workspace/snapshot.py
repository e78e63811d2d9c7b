"""A repository's files at one moment: the work tree as it is, or a commit as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from abverify._frozen import frozen
from abverify.workspace.files import list_tree, read_bytes, read_tree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from abverify.workspace.git import GitRepository


class Snapshot(Protocol):
    """Files to be read, and nothing else."""

    def read(self, path: str) -> bytes | None:
        """The bytes of a plain file; None where there is none."""

    def folder(self, path: str) -> dict[str, bytes]:
        """The bytes of every file below a folder, by path relative to it, sorted."""

    def names(self, path: str) -> tuple[str, ...]:
        """The paths of every file below a folder, relative to it, sorted."""


@frozen
class WorkTree:
    """The files as they stand in the work tree."""

    root: Path

    def read(self, path: str) -> bytes | None:
        """The bytes of a plain file; None where there is none."""
        try:
            return read_bytes(self.root, path)
        except FileNotFoundError:
            return None

    def folder(self, path: str) -> dict[str, bytes]:
        """The bytes of every file below a folder."""
        return read_tree(self.root, path) if (self.root / path).is_dir() else {}

    def names(self, path: str) -> tuple[str, ...]:
        """The paths of every file below a folder."""
        return list_tree(self.root, path) if (self.root / path).is_dir() else ()


@frozen
class Overlaid:
    """Files as they will stand when some have been written.

    Attributes:
        base: the files as they are.
        files: what will be written, by path.
    """

    base: Snapshot
    files: Mapping[str, bytes]

    def read(self, path: str) -> bytes | None:
        """The bytes of a plain file; None where there is none."""
        return self.files[path] if path in self.files else self.base.read(path)

    def folder(self, path: str) -> dict[str, bytes]:
        """The bytes of every file below a folder."""
        return dict(sorted({**self.base.folder(path), **self._written(path)}.items()))

    def names(self, path: str) -> tuple[str, ...]:
        """The paths of every file below a folder."""
        return tuple(sorted({*self.base.names(path), *self._written(path)}))

    def _written(self, path: str) -> dict[str, bytes]:
        head = f"{path}/"
        return {
            name[len(head) :]: data for name, data in self.files.items() if name.startswith(head)
        }


@frozen
class CommitTree:
    """The files as they stood in a commit."""

    git: GitRepository
    commit: str

    def read(self, path: str) -> bytes | None:
        """The bytes of a plain file; None where there is none."""
        return self.git.read(self.commit, path)

    def folder(self, path: str) -> dict[str, bytes]:
        """The bytes of every file below a folder."""
        return self.git.read_folder(self.commit, path)

    def names(self, path: str) -> tuple[str, ...]:
        """The paths of every file below a folder."""
        return tuple(self.git.files(self.commit, path))

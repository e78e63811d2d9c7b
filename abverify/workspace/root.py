"""Where the repository is: `--root`, else `[tool.abverify]`, else the folder with `contracts/`."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abverify.workspace.git import GitRepository


def find_root(option: str | None) -> Path:
    """The repository root.

    Args:
        option: the value of `--root`, if given.

    Raises:
        UsageError: AV001 if no folder with `contracts/` is found.
    """
    start = Path(option) if option is not None else Path.cwd()
    candidates = [start] if option is not None else [start, *start.parents]
    for folder in candidates:
        configured = _configured(folder)
        for root in (configured, folder):
            if root is not None and (root / "contracts").is_dir():
                return root.resolve()
    raise UsageError(
        "no contracts folder here",
        rule="AV001",
        place=str(start),
        expected="a repository with contracts/, gates/ and fixtures/",
        found="no contracts/ in this folder" + ("" if option else " or above it"),
        next_step="go to the repository, or name it with --root",
    )


@frozen
class Search:
    """Where the search for the root begins inside a git repository, so that it can be repeated.

    Attributes:
        start: the folder, relative to the top of the git repository.
        upwards: whether it goes on in the folders above, as without `--root`.
    """

    start: str
    upwards: bool

    def root_at(self, git: GitRepository, commit: str) -> str | None:
        """Where the root was in a commit, found as `find_root` finds it in the work tree.

        Args:
            git: the repository's objects, from its top.
            commit: the commit whose configuration counts.

        Returns:
            The root relative to the top, ending with a slash unless it is the top itself;
            None where the commit has none.
        """
        parts = [part for part in self.start.split("/") if part]
        for length in range(len(parts), -1, -1) if self.upwards else (len(parts),):
            for root in _candidates(git, commit, "/".join(parts[:length])):
                found = git.entry(commit, f"{root}/contracts")
                if found is not None and found.kind == "tree":
                    return f"{root}/" if root else ""
        return None


def search_in(top: Path, option: str | None) -> Search | None:
    """The search that `find_root` makes, within a git repository; None if it began outside."""
    start = Path(option) if option is not None else Path.cwd()
    try:
        inside = start.resolve().relative_to(top.resolve())
    except ValueError:
        return None
    return Search("" if inside == Path() else inside.as_posix(), upwards=option is None)


def _candidates(git: GitRepository, commit: str, folder: str) -> Iterator[str]:
    """The roots that a folder of a commit offers: the configured one first, then itself."""
    path = f"{folder}/pyproject.toml"
    entry = git.entry(commit, path)
    plain = entry is not None and entry.kind == "file"
    value = _root_of(git.read(commit, path) or b"") if plain else None
    if value is not None:
        root = posixpath.normpath(posixpath.join(folder, value))
        if not root.startswith(("..", "/")):
            yield "" if root == "." else root
    yield folder


def _configured(folder: Path) -> Path | None:
    file = folder / "pyproject.toml"
    value = _root_of(file.read_bytes()) if file.is_file() else None
    return None if value is None else folder / value


def _root_of(pyproject: bytes) -> str | None:
    import tomllib

    try:
        tool = tomllib.loads(pyproject.decode("utf-8")).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None
    section = tool.get("abverify") if isinstance(tool, dict) else None
    value = section.get("root") if isinstance(section, dict) else None
    return value if isinstance(value, str) else None

"""Reading a git repository's objects: revisions, trees and blobs, never the work tree.

Nothing here runs a hook, a filter, a text conversion or a pager: objects are read
raw through one `git cat-file --batch` process, so that a thousand commits cost one
process start, and a tree that was read once is not read again.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import IO, TYPE_CHECKING

from abverify._frozen import frozen
from abverify.errors import IndeterminateError, UntrustedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TREE, _FILES = b"40000", (b"100644", b"100755")
_QUIET = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-optional-locks")
_KEPT_BLOB = 1 << 20


@frozen
class Entry:
    """One entry of a tree: a folder, a plain file, or something that is neither.

    Attributes:
        kind: `tree`, `file`, or `other` for a symlink or a submodule.
        sha: the object's id.
    """

    kind: str
    sha: str


@dataclass(slots=True)
class GitRepository:
    """A repository's objects; open it with `open_git`.

    Attributes:
        root: the folder that holds the repository, whose paths are meant.
    """

    root: Path
    _process: subprocess.Popen[bytes]
    _prefix: str
    _roots: dict[str, Entry] = field(default_factory=dict)
    _trees: dict[str, dict[str, Entry]] = field(default_factory=dict)
    _listed: dict[str, dict[str, str]] = field(default_factory=dict)
    _blobs: dict[str, bytes] = field(default_factory=dict)
    _reachable: dict[str, frozenset[str]] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """The root's path in the repository: empty for its top, else ending with a slash."""
        return self._prefix

    @property
    def top(self) -> Path:
        """The folder that the whole repository stands in."""
        root = self.root.resolve()
        return root.parents[depth - 1] if (depth := self._prefix.count("/")) else root

    def below(self, prefix: str) -> GitRepository:
        """The same objects, with paths relative to another folder of the repository."""
        return replace(self, _prefix=prefix)

    def commit(self, revision: str) -> str:
        """The full id of the commit that a revision names.

        Raises:
            UsageError: AV701 if it names none.
        """
        name = f"{revision}^{{commit}}"
        if revision.startswith("-") or not (found := self._resolve(name)):
            raise UsageError(
                "no such revision",
                rule="AV701",
                place=str(self.root),
                expected="a commit, branch or tag that is here",
                found=revision,
                next_step="git fetch, if it is only on the remote",
            )
        return found

    def find_commit(self, *revisions: str) -> str | None:
        """The commit of the first of some revisions that is here; None if none is."""
        found = (self._resolve(f"{revision}^{{commit}}") for revision in revisions)
        return next((commit for commit in found if commit), None)

    def commits(self, base: str, head: str) -> tuple[str, ...]:
        """The commits after `base` up to `head`, oldest first, along first parents."""
        out = _git(self.root, "rev-list", "--first-parent", "--reverse", f"{base}..{head}")
        return tuple(out.stdout.decode("ascii").split())

    def is_ancestor(self, commit: str, of: str) -> bool:
        """Whether a commit is reachable from another; false if either is not here.

        The first question about `of` lists all that it reaches; later ones are free.
        """
        if of not in self._reachable:
            ran = _git(self.root, "rev-list", of, "--", check=False)
            self._reachable[of] = frozenset(ran.stdout.decode("ascii").split())
        return commit in self._reachable[of]

    def behind(self, head: str, base: str) -> bool:
        """Whether the base went on since the head left it; false where no history tells."""
        ran = _git(self.root, "merge-base", base, head, check=False)
        fork = ran.stdout.decode("ascii").strip()
        return bool(fork) and fork != base

    def touching(self, head: str, path: str) -> tuple[str, ...]:
        """The commits up to `head` that changed a path, newest first."""
        spec = f":(top,literal){self._prefix}{path}"
        ran = _git(self.root, "rev-list", head, "--", spec)
        return tuple(ran.stdout.decode("ascii").split())

    def has_commit(self, commit: str) -> bool:
        """Whether a commit is here."""
        return bool(self._resolve(f"{commit}^{{commit}}"))

    def entry(self, commit: str, path: str) -> Entry | None:
        """What stands at a path of a commit; None where there is nothing."""
        current: Entry | None = self._tree_of(commit)
        for part in self._parts(path):
            if current is None or current.kind != "tree":
                return None
            current = self._tree(current.sha).get(part)
        return current

    def read(self, commit: str, path: str) -> bytes | None:
        """The bytes of a file of a commit; None where there is none.

        Raises:
            UntrustedError: AV402 if it is a symlink, a submodule or a folder.
        """
        entry = self.entry(commit, path)
        if entry is None:
            return None
        if entry.kind != "file":
            raise _not_plain(path)
        return self.blob(entry.sha)

    def blob(self, sha: str) -> bytes:
        """The bytes of a blob."""
        data = self._blobs.get(sha)
        if data is None:
            data = self._object(sha)
            if len(data) <= _KEPT_BLOB:
                self._blobs[sha] = data
        return data

    def files(self, commit: str, folder: str) -> dict[str, str]:
        """The id of each file below a folder of a commit, by path relative to it, sorted.

        Raises:
            UntrustedError: AV402 for a symlink or submodule inside.
        """
        top = self.entry(commit, folder)
        if top is None or top.kind != "tree":
            return {}
        if top.sha not in self._listed:
            self._listed[top.sha] = dict(sorted(self._walk(top.sha, "", folder)))
        return self._listed[top.sha]

    def read_folder(self, commit: str, folder: str) -> dict[str, bytes]:
        """The bytes of each file below a folder of a commit, by path relative to it."""
        return {path: self.blob(sha) for path, sha in self.files(commit, folder).items()}

    def _walk(self, tree: str, prefix: str, folder: str) -> Iterator[tuple[str, str]]:
        for name, entry in self._tree(tree).items():
            path = f"{prefix}{name}"
            if entry.kind == "tree":
                yield from self._walk(entry.sha, f"{path}/", folder)
            elif entry.kind == "file":
                yield path, entry.sha
            else:
                raise _not_plain(f"{folder}/{path}")

    def _parts(self, path: str) -> list[str]:
        return [part for part in f"{self._prefix}{path}".split("/") if part]

    def _tree_of(self, commit: str) -> Entry:
        if commit not in self._roots:
            header = self._object(commit).split(b"\n", 1)[0]
            self._roots[commit] = Entry("tree", header.removeprefix(b"tree ").decode("ascii"))
        return self._roots[commit]

    def _tree(self, sha: str) -> dict[str, Entry]:
        if sha not in self._trees:
            self._trees[sha] = dict(_entries(self._object(sha), width=len(sha) // 2))
        return self._trees[sha]

    def _resolve(self, name: str) -> str | None:
        sha, kind, _ = self._ask(name)
        return sha if kind == "commit" else None

    def _object(self, sha: str) -> bytes:
        _, kind, data = self._ask(sha)
        if kind == "missing":
            raise IndeterminateError(
                "a git object is not here",
                rule="AV702",
                place=str(self.root),
                expected=sha,
                found="a shallow or partial clone",
                next_step="git fetch --unshallow",
            )
        return data

    def _ask(self, name: str) -> tuple[str, str, bytes]:
        """One question to the batch process: the object's id, its kind and its bytes."""
        if "\n" in name or self._process.stdin is None or self._process.stdout is None:
            return "", "missing", b""
        self._process.stdin.write(name.encode("utf-8", "surrogateescape") + b"\n")
        self._process.stdin.flush()
        return _answer(self._process.stdout)


@contextmanager
def open_git(root: Path) -> Iterator[GitRepository]:
    """The git repository that holds a folder; paths are relative to the folder.

    Raises:
        IndeterminateError: AV700 if there is no git, or the folder is in no repository.
    """
    found = _git(root, "rev-parse", "--show-prefix")
    prefix = found.stdout.decode("utf-8", "surrogateescape").rstrip("\n")
    process = subprocess.Popen(
        ["git", *_QUIET, "cat-file", "--batch"],
        cwd=root,
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield GitRepository(root, process, prefix)
    finally:
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        process.wait()


def _git(root: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
    try:
        ran = subprocess.run(
            ["git", *_QUIET, *arguments],
            cwd=root,
            env=_environment(),
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise _no_git(root, "no git command") from None
    if check and ran.returncode:
        raise _no_git(root, ran.stderr.decode("utf-8", "replace").strip().split("\n")[0])
    return ran


def _environment() -> dict[str, str]:
    """The caller's environment without what would point git at another repository."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_REPLACE_OBJECTS": "1"}


def _no_git(root: Path, found: str) -> IndeterminateError:
    return IndeterminateError(
        "the git history cannot be read",
        rule="AV700",
        place=str(root),
        expected="a git repository that this user may read",
        found=found,
        next_step="run it inside a clone; in CI, check out with full history",
    )


def _answer(stream: IO[bytes]) -> tuple[str, str, bytes]:
    header = stream.readline().decode("ascii", "replace").split()
    if len(header) != 3 or not header[2].isdigit():  # noqa: PLR2004 (`… missing`, `… ambiguous`)
        return "", "missing", b""
    sha, kind, size = header
    data = stream.read(int(size))
    stream.read(1)
    return sha, kind, data


def _entries(data: bytes, *, width: int) -> Iterator[tuple[str, Entry]]:
    """The entries of a raw tree object: `<mode> <name> NUL <id>`, again and again."""
    start = 0
    while start < len(data):
        space = data.index(b" ", start)
        end = data.index(b"\0", space)
        mode, name = data[start:space], data[space + 1 : end].decode("utf-8", "surrogateescape")
        start = end + 1 + width
        kind = "tree" if mode == _TREE else "file" if mode in _FILES else "other"
        yield name, Entry(kind, data[end + 1 : start].hex())


def _not_plain(path: str) -> UntrustedError:
    return UntrustedError(
        "not a plain file",
        rule="AV402",
        place=path,
        expected="a regular file, reached without symlinks",
        found="a symlink, a submodule or a folder",
    )

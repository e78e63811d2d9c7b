"""The files a new repository starts with, and putting them into a folder whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from abverify.errors import IndeterminateError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from importlib.resources.abc import Traversable

_SUFFIX = ".template"


def starter_files(values: Mapping[str, str]) -> dict[str, bytes]:
    """The package's templates with these values filled in, by path relative to the repository."""
    top = resources.files("abverify") / "templates"
    return {
        path.removesuffix(_SUFFIX): Template(text).substitute(values).encode("utf-8")
        for path, text in sorted(_templates(top, ""))
    }


def _templates(folder: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _templates(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(_SUFFIX):
            yield f"{prefix}{entry.name}", entry.read_text(encoding="utf-8")


@contextmanager
def staging() -> Iterator[Path]:
    """A folder of its own to make a repository in, gone afterwards.

    Raises:
        IndeterminateError: AV404 if none can be made.
    """
    try:
        folder = tempfile.mkdtemp(prefix="abverify-init-")
    except OSError as error:
        raise _unwritable(Path(tempfile.gettempdir()), error) from None
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def stage(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes files below a staging folder."""
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def staged(folder: Path) -> tuple[str, ...]:
    """The files below a staging folder, relative to it, sorted."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return tuple(sorted(path.relative_to(folder).as_posix() for path in found))


def standing(target: Path, paths: Iterable[str]) -> tuple[str, ...]:
    """Which of these paths are there already, as whatever."""
    return tuple(path for path in paths if os.path.lexists(target / path))


def place(folder: Path, paths: Iterable[str], target: Path) -> None:
    """Copies staged files into the target; whatever fails, none of them stays.

    Raises:
        RefusedError: AV811 if a file is there already.
        IndeterminateError: AV404 if one cannot be written.
    """
    made: list[Path] = []
    try:
        for path in paths:
            made += _make_folders((target / path).parent)
            _copy_new(folder / path, target / path, made)
    except BaseException as error:
        _remove(made)
        if isinstance(error, FileExistsError):
            raise RefusedError(
                "a file is there already, and nothing is overwritten",
                rule="AV811",
                place=str(error.filename),
                next_step="move it away, or choose another folder",
            ) from None
        if isinstance(error, OSError):
            raise _unwritable(target, error) from None
        raise


def discard(paths: Iterable[Path]) -> None:
    """Removes files that were made for a repository that did not come to be."""
    for path in paths:
        path.unlink(missing_ok=True)


def _make_folders(folder: Path) -> list[Path]:
    missing = [part for part in (folder, *folder.parents) if not part.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing[::-1]


def _copy_new(source: Path, target: Path, made: list[Path]) -> None:
    with target.open("xb") as stream:
        made.append(target)
        stream.write(source.read_bytes())


def _remove(made: list[Path]) -> None:
    for path in reversed(made):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)


def _unwritable(place: Path, error: OSError) -> IndeterminateError:
    return IndeterminateError(
        "the repository cannot be written; nothing was changed",
        rule="AV404",
        place=str(error.filename or place),
        expected="a writable folder with space left",
        found=error.strerror or str(error),
        next_step="make room or mend the permissions, and run the command again",
    )

"""What keeps a fixture from being one: every fault of its document and of its three states."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from abverify.errors import InvalidError, Place
from abverify.model.globs import glob_regex

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from abverify._yaml import Document
    from abverify.model.corpus import Fixture

DOCUMENT: Final = "fixture.yaml"
PARTS: Final = ("workspace", "solution", "broken")
_OVERLAYS: Final = ("solution", "broken")


def fixture_faults(
    fixture: Fixture, files: Mapping[str, bytes], document: Document, *, folder: str, place: str
) -> Iterator[InvalidError]:
    """Every fault of a fixture whose document can be read.

    Args:
        fixture: the fixture.
        files: all files of its folder.
        document: its document, for the places.
        folder: the folder's name.
        place: the folder, relative to the repository root.
    """
    if fixture.id != folder:
        yield _faulty(
            "the fixture's id is not its folder's name",
            document.place(("id",)),
            expected=folder,
            found=fixture.id,
            next_step="name both alike",
        )
    yield from _unknown(files, place)
    yield from _protected(fixture, document)
    yield from _deliverables(fixture, document)
    for part in PARTS:
        if not getattr(fixture, part):
            yield _faulty(
                f"the fixture has no {part} files",
                Place(f"{place}/{part}"),
                expected="at least one file",
                found="none",
            )
    for part in _OVERLAYS:
        yield from _overlay(fixture, part, place)
    yield from _broken(fixture, place)


def _unknown(files: Mapping[str, bytes], place: str) -> Iterator[InvalidError]:
    """A file that nothing reads would be under the digest and mean nothing."""
    for path in files:
        if path != DOCUMENT and not path.startswith(tuple(f"{part}/" for part in PARTS)):
            yield _faulty(
                "a file of the fixture belongs to none of its parts",
                Place(f"{place}/{path}"),
                rule="AV150",
                expected=f"{DOCUMENT}, {', '.join(f'{part}/' for part in PARTS)}",
                found=path,
                next_step="move it into a part, or out of the corpus",
            )


def _protected(fixture: Fixture, document: Document) -> Iterator[InvalidError]:
    for number, path in enumerate(fixture.spec.protected):
        if path not in fixture.workspace:
            yield _faulty(
                "a protected file is not in the workspace",
                document.place(("protected", number)),
                expected="a file of workspace/",
                found=path,
            )


def _deliverables(fixture: Fixture, document: Document) -> Iterator[InvalidError]:
    """A glob that finds nothing, not even what the solution brings, is a mistake in writing."""
    known = {*fixture.workspace, *fixture.solution, *fixture.broken} - {*fixture.spec.protected}
    for number, glob in enumerate(fixture.spec.deliverables):
        if not any(re.fullmatch(glob_regex(glob), path) for path in known):
            yield _faulty(
                "a declared deliverable exists in no state of the fixture",
                document.place(("deliverables", number)),
                rule="AV151",
                expected="a glob of unprotected files in workspace/, solution/ or broken/",
                found=glob,
                next_step="mend the glob, or take it out",
            )


def _overlay(fixture: Fixture, part: str, place: str) -> Iterator[InvalidError]:
    """A solution or a known-bad state changes the start, and only what a trial could deliver."""
    files: Mapping[str, bytes] = getattr(fixture, part)
    patterns = [re.compile(glob_regex(glob)) for glob in fixture.deliverables]
    for path, data in files.items():
        where = Place(f"{place}/{part}/{path}")
        deliverable = any(pattern.fullmatch(path) for pattern in patterns)
        if path in fixture.spec.protected or not deliverable:
            message = f"the {part} changes a file that no trial could deliver"
            yield _faulty(message, where, expected="a deliverable of the fixture", found=path)
        if fixture.workspace.get(path) == data:
            yield _faulty(
                f"a file of the {part} is the start state's own",
                where,
                rule="AV152",
                expected="other bytes than in workspace/",
                found="the same bytes",
                next_step="make the change, or take the file out",
            )
        if part == "solution" and not _is_text(data):
            yield _faulty(
                "the solution holds a file that no tool could write",
                where,
                rule="AV153",
                expected="UTF-8 text",
                found="other bytes",
            )


def _broken(fixture: Fixture, place: str) -> Iterator[InvalidError]:
    if fixture.solution and fixture.state("broken") == fixture.state("reference"):
        yield _faulty(
            "the known-bad state is the reference solution",
            Place(f"{place}/broken"),
            rule="AV152",
            expected="a plausible state that fails",
            found="the files of solution/",
        )


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _faulty(
    message: str,
    place: Place,
    *,
    expected: str,
    found: str,
    rule: str = "AV131",
    next_step: str | None = None,
) -> InvalidError:
    return InvalidError(
        message, rule=rule, place=place, expected=expected, found=found, next_step=next_step
    )

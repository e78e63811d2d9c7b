"""Corpora on disk: every fixture loaded, validated and digested as a whole."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from abverify._canonical import tree_digest
from abverify.errors import FaultsError, InvalidError, Place, members, raise_all
from abverify.model.corpus import Corpus, Fixture, FixtureSpec
from abverify.model.globs import glob_regex
from abverify.workspace.documents import load_document
from abverify.workspace.files import read_tree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from abverify.errors import AbverifyError

_PARTS = ("workspace", "solution", "broken")


def load_corpus(root: Path, path: str) -> Corpus:
    """Loads a corpus.

    Raises:
        InvalidError: AV130 when the folder is missing or empty, AV131 for a faulty fixture.
        FaultsError: for several faulty fixtures, all of them.
    """
    if not (root / path).is_dir():
        raise InvalidError("the corpus does not exist", rule="AV130", place=path)
    files = read_tree(root, path)
    by_fixture: dict[str, dict[str, bytes]] = {}
    for name, data in files.items():
        fixture, _, rest = name.partition("/")
        by_fixture.setdefault(fixture, {})[rest] = data
    faults: list[AbverifyError] = []
    fixtures: list[Fixture] = []
    for name, parts in sorted(by_fixture.items()):
        try:
            fixtures.append(_fixture(parts, f"{path}/{name}", name))
        except (InvalidError, FaultsError) as error:
            faults += members(error)
    raise_all(faults)
    if not fixtures:
        raise InvalidError("the corpus has no fixture", rule="AV130", place=path)
    return Corpus(path, tree_digest(files), tuple(fixtures))


def _fixture(files: Mapping[str, bytes], place: str, name: str) -> Fixture:
    if "fixture.yaml" not in files:
        raise _faulty("a fixture lacks its fixture.yaml", f"{place}/fixture.yaml")
    spec = load_document(FixtureSpec, files["fixture.yaml"], name=f"{place}/fixture.yaml")
    parts = {part: _below(files, part) for part in _PARTS}
    fixture = Fixture(
        spec, parts["workspace"], parts["solution"], parts["broken"], tree_digest(files)
    )
    if spec.id != name:
        raise _faulty("the fixture's id is not its folder's name", place, name, spec.id)
    _check_states(fixture, place)
    return fixture


def _below(files: Mapping[str, bytes], part: str) -> dict[str, bytes]:
    prefix = f"{part}/"
    return {name[len(prefix) :]: data for name, data in files.items() if name.startswith(prefix)}


def _check_states(fixture: Fixture, place: str) -> None:
    for part in _PARTS:
        if not getattr(fixture, part):
            raise _faulty(f"the fixture has no {part} files", f"{place}/{part}")
    missing = [path for path in fixture.spec.protected if path not in fixture.workspace]
    if missing:
        raise _faulty("a protected file is not in the workspace", place, found=missing[0])
    for part in ("solution", "broken"):
        patterns = [re.compile(glob_regex(glob)) for glob in fixture.deliverables]
        for path in getattr(fixture, part):
            deliverable = any(pattern.fullmatch(path) for pattern in patterns)
            if path in fixture.spec.protected or not deliverable:
                message = f"the {part} changes a file that no trial could deliver"
                raise _faulty(message, f"{place}/{part}/{path}", "a deliverable of the fixture")


def _faulty(
    message: str, place: str, expected: str | None = None, found: str | None = None
) -> InvalidError:
    return InvalidError(message, rule="AV131", place=Place(place), expected=expected, found=found)

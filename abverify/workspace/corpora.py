"""Corpora on disk: every fixture loaded, validated and digested as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._canonical import tree_digest
from abverify._frozen import frozen
from abverify._yaml import read_yaml
from abverify.errors import FaultsError, InvalidError, Place, members, raise_all
from abverify.model.corpus import Corpus, Fixture, FixtureSpec
from abverify.workspace.documents import validate
from abverify.workspace.files import read_tree
from abverify.workspace.fixture_faults import DOCUMENT, PARTS, fixture_faults

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from abverify._yaml import Document
    from abverify.errors import AbverifyError


@frozen
class LoadedFixture:
    """A fixture, and where each part of its document stands."""

    fixture: Fixture
    document: Document


@frozen
class CorpusReading:
    """A corpus as far as it can be read.

    Attributes:
        path: its folder.
        sha256: digest over every file of it.
        fixtures: those that are whole, in the order of their ids.
        total: how many fixtures there are, whole or not.
        faults: what is wrong with the others.
    """

    path: str
    sha256: str
    fixtures: tuple[LoadedFixture, ...]
    total: int
    faults: tuple[AbverifyError, ...]


def load_corpus(root: Path, path: str) -> Corpus:
    """Loads a corpus.

    Raises:
        InvalidError: AV130 when the folder is missing or empty; AV131, or AV150 to AV153,
            for a faulty fixture.
        FaultsError: for several faults, all of them.
    """
    reading = read_corpus(root, path)
    raise_all(list(reading.faults))
    return Corpus(path, reading.sha256, tuple(loaded.fixture for loaded in reading.fixtures))


def read_corpus(root: Path, path: str) -> CorpusReading:
    """Reads a corpus and keeps its faults beside what is whole.

    Raises:
        InvalidError: AV130 when the folder is missing or has no fixture.
        UntrustedError: AV402 when it holds anything but plain files and folders.
    """
    if not (root / path).is_dir():
        raise InvalidError("the corpus does not exist", rule="AV130", place=path)
    files = read_tree(root, path)
    folders: dict[str, dict[str, bytes]] = {}
    faults: list[AbverifyError] = []
    for name, data in files.items():
        folder, slash, rest = name.partition("/")
        if slash:
            folders.setdefault(folder, {})[rest] = data
        else:
            faults.append(_stray(f"{path}/{name}"))
    if not folders:
        raise InvalidError("the corpus has no fixture", rule="AV130", place=path)
    fixtures: list[LoadedFixture] = []
    for name, parts in sorted(folders.items()):
        try:
            fixtures.append(_fixture(parts, f"{path}/{name}", name))
        except (InvalidError, FaultsError) as error:
            faults += members(error)
    return CorpusReading(path, tree_digest(files), tuple(fixtures), len(folders), tuple(faults))


def _fixture(files: Mapping[str, bytes], place: str, name: str) -> LoadedFixture:
    if DOCUMENT not in files:
        raise InvalidError(
            f"a fixture lacks its {DOCUMENT}", rule="AV131", place=Place(f"{place}/{DOCUMENT}")
        )
    document = read_yaml(files[DOCUMENT], name=f"{place}/{DOCUMENT}")
    spec = validate(FixtureSpec, document)
    parts = {part: _below(files, part) for part in PARTS}
    fixture = Fixture(
        spec, parts["workspace"], parts["solution"], parts["broken"], tree_digest(files)
    )
    raise_all(list(fixture_faults(fixture, files, document, folder=name, place=place)))
    return LoadedFixture(fixture, document)


def _below(files: Mapping[str, bytes], part: str) -> dict[str, bytes]:
    prefix = f"{part}/"
    return {name[len(prefix) :]: data for name, data in files.items() if name.startswith(prefix)}


def _stray(place: str) -> InvalidError:
    return InvalidError(
        "a file of the corpus belongs to no fixture",
        rule="AV150",
        place=place,
        expected="folders of fixtures only",
        found=place.rsplit("/", 1)[-1],
        next_step="move it out of the corpus",
    )

"""Which version of a contract a person means: a file, a published version, or one in git."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from abverify._canonical import tree_digest
from abverify._frozen import frozen
from abverify.errors import AbverifyError, UsageError
from abverify.records.bodies import Amendment
from abverify.verify.amendment.changes import Side
from abverify.workspace.contracts import contract_from, version_path
from abverify.workspace.files import read_bytes, read_tree
from abverify.workspace.git import open_git
from abverify.workspace.pins import input_digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from abverify.app.docket import Repository
    from abverify.model.ids import GateId
    from abverify.workspace.contracts import LoadedContract
    from abverify.workspace.git import GitRepository

_PUBLISHED = re.compile(r"(?P<gate>[^@\s]+)@(?P<version>[0-9]+\.[0-9]+\.[0-9]+)")
FORMS = "a file, GATE@VERSION, or REVISION:contracts/FILE.yaml"


@frozen
class NamedSide:
    """A version of a contract, under the name it was asked for by."""

    name: str
    loaded: LoadedContract
    side: Side

    @property
    def line(self) -> tuple[str, str, str]:
        """Its name, its version, and the digest of its bytes."""
        return self.name, self.loaded.contract.version, self.loaded.sha256


def named_side(repository: Repository, name: str) -> NamedSide:
    """The contract version that a name stands for, with what its inputs were.

    Raises:
        UsageError: AV703 if the name stands for nothing, AV701 for an unknown revision.
        InvalidError: if what is there is no contract.
        IndeterminateError: AV700 if git cannot be asked.
    """
    root = repository.root
    if (root / name).is_file():
        loaded = contract_from(read_bytes(root, name), name)
        return NamedSide(name, loaded, working_side(root, loaded))
    if match := _PUBLISHED.fullmatch(name):
        return _published(repository, name, match["gate"], match["version"])
    revision, colon, path = name.partition(":")
    if not colon:
        raise _nothing(name)
    with open_git(root) as git:
        commit = git.commit(revision)
        data = git.read(commit, path)
        if data is None:
            raise _nothing(name)
        loaded = contract_from(data, path)
        return NamedSide(name, loaded, committed_side(git, commit, loaded))


def working_side(root: Path, loaded: LoadedContract) -> Side:
    """A contract with its inputs as they stand in the work tree."""
    inputs: dict[str, str] = {}
    for path in loaded.contract.inputs():
        try:
            inputs[path] = input_digest(root, path)
        except AbverifyError:  # an input that is not there is not compared
            continue
    corpus = loaded.contract.evidence.bench.corpus
    files = read_tree(root, corpus) if (root / corpus).is_dir() else {}
    return _side(loaded, inputs, fixture_digests(files) if files else None)


def committed_side(git: GitRepository, commit: str, loaded: LoadedContract) -> Side:
    """A contract with its inputs as they stood in a commit."""
    prompt, corpus = loaded.contract.inputs()
    inputs: dict[str, str] = {}
    data = git.read(commit, prompt)
    if data is not None:
        inputs[prompt] = tree_digest({prompt.rsplit("/", 1)[-1]: data})
    files = git.read_folder(commit, corpus)
    if files:
        inputs[corpus] = tree_digest(files)
    return _side(loaded, inputs, fixture_digests(files) if files else None)


def published_side(repository: Repository, gate: GateId, version: str) -> Side | None:
    """A published version with the inputs that were signed with it; None if it was never."""
    data = repository.published.get(version_path(gate, version))
    if data is None:
        return None
    loaded = contract_from(data, version_path(gate, version))
    pins: dict[str, str] = {}
    for record in repository.ledger.chain(gate):
        if isinstance(record.body, Amendment) and record.contract_sha256 == loaded.sha256:
            pins = dict(record.body.pins)
    return _side(loaded, pins, _fixtures_if_pinned(repository.root, loaded, pins))


def fixture_digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """The digest of each fixture of a corpus, from the corpus's files."""
    groups: dict[str, dict[str, bytes]] = {}
    for path, data in files.items():
        fixture, _, rest = path.partition("/")
        groups.setdefault(fixture, {})[rest] = data
    return {fixture: tree_digest(group) for fixture, group in groups.items()}


def _published(repository: Repository, name: str, gate: str, version: str) -> NamedSide:
    found = repository.registry.find(gate).contract.gate
    side = published_side(repository, found, version)
    if side is None:
        raise _nothing(name)
    loaded = contract_from(side.data, version_path(found, version))
    return NamedSide(name, loaded, side)


def _fixtures_if_pinned(
    root: Path, loaded: LoadedContract, pins: Mapping[str, str]
) -> dict[str, str] | None:
    """The corpus's fixtures as signed; else those at hand, if the corpus is still that one."""
    corpus = loaded.contract.evidence.bench.corpus
    prefix = f"{corpus}/"
    signed = {name[len(prefix) :]: d for name, d in pins.items() if name.startswith(prefix)}
    if signed:
        return signed
    if not (root / corpus).is_dir():
        return None
    files = read_tree(root, corpus)
    return fixture_digests(files) if tree_digest(files) == pins.get(corpus) else None


def _side(
    loaded: LoadedContract, inputs: Mapping[str, str], fixtures: Mapping[str, str] | None
) -> Side:
    places = {path: str(place) for path, place in loaded.document.places.items()}
    return Side(loaded.contract, loaded.data, inputs, fixtures, places)


def _nothing(name: str) -> UsageError:
    return UsageError(
        "no contract is called that",
        rule="AV703",
        place=name,
        expected=FORMS,
        found="nothing",
        next_step="abverify status lists the gates and their versions",
    )

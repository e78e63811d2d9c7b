"""The experiments of a repository: their documents, and the history of what was reported."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from abverify._canonical import sha256_hex
from abverify._frozen import frozen
from abverify._yaml import read_yaml
from abverify.errors import FaultsError, InvalidError, UsageError, members, raise_all
from abverify.model.experiment import Experiment
from abverify.model.reported import History
from abverify.workspace.documents import validate
from abverify.workspace.files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from abverify._yaml import Document
    from abverify.errors import AbverifyError

FOLDER = "contracts/experiments"
HISTORY = f"{FOLDER}/history.yaml"


@frozen
class LoadedExperiment:
    """An experiment with the file it came from.

    Attributes:
        path: the file, relative to the repository root.
        data: its bytes.
        experiment: what they say.
        document: the same as plain data, with the place of every value.
    """

    path: str
    data: bytes
    experiment: Experiment
    document: Document

    @property
    def sha256(self) -> str:
        """Digest of the file's raw bytes."""
        return sha256_hex(self.data)


def experiment_paths(root: Path) -> tuple[str, ...]:
    """The experiment files, relative to the root, sorted; the history is not one."""
    paths = (f"{FOLDER}/{file.name}" for file in sorted((root / FOLDER).glob("*.yaml")))
    return tuple(path for path in paths if path != HISTORY)


def read_experiment(root: Path, path: str) -> LoadedExperiment:
    """Reads one experiment file.

    Raises:
        InvalidError: AV101 or AV102 with the place of the fault.
        FaultsError: for several faults, all of them.
    """
    data = read_bytes(root, path)
    document = read_yaml(data, name=path)
    return LoadedExperiment(path, data, validate(Experiment, document), document)


def load_experiments(root: Path) -> tuple[LoadedExperiment, ...]:
    """Reads every experiment, in the order of their ids.

    Raises:
        InvalidError: for a malformed experiment, or AV617 for an id used twice.
        FaultsError: for several such faults, all of them.
    """
    faults: list[AbverifyError] = []
    found: dict[str, LoadedExperiment] = {}
    for path in experiment_paths(root):
        try:
            loaded = read_experiment(root, path)
        except (InvalidError, FaultsError) as error:
            faults += members(error)
            continue
        name = loaded.experiment.id
        if name in found:
            faults.append(_declared_twice(loaded, found[name].path))
        found[name] = loaded
    raise_all(faults)
    return tuple(found[name] for name in sorted(found))


def find_experiment(root: Path, name: str) -> LoadedExperiment:
    """The experiment of that id.

    Raises:
        UsageError: AV601 when there is none.
        InvalidError: for malformed experiments.
    """
    experiments = {loaded.experiment.id: loaded for loaded in load_experiments(root)}
    if name in experiments:
        return experiments[name]
    raise UsageError(
        f"no experiment is called {name!r}",
        rule="AV601",
        place=FOLDER,
        expected=_suggestion(name, experiments),
        found=name,
        next_step="abverify compare --table lists what there is",
    )


@frozen
class LoadedHistory:
    """The history, and the same as plain data with the place of every value."""

    history: History
    document: Document


def load_history(root: Path) -> LoadedHistory | None:
    """What was reported elsewhere; None when the repository keeps no such file.

    Raises:
        InvalidError: if it is malformed.
        FaultsError: for several faults, all of them.
    """
    try:
        data = read_bytes(root, HISTORY)
    except FileNotFoundError:
        return None
    document = read_yaml(data, name=HISTORY)
    return LoadedHistory(validate(History, document), document)


def _suggestion(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return "did you mean " + " or ".join(close) + "?"
    return "one of: " + ", ".join(names) if names else f"a file in {FOLDER}"


def _declared_twice(loaded: LoadedExperiment, other: str) -> InvalidError:
    return InvalidError(
        f"two experiments are called {loaded.experiment.id}",
        rule="AV617",
        place=loaded.document.place(("id",)),
        expected="one file for each id",
        found=f"also in {other}",
    )

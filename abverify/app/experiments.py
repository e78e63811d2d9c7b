"""Linting the experiments of a repository, and the history of what was reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.app.reasons import error_reasons
from abverify.errors import AbverifyError
from abverify.verify.experiment.lint import lint_experiment, lint_history
from abverify.workspace.experiments import load_experiments, load_history

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from abverify._yaml import Document
    from abverify.model.report import Reason
    from abverify.workspace.contracts import LoadedContract


def lint_experiments(
    root: Path, contracts: Iterable[LoadedContract]
) -> tuple[int, tuple[Reason, ...]]:
    """Lints every experiment, and the history.

    Args:
        root: the repository.
        contracts: its contracts, as far as they can be read.

    Returns:
        How many documents there are, and what was found.
    """
    reasons: list[Reason] = []
    gates = {str(loaded.contract.gate): loaded.contract for loaded in contracts}
    documents = 0
    try:
        for loaded in load_experiments(root):
            documents += 1
            place = placer(loaded.document)
            reasons += lint_experiment(loaded.experiment, place=place, gates=gates)
    except AbverifyError as error:
        reasons += error_reasons(error, "invalid")
    try:
        reasons += _history(root)
    except AbverifyError as error:
        reasons += error_reasons(error, "invalid")
    return documents, tuple(reasons)


def placer(document: Document) -> Callable[..., str]:
    """Gives `file:line:column` of a path of keys in a document."""
    return lambda *path: str(document.place(path))


def _history(root: Path) -> Iterator[Reason]:
    loaded = load_history(root)
    if loaded is not None:
        yield from lint_history(loaded.history, place=placer(loaded.document))

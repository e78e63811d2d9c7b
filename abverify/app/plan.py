"""`plan`: what an experiment's design can find, before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.app.experiments import placer
from abverify.errors import NothingToCheckError
from abverify.verify.experiment.lint import IN_VAIN, lint_experiment
from abverify.verify.experiment.planning import plan as judged
from abverify.workspace.contracts import load_registry
from abverify.workspace.corpora import load_corpus
from abverify.workspace.experiments import find_experiment

if TYPE_CHECKING:
    from pathlib import Path

    from abverify.model.compare_report import PlanReport
    from abverify.model.contract import Contract


def plan(root: Path, name: str) -> PlanReport:
    """Judges the design of an experiment on the contracts and the corpus as they stand.

    Raises:
        UsageError: AV601 for the name.
        InvalidError: for a malformed experiment, contract or corpus.
    """
    loaded = find_experiment(root, name)
    found = lint_experiment(loaded.experiment, place=placer(loaded.document), gates=_gates(root))
    report = judged(loaded.experiment, len(load_corpus(root, loaded.experiment.corpus).fixtures))
    return report.refused_for(tuple(reason for reason in found if reason.rule in IN_VAIN))


def _gates(root: Path) -> dict[str, Contract]:
    try:
        contracts = load_registry(root).all()
    except NothingToCheckError:
        return {}
    return {str(loaded.contract.gate): loaded.contract for loaded in contracts}

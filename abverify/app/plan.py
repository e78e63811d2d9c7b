"""`plan`: what an experiment's design can find, before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.app.arms import findings
from abverify.app.docket import open_repository
from abverify.errors import NothingToCheckError
from abverify.verify.experiment.lint import IN_VAIN
from abverify.verify.experiment.planning import plan as judged
from abverify.workspace.corpora import load_corpus
from abverify.workspace.experiments import find_experiment

if TYPE_CHECKING:
    from pathlib import Path

    from abverify.model.compare_report import PlanReport
    from abverify.model.report import Reason
    from abverify.workspace.experiments import LoadedExperiment


def plan(root: Path, name: str) -> PlanReport:
    """Judges the design of an experiment on the contracts and the corpus as they stand.

    Raises:
        UsageError: AV601 for the name.
        InvalidError: for a malformed experiment, contract or corpus.
    """
    loaded = find_experiment(root, name)
    experiment = loaded.experiment
    report = judged(experiment, len(load_corpus(root, experiment.corpus).fixtures))
    return report.refused_for(_flaws(root, loaded))


def _flaws(root: Path, loaded: LoadedExperiment) -> tuple[Reason, ...]:
    """What no number of trials would mend, as far as there are contracts yet."""
    try:
        found = findings(open_repository(root), loaded)
    except NothingToCheckError:
        return ()
    return tuple(reason for reason in found if reason.rule in IN_VAIN)

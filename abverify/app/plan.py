"""`plan`: what an experiment's design can find, before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.verify.experiment.planning import plan as judged
from abverify.workspace.corpora import load_corpus
from abverify.workspace.experiments import find_experiment

if TYPE_CHECKING:
    from pathlib import Path

    from abverify.model.compare_report import PlanReport


def plan(root: Path, name: str) -> PlanReport:
    """Judges the design of an experiment on the corpus as it stands.

    Raises:
        UsageError: AV601 for the name.
        InvalidError: for a malformed experiment or corpus.
    """
    experiment = find_experiment(root, name).experiment
    return judged(experiment, len(load_corpus(root, experiment.corpus).fixtures))

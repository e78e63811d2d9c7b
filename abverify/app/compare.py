"""`compare`: an experiment concluded from stored evidence, and the ledger of hypotheses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.app.arms import evidence_of, open_arms, run_missing
from abverify.app.docket import open_repository, require_sound
from abverify.errors import AbverifyError, IndeterminateError, InvalidError
from abverify.model.compare_report import CompareReport, TableReport, TableRow
from abverify.verify.experiment.arms import chosen
from abverify.verify.experiment.compare import Pairing, arm_line, contrasts, deciding
from abverify.verify.experiment.planning import power, rule_text, seeds
from abverify.verify.experiment.table import reported_row, superseded
from abverify.workspace.corpora import load_corpus
from abverify.workspace.evidence_store import load_bundle
from abverify.workspace.experiments import find_experiment, load_experiments, load_history
from abverify.workspace.pins import input_digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from abverify.app.arms import OpenArm
    from abverify.app.docket import Repository
    from abverify.bench.plan import Watcher
    from abverify.evidence.lock import Scalar
    from abverify.model.experiment import Experiment
    from abverify.workspace.experiments import LoadedExperiment


def compare(root: Path, name: str) -> CompareReport:
    """Compares the arms of an experiment from the evidence there is; nothing is changed.

    Raises:
        UsageError: AV601 for the name.
        InvalidError: for an experiment that cannot be compared.
        IndeterminateError: AV114 when an input is not the pinned one.
        UntrustedError: AV400 when the ledger cannot be trusted.
    """
    repository = open_repository(root)
    require_sound(repository)
    return _compared(repository, find_experiment(root, name))


def compare_running(root: Path, name: str, watcher: Watcher, *, unsafe: bool) -> CompareReport:
    """Runs the arms that have no evidence that counts, then compares; errors as for both."""
    repository = open_repository(root)
    require_sound(repository)
    run_missing(repository, find_experiment(root, name), watcher, unsafe=unsafe)
    return compare(root, name)


def table(root: Path) -> TableReport:
    """The hypothesis ledger: what was reported, and this repository's own experiments.

    Raises:
        InvalidError: for malformed documents.
        UntrustedError: AV400 when the ledger cannot be trusted.
    """
    repository = open_repository(root)
    require_sound(repository)
    own = [_own_row(repository, loaded) for loaded in load_experiments(root)]
    return TableReport(superseded((*_history(root), *own)))


def _compared(repository: Repository, loaded: LoadedExperiment) -> CompareReport:
    repeated = _repeated(repository, loaded.experiment)
    return _judged(repository, loaded, repeated)


def _judged(
    repository: Repository, loaded: LoadedExperiment, repeated: _Repeated | None
) -> CompareReport:
    experiment = loaded.experiment
    arms = open_arms(repository, loaded)
    _prove_pinned(repository, arms)
    fixtures = [f.id for f in load_corpus(repository.root, experiment.corpus).fixtures]
    used = repeated.evidence if repeated else frozenset()
    control, *others = evidence_of(repository, arms, without=used)
    base, treatments = chosen(control, others, experiment.variable.keys)
    pairings = [Pairing(arm, base, item) for arm, item in zip(others, treatments, strict=True)]
    lines = contrasts(experiment, control, pairings, fixtures, repeated.lock if repeated else None)
    decided = deciding(lines)
    items = (base, *treatments)
    return CompareReport(
        experiment=experiment.id,
        sha256=loaded.sha256,
        title=experiment.title,
        hypothesis=experiment.hypothesis,
        variable=experiment.variable.name,
        keys=experiment.variable.keys,
        control=experiment.control,
        estimand=experiment.estimand,
        exploratory=experiment.exploratory,
        conclusion=decided.conclusion,
        level=decided.level,
        arms=tuple(
            arm_line(experiment, arm, item)
            for arm, item in zip((control, *others), items, strict=True)
        ),
        contrasts=lines,
        power=power(experiment, len(fixtures)),
        power_text=f"for a difference of {experiment.decision.delta_min} from a control at 0:"
        f" {len(fixtures)} fixtures at {seeds(len(experiment.seeds))}; {rule_text(experiment)}",
        reasons=decided.reasons,
        checked=sum(item is not None for item in items),
        total=len(items),
        known=tuple(
            row
            for row in superseded(_history(repository.root))
            if row.claim == loaded.experiment.id
        ),
        next=_next(experiment, decided.conclusion),
    )


def _next(experiment: Experiment, conclusion: str) -> tuple[str, ...]:
    if conclusion == "cannot-evaluate":
        return (f"abverify compare {experiment.id} --run makes the evidence that is missing",)
    if conclusion == "inconclusive":
        return (f"abverify plan {experiment.id} says what the design can find",)
    return ("abverify compare --table shows every claim that was tested",)


def _prove_pinned(repository: Repository, arms: tuple[OpenArm, ...]) -> None:
    """Evidence speaks of the pinned inputs; fixtures that changed since are other fixtures."""
    for arm in arms:
        for path in arm.docket.contract.inputs():
            wanted = arm.docket.pins.get(path)
            try:
                found = f"sha256 {input_digest(repository.root, path)}"
            except InvalidError as error:
                found = error.message
            if found != f"sha256 {wanted}":
                raise IndeterminateError(
                    "an input of the arm's contract is not the pinned one",
                    rule="AV114",
                    place=path,
                    expected=f"sha256 {wanted}" if wanted else "a published contract that pins it",
                    found=found,
                    next_step=f"restore it, or publish it: abverify amend {arm.arm.gate}",
                )


@frozen
class _Repeated:
    """A confirmed experiment that another repeats: the control's lock, and what it rests on."""

    lock: Mapping[str, Scalar]
    evidence: frozenset[str]


def _repeated(repository: Repository, experiment: Experiment) -> _Repeated | None:
    """The experiment that this one repeats, if that one is confirmed."""
    if experiment.replicates is None:
        return None
    other = find_experiment(repository.root, experiment.replicates)
    report = _judged(repository, other, None)
    control = next(arm for arm in report.arms if arm.id == report.control)
    same = (
        other.experiment.variable.keys == experiment.variable.keys
        and other.experiment.decision.direction == experiment.decision.direction
    )
    if report.conclusion != "confirmed" or not same or control.evidence is None:
        return None
    lock = load_bundle(repository.root, control.evidence).lock.values
    return _Repeated(lock, frozenset(arm.evidence for arm in report.arms if arm.evidence))


def _history(root: Path) -> tuple[TableRow, ...]:
    loaded = load_history(root)
    if loaded is None:
        return ()
    history = loaded.history
    recorded = {row.treatment.bundle for row in history.rows} - {None}
    digests = {path: load_bundle(root, path).sha256 for path in recorded if path}
    return tuple(reported_row(row, history.decision, digests) for row in history.rows)


def _own_row(repository: Repository, loaded: LoadedExperiment) -> TableRow:
    """An experiment of this repository as a row; what keeps it from being compared stands in it."""
    from abverify.app.reasons import error_reasons

    experiment = loaded.experiment
    test = " against ".join([experiment.control, *(arm.id for arm in experiment.treatments())])
    try:
        report = _compared(repository, loaded)
    except AbverifyError as error:
        reasons = error_reasons(error, "cannot-evaluate")
        return TableRow(
            experiment.id, experiment.id, None, experiment.variable.name, test, None,
            "cannot-evaluate", "none", "0", (), None, None, None, None, reasons,
        )  # fmt: skip
    decided = report.deciding
    primary = decided.primary
    evidence = next(arm for arm in report.arms if arm.id == decided.treatment)
    return TableRow(
        id=experiment.id,
        claim=experiment.id,
        date=_measured_on(repository, evidence.evidence),
        variable=experiment.variable.name,
        test=test,
        said=None,
        conclusion=decided.conclusion,
        level=decided.level,
        coverage=f"{len(decided.pairs)}/{_planned(repository, experiment)}",
        confounds=decided.confounds,
        effect=primary.effect if primary else None,
        interval=primary.interval if primary else None,
        p=primary.p if primary else None,
        evidence=evidence.evidence_sha256,
        reasons=decided.reasons,
    )


def _planned(repository: Repository, experiment: Experiment) -> int:
    return len(load_corpus(repository.root, experiment.corpus).fixtures)


def _measured_on(repository: Repository, path: str | None) -> str | None:
    for bundle in repository.evidence.bundles:
        if bundle.path == path:
            return bundle.manifest.finished_at[:10]
    return None

"""`report`: the page about a gate, an experiment, the audit, or the whole repository."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.app.docket import open_repository
from abverify.app.report_experiment import experiment_page
from abverify.app.report_gate import gate_page
from abverify.app.report_ledger import audit_page, repository_page
from abverify.errors import UsageError
from abverify.workspace.experiments import load_experiments

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from abverify.app.docket import Repository
    from abverify.model.page import Page
    from abverify.workspace.experiments import LoadedExperiment


@frozen
class PageRequest:
    """What a page is to be about: a gate or an experiment by name, the audit, or everything."""

    name: str | None = None
    audit: bool = False


def page(root: Path, request: PageRequest) -> Page:
    """Gathers a page; nothing is changed.

    Raises:
        UsageError: AV110, AV111 or AV801 for the name.
        UntrustedError: AV400 when a gate or an experiment is asked for and the ledger cannot be
            trusted; the audit's page tells what is wrong instead.
        AbverifyError: whatever `check` or `compare` raise.
    """
    if request.audit:
        return audit_page(root)
    repository = open_repository(root)
    if request.name is None:
        return repository_page(repository)
    loaded = load_experiments(root)
    if any(request.name == item.experiment.id for item in loaded):
        _refuse_two_meanings(repository, request.name)
        return experiment_page(repository, request.name)
    try:
        contract = repository.registry.find(request.name)
    except UsageError as error:
        if error.rule != "AV110":
            raise
        raise _unknown(repository, loaded, request.name) from None
    return gate_page(repository, contract)


def _refuse_two_meanings(repository: Repository, name: str) -> None:
    gates = [c.contract.gate for c in repository.registry.all() if c.contract.gate.name == name]
    if gates:
        raise UsageError(
            f"{name!r} is an experiment and a gate",
            rule="AV801",
            expected=f"the gate in full ({gates[0]}), or another id for the experiment",
            found=name,
            next_step=f"abverify report {gates[0]} -o report.html",
        )


def _unknown(
    repository: Repository, experiments: Iterable[LoadedExperiment], name: str
) -> UsageError:
    gates = [loaded.contract.gate for loaded in repository.registry.all()]
    known = sorted(
        {form for gate in gates for form in (gate.name, str(gate))}
        | {loaded.experiment.id for loaded in experiments}
    )
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    meant = f"did you mean {' or '.join(close)}?" if close else f"one of: {', '.join(known)}"
    return UsageError(
        f"no gate and no experiment is called {name!r}",
        rule="AV801",
        expected=meant,
        found=name,
        next_step="abverify status lists the gates, abverify compare --table the experiments",
    )

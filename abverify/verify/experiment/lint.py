"""What is wrong with an experiment before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.errors import InvalidError
from abverify.evidence.demand import demanded
from abverify.evidence.lock import LOCK_KEYS
from abverify.model.report import Reason
from abverify.verify.experiment.arms import arm_contract
from abverify.verify.experiment.confounds import difference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from abverify.model.contract import Contract
    from abverify.model.experiment import Experiment
    from abverify.model.reported import History

    Place = Callable[..., str]

UNFIT = frozenset(["AV602", "AV603", "AV615"])
"""Rules that an experiment must keep to be compared at all; the others colour the conclusion."""

IN_VAIN = frozenset(["AV604", "AV605"])
"""Rules without which no result can be about the variable, however many trials there are."""


def lint_experiment(
    experiment: Experiment, *, place: Place, gates: Mapping[str, Contract]
) -> Iterator[Reason]:
    """Every finding on one experiment.

    Args:
        experiment: the experiment.
        place: gives `file:line:column` of a path of keys in the document.
        gates: the repository's contracts by gate.
    """
    yield from _keys(experiment, place)
    contracts: dict[str, Contract] = {}
    for number, arm in enumerate(experiment.arms):
        where = ("arms", number)
        gate = gates.get(arm.gate)
        if gate is None:
            yield _unknown_gate(place(*where, "gate"), arm.gate, gates)
            continue
        if gate.evidence.bench.corpus != experiment.corpus:
            yield _other_corpus(place(*where, "gate"), experiment, gate)
        try:
            contracts[arm.id] = arm_contract(gate, arm, experiment.seeds)
        except InvalidError as error:
            yield Reason(
                "unlawful-arm",
                error.rule,
                "error",
                error.message,
                place=place(*where, "set"),
                expected=error.expected,
                found=error.found,
            )
    if len(contracts) == len(experiment.arms):
        yield from _differences(experiment, contracts, place)


def lint_history(history: History, *, place: Place) -> Iterator[Reason]:
    """Every finding on the history: what is told must be told in the run lock's own keys."""
    for number, row in enumerate(history.rows):
        where = ("rows", number)
        for at, key in enumerate(row.variable.keys):
            yield from _known(key, place(*where, "variable", "keys", at))
        for name, arm in (("control", row.control), ("treatment", row.treatment)):
            for key in arm.told:
                yield from _known(key, place(*where, name, "told", key))


def _keys(experiment: Experiment, place: Place) -> Iterator[Reason]:
    for number, key in enumerate(experiment.variable.keys):
        yield from _known(key, place("variable", "keys", number))


def _known(key: str, place: str) -> Iterator[Reason]:
    if key not in LOCK_KEYS:
        yield Reason(
            "unknown-lock-key",
            "AV602",
            "error",
            f"{key} is no key of the run lock",
            place=place,
            expected="a key of docs/reference/run-lock.md",
            found=key,
        )


def _unknown_gate(place: str, gate: str, gates: Mapping[str, Contract]) -> Reason:
    return Reason(
        "unknown-gate",
        "AV615",
        "error",
        f"the arm's gate {gate} does not exist",
        place=place,
        expected=f"one of: {', '.join(sorted(gates))}",
        found=gate,
    )


def _other_corpus(place: str, experiment: Experiment, gate: Contract) -> Reason:
    return Reason(
        "another-corpus",
        "AV615",
        "error",
        f"{gate.gate.name} is not benched on the experiment's corpus",
        place=place,
        expected=experiment.corpus,
        found=gate.evidence.bench.corpus,
    )


def _differences(
    experiment: Experiment, contracts: Mapping[str, Contract], place: Place
) -> Iterator[Reason]:
    """What the arms' contracts already say of their locks."""
    pins = dict.fromkeys(path for c in contracts.values() for path in c.inputs())
    paths = {path: path for path in pins}
    control = demanded(contracts[experiment.control], paths)
    for number, arm in enumerate(experiment.arms):
        if arm.id == experiment.control:
            continue
        found = difference(control, demanded(contracts[arm.id], paths), experiment.variable.keys)
        for confound in found.confounds:
            yield Reason(
                "confounded",
                "AV604",
                "error",
                f"{arm.id} differs from {experiment.control} in {confound.key}, which the variable"
                " does not name",
                place=place("arms", number),
                expected=f"{confound.key}={confound.control}",
                found=f"{confound.key}={confound.treatment}",
                next="make the arms alike in it, or declare it as the variable",
            )
        if not found.varied:
            yield Reason(
                "identical-arms",
                "AV605",
                "error",
                f"{arm.id} has the control's value of {experiment.variable.name}",
                place=place("arms", number),
                expected=f"another value of {', '.join(experiment.variable.keys)}",
                found="the same",
            )

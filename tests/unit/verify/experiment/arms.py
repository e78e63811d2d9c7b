"""Two arms as the tests of experiments need them: locks, pairs, rules, whole bundles."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from abverify.model.experiment import DecisionRule, Experiment
from abverify.verify.experiment.confounds import difference
from abverify.verify.experiment.effects import paired_effect
from abverify.verify.experiment.pairing import FixturePair
from tests.builders import changed, lock_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abverify.evidence.lock import Scalar
    from abverify.verify.experiment.confounds import Difference
    from abverify.verify.experiment.effects import Effect, Estimand, Role

KEYS = ("model.adapter_sha256", "model.adapter_scale")
ADAPTED = {"model.adapter_sha256": "b" * 64, "model.adapter_scale": "1"}


def rule(**changes: Any) -> DecisionRule:
    """A two-sided rule at 0.05 for a difference of 0.10."""
    document = {"alpha": "0.05", "sided": "two", "direction": "higher", "delta_min": "0.10"}
    return DecisionRule.model_validate(document | changes)


def pairs(*cells: tuple[int, int], k: int = 1) -> tuple[FixturePair, ...]:
    """A fixture for each (successes of the control, successes of the treatment), of k seeds."""
    return tuple(
        FixturePair(
            f"unix__{number:02}-f",
            tuple(seed < control for seed in range(k)),
            tuple(seed < treatment for seed in range(k)),
        )
        for number, (control, treatment) in enumerate(cells, 1)
    )


def zero_against(treatment: int, of: int = 20) -> tuple[FixturePair, ...]:
    """A control that never succeeds against a treatment that does, `treatment` times."""
    return pairs(*[(0, 1)] * treatment, *[(0, 0)] * (of - treatment))


def effect(
    cells: Sequence[FixturePair],
    role: Role = "primary",
    estimand: Estimand = "this_bench",
    **changes: Any,
) -> Effect:
    """The oracle compared on some pairs."""
    return paired_effect("oracle", "oracle_passed", role, cells, rule(**changes), estimand)


def arms(**other: Scalar) -> Difference:
    """The locks of base and adapter compared, the adapter's changed in further keys."""
    base = lock_values()
    return difference(base, {**base, **ADAPTED, **_dotted(other)}, KEYS)


def _dotted(values: dict[str, Scalar]) -> dict[str, Scalar]:
    return {name.replace("__", "."): value for name, value in values.items()}


def experiment_document(**changes: Any) -> dict[str, Any]:
    """A valid experiment as plain data, changed as `builders.changed` says."""
    document = {
        "schema": "abverify/experiment/v1",
        "id": "T294",
        "title": "Base against base and adapter",
        "hypothesis": "The adapter makes the model pass oracles",
        "variable": {"name": "finetune", "keys": list(KEYS)},
        "control": "base",
        "arms": [
            {"id": "base", "gate": "laptop/T1_001"},
            {"id": "adapter", "gate": "laptop/T1_002"},
        ],
        "corpus": "fixtures/corpora/two",
        "seeds": [1],
        "endpoints": {
            "primary": {"id": "oracle", "measure": "oracle_passed"},
            "secondary": [
                {"id": "strict", "measure": "strict_call"},
                {"id": "repairable", "measure": "repairable_call"},
            ],
            "mediator": "repairable",
        },
        "decision": {
            "alpha": "0.05",
            "sided": "two",
            "direction": "higher",
            "delta_min": "0.10",
            "level": "bench",
        },
        "multiplicity": {"method": "none", "family": ["T294"]},
        "estimand": "this_bench",
        "exploratory": False,
    }
    return changed(document, **changes)


def experiment(**changes: Any) -> Experiment:
    """A valid experiment, changed as `experiment_document` says."""
    return Experiment.model_validate_json(json.dumps(experiment_document(**changes)))

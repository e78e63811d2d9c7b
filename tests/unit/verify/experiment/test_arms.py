"""Arms as contracts, the bundles that speak for them, and what an endpoint asks of a trial."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from abverify.errors import InvalidError
from abverify.evidence.rows import Parse, TurnRow
from abverify.evidence.scores import MARKDOWN_CODE
from abverify.evidence.trials import fold_trials
from abverify.model.experiment import MEASURES, Arm
from abverify.verify.experiment.arms import arm_contract, arm_evidence, chosen
from abverify.verify.experiment.endpoints import shows
from tests.builders import (
    FIXTURES,
    GATE,
    NATIVE,
    PROSE,
    RECOVERED,
    Run,
    contract,
    docket,
    failed_trial,
    lock_values,
    passed_trial,
)
from tests.unit.verify.experiment.arms import ADAPTED, KEYS

if TYPE_CHECKING:
    from abverify.model.experiment import MeasureName, Setting
    from abverify.verify.experiment.arms import ArmEvidence


def arm(**settings: Setting) -> Arm:
    values = {f"config.{name.replace('__', '.')}": value for name, value in settings.items()}
    return Arm.model_validate({"id": "arm", "gate": GATE, "set": values})


class TestContracts:
    def test_an_arm_that_sets_nothing_is_its_gates_contract(self) -> None:
        base = contract()
        assert arm_contract(base, arm(), (1,)) is base

    def test_setting_what_is_so_already_changes_nothing(self) -> None:
        base = contract()
        assert arm_contract(base, arm(parser__profile="salvage"), (1,)) is base

    def test_a_setting_replaces_the_field(self) -> None:
        changed = arm_contract(contract(), arm(sampling__repeat_penalty="1"), (1,))
        assert changed.config.sampling.repeat_penalty == "1"
        assert changed.config.sampling.top_k == 50

    def test_the_experiments_seeds_replace_the_contracts(self) -> None:
        assert arm_contract(contract(), arm(), (1, 2, 3)).config.sampling.seeds == (1, 2, 3)

    @pytest.mark.parametrize(
        "settings",
        [{"sampling__tempo": "1"}, {"sampling__top_k": "fifty"}, {"parser": "strict"}, {"x__y": 1}],
        ids=["unknown", "type", "section", "parent"],
    )
    def test_what_is_no_lawful_contract_is_refused(self, settings: dict[str, Setting]) -> None:
        with pytest.raises(InvalidError, match="no lawful contract") as caught:
            arm_contract(contract(), arm(**settings), (1,))
        assert caught.value.rule == "AV603"

    def test_only_the_configuration_can_be_set(self) -> None:
        with pytest.raises(ValueError, match="pattern"):
            Arm.model_validate({"id": "a", "gate": GATE, "set": {"criteria": "none"}})


BASE = Run(run="base")
OTHER = Run(run="other", values=lock_values() | ADAPTED)


def evidence(*runs: Run, adapter: bool = False) -> ArmEvidence:
    """What some runs are to the base arm, or to the one with the adapter."""
    section = {"name": "t", "file": "m/t.gguf", "sha256": "b" * 64, "scale": "1"}
    of = contract(model__adapter=section) if adapter else contract()
    bundles = [run.bundle(f"gates/laptop/T1_001/evidence/{run.run}") for run in runs]
    return arm_evidence(arm(), docket(contract=of), bundles)


class TestEvidence:
    def test_a_bundle_speaks_for_whatever_arm_demands_its_lock(self) -> None:
        foreign = replace(BASE, offered_to=("experiments/T1",))
        assert [item.bundle.manifest.run for item in evidence(foreign).benches] == ["base"]

    def test_what_is_offered_to_the_gate_is_considered_and_says_why_not(self) -> None:
        found = evidence(OTHER)
        assert found.benches == ()
        assert "model-mismatch" in {r.code for item in found.considered for r in item.reasons}

    def test_of_one_lock_only_the_first_run_counts(self) -> None:
        later = replace(BASE, run="later", started_at="2026-02-20T08:30:00Z")
        assert [item.bundle.manifest.run for item in evidence(later, BASE).benches] == ["base"]

    def test_a_smoke_test_is_kept_apart(self) -> None:
        found = evidence(replace(BASE, stage="smoke"))
        assert (len(found.benches), len(found.smokes)) == (0, 1)


class TestChoice:
    def test_the_oldest_pair_that_differs_in_the_variable_alone(self) -> None:
        newer = lock_values(engine__version="2")
        bases = evidence(BASE, replace(BASE, run="base-2", values=newer))
        others = evidence(replace(OTHER, values=newer | ADAPTED), adapter=True)
        base, (other,) = chosen(bases, [others], KEYS)
        assert base is not None
        assert other is not None
        assert base.bundle.manifest.run == "base-2"

    def test_without_such_a_pair_the_oldest_of_each(self) -> None:
        others = evidence(replace(OTHER, values=lock_values(engine__version="2") | ADAPTED),
                          adapter=True)  # fmt: skip
        base, (other,) = chosen(evidence(BASE), [others], KEYS)
        assert base is not None
        assert other is not None

    def test_an_arm_without_evidence_has_none_chosen(self) -> None:
        base, (other,) = chosen(evidence(BASE), [evidence(adapter=True)], KEYS)
        assert base is not None
        assert other is None


@pytest.mark.parametrize(
    ("raws", "shown"),
    [
        ((NATIVE,), {"strict_call", "repairable_call", "first_turn_strict_call",
                     "first_turn_repairable_call", "every_turn_call"}),
        ((RECOVERED,), {"repairable_call", "first_turn_repairable_call", "every_turn_call"}),
        ((PROSE, NATIVE), {"strict_call", "repairable_call"}),
        ((NATIVE, PROSE), {"strict_call", "repairable_call", "first_turn_strict_call",
                           "first_turn_repairable_call"}),
        ((PROSE, PROSE), set()),
    ],
    ids=["native", "recovered", "late", "early", "prose"],
)  # fmt: skip
def test_strict_and_repairable_calls_are_separate_endpoints(
    raws: tuple[str, ...], shown: set[MeasureName]
) -> None:
    (trial,) = fold_trials(failed_trial(FIXTURES[0], raws=raws))
    assert {measure for measure in MEASURES if shows(measure, trial)} == shown


def test_a_markdown_block_read_as_an_edit_is_no_tool_call() -> None:
    parse = Parse(verdict="recovered", calls=(), codes=(MARKDOWN_CODE,))
    turn_rows = failed_trial(FIXTURES[0], raws=(RECOVERED,))
    rows = [
        row.model_copy(update={"parse": parse}) if isinstance(row, TurnRow) else row
        for row in turn_rows
    ]
    (trial,) = fold_trials(rows)
    assert not any(shows(measure, trial) for measure in MEASURES)


def test_a_pass_is_an_endpoint_of_its_own() -> None:
    (trial,) = fold_trials(passed_trial(FIXTURES[0]))
    assert shows("oracle_passed", trial)

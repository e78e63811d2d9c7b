from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from abverify.model.ids import GateId
from tests.builders import CORPUS, GATE, PROMPT, REMOVED, contract, contract_document


def test_a_contract_names_its_gate_and_its_inputs() -> None:
    law = contract()

    assert law.gate == GateId.parse(GATE)
    assert law.inputs() == (PROMPT, CORPUS)


def test_the_neutral_defaults_are_off() -> None:
    names = ("top_k", "top_p", "min_p", "repeat_penalty", "repeat_last_n", "penalty_scope")
    sampling = contract_document()["config"]["sampling"]
    bare = {key: value for key, value in sampling.items() if key not in names}

    law = contract(config__sampling=bare)

    assert [getattr(law.config.sampling, name) for name in names] == [
        0,
        "1",
        "0",
        "1",
        0,
        "generated",
    ]
    assert (law.identity, law.estimand, law.supersedes) == ("attested", "this_bench", None)
    loop, budgets = law.config.loop, law.config.budgets
    assert (loop.calls, loop.oracle_every_turns, loop.oracle_on_finish) == ("all", 1, True)
    assert (budgets.max_repeated_calls, budgets.max_tokens_total) == (None, None)


@pytest.mark.parametrize(
    ("identity", "accepted"),
    [("attested", ["attested"]), ("asserted", ["attested", "asserted"])],
)
def test_a_contract_accepts_its_own_level_of_proof_or_a_stronger_one(
    identity: str, accepted: list[str]
) -> None:
    law = contract(identity=identity)

    assert [lvl for lvl in ("attested", "asserted", "absent") if law.accepts(lvl)] == accepted


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": "abverify/contract/v2"},
        {"id": "T1_001"},
        {"version": "1.0"},
        {"identity": "absent"},
        {"status": "discharged"},
        {"criteria": []},
        {"lifts": ["no blanks"]},
        {"model__weights__sha256": "abc"},
        {"model__weights__sha256": REMOVED},
        {"model__adapter": REMOVED},
        {"config__engine__sequences": 0},
        {"config__engine__sequences": 2, "config__engine__turn_gap": -1},
        {"config__engine__turn_gap": 2},
        {"config__engine__n_ctx": 0},
        {"config__prompt__system": "../prompt.md"},
        {"config__sampling__temperature": REMOVED},
        {"config__sampling__seeds": []},
        {"config__sampling__seeds": [0]},
        {"config__sampling__seeds": [2**31]},
        {"config__sampling__seed": 1},
        {"config__parser__profile": "lenient"},
        {"config__budgets__max_turns": 0},
        {"config__budgets__max_repeated_calls": 1},
        {"config__budgets__max_tokens_total": 0},
        {"evidence__bench__stop": "early"},
        {"evidence__bench__corpus": "/fixtures"},
        {"evidence__valid_days": 0},
        {"amendment__approvals": 0},
    ],
    ids=repr,
)
def test_a_contract_that_says_less_more_or_other_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        contract(**changes)


def test_a_loop_that_would_never_run_the_oracle_is_refused() -> None:
    never = {"oracle_every_turns": 0, "oracle_on_finish": False}

    with pytest.raises(ValidationError, match="never runs the oracle"):
        contract(config__loop=never)


def test_a_seed_declared_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match="seed declared twice: 7"):
        contract(config__sampling__seeds=[7, 1, 7])


def test_criterion_ids_are_unique_through_every_level() -> None:
    one = {"id": "c", "metric": "oracle_passed", "at_least": 1}

    with pytest.raises(ValidationError, match="criterion id used twice: c"):
        contract(criteria=[one, {"any_of": [one]}])


def test_stop_rules_are_a_set_and_never_is_none() -> None:
    both = contract(evidence__bench__stop=["success-certain", "failure-certain"])

    assert both.evidence.bench.stop_rules == ("failure-certain", "success-certain")
    assert contract().evidence.bench.stop_rules == ()


@pytest.mark.parametrize("stop", ["sometimes", "success-certain", [], [{}], ["never"], None])
def test_another_way_to_stop_is_refused_with_one_message(stop: Any) -> None:
    expected = "expected never, or a list of failure-certain and success-certain"

    with pytest.raises(ValidationError, match=expected) as refused:
        contract(evidence__bench__stop=stop)

    assert refused.value.error_count() == 1


def test_a_stop_rule_named_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match="a stop rule is named twice"):
        contract(evidence__bench__stop=["success-certain", "success-certain"])


@pytest.mark.parametrize(
    "name",
    ["id", "lifts", "model", "model.weights.sha256", "model.adapter.scale", "criteria", "config",
     "config.engine.n_ctx", "config.sampling.seeds", "evidence.bench.corpus", "amendment"],
)  # fmt: skip
def test_a_section_or_a_field_can_be_frozen(name: str) -> None:
    assert contract(amendment__frozen=[name]).amendment.frozen == (name,)


@pytest.mark.parametrize(
    "name", ["nonsense", "criteria.oracle", "criteria[0]", "lifts.", "Id", "version", ""]
)
def test_what_no_field_is_called_would_freeze_nothing_and_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="no field that can be frozen is called"):
        contract(amendment__frozen=[name])

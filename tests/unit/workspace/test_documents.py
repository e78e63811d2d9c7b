"""Faults of a contract, each with the line and column of the text it stands in."""

from __future__ import annotations

import pytest

from abverify.errors import AbverifyError, FaultsError, InvalidError
from abverify.model.contract import Contract
from abverify.workspace.documents import load_document
from abverify.workspace.pins import PinLock

CONTRACT = """\
schema: abverify/contract/v1
id: laptop/T1_001
title: The small bench passes at least one oracle
version: 1.0.0
origin: {contract: laptop, gate: T1_001, reference: null}
model:
  name: Tiny-Instruct
  weights: {file: tiny.gguf, sha256: null}
  describe: {architecture: llama}
  adapter: null
  source: models/tiny.gguf
config:
  engine: {name: llama, n_ctx: 2048, kv_cache: continue}
  prompt: {system: prompts/agent.md, history: native-chat, no_call: No call.}
  sampling: {temperature: "0.3", max_tokens: 100, seeds: [1]}
  parser: {profile: salvage, version: 1}
  budgets: {max_turns: 4, turn_seconds: 60, wall_seconds: 240}
evidence:
  smoke: {fixture: unix__01-head}
  bench: {corpus: corpora/two, min_completed: 2, stop: never}
  calibration: {max_age_days: 30}
  valid_days: 180
criteria:
  - {id: oracle, metric: oracle_passed, at_least: 1}
lifts: [T280]
amendment: {approvals: 1, frozen: [id, lifts]}
"""


def load(text: str) -> Contract:
    return load_document(Contract, text.encode(), name="contracts/T1_001.yaml")


def faults(old: str, new: str) -> list[AbverifyError]:
    assert CONTRACT.count(old) == 1
    with pytest.raises(AbverifyError) as refusal:
        load(CONTRACT.replace(old, new))
    error = refusal.value
    found = list(error.errors) if isinstance(error, FaultsError) else [error]
    assert all(isinstance(fault, InvalidError) and fault.rule == "AV102" for fault in found)
    return found


def told(old: str, new: str) -> list[tuple[str, str]]:
    return [
        (str(fault.place).removeprefix("contracts/T1_001.yaml:"), fault.message)
        for fault in faults(old, new)
    ]


def test_a_document_in_order_becomes_its_value() -> None:
    assert load(CONTRACT).config.sampling.seeds == (1,)


def test_an_unknown_field_is_told_with_what_may_have_been_meant() -> None:
    (fault,) = faults("temperature:", 'temperture: "0.3", temperature:')

    assert (str(fault.place), fault.message, fault.expected) == (
        "contracts/T1_001.yaml:15:26",
        "unknown field 'temperture'",
        "did you mean 'temperature'?",
    )


def test_an_unknown_field_like_no_other_is_told_with_all_there_are() -> None:
    (fault,) = faults("approvals: 1,", "approvals: 1, zzz: 2,")

    assert (fault.message, fault.expected) == ("unknown field 'zzz'", "one of: approvals, frozen")


def test_a_missing_field_is_told_at_the_mapping_that_lacks_it() -> None:
    assert told(", stop: never", "") == [("20:10", "evidence.bench lacks the field 'stop'")]
    assert told("title: The small bench passes at least one oracle\n", "") == [
        ("1:1", "the document lacks the field 'title'")
    ]


def test_a_misspelt_field_is_both_unknown_and_missing() -> None:
    assert told("config:\n", "confg:\n") == [
        ("1:1", "the document lacks the field 'config'"),
        ("13:3", "unknown field 'confg'"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("valid_days: 180", 'valid_days: "180"', "22:15", "evidence.valid_days: Input should be"),
        ("valid_days: 180", "valid_days: 0", "22:15", "evidence.valid_days: Input should be"),
        ("seeds: [1]", "seeds: [1, 0]", "15:62", "config.sampling.seeds.1: Input should be"),
        ("seeds: [1]", "seeds: [7, 7]", "15:58", "config.sampling.seeds: seed declared twice: 7"),
        ('"0.3"', '"0.3x"', "15:27", "config.sampling.temperature: expected a quoted decimal"),
        ("prompts/agent.md", "../agent.md", "14:20", "config.prompt.system: expected a relative"),
        ("name: llama", "name: vllm", "13:18", "config.engine.name: Input should be 'llama'"),
        ("lifts: [T280]", "lifts: T280", "25:8", "lifts: Input should be a valid"),
        ("  adapter: null", "  adapter: none", "10:12", "model.adapter: Input should be"),
    ],
)
def test_a_wrong_value_is_told_where_it_stands(
    old: str, new: str, place: str, message: str
) -> None:
    ((found_place, found_message),) = told(old, new)

    assert found_place == place
    assert found_message.startswith(message)


@pytest.mark.parametrize(
    ("criterion", "place", "message"),
    [
        (
            "{id: oracle, metric: accuracy, at_least: 1}",
            "24:26",
            "criteria.0.metric: unknown metric; one of: format_survival,",
        ),
        (
            "{id: oracle, metric: oracle_passed}",
            "24:5",
            "criteria.0: a criterion needs at_least or at_most",
        ),
        (
            "{any_of: [{id: a, metric: oracle_passed, at_least: -1}]}",
            "24:15",
            "criteria.0.any_of.0: no metric is ever below 0",
        ),
        ("{all_of: []}", "24:14", "criteria.0.all_of: Tuple should have at least 1 item"),
        ("{id: a, any_of: []}", "24:10", "unknown field 'id'"),
    ],
)
def test_a_fault_in_a_criterion_speaks_of_the_shape_used(
    criterion: str, place: str, message: str
) -> None:
    found_place, found_message = told(
        "{id: oracle, metric: oracle_passed, at_least: 1}", criterion
    )[-1]

    assert found_message.startswith(message)
    assert found_place == place


def test_one_wrong_criterion_is_one_fault() -> None:
    old = "- {id: oracle, metric: oracle_passed, at_least: 1}"

    assert told(old, "- {any_of: [{id: a, metric: oracle_passed, at_least: -1}]}") == [
        ("24:15", "criteria.0.any_of.0: no metric is ever below 0")
    ]
    assert [
        message for _, message in told(old, "- {id: a, metric: oracle_passed, at_leest: 1}")
    ] == [
        "unknown field 'at_leest'",
    ]


def test_several_faults_are_told_together() -> None:
    text = CONTRACT.replace("approvals: 1", "approvals: 0").replace(
        "valid_days: 180", "valid_days: x"
    )

    with pytest.raises(FaultsError) as refusal:
        load(text)

    assert [str(fault.place) for fault in refusal.value.errors] == [
        "contracts/T1_001.yaml:22:15",
        "contracts/T1_001.yaml:26:24",
    ]


@pytest.mark.parametrize("text", ["[]", "just words", "null"])
def test_a_document_that_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(InvalidError) as refusal:
        load(text)

    assert (refusal.value.rule, refusal.value.message) == ("AV102", "not a mapping")


def test_yaml_faults_come_before_faults_of_content() -> None:
    with pytest.raises(InvalidError) as refusal:
        load_document(PinLock, b"schema: 1\nschema: 2\n", name="contracts/pin.lock")

    assert (refusal.value.rule, str(refusal.value.place)) == ("AV101", "contracts/pin.lock:2:1")

"""A contract that lint has nothing to say about; each test breaks one rule of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from abverify.verify.lint import lint_contract
from tests.builders import CORPUS, FIXTURES, REMOVED, contract

if TYPE_CHECKING:
    from abverify.model.report import Reason


def findings(**changes: Any) -> list[Reason]:
    def place(*path: str | int) -> str:
        return ".".join(map(str, path))

    return list(lint_contract(contract(**changes), place=place, corpora={CORPUS: FIXTURES}))


def only(**changes: Any) -> tuple[str, str, str | None]:
    (reason,) = findings(**changes)
    return reason.rule, reason.severity, reason.place


def test_a_contract_in_order_has_no_finding() -> None:
    assert findings() == []


def test_a_turn_longer_than_the_wall_contradicts_it() -> None:
    assert only(config__budgets__turn_seconds=241) == (
        "AV120",
        "error",
        "config.budgets.turn_seconds",
    )


def test_a_request_longer_than_its_turn_contradicts_it() -> None:
    (reason,) = findings(config__budgets__http_timeout_seconds=61)

    assert (reason.rule, reason.severity) == ("AV120", "error")
    assert reason.message == (
        "http_timeout_seconds is longer than turn_seconds, which would always end first"
    )
    assert reason.found == "http_timeout_seconds: 61, turn_seconds: 60"


def test_turns_that_do_not_fit_the_wall_are_a_warning() -> None:
    (reason,) = findings(config__budgets__wall_seconds=239)

    assert (reason.rule, reason.severity) == ("AV120", "warning")
    assert reason.expected == "wall_seconds >= 240 (max_turns × turn_seconds)"


def test_a_source_that_can_move_is_a_warning() -> None:
    (reason,) = findings(model__source="hf://somebody/model@main/model.gguf")

    assert (reason.rule, reason.severity, reason.place) == ("AV550", "warning", "model.source")
    assert reason.found == "main"


def test_a_source_at_a_commit_cannot_move() -> None:
    assert findings(model__source=f"hf://somebody/model@{'0f' * 20}/model.gguf") == []


def test_unpinned_weights_are_a_warning() -> None:
    assert only(model__weights__sha256=None) == ("AV121", "warning", "model.weights.sha256")


def test_an_adapter_without_bytes_is_an_error() -> None:
    adapter = {"name": "tool-use", "file": "a.gguf", "sha256": None}

    assert only(model__adapter=adapter) == ("AV122", "error", "model.adapter.sha256")
    assert findings(model__adapter={**adapter, "sha256": "b" * 64}) == []


def test_sampler_knobs_left_to_their_defaults_are_named_with_them() -> None:
    (reason,) = findings(config__sampling__min_p=REMOVED)

    assert (reason.rule, reason.severity) == ("AV123", "warning")
    assert reason.message == "sampler knobs are left to their defaults: min_p"
    assert reason.expected == "min_p: '0'"


@pytest.mark.parametrize(("tokens", "rules"), [(2047, []), (2048, ["AV126"]), (9999, ["AV126"])])
def test_one_turn_must_leave_room_for_a_prompt(tokens: int, rules: list[str]) -> None:
    assert [r.rule for r in findings(config__sampling__max_tokens=tokens)] == rules


def test_a_contract_cannot_want_more_fixtures_than_there_are() -> None:
    assert only(evidence__bench__min_completed=3) == (
        "AV127",
        "error",
        "evidence.bench.min_completed",
    )


def test_a_bench_that_may_stop_early_wants_its_whole_corpus() -> None:
    rules = {"corpus": CORPUS, "stop": ["success-certain"]}

    assert findings(evidence__bench={**rules, "min_completed": 2}) == []
    assert only(evidence__bench={**rules, "min_completed": 1}) == (
        "AV864",
        "error",
        "evidence.bench.min_completed",
    )


def test_the_smoke_fixture_must_be_of_the_corpus() -> None:
    assert only(evidence__smoke__fixture="unix__99-none") == (
        "AV128",
        "error",
        "evidence.smoke.fixture",
    )


def test_a_corpus_that_could_not_be_loaded_is_not_counted() -> None:
    assert (
        findings(evidence__bench={"corpus": "elsewhere", "min_completed": 9, "stop": "never"}) == []
    )


@pytest.mark.parametrize(
    "text", ["this PR", "shipped in This pull request", "TBD", "see PR #", "#??", "FIXME"]
)
def test_a_reference_to_nothing_is_an_error(text: str) -> None:
    assert only(origin__reference=text) == ("AV124", "error", "origin.reference")
    assert only(title=text) == ("AV124", "error", "title")


@pytest.mark.parametrize("text", ["CCPA#262", "PR 262", "PR #262", "PROTOTYPE", "commit 0f3a"])
def test_a_reference_that_can_be_found_is_none(text: str) -> None:
    assert findings(origin__reference=text) == []

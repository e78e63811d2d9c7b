"""BFCL's results and scores as BFCL itself wrote them, and as nobody should have left them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abverify.errors import AbverifyError, InvalidError
from abverify.evidence.foreign.log import ForeignLog
from abverify.evidence.foreign.registry import read_foreign
from tests.support.repository import CHECKOUT

SAMPLES = CHECKOUT / "tests/foreign/samples/bfcl"
RESULT, SCORE = "BFCL_v4_live_parallel_result.json", "BFCL_v4_live_parallel_score.json"


def run(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((SAMPLES / folder).rglob("*.json"))}


def problems(log: ForeignLog) -> list[tuple[str, str, str, str]]:
    return [(p.code, p.where, p.expected, p.found) for p in log.problems]


def test_every_entry_of_a_whole_category_has_a_verdict_and_its_raw_text() -> None:
    log = read_foreign(run("full"))
    assert (log.tool, log.task, log.scorer) == ("bfcl", "live_parallel", "bfcl live_parallel")
    assert [trial.passed for trial in log.trials] == [False] * 16
    (turn,) = log.trials[0].turns
    assert turn.raw.startswith("Here's a sample of how you can use")
    assert (turn.prompt_tokens, turn.completion_tokens) == (334, 155)
    assert log.problems == ()
    assert {key: (claim.standing, claim.value) for key, claim in log.claims.items()} == {
        "model.name": ("asserted", "smollm2-135m-instruct-FC"),
        "corpus.fixtures": ("asserted", 16),
    }


def test_what_has_no_date_is_as_old_as_can_be() -> None:
    log = read_foreign(run("full"))
    assert log.started_at == log.finished_at == "1970-01-01T00:00:00Z"


def test_an_entry_that_no_score_names_as_failed_has_passed() -> None:
    log = read_foreign(run("partial"), scorer="irrelevance")
    assert [(trial.fixture, trial.passed) for trial in log.trials] == [
        ("irrelevance_0", True),
        ("irrelevance_1", True),
    ]


def test_a_conversation_has_a_turn_for_each_of_its_texts() -> None:
    (trial,) = read_foreign(run("partial"), scorer="multi_turn_base").trials
    assert len(trial.turns) == 4


def test_one_of_several_categories_must_be_named() -> None:
    with pytest.raises(InvalidError) as caught:
        read_foreign(run("partial"))
    assert caught.value.rule == "AV842"
    assert caught.value.found == "irrelevance, multi_turn_base, simple_python"


class TestARunThatMayNotDecide:
    def test_a_part_of_a_category(self) -> None:
        log = read_foreign(run("partial"), scorer="simple_python")
        assert problems(log) == [("limited", "result", "400 entries", "4")]

    def test_requests_that_broke_which_bfcl_itself_counts_as_wrong_answers(self) -> None:
        log = read_foreign(run("errored"))
        assert [trial.passed for trial in log.trials] == [None, None]
        assert [code for code, *_ in problems(log)] == ["limited", "errored", "errored"]

    def test_one_whose_summary_is_not_what_its_entries_give(self) -> None:
        files = run("full")
        first, rest = files[SCORE].split(b"\n", 1)
        better = json.dumps({**json.loads(first), "correct_count": 4}).encode()
        log = read_foreign({**files, SCORE: better + b"\n" + rest})
        found = "4 of 16, accuracy 0"
        assert problems(log) == [("disagrees", "score", "0 of 16", found)]

    @pytest.mark.parametrize(("accuracy", "told"), [(0.9, "0.9"), (float("nan"), "nan")])
    def test_one_whose_accuracy_is_not_what_its_counts_give(
        self, accuracy: float, told: str
    ) -> None:
        files = run("full")
        first, rest = files[SCORE].split(b"\n", 1)
        better = json.dumps({**json.loads(first), "accuracy": accuracy}).encode()
        log = read_foreign({**files, SCORE: better + b"\n" + rest})
        assert problems(log) == [("disagrees", "score", "0 of 16", f"0 of 16, accuracy {told}")]

    def test_one_with_a_score_of_what_was_never_run(self) -> None:
        files = run("full")
        without = files[RESULT].split(b"\n", 1)[1]
        found = problems(read_foreign({**files, RESULT: without}))
        assert ("disagrees", "score: live_parallel_0-0-0", "a result", "none") in found


class TestMalformedLogs:
    def test_results_without_their_scores(self) -> None:
        with pytest.raises(InvalidError) as caught:
            read_foreign({RESULT: run("full")[RESULT]})
        assert (caught.value.rule, caught.value.found) == ("AV841", "result")

    def test_an_entry_that_stands_there_twice(self) -> None:
        files = run("full")
        first = files[RESULT].split(b"\n", 1)[0]
        with pytest.raises(InvalidError) as caught:
            read_foreign({**files, RESULT: files[RESULT].rstrip() + b"\n" + first})
        assert (str(caught.value.place), caught.value.found) == (
            f"{RESULT}:17",
            "live_parallel_0-0-0",
        )

    def test_half_a_pair_of_surrogates_is_no_text(self) -> None:
        files = run("full")
        broken = files[RESULT].replace(b"Here's", b"\\ud800", 1)
        with pytest.raises(InvalidError, match="the log is not JSON") as caught:
            read_foreign({**files, RESULT: broken})
        assert str(caught.value.place) == f"{RESULT}:1"

    @settings(max_examples=100, deadline=None)
    @given(
        name=st.sampled_from([RESULT, SCORE]),
        where=st.floats(0, 1, exclude_max=True),
        what=st.binary(max_size=6),
        length=st.sampled_from([0, 1, 6, 1 << 20]),
    )
    def test_a_damaged_log_is_read_or_refused_and_nothing_else(
        self, name: str, where: float, what: bytes, length: int
    ) -> None:
        files = run("full")
        data = files[name]
        at = int(where * len(data))
        told = outcome({**files, name: data[:at] + what + data[at + length :]})
        assert isinstance(told, ForeignLog) or (told.place is not None and told.next_step)


def outcome(files: dict[str, bytes]) -> ForeignLog | AbverifyError:
    """The log that can be read, or why it cannot."""
    try:
        return read_foreign(files, tool="bfcl")
    except AbverifyError as error:
        return error

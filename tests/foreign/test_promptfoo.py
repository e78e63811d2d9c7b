"""promptfoo's output as promptfoo itself wrote it, and as nobody should have left it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abverify.errors import AbverifyError, InvalidError
from abverify.evidence.foreign.registry import read_foreign
from tests.support.repository import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from abverify.evidence.foreign.log import ForeignLog

SAMPLES = CHECKOUT / "tests/foreign/samples/promptfoo"
SYSTEM = "3c48b6f65f3801824da81c557a60ce591ec16a7698bd363376995f27de10f843"


def run(name: str) -> dict[str, bytes]:
    return {name: (SAMPLES / name).read_bytes()}


def edited(change: Callable[[dict[str, Any]], object]) -> dict[str, bytes]:
    """A real, whole run with one thing changed."""
    log = json.loads((SAMPLES / "full.json").read_bytes())
    change(log)
    return {"full.json": json.dumps(log).encode()}


def grades(log: ForeignLog) -> list[tuple[str, int, bool | None]]:
    return [(t.fixture.rpartition(" ")[0], t.repetition, t.passed) for t in log.trials]


def problems(log: ForeignLog) -> list[tuple[str, str, str, str]]:
    return [(p.code, p.where, p.expected, p.found) for p in log.problems]


class TestAWholeRun:
    def test_every_test_has_a_verdict(self) -> None:
        log = read_foreign(run("full.json"))
        assert (log.tool, log.version, log.scorer) == (
            "promptfoo",
            "0.123.1",
            "smollm2 / two shots",
        )
        assert grades(log) == [
            ("reads a file", 1, False),
            ("lists files", 1, False),
            ("says nothing else", 1, True),
        ]
        assert log.problems == ()
        assert (log.started_at, log.finished_at) == (
            "2026-11-23T16:49:29Z",
            "2026-11-23T16:51:48Z",
        )

    def test_the_raw_text_and_its_tokens_are_kept(self) -> None:
        (turn,) = read_foreign(run("full.json")).trials[0].turns
        assert turn.raw.startswith('<tool_call>\n{"name": "file_read"')
        assert (turn.prompt_tokens, turn.completion_tokens) == (137, 45)

    def test_what_the_log_says_is_asserted_and_what_its_text_proves_is_attested(self) -> None:
        claims = read_foreign(run("full.json")).claims
        assert {key: (claim.standing, claim.value) for key, claim in claims.items()} == {
            "model.name": ("asserted", "openai:chat:smollm2-135m-instruct"),
            "sampling.temperature": ("asserted", "0"),
            "sampling.max_tokens": ("asserted", 64),
            "corpus.fixtures": ("asserted", 3),
            "prompt.system_sha256": ("attested", SYSTEM),
        }


class TestColumns:
    def test_one_of_several_must_be_named(self) -> None:
        with pytest.raises(InvalidError) as caught:
            read_foreign(run("errored.json"))
        assert caught.value.rule == "AV842"
        assert caught.value.found == "cramped / two shots, smollm2 / two shots"

    def test_the_one_that_answered_is_whole(self) -> None:
        log = read_foreign(run("errored.json"), scorer="smollm2 / two shots")
        assert (grades(log), log.problems) == ([("reads a file", 1, True)], ())

    def test_the_one_that_broke_was_not_measured(self) -> None:
        log = read_foreign(run("errored.json"), scorer="cramped / two shots")
        assert grades(log) == [("reads a file", 1, None)]
        assert problems(log) == [("errored", "results.results.0", "an answer", "an error")]


class TestARunThatMayNotDecide:
    def test_a_filtered_one(self) -> None:
        log = read_foreign(run("filtered.json"))
        assert problems(log) == [("limited", "config.tests", "3 tests", "2")]

    def test_the_same_test_once_more_is_a_repetition_and_no_other_test(self) -> None:
        log = read_foreign(run("repeated.json"))
        assert grades(log) == [("reads a file", 1, False), ("reads a file", 2, False)]
        assert problems(log) == [("limited", "config.tests", "3 tests", "1")]

    def test_one_whose_verdict_its_assertions_do_not_give(self) -> None:
        def forge(log: dict[str, Any]) -> None:
            log["results"]["results"][0].update(success=True)
            log["results"]["stats"].update(successes=2, failures=1)

        assert problems(read_foreign(edited(forge))) == [
            ("disagrees", "results.results.0", "False", "True")
        ]

    def test_one_whose_test_passed_by_no_assertion(self) -> None:
        def forge(log: dict[str, Any]) -> None:
            log["results"]["results"][2]["gradingResult"].update(componentResults=[])

        assert problems(read_foreign(edited(forge))) == [
            ("disagrees", "results.results.2", "False", "True")
        ]

    def test_one_whose_score_does_not_reach_its_threshold(self) -> None:
        def forge(log: dict[str, Any]) -> None:
            log["results"]["results"][2].update(score=0.25)
            log["results"]["results"][2]["testCase"].update(threshold=0.5)

        assert problems(read_foreign(edited(forge))) == [
            ("disagrees", "results.results.2", "False", "True")
        ]

    def test_one_that_does_not_list_its_tests(self) -> None:
        log = read_foreign(edited(lambda log: log["config"].update(tests="file://tests.csv")))
        assert problems(log) == [("limited", "config.tests", "a list of all tests", "3")]

    def test_one_whose_summary_is_not_what_its_tests_give(self) -> None:
        log = read_foreign(edited(lambda log: log["results"]["stats"].update(successes=3)))
        assert problems(log) == [("disagrees", "results.stats", "(1, 2, 0)", "(3, 2, 0)")]


class TestMalformedLogs:
    @pytest.mark.parametrize(
        ("change", "place"),
        [
            (lambda log: log["results"].update(version=2), "full.json: results.version"),
            (lambda log: log["results"].pop("stats"), "full.json: results.stats"),
            (
                lambda log: log["results"]["stats"].update(durationMs=float("inf")),
                "full.json: results.stats.durationMs",
            ),
            (
                lambda log: log["results"].update(timestamp="never"),
                "full.json: results.timestamp",
            ),
            (
                lambda log: log["results"]["results"][1].update(success="yes!"),
                "full.json: results.results.1.success",
            ),
        ],
    )
    def test_it_is_refused_with_its_place(
        self, change: Callable[[dict[str, Any]], object], place: str
    ) -> None:
        with pytest.raises(InvalidError) as caught:
            read_foreign(edited(change), tool="promptfoo")
        assert (caught.value.rule, str(caught.value.place)) == ("AV841", place)

    @settings(max_examples=100, deadline=None)
    @given(
        where=st.floats(0, 1, exclude_max=True),
        what=st.binary(max_size=6),
        length=st.sampled_from([0, 1, 6, 1 << 20]),
    )
    def test_a_damaged_log_is_read_or_refused_and_nothing_else(
        self, where: float, what: bytes, length: int
    ) -> None:
        data = (SAMPLES / "full.json").read_bytes()
        at = int(where * len(data))
        told = outcome(data[:at] + what + data[at + length :])
        assert isinstance(told, str) or (told.place is not None and told.next_step is not None)


def outcome(data: bytes) -> str | AbverifyError:
    """The task of a log that can be read, or why it cannot."""
    try:
        return read_foreign({"full.json": data}, tool="promptfoo").task
    except AbverifyError as error:
        return error

"""Inspect's logs as Inspect itself wrote them, and as nobody should have left them."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from backports.zstd import zipfile
from hypothesis import given, settings
from hypothesis import strategies as st

from abverify._canonical import sha256_hex
from abverify.errors import AbverifyError, InvalidError, UsageError
from abverify.evidence.foreign import inspect_log
from abverify.evidence.foreign.registry import read_foreign
from tests.support.repository import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from abverify.evidence.foreign.log import ForeignLog

SAMPLES = CHECKOUT / "tests/foreign/samples/inspect"


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def read(data: bytes, *, scorer: str | None = None) -> ForeignLog:
    return inspect_log.read({"run.eval": data}, scorer=scorer)


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    """A real log, whole but for its declared limit, with one thing changed."""
    log = json.loads(sample("limited.json"))
    log["eval"]["config"]["limit"] = None
    change(log)
    return json.dumps(log).encode()


def problems(data: bytes) -> list[tuple[str, str]]:
    return [(problem.code, problem.where) for problem in read(data).problems]


class TestAWholeRun:
    def test_every_sample_of_both_epochs_is_graded(self) -> None:
        log = read(sample("full.eval"))
        assert (log.tool, log.version, log.task) == ("inspect", "0.3.285", "capitals")
        assert (log.scorer, log.problems) == ("includes", ())
        grades = {(t.fixture, t.repetition): (t.passed, t.grade) for t in log.trials}
        assert grades == {
            ("france", 1): (True, "C"),
            ("france", 2): (True, "C"),
            ("sum", 1): (False, "I"),
            ("sum", 2): (False, "I"),
            ("water", 1): (True, "C"),
            ("water", 2): (True, "C"),
        }
        assert log.started_at < log.finished_at

    def test_the_raw_text_and_its_tokens_are_kept(self) -> None:
        (turn,) = read(sample("full.eval")).trials[0].turns
        assert turn.raw == "The capital of France is Paris."
        assert (turn.prompt_tokens, turn.completion_tokens) == (30, 7)
        assert turn.finish_reason == "stop"

    def test_what_the_log_says_is_asserted_and_what_its_text_proves_is_attested(self) -> None:
        claims = read(sample("full.eval")).claims
        told = {key: (claim.standing, claim.value) for key, claim in claims.items()}
        assert told == {
            "model.name": ("asserted", "openai-api/local/smollm2-135m-instruct"),
            "sampling.temperature": ("asserted", "0"),
            "sampling.max_tokens": ("asserted", 48),
            "corpus.fixtures": ("asserted", 3),
            "prompt.system_sha256": ("attested", sha256_hex(b"You answer briefly.")),
        }


class TestARunThatMayNotDecide:
    def test_a_limited_one(self) -> None:
        assert problems(sample("limited.json")) == [("limited", "eval.config")]

    def test_one_whose_sample_was_cut_off(self) -> None:
        assert problems(sample("token-limit.eval")) == [("limited", "sample sum epoch 1")]

    def test_one_that_broke(self) -> None:
        assert problems(sample("failed.json")) == [
            ("errored", "status"),
            ("limited", "eval.config"),
            ("errored", "sample france epoch 1"),
        ]

    def test_without_its_limit_the_same_run_has_no_problem(self) -> None:
        assert problems(changed(lambda log: log.update(invalidated=False))) == []

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            (lambda log: log.update(invalidated=True), ("edited", "invalidated")),
            (lambda log: log.update(log_updates=[{}]), ("edited", "log_updates")),
            (
                lambda log: log["samples"][0]["scores"]["includes"]["history"].append({}),
                ("edited", "sample france epoch 1: includes"),
            ),
            (
                lambda log: log["samples"][0].update(invalidation={"reason": "leaked"}),
                ("edited", "sample france epoch 1"),
            ),
            (
                lambda log: log["samples"][0].update(error_retries=[{}]),
                ("errored", "sample france epoch 1"),
            ),
            (
                lambda log: log["samples"][0]["scores"]["includes"].update(value="I"),
                ("disagrees", "results.scores.includes"),
            ),
            (
                lambda log: log["results"]["scores"][0]["metrics"]["accuracy"].update(value=0.5),
                ("disagrees", "results.scores.includes"),
            ),
            (
                lambda log: log["eval"]["dataset"].update(sample_ids=["france", "water"]),
                ("limited", "samples"),
            ),
        ],
    )
    def test_one_that_was_edited_or_contradicts_itself(
        self, change: Callable[[dict[str, Any]], object], expected: tuple[str, str]
    ) -> None:
        assert problems(changed(change)) == [expected]

    @pytest.mark.parametrize("grade", [10**400, float("nan"), float("inf"), [1], {"a": 1}, "A"])
    def test_a_grade_that_is_no_number(self, grade: object) -> None:
        data = changed(lambda log: log["samples"][0]["scores"]["includes"].update(value=grade))
        assert read(data).trials[0].passed is None

    def test_a_sample_without_a_grade(self) -> None:
        data = changed(lambda log: log["samples"][0].update(scores={}))
        assert ("unmeasured", "sample france epoch 1") in problems(data)
        assert read(data).trials[0].passed is None


class TestSeveralScorers:
    @staticmethod
    def two() -> bytes:
        def add(log: dict[str, Any]) -> None:
            log["samples"][0]["scores"]["model_graded_qa"] = {"value": "I", "history": []}

        return changed(add)

    def test_somebody_must_say_which_one_counts(self) -> None:
        with pytest.raises(InvalidError) as caught:
            read(self.two())
        assert (caught.value.rule, caught.value.found) == ("AV842", "includes, model_graded_qa")
        assert caught.value.next_step == "name one of them: --scorer 'includes'"

    def test_the_named_one_counts(self) -> None:
        assert read(self.two(), scorer="includes").trials[0].passed is True
        assert read(self.two(), scorer="model_graded_qa").trials[0].passed is False


class TestMalformedLogs:
    @pytest.mark.parametrize(
        ("data", "place"),
        [
            (b"{", "run.eval"),
            (b"[]", "run.eval"),
            (b'{"a":1,"a":2}', "run.eval"),
            (b'{"version":' + b"[" * 100_000, "run.eval"),
            (b'{"version":' + b"9" * 5000 + b"}", "run.eval"),
            (sample("full.eval")[:9000], "run.eval"),
            (changed(lambda log: log.update(version=9)), "run.eval: version"),
            (changed(lambda log: log["eval"].pop("model")), "run.eval: eval.model"),
            (
                changed(lambda log: log["samples"].append(log["samples"][0])),
                "run.eval: sample france epoch 1",
            ),
            (
                changed(lambda log: log["samples"][0].update(epoch="x")),
                "run.eval: samples.0: epoch",
            ),
            (
                changed(lambda log: log["stats"].update(started_at="never")),
                "run.eval: stats.started_at",
            ),
        ],
    )
    def test_it_is_refused_with_its_place(self, data: bytes, place: str) -> None:
        with pytest.raises(InvalidError) as caught:
            read(data)
        assert (caught.value.rule, str(caught.value.place)) == ("AV841", place)

    def test_no_more_is_unpacked_than_is_sensible(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(inspect_log, "MAX_BYTES", 10_000)
        with pytest.raises(InvalidError, match="too large"):
            read(sample("full.eval"))

    def test_a_zip_is_read_by_name_and_never_unpacked_to_disk(self) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name in ("header.json", "samples/../../../escaped.json"):
                archive.writestr(name, "{}")
        with pytest.raises(InvalidError) as caught:
            read(packed.getvalue())
        assert str(caught.value.place) == "run.eval: version"

    @settings(max_examples=150, deadline=None)
    @given(
        name=st.sampled_from(["full.eval", "limited.json", "failed.json"]),
        where=st.floats(0, 1, exclude_max=True),
        what=st.binary(max_size=6),
        length=st.sampled_from([0, 1, 6, 1 << 20]),
    )
    def test_a_damaged_log_is_read_or_refused_and_nothing_else(
        self, name: str, where: float, what: bytes, length: int
    ) -> None:
        data = sample(name)
        at = int(where * len(data))
        told = outcome(data[:at] + what + data[at + length :])
        assert isinstance(told, str) or (told.place is not None and told.next_step is not None)


def outcome(data: bytes) -> str | AbverifyError:
    """The task of a log that can be read, or why it cannot."""
    try:
        return read_foreign({"run.eval": data}, tool="inspect").task
    except AbverifyError as error:
        return error


def test_what_nobody_wrote_is_not_guessed_at() -> None:
    with pytest.raises(UsageError) as caught:
        read_foreign({"notes.txt": b"it went well"})
    assert (caught.value.rule, str(caught.value.place)) == ("AV840", "notes.txt")

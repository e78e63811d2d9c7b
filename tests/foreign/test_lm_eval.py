"""lm-eval's logs as lm-eval itself wrote them, and as nobody should have left them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abverify._canonical import sha256_hex
from abverify.errors import AbverifyError, InvalidError
from abverify.evidence.foreign import lm_eval
from abverify.evidence.foreign.registry import read_foreign
from tests.support.repository import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from abverify.evidence.foreign.log import ForeignLog

SAMPLES = CHECKOUT / "tests/foreign/samples/lm_eval"
NAMED = "exact_match,named"


def run(folder: str, *, only: str = "") -> dict[str, bytes]:
    """The files of one run; of its samples only those of the named task."""
    files = sorted((SAMPLES / folder).glob("*"))
    return {f.name: f.read_bytes() for f in files if only in f.name or f.name.startswith("out")}


def edited(change: Callable[[dict[str, Any]], object]) -> dict[str, bytes]:
    """A real, whole run of one task, its results file changed."""
    files = run("choice")
    (name,) = [name for name in files if name.startswith("out")]
    results = json.loads(files[name])
    change(results)
    return {**files, name: json.dumps(results).encode()}


def problems(log: ForeignLog) -> list[tuple[str, str, str, str]]:
    return [(p.code, p.where, p.expected, p.found) for p in log.problems]


class TestAWholeRun:
    def test_every_document_is_graded_by_the_named_metric_and_filter(self) -> None:
        log = read_foreign(run("choice"), scorer="acc,none")
        assert (log.tool, log.version, log.task) == ("lm-eval", "0.4.13", "abv_choice")
        assert [(t.fixture, t.passed, t.grade) for t in log.trials] == [
            ("abv_choice/0", False, "0.0"),
            ("abv_choice/1", False, "0.0"),
            ("abv_choice/2", True, "1.0"),
            ("abv_choice/3", True, "1.0"),
        ]
        assert log.problems == ()
        assert (log.started_at, log.finished_at) == (
            "2026-11-23T16:36:11Z",
            "2026-11-23T16:36:25Z",
        )

    def test_likelihoods_are_no_text(self) -> None:
        log = read_foreign(run("choice"), scorer="acc,none")
        assert all(trial.turns == () for trial in log.trials)

    def test_generated_text_is_kept_as_it_came(self) -> None:
        log = read_foreign(run("full"), scorer=NAMED)
        assert log.trials[0].turns[0].raw == "The capital of France is Paris."
        assert [trial.passed for trial in log.trials] == [True, True, False, True, False, True]

    def test_what_the_log_says_is_asserted_and_what_its_text_proves_is_attested(self) -> None:
        claims = read_foreign(run("limited"), scorer=NAMED).claims
        assert {key: (claim.standing, claim.value) for key, claim in claims.items()} == {
            "model.name": ("asserted", "smollm2-135m-instruct"),
            "engine.name": ("asserted", "local-chat-completions"),
            "corpus.fixtures": ("asserted", 6),
            "sampling.temperature": ("asserted", "0"),
            "sampling.max_tokens": ("asserted", 24),
        }
        system = read_foreign(run("full"), scorer=NAMED).claims["prompt.system_sha256"]
        text = (SAMPLES / "system.txt").read_text(encoding="utf-8").rstrip("\n")
        assert (system.standing, system.value) == ("attested", sha256_hex(text.encode()))


class TestARunThatMayNotDecide:
    def test_a_limited_one(self) -> None:
        assert problems(read_foreign(run("limited"), scorer=NAMED)) == [
            ("limited", "config.limit", "no limit", "2"),
            ("limited", "n-samples.abv_capitals", "6 samples", "2"),
        ]

    def test_one_task_of_two(self) -> None:
        log = read_foreign(run("full", only="capitals"), scorer=NAMED)
        assert problems(log) == [("limited", "n-samples.abv_calls", "4 samples", "0")]

    def test_one_whose_summary_is_not_what_its_samples_give(self) -> None:
        files = edited(lambda log: log["results"]["abv_choice"].update({"acc,none": 0.75}))
        assert problems(read_foreign(files, scorer="acc,none")) == [
            ("disagrees", "results.abv_choice.acc,none", "0.5", "0.75")
        ]

    @pytest.mark.parametrize(
        ("told", "found"), [(10**400, f"1{'0' * 79}"), (float("nan"), "nan"), (None, "None")]
    )
    def test_one_whose_summary_is_no_number(self, told: object, found: str) -> None:
        files = edited(lambda log: log["results"]["abv_choice"].update({"acc,none": told}))
        assert problems(read_foreign(files, scorer="acc,none")) == [
            ("disagrees", "results.abv_choice.acc,none", "0.5", found)
        ]

    def test_one_with_a_sample_whose_grade_is_no_number(self) -> None:
        files = run("choice")
        (name,) = [name for name in files if name.startswith("samples")]
        changed = files[name].replace(b'"acc": 0.0', b'"acc": NaN', 1)
        log = read_foreign({**files, name: changed}, scorer="acc,none")
        assert log.trials[0].passed is None
        assert problems(log) == [("unmeasured", "abv_choice/0", "a number", "nan")]

    def test_one_that_does_not_tell_how_large_its_task_is(self) -> None:
        log = read_foreign(edited(lambda log: log["n-samples"].clear()), scorer="acc,none")
        assert problems(log) == [("limited", "n-samples.abv_choice", "the size of the task", "4")]

    def test_one_whose_system_prompt_is_not_the_one_it_names_by_digest(self) -> None:
        def forge(log: dict[str, Any]) -> None:
            log.update(system_instruction="Be kind.", system_instruction_sha="0" * 64)

        (problem,) = read_foreign(edited(forge), scorer="acc,none").problems
        assert (problem.code, problem.where) == ("edited", "system_instruction_sha")


class TestWhichGradeCounts:
    def test_somebody_must_say(self) -> None:
        with pytest.raises(InvalidError) as caught:
            read_foreign(run("choice"))
        assert (caught.value.rule, caught.value.found) == ("AV842", "acc,none, acc_norm,none")

    def test_less_is_never_full_marks(self) -> None:
        files = edited(lambda log: log["higher_is_better"]["abv_choice"].update(acc=False))
        with pytest.raises(InvalidError, match="less is better"):
            read_foreign(files, scorer="acc,none")


class TestMalformedLogs:
    def test_a_size_that_no_task_has(self) -> None:
        files = edited(lambda log: log["n-samples"]["abv_choice"].update(original=10**400))
        with pytest.raises(InvalidError) as caught:
            read_foreign(files, scorer="acc,none")
        assert str(caught.value.place).endswith(".json: n-samples.abv_choice.original")

    def test_samples_without_their_results(self) -> None:
        files = {name: data for name, data in run("choice").items() if name.startswith("samples")}
        with pytest.raises(InvalidError, match="one run has one results file"):
            lm_eval.read(files)

    def test_a_file_that_is_none_of_lm_evals(self) -> None:
        with pytest.raises(InvalidError, match="not a samples file"):
            lm_eval.read({**run("choice"), "notes.txt": b"{}"})

    def test_a_row_that_was_cut_off(self) -> None:
        files = run("choice")
        (name,) = [name for name in files if name.startswith("samples")]
        with pytest.raises(InvalidError) as caught:
            read_foreign({**files, name: files[name][:-100]}, scorer="acc,none")
        assert (caught.value.rule, str(caught.value.place)) == ("AV841", f"{name}:4")

    def test_a_sample_that_stands_there_twice(self) -> None:
        files = run("choice")
        (name,) = [name for name in files if name.startswith("samples")]
        first = files[name].split(b"\n", 1)[0]
        with pytest.raises(InvalidError) as caught:
            read_foreign({**files, name: files[name].rstrip() + b"\n" + first}, scorer="acc,none")
        assert (str(caught.value.place), caught.value.found) == (
            f"{name}:5",
            "doc_id 0, filter none",
        )

    @settings(max_examples=100, deadline=None)
    @given(
        which=st.integers(0, 1),
        where=st.floats(0, 1, exclude_max=True),
        what=st.binary(max_size=6),
        length=st.sampled_from([0, 1, 6, 1 << 20]),
    )
    def test_a_damaged_log_is_read_or_refused_and_nothing_else(
        self, which: int, where: float, what: bytes, length: int
    ) -> None:
        files = run("choice")
        name = sorted(files)[which]
        data = files[name]
        at = int(where * len(data))
        told = outcome({**files, name: data[:at] + what + data[at + length :]})
        assert isinstance(told, str) or (told.place is not None and told.next_step is not None)


def outcome(files: dict[str, bytes]) -> str | AbverifyError:
    """The task of a log that can be read, or why it cannot."""
    try:
        return read_foreign(files, tool="lm-eval", scorer="acc,none").task
    except AbverifyError as error:
        return error

"""One eligible bundle; each test changes one thing, and one reason speaks against it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from abverify.evidence.bundle import read_bundle
from abverify.evidence.manifest import ImportedFrom
from abverify.evidence.rows import (
    AGENTS,
    AgentRow,
    CalibrationRow,
    ParserCalibrationRow,
    Row,
    Trial,
    TrialStarted,
)
from abverify.evidence.trials import whole_trials
from abverify.model.corpus import OracleCommand
from abverify.verify.eligibility import Docket, judge
from tests.builders import (
    FIXTURES,
    NATIVE,
    NOW,
    PATH,
    RECOVERED,
    REMOVED,
    Run,
    agent_trial,
    bench_rows,
    calibration_rows,
    calibration_run,
    contract,
    docket,
    ended,
    failed_trial,
    lock_values,
    oracle,
    passed_trial,
    turn,
)

if TYPE_CHECKING:
    from abverify.evidence.rows import Outcome
    from abverify.model.report import Reason


def reasons(run: Run, against: Docket | None = None) -> tuple[Reason, ...]:
    return judge(run.bundle(), against or docket()).reasons


def only(run: Run, against: Docket | None = None) -> Reason:
    (reason,) = reasons(run, against)
    assert reason.severity == "error"
    return reason


def test_a_complete_attested_calibrated_bench_of_the_named_model_is_eligible() -> None:
    judgement = judge(Run().bundle(), docket())

    assert judgement.reasons == ()
    assert judgement.eligible
    assert judgement.scores.measures["oracle_passed"].numerator == 1


def test_a_smoke_test_is_smoke_only() -> None:
    reason = only(Run(stage="smoke"))

    assert (reason.code, reason.rule) == ("smoke-only", "AV301")


def test_another_model_is_a_mismatch_that_names_both_and_both_ways_out() -> None:
    other = contract(id="laptop/T1_005", model__name="Tiny-Other")
    values = lock_values(model__name="Tiny-Other")

    reason = only(Run(values=values), docket(others=(other,)))

    assert (reason.code, reason.rule) == ("model-mismatch", "AV302")
    assert reason.message == "the evidence is of Tiny-Other, the gate names Tiny-Instruct"
    assert reason.next == (
        "either amend T1_001 (abverify amend T1_001),"
        " or take the evidence to the gate T1_005, which names Tiny-Other"
    )


def test_where_no_gate_names_the_other_model_the_way_out_is_a_new_one() -> None:
    reason = only(Run(values=lock_values(model__name="Tiny-Other")))

    assert reason.next is not None
    assert "take the evidence to a new gate that names Tiny-Other" in reason.next


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model.weights_sha256", "b" * 64),
        ("model.file_type", "Q8_0"),
        ("model.adapter_sha256", "b" * 64),
    ],
)
def test_other_bytes_under_the_same_name_are_another_model(key: str, value: str) -> None:
    reason = only(Run(values=lock_values() | {key: value}))

    assert reason.code == "model-mismatch"
    assert key in reason.message
    assert reason.found is not None
    assert value in reason.found


def test_another_configuration_is_a_lock_mismatch_that_names_the_keys() -> None:
    values = lock_values(sampling__temperature="0.8", engine__n_ctx=4096)

    reason = only(Run(values=values))

    assert (reason.code, reason.rule) == ("lock-mismatch", "AV304")
    assert reason.message == (
        "the run's configuration is not the contract's:"
        " 2 keys have another value (engine.n_ctx, sampling.temperature)"
    )
    assert reason.expected == "engine.n_ctx=2048, sampling.temperature=0.3"
    assert reason.found == "engine.n_ctx=4096, sampling.temperature=0.8"


def test_a_knob_that_the_evidence_cannot_tell_is_a_lock_mismatch() -> None:
    values = lock_values()
    del values["sampling.top_k"]

    reason = only(Run(values=values))

    assert reason.code == "lock-mismatch"
    assert reason.message.endswith("1 keys are not told (sampling.top_k)")


@pytest.mark.parametrize("level", ["asserted", "absent"])
def test_less_than_attested_is_identity_unproven(level: str) -> None:
    reason = only(Run(identity=level))  # type: ignore[arg-type]

    assert (reason.code, reason.rule, reason.found) == ("identity-unproven", "AV305", level)


def test_a_contract_may_accept_an_asserted_identity_but_never_an_absent_one() -> None:
    lenient = docket(contract=contract(identity="asserted"))

    assert reasons(Run(identity="asserted"), lenient) == ()
    assert only(Run(identity="absent"), lenient).code == "identity-unproven"


def test_a_run_without_a_sandbox_is_tainted_even_with_a_calibration_of_its_own() -> None:
    values = lock_values(sandbox__isolated=False)
    calibration = calibration_run(values=values).bundle()

    reason = only(Run(values=values), docket(calibrations=(calibration,)))

    assert (reason.code, reason.rule) == ("tainted", "AV306")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            passed_trial(FIXTURES[0]),
            (
                "1 of 2 fixtures were measured, the contract wants 2;"
                " 0 trials ended for a reason outside the model"
            ),
        ),
        (
            [
                *passed_trial(FIXTURES[0]),
                *failed_trial(FIXTURES[1], outcome="infrastructure_failure"),
            ],
            (
                "1 of 2 fixtures were measured, the contract wants 2;"
                " 1 trials ended for a reason outside the model"
            ),
        ),
        (
            [*passed_trial(FIXTURES[0]), *failed_trial(FIXTURES[1])[:-1]],
            (
                "1 of 2 fixtures were measured, the contract wants 2;"
                " 0 trials ended for a reason outside the model"
            ),
        ),
    ],
    ids=["never run", "infrastructure failure", "cut off"],
)
def test_a_bench_with_an_unmeasured_fixture_is_incomplete(rows: list[Row], message: str) -> None:
    reason = only(Run(rows=rows))

    assert (reason.code, reason.rule, reason.message) == ("incomplete", "AV307", message)


def test_an_infrastructure_failure_that_was_rerun_leaves_the_bench_complete() -> None:
    rows = [*failed_trial(FIXTURES[1], outcome="infrastructure_failure"), *bench_rows()]

    assert reasons(Run(rows=rows)) == ()


@pytest.mark.parametrize(
    ("began_after", "eligible"), [(None, False), (2, False), (3, True), (9, True)]
)
def test_a_run_counts_only_if_it_began_after_the_contract_version_was_published(
    began_after: int | None, *, eligible: bool
) -> None:
    found = reasons(Run(began_after=began_after), docket(published_seq=3))

    assert [reason.code for reason in found] == ([] if eligible else ["post-hoc"])


def test_a_head_of_another_gate_says_nothing_about_this_one() -> None:
    named = docket(contract=contract(id="laptop/T1_009"), published_seq=1)

    assert [r.code for r in reasons(Run(began_after=5), named)] == ["post-hoc"]


@pytest.mark.parametrize(
    ("age", "codes"),
    [
        (timedelta(days=180), []),
        (timedelta(days=180, seconds=1), ["stale"]),
        (timedelta(minutes=-5), []),
        (timedelta(minutes=-5, seconds=-1), ["stale"]),
    ],
)
def test_evidence_counts_for_its_days_and_never_from_the_future(
    age: timedelta, codes: list[str]
) -> None:
    calibration = replace(calibration_run(), finished_at="2026-02-20T09:00:00Z").bundle()
    ended = NOW.replace(month=2, day=20, hour=9)
    against = docket(
        calibrations=(calibration,),
        now=ended + age,
        contract=contract(evidence__calibration__max_age_days=400),
    )

    found = [r.code for r in reasons(Run(), against) if r.code != "uncalibrated"]

    assert found == codes


def test_an_edited_score_is_unsound() -> None:
    files = Run().files()
    scores = files["scores.json"].replace(b'"oracle_passed":[1,2]', b'"oracle_passed":[2,2]')

    found = judge(read_bundle({**files, "scores.json": scores}, path=PATH), docket()).reasons

    assert [(r.code, r.rule) for r in found] == [("unsound", "AV303"), ("unsound", "AV303")]
    assert found[0].message == "the file's bytes are not the ones the manifest lists"
    assert found[1].message == "the claimed scores are not what the journal gives"


def test_a_score_that_was_edited_and_sealed_again_is_still_unsound() -> None:
    class Boastful(Run):
        def _scores(self) -> bytes:
            return super()._scores().replace(b'"oracle_passed":[1,2]', b'"oracle_passed":[2,2]')

    reason = only(Boastful())

    assert (reason.code, reason.place) == ("unsound", f"{PATH}/scores.json")


def test_every_reason_is_told_not_only_the_first() -> None:
    values = lock_values(
        model__name="Tiny-Other", sampling__top_k=1, sandbox__isolated=False, harness__sha256="0"
    )
    run = Run(values=values, identity="absent", rows=passed_trial(FIXTURES[0]))
    against = docket(now=NOW + timedelta(days=900), published_seq=1)

    assert [reason.code for reason in reasons(run, against)] == [
        "model-mismatch",
        "lock-mismatch",
        "identity-unproven",
        "tainted",
        "incomplete",
        "post-hoc",
        "stale",
        "uncalibrated",
    ]


def test_imported_evidence_that_tells_less_is_unproven_not_a_mismatch() -> None:
    values = {key: value for key, value in lock_values().items() if not key.startswith("model.")}
    run = Run(
        values=values,
        identity="absent",
        imported_from=ImportedFrom(tool="inspect", reference="log 7"),
    )

    assert only(run).code == "identity-unproven"


LINT = OracleCommand(id="lint", kind="compliance", run=("cargo", "clippy"))
UNIT = OracleCommand(id="tests", kind="tests", run=("cargo", "test"))
HEAD, TAIL = (Trial(fixture=fixture, seed=1) for fixture in FIXTURES)


def complied(*rows: Row, outcome: Outcome = "oracle_passed") -> tuple[str, ...]:
    """The reasons' codes for a bench whose first trial has these oracle rows."""
    judged: list[Row] = [
        TrialStarted(trial=HEAD),
        turn(HEAD, 1, NATIVE),
        *rows,
        ended(HEAD, outcome, 1),
    ]
    run = Run(rows=[*judged, *failed_trial(FIXTURES[1])])
    found = reasons(run, docket(oracles=dict.fromkeys(FIXTURES, (UNIT, LINT))))
    return tuple(reason.code for reason in found)


class TestCompliance:
    TESTS = oracle(HEAD, 1, passed=True)

    @pytest.mark.parametrize(
        ("passed", "outcome"), [(True, "oracle_passed"), (False, "compliance_failed")]
    )
    def test_a_check_that_ran_counts_whatever_it_said(
        self, outcome: Outcome, *, passed: bool
    ) -> None:
        lint = oracle(HEAD, 1, passed=passed, purpose="compliance", command="lint")

        assert complied(self.TESTS, lint, outcome=outcome) == ()

    def test_a_check_that_was_switched_off_makes_the_bundle_ineligible(self) -> None:
        run = Run(rows=bench_rows())

        reason = only(run, docket(oracles=dict.fromkeys(FIXTURES, (UNIT, LINT))))

        assert (reason.code, reason.rule) == ("compliance-missing", "AV320")
        assert reason.message == ("in 1 trials the tests passed and a declared check was never run")
        assert reason.found == "not run: unix__01-head seed 1: lint"

    def test_a_row_of_another_kind_under_its_name_is_not_the_check(self) -> None:
        posing = oracle(HEAD, 1, passed=True, purpose="tests", command="lint")

        assert complied(self.TESTS, posing) == ("compliance-missing",)

    def test_a_check_of_an_earlier_state_is_not_one_of_the_last(self) -> None:
        rows: list[Row] = [
            TrialStarted(trial=HEAD),
            turn(HEAD, 1, NATIVE),
            oracle(HEAD, 1, passed=False),
            oracle(HEAD, 1, passed=True, purpose="compliance", command="lint"),
            turn(HEAD, 2, NATIVE),
            oracle(HEAD, 2, passed=True),
            ended(HEAD, "oracle_passed", 2),
        ]
        run = Run(rows=[*rows, *failed_trial(FIXTURES[1])])

        reason = only(run, docket(oracles=dict.fromkeys(FIXTURES, (UNIT, LINT))))

        assert reason.code == "compliance-missing"

    def test_where_the_tests_failed_nothing_rests_on_the_check(self) -> None:
        failed = oracle(HEAD, 1, passed=False)

        assert complied(failed, outcome="oracle_failed") == ()

    def test_many_missing_checks_are_counted_and_the_first_are_named(self) -> None:
        fixtures = tuple(f"unix__0{n}-x" for n in range(1, 7))
        rows = [row for fixture in fixtures for row in passed_trial(fixture)]
        against = docket(fixtures=fixtures, oracles=dict.fromkeys(fixtures, (UNIT, LINT)))

        (missing,) = (r for r in reasons(Run(rows=rows), against) if r.rule == "AV320")

        assert missing.message.startswith("in 6 trials")
        assert missing.found is not None
        assert missing.found.endswith("unix__04-x seed 1: lint and 2 more")


def calibrated(*runs: Run, **changes: object) -> list[tuple[str, str | None]]:
    bundles = tuple(run.bundle() for run in runs)
    found = reasons(Run(), docket(calibrations=bundles, **changes))
    return [(reason.code, reason.found) for reason in found]


def test_a_meter_that_was_never_calibrated_is_not_trusted() -> None:
    assert calibrated() == [
        ("uncalibrated", "this meter (harness, corpus, sandbox) was never calibrated")
    ]


def test_a_calibration_is_fresh_at_exactly_its_days_and_old_a_second_later() -> None:
    calibration = calibration_run(finished_at="2026-02-18T09:00:00Z")
    taken = NOW.replace(month=2, day=18, hour=9)

    assert calibrated(calibration, now=taken + timedelta(days=30)) == []
    assert calibrated(calibration, now=taken + timedelta(days=31)) == [
        ("uncalibrated", "the calibration is 31 days old now; at most 30 count")
    ]
    assert calibrated(calibration, now=taken + timedelta(days=30, seconds=1)) == [
        ("uncalibrated", "the calibration is more than 30 days old now; at most 30 count")
    ]


def test_a_calibration_must_have_been_fresh_when_the_run_ended() -> None:
    calibration = calibration_run(finished_at="2026-01-20T09:00:00Z")

    assert calibrated(calibration, contract=contract(evidence__calibration__max_age_days=30)) == [
        ("uncalibrated", "the calibration is 31 days old when the run ended; at most 30 count")
    ]


def test_a_calibration_from_the_future_is_refused() -> None:
    assert calibrated(calibration_run(finished_at="2026-03-01T12:05:01Z")) == [
        ("uncalibrated", "the calibration lies in the future")
    ]


GOOD, GIVE_UP, PARSER = 6, 7, 10
"""Where the calibration's rows of the first fixture's agents, and of the parser, stand."""


def without(kind: type[Row]) -> list[Row]:
    return [row for row in calibration_rows() if not isinstance(row, kind)]


def with_agent(index: int, trial: list[Row]) -> list[Row]:
    """The calibration in which another trial stands for an agent's."""
    (attempt,) = whole_trials(trial)
    return with_reading(index, turns=attempt.turns, oracle=attempt.oracle, ended=attempt.ended)


def with_reading(index: int, **changes: object) -> list[Row]:
    rows = calibration_rows()
    rows[index] = rows[index].model_copy(update=changes)
    return rows


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (
            with_reading(0, passed=False),
            "1 wrong readings; the first: unix__01-head (reference) failed",
        ),
        (
            with_reading(1, passed=True),
            "1 wrong readings; the first: unix__01-head (untouched) passed",
        ),
        (
            with_reading(5, passed=True),
            "1 wrong readings; the first: unix__02-tail (broken) passed",
        ),
        (
            with_reading(5, passed=True, expected=True),
            "the calibration expects the wrong thing of a state",
        ),
        (with_reading(PARSER, exact=8), "the parser's own corpus is not exact"),
        (calibration_rows()[:-1], "the parser's own corpus is not exact"),
        (calibration_rows()[1:], "5 of 6 readings (three states a fixture) were taken"),
        (
            [*calibration_rows(), calibration_rows()[0]],
            "6 of 6 readings (three states a fixture) were taken, 1 again",
        ),
        (
            without(AgentRow),
            "0 of 4 scripted trials (two agents a fixture) were taken",
        ),
        (
            [row for row in calibration_rows() if getattr(row, "agent", "") != "give-up"],
            "2 of 4 scripted trials (two agents a fixture) were taken",
        ),
        (
            [*calibration_rows(), agent_trial("good", FIXTURES[0])],
            "4 of 4 scripted trials (two agents a fixture) were taken, 1 again",
        ),
        (
            [
                *without(AgentRow),
                *(agent_trial(agent, f) for f in (FIXTURES[0], "unix__03-x") for agent in AGENTS),
            ],
            "the scripted agents worked on other fixtures than were read",
        ),
        (
            with_reading(GOOD, expected=False),
            "the calibration expects the wrong thing of an agent",
        ),
        (
            with_agent(GOOD, failed_trial(FIXTURES[0])),
            "1 wrong readings; the first: unix__01-head (good agent) failed",
        ),
        (
            with_agent(GOOD, passed_trial(FIXTURES[0], raws=(RECOVERED,))),
            "1 wrong readings; the first: unix__01-head (good agent) passed",
        ),
        (
            with_agent(GIVE_UP, passed_trial(FIXTURES[0])),
            "1 wrong readings; the first: unix__01-head (give-up agent) passed",
        ),
        (
            with_agent(GIVE_UP, failed_trial(FIXTURES[0], outcome="infrastructure_failure")),
            "1 wrong readings; the first: unix__01-head (give-up agent) failed",
        ),
        (
            with_agent(GIVE_UP, failed_trial(FIXTURES[0], raws=(NATIVE,), outcome="oracle_failed")),
            "1 wrong readings; the first: unix__01-head (give-up agent) failed",
        ),
        ([], "the calibration has no readings"),
    ],
)
def test_a_calibration_with_anything_wrong_does_not_count(rows: list[Row], problem: str) -> None:
    assert calibrated(calibration_run(rows=rows)) == [("uncalibrated", problem)]


def test_the_newest_calibration_decides_even_when_an_older_one_was_better() -> None:
    good = calibration_run()
    bad = calibration_run(
        run="calibration-2",
        finished_at="2026-02-19T09:00:00Z",
        rows=with_reading(0, passed=False),
    )

    assert [code for code, _ in calibrated(good, bad)] == ["uncalibrated"]
    assert [code for code, _ in calibrated(bad, good)] == ["uncalibrated"]
    assert calibrated(replace(bad, finished_at="2026-02-17T09:00:00Z"), good) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("harness.sha256", "0" * 64),
        ("corpus.sha256", "0" * 64),
        ("sandbox.name", "chroot"),
        ("sandbox.isolated", False),
        ("toolchain.python", "CPython 3.12.0"),
        ("toolchain.python", REMOVED),
    ],
)
def test_a_calibration_of_another_meter_says_nothing(key: str, value: object) -> None:
    values = {k: v for k, v in lock_values().items() if k != key}
    if value is not REMOVED:
        values[key] = value  # type: ignore[assignment]

    assert calibrated(calibration_run(values=values)) == [
        ("uncalibrated", "this meter (harness, corpus, sandbox) was never calibrated")
    ]


def test_an_unsound_calibration_does_not_count() -> None:
    files = calibration_run().files()
    bundle = read_bundle({**files, "extra.txt": b""}, path="gates/x")

    (reason,) = judge(Run().bundle(), docket(calibrations=(bundle,))).reasons

    assert reason.found == "the calibration bundle is unsound"


def test_readings_of_the_meter_name_their_rows() -> None:
    kinds = {type(row) for row in calibration_rows()}

    assert kinds == {CalibrationRow, AgentRow, ParserCalibrationRow}

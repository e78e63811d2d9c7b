from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from abverify._canonical import canonical_bytes, sha256_hex
from abverify.errors import UntrustedError
from abverify.evidence.bundle import Bundle, read_bundle
from abverify.evidence.manifest import ImportedFrom
from abverify.evidence.reparse import parse_turn, stored
from abverify.evidence.rows import (
    CalibrationRow,
    Parse,
    ParserCalibrationRow,
    Row,
    Trial,
    TrialStarted,
)
from abverify.toolcalls import MARKDOWN_EDIT
from tests.builders import (
    FIXTURES,
    NATIVE,
    PATH,
    PROSE,
    Run,
    agent_trial,
    calibration_run,
    ended,
    failed_trial,
    lock_values,
    oracle,
    passed_trial,
    turn,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from abverify.evidence.rows import AgentRow

A = FIXTURES[0]
TRIAL = Trial(fixture=A, seed=1)
STARTED = TrialStarted(trial=TRIAL)
TURN_1 = "unix__01-head seed 1 turn 1"


def messages(bundle: Bundle) -> list[str]:
    return [fault.message for fault in bundle.faults]


def test_a_sound_bundle_has_no_fault_and_stands_under_its_manifests_digest() -> None:
    files = Run().files()

    bundle = read_bundle(files, path=PATH)

    assert bundle.faults == ()
    assert bundle.sha256 == sha256_hex(files["manifest.json"])
    assert sorted(bundle.trials) == [("unix__01-head", 1), ("unix__02-tail", 1)]
    assert bundle.seeds == (1,)
    assert (bundle.readings, bundle.parsers) == ((), ())


def test_a_calibration_bundle_gives_its_readings() -> None:
    bundle = calibration_run().bundle()

    assert len(bundle.readings) == 6
    assert [(row.agent, row.fixture, row.passed) for row in bundle.agents] == [
        ("good", "unix__01-head", True),
        ("give-up", "unix__01-head", False),
        ("good", "unix__02-tail", True),
        ("give-up", "unix__02-tail", False),
    ]
    assert len(bundle.parsers) == 1


def test_the_declared_seeds_come_from_the_lock() -> None:
    values = lock_values()
    rows = [*passed_trial(A), *passed_trial(A, seed=22)]

    run = Run(values=values | {"sampling.seeds": "1,22"}, rows=rows)

    assert run.bundle().seeds == (1, 22)


@pytest.mark.parametrize("name", ["manifest.json", "lock.json", "rows.jsonl"])
def test_a_bundle_without_its_main_files_cannot_be_read(name: str) -> None:
    files = Run().files()
    del files[name]

    with pytest.raises(UntrustedError) as refusal:
        read_bundle(files, path=PATH)

    assert (refusal.value.rule, refusal.value.expected) == ("AV430", name)


@pytest.mark.parametrize("name", ["scores.json", "attempts.jsonl", "start.json"])
def test_any_other_missing_file_is_a_fault(name: str) -> None:
    files = Run().files()
    del files[name]

    bundle = read_bundle(files, path=PATH)

    assert "a file of the bundle is missing" in messages(bundle)
    assert bundle.faults[0].file == f"{PATH}/{name}"


def test_a_file_that_the_manifest_does_not_list_is_a_fault() -> None:
    bundle = read_bundle({**Run().files(), "extra.txt": b""}, path=PATH)

    assert [(fault.file, fault.message) for fault in bundle.faults] == [
        (f"{PATH}/extra.txt", "a file that the manifest does not list")
    ]


@pytest.mark.parametrize("name", ["lock.json", "rows.jsonl", "scores.json", "start.json"])
def test_a_manifest_must_list_what_a_run_writes(name: str) -> None:
    files = Run().files()
    manifest = json.loads(files["manifest.json"])
    manifest["files"] = [entry for entry in manifest["files"] if entry["name"] != name]
    files["manifest.json"] = canonical_bytes(manifest)

    assert f"the manifest does not list {name}" in messages(read_bundle(files, path=PATH))


def test_every_change_of_one_byte_is_noticed() -> None:
    """A changed byte is a fault or untrusted; in free fields of the manifest, another bundle.

    Only what nothing else tells (when the run finished) can change without a fault,
    and then the bundle's digest, which records name, is another one.
    """
    files = Run(rows=passed_trial(A)).files()
    sound = read_bundle(files, path=PATH)
    quiet = set()
    for name, data in files.items():
        for at in range(len(data)):
            changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
            try:
                bundle = read_bundle({**files, name: changed}, path=PATH)
            except UntrustedError:
                continue
            if not bundle.faults:
                assert bundle.sha256 != sound.sha256
                quiet |= {
                    field
                    for field in type(bundle.manifest).model_fields
                    if getattr(bundle.manifest, field) != getattr(sound.manifest, field)
                }

    assert quiet == {"finished_at"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("run", "run-2"),
        ("stage", "smoke"),
        ("offered_to", ["laptop/T1_002"]),
        ("identity", "asserted"),
        ("started_at", "2026-02-21T08:00:00Z"),
        ("began_after", [{"gate": "laptop/T1_001", "seq": 9, "sha256": None}]),
    ],
)
def test_a_manifest_that_tells_another_start_than_start_json_is_unsound(
    field: str, value: object
) -> None:
    files = Run().files()
    manifest = json.loads(files["manifest.json"])
    files["manifest.json"] = canonical_bytes({**manifest, field: value})

    (fault,) = read_bundle(files, path=PATH).faults

    assert fault.file == f"{PATH}/start.json"
    assert fault.message == f"the run began with another {field}"


def test_a_date_that_does_not_exist_is_untrusted() -> None:
    files = Run().files()
    manifest = json.loads(files["manifest.json"])
    files["manifest.json"] = canonical_bytes({**manifest, "finished_at": "2026-02-31T09:00:00Z"})

    with pytest.raises(UntrustedError, match="not an evidence manifest"):
        read_bundle(files, path=PATH)


def test_imported_evidence_has_no_start_and_no_attempts_of_ours() -> None:
    run = Run(imported_from=ImportedFrom(tool="inspect", reference="log 7"), identity="asserted")
    files = run.files()
    manifest = json.loads(files["manifest.json"])
    ours = ("start.json", "attempts.jsonl")
    manifest["files"] = [entry for entry in manifest["files"] if entry["name"] not in ours]
    files["manifest.json"] = canonical_bytes(manifest)
    for name in ours:
        del files[name]

    assert read_bundle(files, path=PATH).faults == ()


def test_a_torn_last_line_makes_the_bundle_unreadable() -> None:
    files = Run().files()

    with pytest.raises(UntrustedError) as refusal:
        read_bundle({**files, "rows.jsonl": files["rows.jsonl"][:-1]}, path=PATH)

    assert refusal.value.message == "the journal's last line is torn"


def test_the_lock_must_be_the_one_the_manifest_names() -> None:
    other = Run(values=lock_values(sampling__temperature="0.8"))

    bundle = read_bundle(Run().files(lock=other.files()["lock.json"]), path=PATH)

    assert messages(bundle) == [
        "the file's bytes are not the ones the manifest lists",
        "not the run's lock",
    ]


def test_attempts_are_counted() -> None:
    files = Run().files()
    line = files["attempts.jsonl"].splitlines(keepends=True)[0]

    bundle = read_bundle({**files, "attempts.jsonl": line}, path=PATH)

    assert "the attempts are miscounted" in messages(bundle)


def faults_of(*rows: Row) -> list[str]:
    """The faults of a bundle sealed over these rows: only what the rows say can be wrong."""
    return messages(Run(rows=rows).bundle())


def test_a_wrong_seed_is_a_fault() -> None:
    wrong = turn(TRIAL, 1, PROSE).model_copy(update={"seed": 7})

    assert faults_of(STARTED, wrong, ended(TRIAL, "oracle_failed", 1)) == [
        "unix__01-head seed 1 turn 1: the seed does not follow from the declared one"
    ]


def test_a_wrong_parse_is_a_fault() -> None:
    wrong = turn(TRIAL, 1, NATIVE).model_copy(
        update={"parse": Parse(verdict="none", calls=(), codes=())}
    )

    assert faults_of(STARTED, wrong, ended(TRIAL, "oracle_failed", 1)) == [
        (
            "unix__01-head seed 1 turn 1: the stored parse is not what the profile makes of the raw"
            " text"
        )
    ]


@pytest.mark.parametrize(
    "rows",
    [
        [ended(TRIAL, "oracle_passed", 1)],
        [oracle(TRIAL, 1, passed=False), ended(TRIAL, "oracle_passed", 1)],
        [oracle(TRIAL, 1, passed=True), ended(TRIAL, "oracle_failed", 1)],
        [
            oracle(TRIAL, 1, passed=True),
            oracle(TRIAL, 1, passed=False, purpose="compliance", command="lint"),
            ended(TRIAL, "oracle_passed", 1),
        ],
    ],
    ids=["never judged", "judged failing", "judged passing", "compliance failing"],
)
def test_an_outcome_that_the_oracle_did_not_say_is_a_fault(rows: list[Row]) -> None:
    assert faults_of(STARTED, turn(TRIAL, 1, NATIVE), *rows) == [
        "unix__01-head seed 1: the outcome is not what the oracle said"
    ]


@pytest.mark.parametrize(
    ("rows", "faults"),
    [
        ([], ["compliance cannot be what failed"]),
        ([oracle(TRIAL, 1, passed=False)], ["compliance cannot be what failed"]),
        (
            [oracle(TRIAL, 1, passed=True)],
            ["the outcome is not what the oracle said", "compliance cannot be what failed"],
        ),
        (
            [
                oracle(TRIAL, 1, passed=True),
                oracle(TRIAL, 1, passed=False, purpose="compliance", command="lint"),
            ],
            [],
        ),
    ],
    ids=["never judged", "tests failing", "all passing", "compliance failing"],
)
def test_compliance_fails_only_where_the_tests_passed(rows: list[Row], faults: list[str]) -> None:
    found = faults_of(STARTED, turn(TRIAL, 1, NATIVE), *rows, ended(TRIAL, "compliance_failed", 1))

    assert found == [f"unix__01-head seed 1: {fault}" for fault in faults]


def test_miscounted_turns_are_a_fault() -> None:
    assert faults_of(STARTED, turn(TRIAL, 1, PROSE), ended(TRIAL, "oracle_failed", 2)) == [
        "unix__01-head seed 1: turns are miscounted"
    ]


def test_a_second_measurement_is_a_fault() -> None:
    files = Run(rows=failed_trial(A)).files()

    bundle = read_bundle({**files, "rows.jsonl": files["rows.jsonl"] * 2}, path=PATH)

    assert messages(bundle)[-1] == "the journal contradicts itself"
    assert bundle.faults[-1].found == "unix__01-head seed 1 was measured twice"


def test_an_unknown_parser_profile_is_a_fault_not_a_crash() -> None:
    bundle = Run(values=lock_values(parser__version=99)).bundle()

    assert messages(bundle) == ["the journal contradicts itself"]


def test_a_markdown_edit_is_derived_again_from_the_files_of_its_turn() -> None:
    values = lock_values(parser__profile="markdown-edit")
    raw = "```python\nx = 1\n```"
    parse = stored(parse_turn(raw, "stop", MARKDOWN_EDIT, ["calc.py"]))
    row = turn(TRIAL, 1, raw).model_copy(update={"parse": parse, "files": ("calc.py",)})
    elsewhere = row.model_copy(update={"files": ("a.py", "b.py")})

    sound = Run(values=values, rows=[STARTED, row, ended(TRIAL, "oracle_failed", 1)]).bundle()
    edited = Run(
        values=values, rows=[STARTED, elsewhere, ended(TRIAL, "oracle_failed", 1)]
    ).bundle()

    assert [call.tool for call in parse.calls] == ["file_write"]
    assert sound.faults == ()
    assert [fault.file for fault in edited.faults] == [f"{edited.path}/rows.jsonl"]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            lambda row: {"turns": (row.turns[0].model_copy(update={"raw": PROSE}),)},
            f"{TURN_1}: the stored parse is not what the profile makes of the raw text",
        ),
        (
            lambda row: {"turns": (row.turns[0].model_copy(update={"seed": 7}),)},
            f"{TURN_1}: the seed does not follow from the declared one",
        ),
        (
            lambda row: {"oracle": (row.oracle[0].model_copy(update={"passed": False}),)},
            "unix__01-head seed 1: the outcome is not what the oracle said",
        ),
        (lambda _: {"oracle": ()}, "unix__01-head seed 1: the outcome is not what the oracle said"),
        (lambda _: {"turns": ()}, "unix__01-head seed 1: turns are miscounted"),
        (
            lambda _: {"ended": ended(Trial(fixture="unix__02-tail", seed=1), "oracle_passed", 1)},
            "the journal contradicts itself",
        ),
    ],
    ids=["the words", "a seed", "the oracle's answer", "no oracle", "no turn", "another trial"],
)
def test_a_scripted_trial_is_held_against_its_own_transcript(
    edit: Callable[[AgentRow], dict[str, object]], message: str
) -> None:
    good = agent_trial("good", A)

    edited = Run(rows=[good.model_copy(update=edit(good))]).bundle()

    assert Run(rows=[good]).bundle().faults == ()
    assert messages(edited) == [message]


def test_rows_of_the_meter_are_no_trials() -> None:
    rows: list[Row] = [
        agent_trial("good", A),
        CalibrationRow(
            fixture=A, state="broken", passed=False, expected=False, detail="", millis=0
        ),
        ParserCalibrationRow(profile="salvage", version=1, exact=1, total=1),
    ]

    assert Run(rows=rows).bundle().trials == {}


@pytest.mark.parametrize(
    ("limits", "sound"),
    [
        ({}, True),
        ({"budgets.max_silent_turns": 4}, False),
        ({"budgets.max_silent_turns": None}, False),
        ({"budgets.max_silent_turns": None, "budgets.max_repeated_calls": 2}, False),
    ],
)
def test_a_text_loop_must_be_one_by_the_limits_of_the_lock(
    limits: dict[str, int | None], *, sound: bool
) -> None:
    turns = [turn(TRIAL, number, PROSE) for number in (1, 2, 3)]

    bundle = Run(
        values=lock_values() | limits, rows=[STARTED, *turns, ended(TRIAL, "text_loop", 3)]
    ).bundle()

    assert (bundle.faults == ()) is sound
    if not sound:
        assert bundle.faults[0].message == "unix__01-head seed 1: the turns are no text loop"
        assert bundle.faults[0].found == "3 turns without a call, 0 equal calls at the end"


def test_equal_calls_are_a_text_loop_where_the_lock_limits_them() -> None:
    values = lock_values() | {"budgets.max_repeated_calls": 2}
    turns = [turn(TRIAL, number, NATIVE) for number in (1, 2)]

    bundle = Run(values=values, rows=[STARTED, *turns, ended(TRIAL, "text_loop", 2)]).bundle()

    assert bundle.faults == ()

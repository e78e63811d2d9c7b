"""`evidence show` tells what went wrong in each trial, derived from its turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.builders import (
    FIXTURES,
    NATIVE,
    PATH,
    PROSE,
    Run,
    failed_trial,
    lock_values,
    passed_trial,
)
from tests.support.console import Ran, in_process

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from abverify.evidence.rows import Row

LOST = failed_trial(FIXTURES[1], raws=(NATIVE, PROSE, "Human: go on", PROSE))


def shown(root: Path, rows: Sequence[Row], *flags: str) -> Ran:
    folder = root / PATH
    folder.mkdir(parents=True)
    (root / "contracts").mkdir()
    for name, data in Run(rows=rows, values=lock_values()).files().items():
        (folder / name).write_bytes(data)
    ran = in_process("evidence", "show", "run-1", "--root", str(root), *flags, environment={})
    assert ran.code == 0, ran.out + ran.err
    return ran


def test_as_json_each_trial_has_its_signs_and_each_sign_its_total(tmp_path: Path) -> None:
    report = shown(tmp_path, [*passed_trial(FIXTURES[0]), *LOST], "--format", "json").json

    assert [trial["signs"] for trial in report["trials"]] == [
        [],
        ["text loop: 3 turns without a call", "format lost at turn 2", "role leak at turn 3"],
    ]
    assert report["signs"] == {
        "text_loop": [1, 2],
        "repeated_call": [0, 2],
        "format_loss": [1, 2],
        "role_leak": [1, 2],
    }


def test_as_text_the_signs_stand_with_their_trial_and_are_counted(tmp_path: Path) -> None:
    out = " ".join(shown(tmp_path, [*passed_trial(FIXTURES[0]), *LOST]).out.split())

    assert "role leak at turn 3" in out
    assert "signs text loop: 1/2 trials (3 turns in a row without a call)" in out
    assert "signs format loss: 1/2 trials (made calls, then none to the end)" in out


def test_format_loss_is_counted_among_the_trials_that_had_the_format(tmp_path: Path) -> None:
    report = shown(tmp_path, [*failed_trial(FIXTURES[0]), *LOST], "--format", "json").json

    assert report["signs"]["format_loss"] == [1, 1]


def test_a_trial_that_is_no_measurement_is_not_counted(tmp_path: Path) -> None:
    broken = failed_trial(FIXTURES[0], outcome="infrastructure_failure")

    report = shown(tmp_path, [*broken, *LOST], "--format", "json").json

    assert report["signs"]["text_loop"] == [1, 1]

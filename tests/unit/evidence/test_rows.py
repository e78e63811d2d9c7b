from __future__ import annotations

import pytest

from abverify._canonical import canonical_bytes
from abverify.errors import UntrustedError
from abverify.evidence.rows import Trial, TrialStarted, parse_rows, row_line
from abverify.evidence.workspace_diff import changes
from tests.builders import bench_rows, calibration_rows

STARTED = b'{"kind":"trial","trial":{"fixture":"unix__01-head","seed":1}}\n'


def test_a_row_is_one_canonical_line() -> None:
    assert row_line(TrialStarted(trial=Trial(fixture="unix__01-head", seed=1))) == STARTED


def test_a_journal_reads_back_as_its_rows() -> None:
    rows = (*bench_rows(), *calibration_rows())

    assert parse_rows(b"".join(map(row_line, rows)), name="rows.jsonl") == rows


def test_an_empty_journal_has_no_rows() -> None:
    assert parse_rows(b"", name="rows.jsonl") == ()


@pytest.mark.parametrize(
    ("data", "place", "message"),
    [
        (STARTED + STARTED[:-1], "rows.jsonl:2", "the journal's last line is torn"),
        (STARTED + STARTED[:20], "rows.jsonl:2", "the journal's last line is torn"),
        (STARTED + b"\n", "rows.jsonl:2", "not canonical JSON"),
        (STARTED.replace(b":", b": "), "rows.jsonl:1", "JSON bytes differ"),
        (STARTED + b'{"kind":"dance"}\n', "rows.jsonl:2", "not a journal row"),
        (STARTED.replace(b'"seed":1', b'"seed":-1'), "rows.jsonl:1", "not a journal row"),
        (STARTED.replace(b'"seed":1', b'"seed":"1"'), "rows.jsonl:1", "not a journal row"),
        (canonical_bytes(1) + b"\n", "rows.jsonl:1", "not a journal row"),
    ],
)
def test_any_other_line_is_untrusted_by_its_number(data: bytes, place: str, message: str) -> None:
    with pytest.raises(UntrustedError) as refusal:
        parse_rows(data, name="rows.jsonl")

    assert (refusal.value.rule, str(refusal.value.place)) == ("AV401", place)
    assert message in refusal.value.message


def test_a_workspace_diff_names_what_was_added_changed_and_removed() -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    start = {"kept.py": b"", "gone.py": b"", "edited.py": b""}

    found = changes(start, {"kept.py": empty, "edited.py": "1" * 64, "new.py": "2" * 64})

    assert [(change.path, change.before, change.after) for change in found] == [
        ("edited.py", empty, "1" * 64),
        ("gone.py", empty, None),
        ("new.py", None, "2" * 64),
    ]

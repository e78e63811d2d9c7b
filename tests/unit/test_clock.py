from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from abverify._clock import now, parse_timestamp, timestamp
from abverify.errors import UsageError


def test_abverify_now_fixes_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABVERIFY_NOW", "2026-01-31T12:00:00Z")

    assert now() == datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-01-31T12:00:00+00:00",
        "2026-02-30T12:00:00Z",
        "2026-01-31T12:00:00Z ",
    ],
)
def test_an_unreadable_clock_is_refused_never_ignored(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ABVERIFY_NOW", text)

    with pytest.raises(UsageError) as refusal:
        now()

    assert (refusal.value.rule, refusal.value.found) == ("AV002", text)


def test_the_real_clock_is_in_utc_and_to_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ABVERIFY_NOW", raising=False)

    moment = now()

    assert moment.utcoffset() == timedelta(0)
    assert moment.microsecond == 0
    assert abs(moment - datetime.now(UTC)) < timedelta(seconds=5)


def test_a_timestamp_is_written_in_utc_and_read_back() -> None:
    moment = datetime(2026, 1, 31, 13, 30, tzinfo=timezone(timedelta(hours=2)))

    assert timestamp(moment) == "2026-01-31T11:30:00Z"
    assert parse_timestamp("2026-01-31T11:30:00Z") == moment


@pytest.mark.parametrize(
    "text", ["2026-1-31T11:30:00Z", "2026-01-31T11:30:0Z", "x", "0001-01-01T00:00:00z"]
)
def test_a_timestamp_has_exactly_one_spelling(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        parse_timestamp(text)

"""Standard streams that are closed or full: no bug of abverify, and never a wrong answer."""

from __future__ import annotations

import pytest

from tests.support.console import Ran, in_subprocess
from tests.support.repository import CHECKOUT

FULL = ("sh", "-c", 'exec "$@" > /dev/full', "sh")
NO_OUTPUT = ("sh", "-c", 'exec "$@" >&-', "sh")
NOTHING = ("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh")
VERBS = ["status", "schema contract", "explain AV404", "--help", "status --format json"]


def ran(words: str, wrapper: tuple[str, ...]) -> Ran:
    return in_subprocess(*words.split(), environment={}, cwd=CHECKOUT, wrapper=wrapper)


@pytest.mark.parametrize("words", VERBS)
def test_a_full_disk_is_told_and_is_no_bug(words: str) -> None:
    full = ran(words, FULL)
    assert full.code == 3
    assert full.err.startswith("error[AV404]: there is no room for what was to be written\n")
    assert "  found: No space left on device\n" in full.err
    assert full.err.count("\n") == 5


@pytest.mark.parametrize("words", VERBS)
@pytest.mark.parametrize("wrapper", [NO_OUTPUT, NOTHING], ids=["output", "all"])
def test_a_closed_stream_changes_no_answer(words: str, wrapper: tuple[str, ...]) -> None:
    closed = ran(words, wrapper)
    assert (closed.code, closed.out, closed.err) == (ran(words, ()).code, "", "")

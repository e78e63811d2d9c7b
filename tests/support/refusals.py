"""What every refusal owes its reader: one message, a place, a next step, and no traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.console import Ran


def refused(ran: Ran, code: int, rule: str) -> dict[str, str]:
    """Holds a refusal against its documented shape; only a program is told it as a result too.

    Returns:
        The message's facts by name: `message`, `at`, `expected`, `found`, `next`.
    """
    assert ran.code == code, f"exit {ran.code}, not {code}:\n{ran.out}\n{ran.err}"
    if ran.out:
        assert ran.json["schema"] == "abverify/error/v1"
        assert ran.json["reasons"][0]["rule"] == rule
    lines = ran.err.splitlines()
    assert "Traceback" not in ran.err
    assert [line for line in lines if line.startswith("error[")] == lines[:1], ran.err
    head, _, message = lines[0].partition(": ")
    assert head == f"error[{rule}]", ran.err
    facts = dict(line.strip().split(": ", 1) for line in lines[1:])
    assert {"at", "next"} <= set(facts), ran.err
    return {"message": message, **facts}

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from abverify.model.report import (
    CheckReport,
    CriterionLine,
    EvidenceLine,
    FindingsReport,
    Reason,
    ScopeLine,
)
from abverify.model.status_report import GateLine, StatusReport
from abverify.report import json as as_json
from abverify.report.plain import inert
from abverify.report.text import render_check, render_findings, render_status

NOT_MET = CheckReport(
    gate="laptop/T1_001",
    contract_version="1.0.0",
    contract_sha256="a" * 64,
    verdict="not-met",
    state="proposed",
    model="Tiny-Instruct",
    identity="attested",
    weights_sha256=None,
    reasons=(
        Reason(
            "criterion-not-met",
            "AV311",
            "error",
            "oracle_passed >= 1: observed 0 (0/2)",
            expected=">= 1",
            found="0",
        ),
    ),
    criteria=(
        CriterionLine(
            id="oracle",
            metric="oracle_passed",
            expected=">= 1",
            observed="0",
            numerator=0,
            denominator=2,
            interval=("0.0000", "0.8419"),
            holds=False,
        ),
    ),
    evidence=(
        EvidenceLine(
            path="gates/run-1",
            run="run-1",
            stage="bench",
            sha256="b" * 64,
            identity="attested",
            model="Tiny-Instruct",
            eligible=True,
            reasons=(),
        ),
        EvidenceLine(
            path="gates/run-0",
            run="run-0",
            stage="smoke",
            sha256="c" * 64,
            identity="attested",
            model="Tiny-Instruct",
            eligible=False,
            reasons=(Reason("smoke-only", "AV301", "error", "a smoke test"),),
        ),
    ),
    scopes=(ScopeLine("phase-6", "suspended", ("T280",)),),
    checked=1,
    total=1,
    decided_by="gates/run-1",
)


def test_a_verdict_shows_what_decided_it_and_what_did_not_count() -> None:
    text = render_check(NOT_MET, width=200, color=False)

    assert text.startswith("laptop/T1_001  NOT-MET\n")
    for part in (
        "weights described, not pinned",
        "phase-6: suspended by T280",
        "eligible (decides)",
        "not eligible: smoke-only (does not count)",
        "oracle: oracle_passed >= 1: observed 0 (0/2, 95% 0.0000 to 0.8419)",
        "error[AV311] criterion-not-met: oracle_passed >= 1: observed 0 (0/2)",
        "1/1 criteria",
    ):
        assert part in text


def test_without_colour_no_escape_sequence_is_written() -> None:
    assert "\x1b" not in render_check(NOT_MET, width=80, color=False)
    assert "\x1b[" in render_check(NOT_MET, width=80, color=True)


@pytest.mark.parametrize("width", [20, 40, 80])
def test_no_line_is_wider_than_the_terminal_and_no_fact_is_lost(width: int) -> None:
    text = render_check(NOT_MET, width=width, color=False)

    assert max(map(len, text.splitlines())) <= width
    assert "criterion-not-met" in "".join(text.split()).replace(" ", "")


class TestRows:
    """A table where it can be read; below that, one row under the other, and nothing torn."""

    STATUS = StatusReport(
        (GateLine("models/V1_004", "suspended", "1.2.0", "Qwen3-Coder-30B", "held by M280", 3),),
        scopes=(),
        reasons=(),
    )

    @pytest.mark.parametrize("width", [40, 60, 80, 110])
    def test_every_word_is_whole_at_any_width(self, width: int) -> None:
        text = render_status(self.STATUS, width=width, color=False)

        assert max(map(len, text.splitlines())) <= width
        for word in ("models/V1_004", "suspended", "1.2.0", "M280"):
            assert word in text

    def test_wide_enough_it_is_a_table(self) -> None:
        text = render_status(self.STATUS, width=110, color=False)

        assert text.splitlines()[0].split() == ["gate", "state", "version", "model", "why"]

    @pytest.mark.parametrize("width", range(47, 140))
    def test_no_width_breaks_a_name_or_drops_a_word(self, width: int) -> None:
        names = ("SmolLM2-135M-Instruct", "Qwen2.5-Coder-7B-Instruct-tools")
        reasons = ("introduced, and not decided", "discharged by record 2 (discharge)")
        gates = tuple(
            GateLine(f"laptop/S1_00{number}", "proposed", "1.0.0", f"{name} and more", why, 1)
            for number, (name, why) in enumerate(zip(names, reasons, strict=True))
        )
        text = render_status(replace(self.STATUS, gates=gates), width=width, color=False)

        assert max(map(len, text.splitlines())) <= width
        words = [word for said in (*names, *reasons) for word in said.split()]
        assert all(word in text for word in words)

    def test_too_narrow_it_is_a_list(self) -> None:
        assert render_status(self.STATUS, width=40, color=False) == (
            "models/V1_004\n"
            "  state      suspended\n"
            "  version    1.2.0\n"
            "  model      Qwen3-Coder-30B\n"
            "  why        held by M280\n"
        )


def test_hostile_text_reaches_the_terminal_as_text() -> None:
    hostile = Reason("x", "AV303", "error", "a\x1b]0;owned\x07b\u202ec[red]d[/red]")

    text = render_findings(FindingsReport("lint", (hostile,), 1, 1), width=200, color=True)

    assert "a\\x1b]0;owned\\x07b\\u202ec[red]d[/red]" in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext\nok é", "plain\ttext\nok é"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\r\x7f\x9b", "\\x0d\\x7f\\x9b"),
        ("\u200b\u202e\u2066\ufeff\ud800", "\\u200b\\u202e\\u2066\\ufeff\\ud800"),
    ],
)
def test_control_and_direction_characters_are_spelt_out(text: str, shown: str) -> None:
    assert inert(text) == shown


@pytest.mark.parametrize(
    ("reasons", "total", "verdict", "code"),
    [
        ((), 3, "clean", 0),
        ((), 0, "nothing-to-check", 5),
        ((Reason("x", "AV123", "warning", "w"),), 3, "clean", 0),
        ((Reason("x", "AV120", "error", "e"),), 3, "faults", 4),
    ],
)
def test_findings_decide_the_exit_code_and_nothing_checked_is_no_pass(
    reasons: tuple[Reason, ...], total: int, verdict: str, code: int
) -> None:
    report = FindingsReport("audit", reasons, total, total, failure_code=4)

    assert (report.verdict, report.exit_code) == (verdict, code)
    assert verdict.upper() in render_findings(report, width=80, color=False)


def test_a_report_as_json_has_every_key_of_its_head() -> None:
    data = json.loads(as_json.render([NOT_MET]))

    assert list(data)[:5] == ["schema", "verdict", "reasons", "checked", "total"]
    assert (data["schema"], data["verdict"], data["eligibility"]) == (
        "abverify/check/v1",
        "not-met",
        "eligible",
    )
    assert list(data["reasons"][0]) == [
        "code",
        "rule",
        "severity",
        "message",
        "place",
        "expected",
        "found",
        "next",
    ]
    assert data["criteria"][0]["interval"] == ["0.0000", "0.8419"]


@pytest.mark.parametrize(("verdict", "code"), [("met", 0), ("not-met", 1), ("cannot-evaluate", 3)])
def test_each_verdict_has_its_exit_code(verdict: str, code: int) -> None:
    assert replace(NOT_MET, verdict=verdict).exit_code == code  # type: ignore[arg-type]

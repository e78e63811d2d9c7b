"""One verdict in every format that CI systems take: golden files, and laws that hold for any text.

After a change that is meant: `ABVERIFY_GOLDEN=write pytest tests/unit/report/test_formats.py`,
and read the difference.
"""

from __future__ import annotations

import html
import json
import os
import re
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sarif_pydantic import Sarif

from abverify.model.amend_check_report import (
    AmendCheckReport,
    ContractChange,
    HistoryLine,
    HistoryReport,
)
from abverify.model.amend_report import AmendDiffReport, ReplayLine
from abverify.model.change import Change
from abverify.model.doctor_report import DoctorLine, DoctorReport
from abverify.model.log_report import LogReport, RecordLine
from abverify.model.report import FindingsReport, Reason
from abverify.model.ritual_report import Step
from abverify.report.markdown import plain
from abverify.report.place import Place, place_of
from abverify.report.told import tell
from tests.unit.report.test_text import NOT_MET

if TYPE_CHECKING:
    from abverify.model.report import Report

GOLDEN = Path(__file__).parent / "golden"
SUFFIXES = {"github": "txt", "junit": "xml", "markdown": "md", "sarif": "json"}
HOSTILE = "\x1b[31m<script>alert(1)</script> | **bold** [x](http://evil.example) @all #1\n::error::"

UNPINNED = Reason(
    "weights-unpinned",
    "AV121",
    "warning",
    "any bytes of that description would do",
    place="contracts/V1_004.yaml:11:69",
    expected="the file's SHA-256",
    found="null",
)
UNLAWFUL = AmendCheckReport(
    base="a" * 40,
    head="b" * 40,
    contracts=(
        ContractChange(
            path="contracts/V1_004.yaml",
            gate="serve/V1_004",
            old_version="1.0.0",
            new_version="1.1.0",
            changes=(
                Change(
                    path="criteria.oracle.at_least",
                    old="1",
                    new="0",
                    change_class="C4",
                    bump="major",
                    approvals=2,
                    consequence="rescore",
                    why="what passed before is a part of what passes now",
                ),
            ),
            approvals=(1, 2),
        ),
    ),
    steps=(
        Step("pinned", 1, (replace(UNPINNED, severity="error", code="pin-stale", rule="AV721"),)),
        Step("mirrored", 0, ()),
        Step("verified", 3, ()),
    ),
    reasons=(),
    lapses=("serve/V1_004",),
    replays=(ReplayLine("gates/serve/V1_004/evidence/bench-1", "not-met", "met"),),
    looked_at=2,
)
DIFF = AmendDiffReport(
    gate="serve/V1_004",
    old=("V1_004@1.0.0", "1.0.0", "a" * 64),
    new=("contracts/V1_004.yaml", "2.0.0", "b" * 64),
    changes=UNLAWFUL.contracts[0].changes,
    bump="major",
    reasons=(),
    replays=UNLAWFUL.replays,
)
HISTORY = HistoryReport(
    "main..HEAD",
    (
        HistoryLine("c" * 40, "lawful", (), ("C1",)),
        HistoryLine("d" * 40, "unlawful", ("not-published",), ("C3", "C5")),
    ),
    (),
)
RECORD = RecordLine(
    path="gates/serve/V1_004/000002.suspension.dsse.json",
    gate="serve/V1_004",
    seq=2,
    kind="suspension",
    issued_at="2026-11-01T00:00:00Z",
    actor="ana",
    version="1.0.0",
    sha256="e" * 64,
    standing="stands",
    summary="M280 holds phase-6",
    reason="no pass yet",
    milestone=None,
)
LOG = LogReport("serve/V1_004", (RECORD,), (), 1)
DOCTOR = DoctorReport(
    "serve/V1_004",
    (
        DoctorLine("git", present=True, needed=False, purpose="amend check", found="2.39.5"),
        DoctorLine(
            "bwrap", present=False, needed=True, purpose="benches", found="none", mend="apt"
        ),
    ),
)
NOTHING = FindingsReport("audit", (), 0, 0, failure_code=4)
REPORTS: dict[str, Report] = {
    "check": NOT_MET,
    "amend-check": UNLAWFUL,
    "amend-diff": DIFF,
    "amend-history": HISTORY,
    "doctor": DOCTOR,
    "log": LOG,
    "lint": FindingsReport("lint", (UNPINNED,), 3, 3),
    "nothing": NOTHING,
}


def rendered(form: str, *reports: Report) -> str:
    text: str = import_module(f"abverify.report.{form}").render([tell(r) for r in reports])
    return text


@pytest.mark.parametrize("form", SUFFIXES)
@pytest.mark.parametrize("name", REPORTS)
def test_it_looks_as_it_did(name: str, form: str) -> None:
    file = GOLDEN / f"{name}.{form}.{SUFFIXES[form]}"
    text = rendered(form, REPORTS[name])
    if os.environ.get("ABVERIFY_GOLDEN") == "write":
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def saying(text: str) -> FindingsReport:
    """A report whose only finding says this, in every field."""
    reason = Reason("code", "AV121", "error", text, text, text, text, text)
    return FindingsReport("lint", (reason,), 0, 1)


class TestAnyText:
    @given(st.text())
    def test_no_text_begins_a_workflow_command(self, text: str) -> None:
        first, last = rendered("github", saying(text)).splitlines()
        assert first.startswith("::error ")
        assert last == "::error title=abverify lint::FAULTS (0/1, exit code 1)"

    @given(st.text())
    def test_a_workflow_command_says_the_text(self, text: str) -> None:
        line = rendered("github", saying(text)).splitlines()[0]
        message = line.split("::", 2)[2].replace("%0A", "\n").replace("%25", "%")
        if text.isprintable():
            assert message.startswith(f"{text}\n")

    @given(st.text())
    def test_junit_is_xml_with_the_text_in_it(self, text: str) -> None:
        suite = ET.fromstring(rendered("junit", saying(text)))  # noqa: S314 (our own)
        assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", "1", "0")
        said = suite.findtext(".//system-err")
        if text.isprintable():
            assert said == f"error[AV121] code: {text} | " + " | ".join(
                f"{label}: {text}" for label in ("place", "expected", "found", "next")
            )

    @given(st.text())
    def test_sarif_is_json_that_others_read(self, text: str) -> None:
        log = Sarif.model_validate(json.loads(rendered("sarif", saying(text))))
        results = log.runs[0].results
        assert results is not None
        assert results[0].rule_id == "AV121"

    @given(st.text())
    def test_markdown_holds_no_markup_of_the_texts(self, text: str) -> None:
        assert not re.search(r"(?<!\\)[`*_\[\]|~$!]|[<>@#:]", re.sub(r"&#?\w+;", "", plain(text)))
        if text.isprintable():
            said = html.unescape(plain(text))
            assert re.sub(r"\\(.)", r"\1", said) == " ".join(text.split())


def test_a_hostile_text_is_inert_everywhere() -> None:
    for form in SUFFIXES:
        text = rendered(form, saying(HOSTILE))
        assert "\x1b" not in text
        assert form in {"sarif", "github"} or "<script>" not in text
    assert "http://" not in rendered("markdown", saying(HOSTILE))


def test_facts_are_told_where_a_verb_has_no_parts_of_its_own() -> None:
    report = FindingsReport("audit", (), 3, 3, facts=(("root", "version 1"), ("ledger", "a|b")))
    assert "| root | version 1 |\n| ledger | a\\|b |" in rendered("markdown", report)


class TestVerdicts:
    @pytest.mark.parametrize(
        ("report", "failures", "errors"),
        [
            (REPORTS["lint"], "0", "0"),
            (NOT_MET, "2", "0"),
            (replace(NOT_MET, verdict="cannot-evaluate", criteria=()), "0", "1"),
            (NOTHING, "0", "1"),
            (UNLAWFUL, "2", "0"),
        ],
        ids=["clean", "not met", "cannot be told", "nothing to check", "unlawful"],
    )
    def test_junit_tells_no_from_cannot_tell(
        self, report: Report, failures: str, errors: str
    ) -> None:
        suite = ET.fromstring(rendered("junit", report))  # noqa: S314 (our own)
        assert (suite.get("failures"), suite.get("errors")) == (failures, errors)
        assert suite.get("skipped") == "0"

    def test_several_reports_are_one_document(self) -> None:
        both = (NOT_MET, NOTHING)
        assert len(json.loads(rendered("sarif", *both))["runs"]) == 2
        assert len(ET.fromstring(rendered("junit", *both))) == 2  # noqa: S314 (our own)
        assert rendered("markdown", *both).count("### ") == 2


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("contracts/V1_004.yaml:11:69", Place("contracts/V1_004.yaml", 11, 69)),
        ("contracts/V1_004.yaml:11", Place("contracts/V1_004.yaml", 11)),
        ("gates/a/b/rows.jsonl", Place("gates/a/b/rows.jsonl")),
        ("serve/V1_004", Place(None)),
        ("/etc/passwd.txt", Place(None)),
        ("contracts/V1_004.yaml:0:0", Place(None)),
        (None, Place(None)),
    ],
)
def test_a_place_is_a_file_of_the_repository_or_none(text: str | None, place: Place) -> None:
    assert place_of(text) == place

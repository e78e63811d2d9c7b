"""What comes out: JSON in its documented shape, and never a byte that a terminal would obey."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.console import command, in_process, in_subprocess
from tests.support.repository import S1_004, done

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.console import Ran
    from tests.support.repository import Repository
    from tests.support.story import Story

HEAD = ["schema", "verdict", "reasons", "checked", "total"]
REASON = ["code", "rule", "severity", "message", "place", "expected", "found", "next"]
CHECK_KEYS = (
    "gate contract state model identity evidence eligibility criteria metrics scopes"
    " decidedBy calibration stop attemptsTotal record next"
)
HOSTILE = "\x1b]0;owned\x07\x1b[31mred\x1b[0m\x9b2J\u202egnp.exe\u2066\x00\x08\r"
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
COLOUR = re.compile("\x1b\\[")


class TestJson:
    @pytest.mark.parametrize(
        ("words", "code", "schema", "keys"),
        [
            (
                ("check", "S1_004"),
                1,
                "abverify/check/v1",
                CHECK_KEYS,
            ),
            (("audit",), 0, "abverify/audit/v1", "facts"),
            (("status",), 0, "abverify/status/v1", "at gates scopes"),
            (("lint",), 0, "abverify/lint/v1", "facts"),
            (("trust", "show"), 0, "abverify/trust/v1", "facts versions"),
            (
                ("run", "S1_004", "--stage", "bench"),
                0,
                "abverify/run/v1",
                "gate stage evidence outcomes metrics calibration stop notes next",
            ),
            (("evidence", "show", "m294-smoke"), 0, "abverify/evidence-show/v1", None),
            (("evidence", "verify", "m294-smoke"), 0, "abverify/evidence-verify/v1", None),
        ],
        ids=["check", "audit", "status", "lint", "trust", "run", "show", "verify"],
    )
    def test_every_result_has_the_documented_head_and_its_own_keys(
        self,
        after_story: Repository,
        words: tuple[str, ...],
        code: int,
        schema: str,
        keys: str | None,
    ) -> None:
        report = done(after_story.run(*words, "--format", "json"), code).json
        assert list(report)[:5] == HEAD
        assert report["schema"] == schema
        if keys is not None:
            assert list(report)[5:] == keys.split()
        for reason in report["reasons"]:
            assert list(reason) == REASON
            assert reason["severity"] in {"error", "warning", "note"}
            assert re.fullmatch(r"AV\d{3}", reason["rule"])

    @pytest.mark.parametrize(
        "words",
        [
            ("check", "S1_004"),
            ("check", "V1_004"),
            ("check", "S1_004", "V1_004"),
            ("check", "none"),
            ("audit",),
            ("status",),
            ("lint",),
            ("lint", "S1_004"),
        ],
        ids=" ".join,
    )
    def test_the_format_never_changes_the_exit_code(
        self, story: Story, words: tuple[str, ...]
    ) -> None:
        repository = story.repository
        text, machine = repository.run(*words), repository.run(*words, "--format", "json")
        assert text.code == machine.code
        assert text.err == machine.err

    def test_several_gates_are_one_document(self, story: Story) -> None:
        ran = story.repository.run("check", "S1_004", "V1_004", "--format", "json")
        reports = json.loads(ran.out)
        assert [report["gate"] for report in reports] == [
            "laptop-replica/S1_004",
            "qwen3-moe-serve-dispatch/V1_004",
        ]

    def test_several_gates_go_into_one_file(self, story: Story, tmp_path: Path) -> None:
        file = tmp_path / "result.txt"
        story.repository.run("check", "S1_004", "V1_004", "--output", str(file))
        text = file.read_text(encoding="utf-8")
        assert "laptop-replica/S1_004  NOT-MET" in text
        assert "qwen3-moe-serve-dispatch/V1_004  CANNOT-EVALUATE" in text

    def test_the_text_block_names_all_that_the_verdict_rests_on(self, story: Story) -> None:
        text = story.repository.run("check", "S1_004").out
        for part in (
            "laptop-replica/S1_004  NOT-MET",
            "SmolLM2-135M-Instruct  (weights sha256 b179c9523d0e6a0f, identity attested)",
            "laptop-phase: suspended by S280",
            "eligible (decides)",
            "oracle_passed >= 1: observed 0 (0/20, 95% 0.0000 to 0.1684)",
            "error[AV311] criterion-not-met",
            "checked    1/1 criteria",
        ):
            assert part in text


class TestColour:
    def test_a_terminal_gets_colours(self, docket: Repository) -> None:
        assert COLOUR.search(_on_a_terminal(docket))

    @pytest.mark.parametrize(
        ("options", "environment"),
        [(("--no-color",), {}), ((), {"NO_COLOR": "1"})],
        ids=["--no-color", "NO_COLOR"],
    )
    def test_unless_it_asks_for_none(
        self, docket: Repository, options: tuple[str, ...], environment: dict[str, str]
    ) -> None:
        text = _on_a_terminal(docket, *options, environment=environment)
        assert "CLEAN" in text
        assert not COLOUR.search(text)

    def test_a_pipe_gets_none(self, docket: Repository) -> None:
        ran = docket.spawn("audit")
        assert not COLOUR.search(ran.out + ran.err)

    def test_a_file_gets_none(self, docket: Repository, tmp_path: Path) -> None:
        file = tmp_path / "result.txt"
        _on_a_terminal(docket, "--output", str(file))
        assert "CLEAN" in file.read_text(encoding="utf-8")
        assert not COLOUR.search(file.read_text(encoding="utf-8"))


def _on_a_terminal(
    repository: Repository, *options: str, environment: dict[str, str] | None = None
) -> str:
    """What `abverify audit` writes to a pseudo-terminal."""
    ours, theirs = os.openpty()
    known = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    process = subprocess.Popen(
        command("audit", "--root", str(repository.root), *options),
        env={**known, **repository.environment, "TERM": "xterm-256color", **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    text = b""
    with contextlib.suppress(OSError):  # the terminal's end is an error on Linux
        while part := os.read(ours, 4096):
            text += part
    os.close(ours)
    assert process.wait() == 0
    return text.decode("utf-8")


class TestHostileText:
    @pytest.mark.parametrize("field", ["title", "origin"])
    def test_from_a_contract_never_reaches_the_terminal(
        self, repository: Repository, field: str
    ) -> None:
        old = {"title": "title: The small bench", "origin": "  reference: the same law"}[field]
        head, _, _ = old.partition(": ")
        repository.edit(S1_004, old, f"{head}: {json.dumps(HOSTILE)} # ")
        for words in (("check", "S1_004"), ("lint", "S1_004"), ("status",)):
            assert_inert(repository.run(*words))

    def test_as_a_gates_name_never_reaches_the_terminal(self, repository: Repository) -> None:
        repository.edit(S1_004, "id: laptop-replica/S1_004", f"id: {json.dumps(HOSTILE)}")
        ran = repository.run("check", "S1_004")
        assert ran.code == 2
        assert_inert(ran)

    def test_as_an_argument_never_reaches_the_terminal(self, repository: Repository) -> None:
        argument = HOSTILE.replace("\x00", "")
        for words in (
            ("check", argument),
            ("lint", argument),
            ("evidence", "show", argument),
            ("audit", "--output", f"/nowhere/{argument}"),
            ("suspend", argument, "--scope", argument, "--lift-when", "S1_004", "--reason", "r"),
            ("suspend", "X", "--scope", "x", "--lift-when", "S1_004", "--reason", argument),
        ):
            ran = repository.run(*words)
            assert ran.code != 0, words[0]
            assert_inert(ran)

    def test_as_a_word_that_makes_no_sense_never_reaches_the_terminal(self) -> None:
        argument = HOSTILE.replace("\x00", "")
        for words in (
            ("explain", argument),
            ("schema", argument),
            (argument,),
            (f"--{argument}",),
            ("audit", f"--{argument}"),
            ("audit", "--format", argument),
            ("audit", "--root", argument),
            ("audit", argument),
            ("keys", argument),
            ("keys", "new", argument),
            ("toolcalls", "parse", "--profile", argument),
            ("toolcalls", "parse", f"-{argument}"),
        ):
            ran = in_process(*words, environment={})
            assert ran.code == 2
            assert_inert(ran)

    def test_from_a_transcript_never_reaches_the_terminal(self, after_story: Repository) -> None:
        (journal,) = after_story.root.glob("gates/*/S1_004/evidence/bench-*/rows.jsonl")
        rows = [json.loads(line) for line in journal.read_text("ascii").splitlines()]
        for row in rows:
            for key in ("raw", "reason", "output"):
                if key in row:
                    row[key] = HOSTILE
        lines = (json.dumps(row, sort_keys=True, separators=(",", ":")) for row in rows)
        journal.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
        run = journal.parent.name
        for words in (
            ("evidence", "show", run),
            ("evidence", "verify", run),
            ("evidence", "rescore", run, "--profile", "strict/1"),
            ("check", "S1_004"),
            ("audit",),
        ):
            ran = after_story.run(*words)
            assert ran.out + ran.err
            assert_inert(ran)

    def test_from_a_turn_comes_out_as_ascii(self) -> None:
        call = {"name": "shell", "arguments": {"command": HOSTILE}}
        raw = f"<tool_call>\n{json.dumps(call)}\n</tool_call>"
        ran = done(in_process("toolcalls", "parse", stdin=raw.encode(), environment={}))
        assert ran.json["calls"] == [call]
        assert ran.out.isascii()
        assert_inert(ran)

    def test_from_the_ledger_never_reaches_the_terminal(self, repository: Repository) -> None:
        folder = repository.root / "gates/laptop-replica/S1_004"
        (folder / "000003.\x1b[31mred\u202e.dsse.json").write_text("{}", encoding="ascii")
        for words in (("audit",), ("check", "S1_004"), ("status",)):
            ran = repository.run(*words)
            assert ran.code == 4
            assert_inert(ran)


def assert_inert(ran: Ran) -> None:
    """Nothing that a terminal obeys stands in either stream."""
    assert OBEYED.findall(ran.out) == []
    assert OBEYED.findall(ran.err) == []


class TestCrashes:
    def test_a_bug_exits_with_70_and_leaves_a_report(
        self, docket: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        def broken(*_: object) -> None:
            raise ZeroDivisionError("a fault of\x1b[31m ours")

        monkeypatch.setattr("abverify.app.audit.audit", broken)
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        ran = docket.run("audit")
        assert (ran.code, ran.out) == (70, "")
        assert ran.err.startswith(
            "error[AV900]: abverify failed, which says nothing about the gate: ZeroDivisionError"
        )
        assert "Traceback" not in ran.err
        assert_inert(ran)
        (report,) = tmp_path.glob("abverify-crash-*.txt")
        assert f"report: {report}" in ran.err
        story = report.read_text(encoding="utf-8")
        assert "Traceback (most recent call last)" in story
        assert "in broken" in story
        assert f"'--root', '{docket.root}'" in story

    def test_the_report_keeps_no_secret_of_the_environment(
        self, docket: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr("abverify.app.audit.audit", None)
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        ran = docket.run("audit", ABVERIFY_PASSPHRASE="correct horse")  # noqa: S106
        assert ran.code == 70
        (report,) = tmp_path.glob("abverify-crash-*.txt")
        assert "correct horse" not in report.read_text(encoding="utf-8")


def test_quiet_says_nothing_on_standard_error(docket: Repository, tmp_path: Path) -> None:
    repository = docket.copy(tmp_path)
    loud = done(repository.spawn("run", "S1_004", "--stage", "calibrate"))
    assert "calibrated: 60/60 oracle readings right" in loud.err
    quiet = done(repository.spawn("run", "S1_004", "--stage", "calibrate", "--quiet"))
    assert quiet.err == ""
    assert "CALIBRATED" in quiet.out


def test_the_repository_is_found_upwards(docket: Repository) -> None:
    below = docket.root / "fixtures/corpora/small"
    done(in_subprocess("audit", environment={}, cwd=below))

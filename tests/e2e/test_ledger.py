"""What may not be signed, by whom, and where it cannot be written: nothing is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.console import in_process, in_subprocess
from tests.support.refusals import refused
from tests.support.repository import done, opened, scratch

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.repository import Repository

SUSPEND = ("suspend", "S281", "--scope", "beta", "--lift-when", "S1_004")
READ_ONLY = ("bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc")
NO_TERMINAL = ("setsid",)
FULL_DISK = ("prlimit", "--fsize=1000")
"""No file may grow beyond 1000 bytes: the way a full disk fails, for root as well."""


class TestTheLaw:
    def test_a_suspension_id_is_used_once(self, repository: Repository) -> None:
        before = repository.tree()
        ran = repository.sign("suspend", "M280", "--scope", "beta", "--lift-when", "V1_004")
        assert (ran.code, ran.out) == (1, "")
        assert "error[AV426]: there is a suspension called M280 already" in ran.err
        assert "000002.suspension.dsse.json" in ran.err
        assert repository.tree() == before

    def test_a_gate_is_introduced_once(self, repository: Repository) -> None:
        before = repository.tree()
        facts = refused(repository.sign("amend", "V1_004", "--introduce"), 1, "AV441")
        assert facts["message"] == "the gate is introduced already"
        assert facts["next"] == "abverify amend V1_004 --reason … publishes its next version"
        assert repository.tree() == before

    def test_a_version_is_published_once(self, repository: Repository) -> None:
        repository.edit("contracts/S1_004.yaml", "at_least: 1", "at_least: 2")
        before = repository.tree()
        facts = refused(repository.sign("amend", "S1_004"), 1, "AV440")
        assert facts["at"] == "contracts/S1_004.yaml:4:10"
        assert (facts["expected"], facts["found"]) == ("above 2.0.0", "2.0.0")
        assert repository.tree() == before

    def test_a_higher_version_is_published(self, repository: Repository) -> None:
        repository.edit("contracts/S1_004.yaml", "at_least: 1", "at_least: 2")
        repository.edit("contracts/S1_004.yaml", "version: 2.0.0", "version: 3.0.0")
        done(repository.sign("amend", "S1_004"))
        done(repository.run("audit"))
        status = done(repository.run("status", "--format", "json")).json
        assert {line["gate"]: line["version"] for line in status["gates"]}[
            "laptop-replica/S1_004"
        ] == "3.0.0"

    def test_a_successor_comes_after_the_gate_it_succeeds(self, tmp_path: Path) -> None:
        repository = opened(tmp_path)
        before = repository.tree()
        facts = refused(repository.sign("amend", "V1_005", "--introduce"), 1, "AV441")
        assert facts["message"] == "the gate it succeeds was never introduced"
        assert facts["found"] == "qwen3-moe-serve-dispatch/V1_004"
        assert facts["next"] == "abverify amend V1_004 --introduce --reason …"
        assert repository.tree() == before

    def test_a_gate_outside_the_ledger_lifts_nothing(self, tmp_path: Path) -> None:
        facts = refused(opened(tmp_path).sign(*SUSPEND), 1, "AV441")
        assert facts["message"] == "a gate that was never introduced cannot lift anything"

    def test_evidence_is_not_made_for_a_gate_outside_the_ledger(self, tmp_path: Path) -> None:
        repository = opened(tmp_path)
        before = repository.tree()
        ran = done(repository.run("check", "S1_004", "--run", "--format", "json"), 3)
        assert "contract-unpublished" in ran.codes
        assert ran.json["next"] == ["abverify amend S1_004 --introduce --reason …"]
        assert repository.tree() == before

    @pytest.mark.parametrize(
        ("reason", "found"),
        [
            ("two\nlines", "reason: expected visible characters only, found U+000A"),
            ("", "reason: String should have at least 1 character"),
            ("\x1b[31mred", "reason: expected visible characters only, found U+001B"),
            ("\u202ereversed", "reason: expected visible characters only, found U+202E"),
        ],
        ids=["two lines", "empty", "escape", "bidi"],
    )
    def test_a_reason_is_one_line_of_plain_text(
        self, repository: Repository, reason: str, found: str
    ) -> None:
        before = repository.tree()
        facts = refused(repository.run(*SUSPEND, "--reason", reason), 2, "AV443")
        assert facts["found"] == found
        assert repository.tree() == before

    @pytest.mark.parametrize(
        ("arguments", "found"),
        [
            (("S281", "--lift-when", "S1_004"), "a suspension names a scope"),
            (("S281", "--scope", "a b", "--lift-when", "S1_004"), "scope: "),
            (("no such\n", "--scope", "a", "--lift-when", "S1_004"), "suspension_id: "),
        ],
        ids=["nothing held", "scope with a blank", "id with a newline"],
    )
    def test_a_suspension_holds_something_under_a_plain_name(
        self, repository: Repository, arguments: tuple[str, ...], found: str
    ) -> None:
        before = repository.tree()
        facts = refused(repository.sign("suspend", *arguments), 2, "AV443")
        assert facts["found"].startswith(found)
        assert "pydantic" not in facts["found"]
        assert repository.tree() == before

    def test_it_tells_any_of_its_conditions_from_all(self, repository: Repository) -> None:
        words = ("--scope", "beta", "--lift-when", "V1_004", "--lift-when", "S1_004")
        anyone = done(repository.sign("suspend", "A1", *words, "--format", "json")).json
        everyone = done(repository.sign("suspend", "A2", *words, "--all", "--format", "json")).json
        assert anyone["facts"]["lifts when"] == (
            "qwen3-moe-serve-dispatch/V1_004 or laptop-replica/S1_004 is discharged"
        )
        assert everyone["facts"]["lifts when"] == (
            "qwen3-moe-serve-dispatch/V1_004 and laptop-replica/S1_004 are discharged"
        )


class TestSigners:
    def test_the_key_of_nobody_signs_nothing(self, repository: Repository) -> None:
        done(repository.run("keys", "new", "mallory", "--unencrypted"))
        before = repository.tree()
        facts = refused(repository.sign(*SUSPEND, "--key", "mallory"), 4, "AV437")
        assert facts["message"] == "the trust root does not know this key"
        assert facts["next"] == "abverify trust show"
        assert repository.tree() == before

    def test_another_repositorys_key_is_nobodys_here(
        self, repository: Repository, tmp_path: Path
    ) -> None:
        other = opened(tmp_path / "other")
        before = repository.tree()
        ran = repository.sign(*SUSPEND, ABVERIFY_KEYS=str(other.keys))
        assert refused(ran, 4, "AV437")["message"] == "the trust root does not know this key"
        assert repository.tree() == before

    def test_a_missing_key_names_the_ones_there_are(self, repository: Repository) -> None:
        facts = refused(repository.sign(*SUSPEND, "--key", "nobody"), 2, "AV431")
        assert facts["expected"] == "one of: operator"
        assert facts["next"] == "abverify keys new nobody"

    def test_a_key_that_others_can_read_is_refused(self, repository: Repository) -> None:
        (repository.keys / "operator.pem").chmod(0o644)
        facts = refused(repository.sign(*SUSPEND), 1, "AV432")
        assert (facts["expected"], facts["found"]) == ("mode 0600", "mode 0644")

    def test_a_key_folder_inside_the_repository_is_refused(self, repository: Repository) -> None:
        inside = str(repository.root / "keys")
        before = repository.tree()
        ran = repository.run("keys", "new", "mine", "--unencrypted", ABVERIFY_KEYS=inside)
        assert refused(ran, 1, "AV434")["at"] == inside
        assert repository.tree() == before

    def test_without_a_trust_root_nothing_is_signed(self, tmp_path: Path) -> None:
        repository = scratch(tmp_path)
        done(repository.run("keys", "new", "operator", "--unencrypted"))
        before = repository.tree()
        facts = refused(repository.sign("amend", "S1_004", "--introduce"), 4, "AV437")
        assert facts["message"] == "there is no trust root"
        assert facts["next"] == "abverify trust init"
        assert repository.tree() == before

    def test_a_trust_root_is_started_once(self, repository: Repository) -> None:
        before = repository.tree()
        ran = repository.run("trust", "init", "--origin", "mine", "--principal", "me")
        assert refused(ran, 1, "AV436")["next"] == "abverify trust show"
        assert repository.tree() == before

    def test_a_passphrase_opens_its_key_and_no_other_does(self, tmp_path: Path) -> None:
        repository = scratch(tmp_path)
        secret = {**repository.environment, "ABVERIFY_PASSPHRASE": "correct horse"}
        done(in_process("keys", "new", "operator", environment=secret))
        init = ("trust", "init", "--origin", "example/tests", "--principal", "me")
        wrong = repository.run(*init, **{**secret, "ABVERIFY_PASSPHRASE": "battery staple"})
        facts = refused(wrong, 1, "AV433")
        assert facts["message"] == "the private key does not open"
        assert facts["at"] == str(repository.keys / "operator.pem")
        assert not (repository.root / "gates").exists()
        done(repository.run(*init, **secret))
        assert "correct horse" not in (repository.keys / "operator.pem").read_text("ascii")

    def test_without_a_terminal_the_passphrase_is_not_asked_for(self, tmp_path: Path) -> None:
        repository = scratch(tmp_path)
        words = ("keys", "new", "operator")
        ran = in_subprocess(*words, environment=repository.environment, wrapper=NO_TERMINAL)
        assert (ran.code, ran.out) == (1, "")
        assert ran.err.splitlines()[0] == "error[AV433]: the key 'operator' needs a passphrase"
        assert "set ABVERIFY_PASSPHRASE" in ran.err
        assert list(repository.keys.iterdir()) == []


class TestWriting:
    @pytest.mark.parametrize("wrapper", [READ_ONLY, FULL_DISK], ids=["read-only", "full disk"])
    def test_a_ledger_that_cannot_be_written_stays_as_it_was(
        self, repository: Repository, wrapper: tuple[str, ...]
    ) -> None:
        before = repository.tree()
        ran = repository.spawn(*SUSPEND, "--reason", "for the test", wrapper=wrapper)
        facts = refused(ran, 3, "AV404")
        assert facts["message"] == "cannot write the file; nothing was changed"
        assert facts["at"].endswith("S1_004/000003.suspension.dsse.json")
        assert repository.tree() == before

    def test_a_publication_whose_record_cannot_be_written_is_undone(self, tmp_path: Path) -> None:
        repository = opened(tmp_path)
        (repository.root / "gates/laptop-replica").write_text("in the way", encoding="ascii")
        before = repository.tree()
        facts = refused(repository.sign("amend", "S1_004", "--introduce"), 3, "AV404")
        assert facts["found"] == "Not a directory"
        assert repository.tree() == before

    @pytest.mark.parametrize("stage", ["calibrate", "bench"])
    def test_a_run_whose_folder_cannot_be_made_is_refused(
        self, repository: Repository, stage: str
    ) -> None:
        folder = repository.root / "gates/laptop-replica/S1_004/evidence"
        folder.write_text("in the way", encoding="ascii")
        before = repository.tree()
        facts = refused(repository.run("run", "S1_004", "--stage", stage), 3, "AV404")
        assert facts["at"].startswith(str(folder))
        assert facts["found"] == "Not a directory"
        assert repository.tree() == before

    def test_a_run_on_a_disk_that_fills_up_is_no_evidence(self, repository: Repository) -> None:
        ran = repository.spawn(
            "run", "S1_004", "--stage", "calibrate", wrapper=("prlimit", "--fsize=1500")
        )
        facts = refused(ran, 3, "AV404")
        assert facts["found"] == "File too large"
        assert "run the same command again" in facts["next"]
        report = done(repository.run("check", "S1_004", "--format", "json"), 3).json
        (unfinished,) = [r for r in report["reasons"] if r["code"] == "unfinished-run"]
        assert unfinished["next"] == (
            "remove the folder; abverify run S1_004 --stage calibrate starts afresh"
        )
        assert report["eligibility"] == "no-evidence"

    @pytest.mark.parametrize("name", ["missing/result.json", "."])
    def test_an_unwritable_result_file_is_refused_before_anything_is_signed(
        self, repository: Repository, name: str
    ) -> None:
        before = repository.tree()
        output = str(repository.root / name)
        facts = refused(repository.sign(*SUSPEND, "--output", output), 3, "AV404")
        assert facts["message"] == "the result cannot be written there; nothing was done"
        assert facts["at"] == output
        assert repository.tree() == before

    def test_a_result_file_holds_what_standard_output_would(
        self, repository: Repository, tmp_path: Path
    ) -> None:
        shown = done(repository.run("status", "--format", "json"))
        output = tmp_path / "status.json"
        ran = done(repository.run("status", "--format", "json", "--output", str(output)))
        assert ran.out == ""
        assert output.read_text(encoding="utf-8") == shown.out

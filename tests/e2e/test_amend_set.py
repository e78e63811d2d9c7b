"""`amend --set`: one value changed, and all that moves with it in one step, or nothing at all."""

from __future__ import annotations

import difflib
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from abverify._canonical import sha256_hex
from abverify.workspace.undo import JOURNAL
from tests.support.refusals import refused
from tests.support.repository import S1_004, Repository, done
from tests.unit.workspace.test_git import commit, run_git

if TYPE_CHECKING:
    from pathlib import Path

STATUS = "docs/status.md"
FROZEN = "contracts/_versions/laptop-replica/S1_004/2.1.0.yaml"
HALF_WRITTEN = re.compile(r"(contracts|gates)/(.*/)?\.abverify-")
"""What a killed process was writing and had not put in place: it is nothing yet."""
"""What a process killed before it had begun leaves: bytes under a name that nothing reads."""
RECORD = "gates/laptop-replica/S1_004/000003.amendment.dsse.json"
TWO = ("amend", "S1_004", "--set", "criteria.oracle.at_least=2")
POLICY = """\
schema: abverify/policy/v1
regions: [{file: docs/status.md, name: gates}]
mirrors:
  - {kind: folder, location: mirror, contract: contracts/S1_004.yaml, file: copies/S1_004.yaml}
  - {kind: folder, location: ../outside, contract: contracts/S1_004.yaml, file: S1_004.yaml}
pins:
  - {file: S1_004.pin, format: key-value, contract: contracts/S1_004.yaml, sha256: contract_sha256}
"""


@pytest.fixture
def ours(repository: Repository) -> Repository:
    """Introduced gates, a status page, two mirrors that are folders, and a pin file."""
    root = repository.root
    data = (root / S1_004).read_bytes()
    for folder in ("docs", "mirror/copies", "../outside"):
        (root / folder).mkdir(parents=True)
    (root / STATUS).write_text("# Status\n<!-- abverify:gates -->\n<!-- /abverify:gates -->\n")
    (root / "contracts/policy.yaml").write_text(POLICY)
    (root / "mirror/copies/S1_004.yaml").write_bytes(data)
    (root / "../outside/S1_004.yaml").write_bytes(data)
    (root / "S1_004.pin").write_text(f"# by hand\ncontract_sha256: {sha256_hex(data)}  # bytes\n")
    done(repository.run("render"))
    return repository


def changed_lines(old: str, new: str) -> list[str]:
    """The lines that differ, each with `-` or `+`."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0)
    return [line for line in lines if line[:1] in "-+" and line[:3] not in ("---", "+++")]


def everything(repository: Repository) -> dict[str, str]:
    """Every file of the repository and of the mirror beside it, and every folder."""
    outside = (repository.root / "../outside/S1_004.yaml").read_bytes()
    folders = (path for path in (repository.root / "contracts").rglob("*") if path.is_dir())
    files = repository.tree().items()
    return {
        **{path: digest for path, digest in files if not HALF_WRITTEN.search(path)},
        "../outside": sha256_hex(outside),
        **{path.relative_to(repository.root).as_posix(): "folder" for path in folders},
    }


class TestOneStep:
    def test_the_contract_differs_by_the_value_and_the_version_alone(
        self, ours: Repository
    ) -> None:
        before = (ours.root / S1_004).read_text()
        report = done(ours.sign(*TWO, "--format", "json")).json
        assert report["version"] == "2.1.0"
        assert changed_lines(before, (ours.root / S1_004).read_text()) == [
            "-version: 2.0.0",
            "+version: 2.1.0",
            "-  - {id: oracle, metric: oracle_passed, at_least: 1}",
            "+  - {id: oracle, metric: oracle_passed, at_least: 2}",
        ]

    def test_all_that_moves_with_it_has_moved(self, ours: Repository) -> None:
        done(ours.sign(*TWO))
        data, root = (ours.root / S1_004).read_bytes(), ours.root
        assert (root / FROZEN).read_bytes() == data
        assert (root / "mirror/copies/S1_004.yaml").read_bytes() == data
        assert (root / "../outside/S1_004.yaml").read_bytes() == data
        assert sha256_hex(data) in (root / "contracts/pin.lock").read_text()
        pin = f"# by hand\ncontract_sha256: {sha256_hex(data)}  # bytes\n"
        assert (root / "S1_004.pin").read_text() == pin
        assert "| laptop-replica/S1_004 | proposed | 2.1.0 |" in (root / STATUS).read_text()
        assert (root / RECORD).exists()
        assert not (root / JOURNAL).exists()

    def test_and_nothing_is_left_to_find(self, ours: Repository) -> None:
        done(ours.sign(*TWO))
        done(ours.run("audit"))
        done(ours.run("lint"))
        done(ours.run("render", "--check"))

    def test_a_pull_request_of_it_is_lawful(self, ours: Repository) -> None:
        run_git(ours.root, "init", "-q")
        base = commit(ours.root, {})
        done(ours.sign(*TWO))
        commit(ours.root, {})
        ran = done(ours.run("amend", "check", f"{base}..HEAD", "--format", "json"))
        assert {step["name"]: step["status"] for step in ran.json["steps"]} == {
            "pinned": "kept",
            "mirrored": "kept",
            "mirror-commit": "not-applicable",
            "rolled-up": "kept",
            "verified": "kept",
        }

    @pytest.mark.parametrize(
        ("setting", "version"),
        [
            ("title=Another title", "2.0.1"),
            ("evidence.valid_days=90", "2.1.0"),
            ("evidence.valid_days=365", "3.0.0"),
            ('config.sampling.temperature="0.7"', "3.0.0"),
            ("evidence.valid_days=181", "3.0.0"),
        ],
    )
    def test_the_version_steps_as_far_as_the_change_asks(
        self, repository: Repository, setting: str, version: str
    ) -> None:
        words = ("amend", "S1_004", "--set", setting, "--dry-run", "--format", "json")
        assert done(repository.sign(*words)).json["version"] == version


class TestApprovals:
    """V1_004 asks for two people."""

    def test_more_than_one_makes_a_proposal_and_publishes_nothing(self, ours: Repository) -> None:
        before = ours.tree()
        words = ("amend", "V1_004", "--set", "evidence.valid_days=90", "--format", "json")
        report = done(ours.sign(*words)).json
        proposal = "gates/_proposals/qwen3-moe-serve-dispatch/V1_004/000003.amendment.dsse.json"
        assert report["next"] == [f"abverify sign {proposal} --key KEY, by the others"]
        after = ours.tree()
        assert {path for path in after if before.get(path) != after[path]} == {
            "contracts/V1_004.yaml",
            proposal,
        }

    def test_the_last_signature_moves_the_rest(self, ours: Repository) -> None:
        done(ours.run("keys", "new", "ana", "--unencrypted"))
        words = ("--add-key", "ana=ana", "--grant", "amender=ana", "--key", "operator")
        done(ours.run("trust", "rotate", *words))
        done(ours.sign("amend", "V1_004", "--set", "evidence.valid_days=90"))
        (proposal,) = ours.glob("gates/_proposals/**/*.json")
        done(ours.run("sign", proposal, "--key", "ana"))
        done(ours.run("integrate"))
        assert "V1_004 | proposed | 1.1.0 |" not in (ours.root / STATUS).read_text()
        done(ours.run("render"))
        assert "V1_004 | proposed | 1.1.0 |" in (ours.root / STATUS).read_text()
        assert ours.glob("contracts/_versions/*/V1_004/1.1.0.yaml")
        done(ours.run("audit"))


class TestNewGate:
    FORK = ("amend", "V1_004", "--new-gate", "V1_006", "--set", "model.name=Another-Model")

    def test_it_is_the_old_contract_with_another_name_and_the_values_given(
        self, ours: Repository
    ) -> None:
        done(ours.sign(*self.FORK))
        old = (ours.root / "contracts/V1_004.yaml").read_text()
        new = (ours.root / "contracts/V1_006.yaml").read_text()
        assert [line for line in changed_lines(old, new) if line.startswith("+")] == [
            "+id: qwen3-moe-serve-dispatch/V1_006",
            "+  gate: V1_004",
            '+  reference: "V1_004 1.0.0: for the test"',
            "+supersedes: qwen3-moe-serve-dispatch/V1_004",
            "+  name: Another-Model",
        ]
        assert (
            "| qwen3-moe-serve-dispatch/V1_006 | proposed | 1.0.0 | Another-Model |"
            in (ours.root / STATUS).read_text()
        )
        record = ours.run("show", "V1_006#1", "--format", "json").json
        assert record["statement"]["predicate"]["supersedes"]["gate"].endswith("V1_004")
        done(ours.run("audit"))

    def test_a_gate_that_is_there_is_refused(self, ours: Repository) -> None:
        before = everything(ours)
        facts = refused(ours.sign("amend", "V1_004", "--new-gate", "V1_005"), 1, "AV747")
        assert facts["at"] == "contracts/V1_005.yaml"
        assert everything(ours) == before

    def test_a_name_that_leads_elsewhere_is_no_gate(self, ours: Repository) -> None:
        before = everything(ours)
        assert ours.sign("amend", "V1_004", "--new-gate", "../../x").code == 2
        assert everything(ours) == before


class TestNothing:
    """What is refused or fails leaves every file and folder as it was."""

    @pytest.mark.parametrize(
        ("setting", "code", "rule"),
        [
            ("criteria.oracle.at_least", 2, "AV744"),
            ("criteria.oracle.at_least=", 2, "AV744"),
            ("criteria.oracle.at_least={a: &b 1}", 2, "AV744"),
            ("criteria.orakel.at_least=2", 2, "AV745"),
            ("evidence.valid_day=90", 2, "AV745"),
            ("evidence.valid_days=soon", 2, "AV102"),
            ("config.sampling.temperature=0.2", 2, "AV744"),
            ("criteria.oracle.at_least=1", 1, "AV746"),
            ("model.name=Another-Model", 1, "AV712"),
            ("lifts=[S281]", 1, "AV710"),
            ("version=2.0.0", 1, "AV746"),
            ("version=9.0.0", 1, "AV714"),
        ],
    )
    def test_a_setting_that_cannot_be_is_refused(
        self, ours: Repository, setting: str, code: int, rule: str
    ) -> None:
        before = everything(ours)
        ran = ours.sign("amend", "S1_004", "--set", setting)
        assert (ran.code, ran.err.split("]")[0]) == (code, f"error[{rule}"), ran.err
        assert everything(ours) == before

    def test_a_near_miss_is_told(self, ours: Repository) -> None:
        ran = ours.sign("amend", "S1_004", "--set", "evidence.valid_day=90")
        facts = refused(ran, 2, "AV745")
        assert facts["expected"].startswith("did you mean evidence.valid_days")

    def test_a_key_that_does_not_sign(self, ours: Repository) -> None:
        done(ours.run("keys", "new", "stranger", "--unencrypted"))
        before = everything(ours)
        refused(ours.sign(*TWO, "--key", "stranger"), 4, "AV437")
        assert ours.sign(*TWO, "--key", "nobody").code != 0
        assert everything(ours) == before

    def test_a_record_that_cannot_be_written(self, ours: Repository) -> None:
        folder = ours.root / "gates/qwen3-moe-serve-dispatch/V1_006"
        folder.write_text("in the way", encoding="ascii")
        before = everything(ours)
        refused(ours.sign(*TestNewGate.FORK), 3, "AV404")
        assert everything(ours) == before

    def test_a_dry_run(self, ours: Repository) -> None:
        before = everything(ours)
        report = done(ours.sign(*TWO, "--dry-run", "--format", "json")).json
        assert report["files"] == [
            S1_004,
            "contracts/pin.lock",
            FROZEN,
            "S1_004.pin",
            "mirror/copies/S1_004.yaml",
            "../outside/S1_004.yaml",
            STATUS,
        ]
        assert everything(ours) == before


KILLER = """
import os, shutil, signal, sys
from itertools import count
from abverify.cli.group import run

source, copies, *words = sys.argv[1:]
for moment in count():
    target = f"{copies}/{moment}"
    shutil.copytree(source, target)
    if (child := os.fork()) == 0:
        left = moment
        def hook(event, _):
            global left
            if event in ("os.rename", "os.link", "os.remove"):
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left -= 1
        sys.addaudithook(hook)
        os._exit(run([*words, "--root", f"{target}/repository"]))
    status = os.waitpid(child, 0)[1]
    if status != signal.SIGKILL:
        sys.exit(status)
"""
"""Runs a command in a fresh copy for every change of a file that it makes, and kills it there."""


@pytest.mark.slow
def test_killed_at_any_moment_all_of_it_is_there_or_nothing(
    ours: Repository, tmp_path: Path
) -> None:
    copies = tmp_path / "copies"
    ours.root.parent.joinpath("repository").rename(tmp_path / "made")
    (tmp_path / "source").mkdir()
    (tmp_path / "made").rename(tmp_path / "source/repository")
    (tmp_path / "outside").rename(tmp_path / "source/outside")
    before = everything(Repository(tmp_path / "source/repository", ours.keys))
    words = (*TWO, "--reason", "for the test")
    ran = subprocess.run(
        [sys.executable, "-c", KILLER, str(tmp_path / "source"), str(copies), *words],
        env={**os.environ, **ours.environment},
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    found = {"taken back": 0, "finished": 0}
    killed = sorted(copies.iterdir(), key=lambda path: int(path.name))[:-1]
    for folder in killed:
        copy = Repository(folder / "repository", ours.keys)
        begun = (copy.root / JOURNAL).exists()
        if begun:
            refused(copy.run("check", "S1_004"), 3, "AV742")
        done(copy.run("amend", "recover"), 0 if begun else 5)
        happened = (copy.root / RECORD).exists()
        found["finished" if happened else "taken back"] += 1
        if happened:
            assert all((copy.root / path).exists() for path in (FROZEN, STATUS))
            done(copy.run("render", "--check"))
        else:
            assert everything(copy) == before
    done(copy.run("audit"))
    assert found["taken back"] >= 10
    assert found["finished"] > 2


class TestCutOff:
    """A process that died in the middle, and what may come between it and its settling."""

    @pytest.fixture
    def cut_off(self, ours: Repository) -> Repository:
        """The contract is edited, and nothing else has happened."""
        hook = (
            "import os, signal, sys; from abverify.cli.group import run\n"
            "def hook(event, given):\n"
            "    if event == 'os.rename' and str(given[1]).endswith('2.1.0.yaml'):\n"
            "        os.kill(os.getpid(), signal.SIGKILL)\n"
            "sys.addaudithook(hook); run(sys.argv[1:])"
        )
        words = (*TWO, "--reason", "for the test", "--root", str(ours.root))
        ran = subprocess.run(
            [sys.executable, "-c", hook, *words],
            env={**os.environ, **ours.environment},
            check=False,
        )
        assert ran.returncode == -signal.SIGKILL
        return ours

    def test_the_same_command_again_does_it(self, cut_off: Repository) -> None:
        done(cut_off.sign(*TWO))
        assert (cut_off.root / RECORD).exists()
        done(cut_off.run("audit"))

    def test_an_edit_made_since_is_never_written_over(self, cut_off: Repository) -> None:
        text = (cut_off.root / S1_004).read_text()
        (cut_off.root / S1_004).write_text(text + "# mine\n")
        before = cut_off.tree()
        facts = refused(cut_off.run("amend", "recover"), 1, "AV743")
        assert facts["at"] == S1_004
        assert cut_off.tree() == before

    def test_what_is_left_may_not_lead_elsewhere(self, cut_off: Repository) -> None:
        journal = cut_off.root / JOURNAL
        journal.write_text(journal.read_text().replace(FROZEN, "../../victim"))
        refused(cut_off.run("amend", "recover"), 4, "AV742")
        assert journal.exists()

    @pytest.mark.parametrize("text", ["[]", "[" * 100_000, "{}"], ids=["list", "tower", "object"])
    def test_nor_be_anything_else(self, cut_off: Repository, text: str) -> None:
        (cut_off.root / JOURNAL).write_text(text)
        refused(cut_off.run("amend", "recover"), 4, "AV742")
        refused(cut_off.run("status"), 4, "AV742")

"""A pull request on a repository of our own layout, judged by the law of its base."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from abverify.workspace.pins import input_digest, load_pins
from tests.support.console import in_process
from tests.support.laboratory import ADAPTER, BASE, Written, measured
from tests.support.repository import done
from tests.unit.workspace.test_git import run_git

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.repository import Repository

CONTRACT = "contracts/T1_002.yaml"
POLICY = "schema: abverify/policy/v1\nprotected: main\n"


@pytest.fixture
def lab(tmp_path: Path) -> Repository:
    """Two gates over twenty fixtures; T1_002 is met by its bench and discharged; in git."""
    repository = measured(tmp_path, Written(BASE), Written(ADAPTER, passes=12, calls=20))
    put(repository, "contracts/policy.yaml", POLICY)
    done(repository.sign("discharge", "T1_002"))
    run_git(repository.root, "init", "-q")
    commit(repository)
    return repository


def put(repository: Repository, path: str, text: str) -> None:
    file = repository.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def commit(repository: Repository) -> None:
    run_git(repository.root, "add", "-A")
    run_git(repository.root, "commit", "-q", "--allow-empty", "-m", "change")


def edit(repository: Repository, version: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes the working contract of T1_002."""
    document = json.loads((repository.root / CONTRACT).read_text(encoding="utf-8"))
    change(document)
    document["version"] = version
    put(repository, CONTRACT, json.dumps(document, indent=1) + "\n")


def publish(repository: Repository) -> None:
    done(repository.sign("amend", "T1_002"))


def judged(repository: Repository, code: int) -> dict[str, Any]:
    """What is said of the newest commit against the one before."""
    commit(repository)
    report: dict[str, Any] = done(
        repository.run("amend", "check", "HEAD~1..HEAD", "--format", "json"), code
    ).json
    return report


def codes(report: dict[str, Any]) -> set[str]:
    return {reason["code"] for reason in report["reasons"] if reason["severity"] == "error"}


def set_title(document: dict[str, Any]) -> None:
    document["title"] = "The same gate, in other words"


def tighten(document: dict[str, Any]) -> None:
    document["criteria"][0]["at_least"] = 13


class TestLawful:
    def test_words_alone_leave_the_discharge_standing(self, lab: Repository) -> None:
        edit(lab, "1.0.1", set_title)
        publish(lab)
        report = judged(lab, 0)
        (line,) = report["contracts"]
        assert (line["class"], line["oldVersion"], line["newVersion"]) == ("C1", "1.0.0", "1.0.1")
        assert line["changes"][0]["consequence"] == "reuse"
        assert (report["lapses"], report["replays"]) == ([], [])

    def test_a_tightening_shows_the_verdict_that_it_flips(self, lab: Repository) -> None:
        edit(lab, "1.1.0", tighten)
        publish(lab)
        report = judged(lab, 0)
        assert report["contracts"][0]["class"] == "C2"
        assert report["contracts"][0]["changes"][0]["consequence"] == "rescore"
        assert report["lapses"] == [ADAPTER]
        (flipped,) = report["replays"]
        assert (flipped["before"], flipped["after"]) == ("met", "not-met")
        assert flipped["path"].startswith("gates/laptop/T1_002/evidence/")

    def test_a_commit_that_touches_nothing_of_the_law(self, lab: Repository) -> None:
        put(lab, "src/code.py", "pass\n")
        assert codes(judged(lab, 0)) == set()


class TestUnlawful:
    def test_a_contract_edited_and_not_published(self, lab: Repository) -> None:
        edit(lab, "1.0.1", set_title)
        report = judged(lab, 1)
        assert {"not-published"} <= codes(report)

    def test_bytes_changed_under_the_same_version(self, lab: Repository) -> None:
        edit(lab, "1.0.0", set_title)
        assert {"version-step"} <= codes(judged(lab, 1))

    def test_a_published_version_rewritten(self, lab: Repository) -> None:
        place = "contracts/_versions/laptop/T1_002/1.0.0.yaml"
        put(lab, place, (lab.root / place).read_text().replace("not-met", "met") + "\n")
        assert "published-rewritten" in codes(judged(lab, 1))

    @pytest.mark.parametrize("pattern", ["gates/laptop/T1_002/*discharge*", "**/run-1/rows.jsonl"])
    def test_a_record_or_evidence_removed(self, lab: Repository, pattern: str) -> None:
        next(lab.root.glob(pattern)).unlink()
        assert "published-rewritten" in codes(judged(lab, 1))

    def test_a_contract_removed(self, lab: Repository) -> None:
        (lab.root / CONTRACT).unlink()
        assert "contract-removed" in codes(judged(lab, 1))

    def test_what_others_have_not_approved_yet(self, lab: Repository) -> None:
        edit(lab, "2.0.0", lambda d: d["amendment"].update(approvals=2))
        publish(lab)
        report = judged(lab, 1)
        assert "not-published" in codes(report)
        assert report["contracts"][0]["approvals"] == {"found": 0, "needed": 2}


class TestItsOwnJudge:
    def test_a_policy_that_changes_with_a_contract(self, lab: Repository) -> None:
        put(lab, "contracts/policy.yaml", POLICY + "retarget: true\n")
        edit(lab, "2.0.0", lambda d: d["model"].update(name="Another-Instruct"))
        assert "judge-edited" in codes(judged(lab, 1))

    def test_a_policy_that_changes_alone_is_for_its_owners(self, lab: Repository) -> None:
        put(lab, "contracts/policy.yaml", POLICY + "retarget: true\n")
        report = judged(lab, 0)
        (reason,) = report["reasons"]
        assert (reason["code"], reason["severity"]) == ("judge-edited", "warning")

    def test_a_policy_that_nobody_could_judge_by_is_refused(self, lab: Repository) -> None:
        put(lab, "contracts/policy.yaml", POLICY + "roll: []\n")
        (reason,) = (r for r in judged(lab, 1)["reasons"] if r["severity"] == "error")
        assert (reason["rule"], reason["place"]) == ("AV102", "contracts/policy.yaml:3:7")

    def test_a_trust_root_replaced_by_ones_own(self, lab: Repository, tmp_path: Path) -> None:
        root = "gates/_trust/1.root.dsse.json"
        mine = lab.copy(tmp_path / "mine")
        for folder in (mine.root / "gates", mine.keys):
            for file in [path for path in folder.rglob("*") if path.is_file()]:
                file.unlink()
        done(mine.run("keys", "new", "operator", "--unencrypted"))
        done(mine.run("trust", "init", "--origin", "example/lab", "--principal", "operator"))
        put(lab, root, (mine.root / root).read_text(encoding="utf-8"))
        report = judged(lab, 1)
        assert "judge-edited" in codes(report)
        assert root in {reason["place"] for reason in report["reasons"]}

    def test_a_trust_root_added_by_whoever_it_appoints(
        self, lab: Repository, tmp_path: Path
    ) -> None:
        mine = lab.copy(tmp_path / "mine")
        done(mine.run("trust", "rotate", "--expires-days", "30", "--key", "operator"))
        second = "gates/_trust/2.root.dsse.json"
        forged = json.loads((mine.root / second).read_text(encoding="utf-8"))
        forged["signatures"][0]["sig"] = "A" * 86 + "=="
        put(lab, second, json.dumps(forged, separators=(",", ":"), sort_keys=True))
        assert codes(judged(lab, 1)) & {"integrity", "ledger"}

    def test_the_tools_configuration(self, lab: Repository) -> None:
        put(lab, "pyproject.toml", '[tool.abverify]\nroot = "elsewhere"\n')
        assert "judge-edited" in codes(judged(lab, 1))

    def test_a_configuration_that_leads_to_a_sound_decoy(self, lab: Repository) -> None:
        """The decoy is whole and signed; what is judged is the repository that BASE names."""
        for folder in ("contracts", "gates", "fixtures"):
            shutil.copytree(lab.root / folder, lab.root / "decoy" / folder)
        put(lab, "pyproject.toml", '[tool.abverify]\nroot = "decoy"\n')
        edit(lab, "1.0.1", lambda d: d["criteria"][0].update(at_least=0))
        shutil.rmtree(lab.root / "gates")
        report = judged(lab, 1)
        assert codes(report) >= {"judge-edited", "not-published", "published-rewritten"}
        assert "decoy/contracts" in {reason["place"] for reason in report["reasons"]}
        history = lab.run("amend", "history", "HEAD~1..HEAD", "--format", "json")
        assert [line["verdict"] for line in done(history, 1).json["commits"]] == ["unlawful"]

    def test_a_nearer_repository_where_the_question_is_asked(
        self, lab: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(lab, "tools/note.txt", "here CI asks\n")
        commit(lab)
        for folder in ("contracts", "gates", "fixtures"):
            shutil.copytree(lab.root / folder, lab.root / "tools" / folder)
        edit(lab, "1.0.1", set_title)
        commit(lab)
        monkeypatch.chdir(lab.root / "tools")
        words = ("amend", "check", "HEAD~1..HEAD", "--format", "json")
        report = done(in_process(*words, environment=lab.environment), 1).json
        assert codes(report) >= {"judge-edited", "not-published"}

    def test_a_repository_that_was_not_there_is_judged_where_it_is(self, lab: Repository) -> None:
        run_git(lab.root, "checkout", "-q", "--orphan", "other")
        run_git(lab.root, "rm", "-rqf", "--cached", ".")
        put(lab, "note.txt", "before there was a law\n")
        run_git(lab.root, "add", "note.txt")
        run_git(lab.root, "commit", "-q", "-m", "before")
        report = judged(lab, 0)
        assert {line["oldVersion"] for line in report["contracts"]} == {None}

    @pytest.mark.parametrize("path", [".gitattributes", "gates/.gitattributes"])
    def test_gits_attributes_are_told(self, lab: Repository, path: str) -> None:
        put(lab, path, "* text eol=crlf\n")
        commit(lab)
        report = lab.run("amend", "check", "HEAD~1..HEAD", "--format", "json").json
        told = {(reason["code"], reason["place"]) for reason in report["reasons"]}
        assert ("judge-edited", path) in told


class TestInputs:
    """What a contract rests on is signed with it: other bytes are another contract."""

    @pytest.mark.parametrize("which", ["prompt", "corpus"])
    def test_an_input_changed_and_the_contract_not(self, lab: Repository, which: str) -> None:
        self.change(lab, which)
        assert codes(judged(lab, 1)) == {"pin-drift"}

    def test_nor_does_a_pin_help_that_nobody_signed(self, lab: Repository) -> None:
        self.change(lab, "prompt")
        lock = lab.root / "contracts/pin.lock"
        pinned = load_pins(lab.root).inputs
        text = lock.read_text(encoding="utf-8")
        for path, digest in pinned.items():
            text = text.replace(digest, input_digest(lab.root, path))
        lock.write_text(text, encoding="utf-8")
        assert codes(judged(lab, 1)) == {"pin-drift", "pin-lock-differs"}

    def test_an_input_removed(self, lab: Repository) -> None:
        (lab.root / self.inputs(lab)["prompt"]).unlink()
        assert codes(judged(lab, 1)) == {"pin-drift"}

    def test_pin_lock_removed(self, lab: Repository) -> None:
        (lab.root / "contracts/pin.lock").unlink()
        assert codes(judged(lab, 1)) == {"pin-lock-differs"}

    def inputs(self, lab: Repository) -> dict[str, str]:
        document = json.loads((lab.root / CONTRACT).read_text(encoding="utf-8"))
        return {
            "prompt": document["config"]["prompt"]["system"],
            "corpus": document["evidence"]["bench"]["corpus"],
        }

    def change(self, lab: Repository, which: str) -> None:
        target = lab.root / self.inputs(lab)[which]
        file = target if target.is_file() else next(p for p in target.rglob("*") if p.is_file())
        file.write_bytes(file.read_bytes() + b"\n")


class TestBehind:
    def test_a_branch_that_left_its_base_is_told_so(self, lab: Repository) -> None:
        run_git(lab.root, "branch", "-q", "work")
        done(lab.sign("suspend", "T900", "--scope", "phase-9", "--lift-when", "T1_002"))
        commit(lab)
        base = run_git(lab.root, "rev-parse", "HEAD").strip()
        run_git(lab.root, "checkout", "-q", "work")
        put(lab, "note.txt", "work\n")
        commit(lab)
        report = done(lab.run("amend", "check", f"{base}..work", "--format", "json"), 1).json
        told = {reason["rule"]: reason for reason in report["reasons"]}
        assert "AV735" in told
        assert told["AV748"]["next"] == f"git rebase {base}, then ask again"

    def test_one_that_builds_on_it_is_not(self, lab: Repository) -> None:
        put(lab, "note.txt", "work\n")
        assert judged(lab, 0)["reasons"] == []


class TestFiles:
    def test_a_contract_that_only_moved(self, lab: Repository) -> None:
        (lab.root / CONTRACT).rename(lab.root / "contracts/moved.yaml")
        report = judged(lab, 0)
        assert (report["reasons"], report["contracts"]) == ([], [])

    def test_one_that_moved_and_changed_is_classed_all_the_same(self, lab: Repository) -> None:
        edit(lab, "1.1.0", tighten)
        publish(lab)
        (lab.root / CONTRACT).rename(lab.root / "contracts/moved.yaml")
        report = judged(lab, 0)
        (line,) = report["contracts"]
        assert (line["path"], line["class"]) == ("contracts/moved.yaml", "C2")
        assert len(report["replays"]) == 1

    def test_one_that_nobody_can_read_is_not_called_removed(self, lab: Repository) -> None:
        put(lab, CONTRACT, (lab.root / CONTRACT).read_text(encoding="utf-8") + "}{\n")
        report = judged(lab, 1)
        assert "contract-removed" not in codes(report)
        places = [r["place"] for r in report["reasons"] if r["code"] == "invalid"]
        assert places[0].startswith(f"{CONTRACT}:")

    def test_nor_is_a_new_one_that_nobody_can_read_passed_over(self, lab: Repository) -> None:
        put(lab, "contracts/new.yaml", "schema: abverify/contract/v1\nid: laptop/T1_009\n")
        assert codes(judged(lab, 1)) == {"invalid"}

    def test_a_gate_told_twice(self, lab: Repository) -> None:
        put(lab, "contracts/again.yaml", (lab.root / CONTRACT).read_text(encoding="utf-8"))
        report = judged(lab, 1)
        assert "AV112" in {reason["rule"] for reason in report["reasons"]}

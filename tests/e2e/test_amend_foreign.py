"""The ritual on a repository that never heard of our contract schema: each slip has its code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.console import in_process
from tests.support.foreign import CONTRACT, MIRRORED, PIN, POLICY, Foreign
from tests.support.refusals import refused
from tests.support.repository import done
from tests.unit.workspace.test_git import commit, run_git

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def foreign(tmp_path: Path) -> Foreign:
    """A compliant repository at version 1.0.0, and the next version written but not committed."""
    repository = Foreign(tmp_path).start()
    repository.step("1.1.0", "2026-04-09")
    return repository


def codes(foreign: Foreign, code: int = 1) -> set[str]:
    """What is found of the newest commit against the one before."""
    ran = foreign.run("amend", "check", "HEAD~1..HEAD", "--format", "json")
    return done(ran, code).codes


def statuses(foreign: Foreign) -> dict[str, str]:
    report = foreign.run("amend", "check", "HEAD~1..HEAD", "--format", "json").json
    return {step["name"]: step["status"] for step in report["steps"]}


class TestInStep:
    def test_a_compliant_amendment_has_no_finding(self, foreign: Foreign) -> None:
        foreign.publish()
        assert codes(foreign, 0) == set()
        assert statuses(foreign) == {
            "pinned": "kept",
            "mirrored": "kept",
            "mirror-commit": "kept",
            "rolled-up": "kept",
            "verified": "kept",
        }

    def test_so_has_a_commit_that_touches_no_contract(self, foreign: Foreign) -> None:
        foreign.write({"src/code.rs": b"fn main() {}\n"})
        assert codes(foreign, 0) == set()

    def test_many_compliant_commits_have_none(self, foreign: Foreign) -> None:
        foreign.publish()
        foreign.step("1.1.1", "2026-04-10")
        foreign.publish()
        foreign.step("2.0.0", "2026-04-10")
        foreign.publish()
        report = done(foreign.run("amend", "history", "HEAD~3..HEAD", "--format", "json")).json
        assert [line["verdict"] for line in report["commits"]] == ["lawful"] * 3
        assert (report["checked"], report["total"]) == (3, 3)


class TestSlips:
    def test_pin_not_refreshed(self, foreign: Foreign) -> None:
        before = {PIN: (foreign.root / PIN).read_bytes()}
        foreign.mirror_now()
        foreign.write(foreign.files() | before)
        assert "pin-stale" in codes(foreign)

    def test_mirror_bytes_differ(self, foreign: Foreign) -> None:
        foreign.mirror_commit = foreign.mirror_now(b"other bytes\n")
        foreign.write(foreign.files())
        assert codes(foreign) == {"mirror-drift"}
        assert statuses(foreign)["mirrored"] == "drift"

    def test_mirror_forgotten(self, foreign: Foreign) -> None:
        foreign.write(foreign.files())
        assert codes(foreign) == {"mirror-drift"}

    def test_short_pin(self, foreign: Foreign) -> None:
        foreign.mirror_commit = foreign.mirror_now()[:9]
        foreign.write(foreign.files())
        assert codes(foreign) == {"short-pin"}

    def test_pin_on_an_unmerged_branch(self, foreign: Foreign) -> None:
        foreign.mirror_now()
        run_git(foreign.mirror, "checkout", "-q", "-b", "proposal")
        foreign.mirror_commit = commit(foreign.mirror, {"x": b"1"})
        run_git(foreign.mirror, "checkout", "-q", "main")
        foreign.write(foreign.files())
        assert codes(foreign) == {"unmerged-pin"}

    def test_version_reused_with_other_bytes(self, foreign: Foreign) -> None:
        foreign.publish()
        foreign.note = "a retraction, slipped in"
        foreign.publish()
        assert codes(foreign) == {"version-reused"}

    def test_an_old_version_reused_much_later(self, foreign: Foreign) -> None:
        foreign.publish()
        foreign.version, foreign.note = "1.0.0", "again"
        foreign.publish()
        assert codes(foreign) == {"version-reused"}

    def test_version_skipped(self, foreign: Foreign) -> None:
        foreign.publish()
        foreign.step("1.3.0", "2026-04-10")
        foreign.publish()
        assert codes(foreign) == {"version-skipped"}

    def test_stale_roll_up(self, foreign: Foreign) -> None:
        stale = {"README.md": (foreign.root / "README.md").read_bytes()}
        foreign.mirror_commit = foreign.mirror_now()
        foreign.write(foreign.files() | stale)
        assert codes(foreign) == {"stale-rollup"}

    def test_a_fixture_that_the_readme_does_not_count(self, foreign: Foreign) -> None:
        foreign.publish()
        foreign.write({"fixtures/canonical/extra/task.md": b"task\n"})
        assert codes(foreign) == {"stale-rollup"}

    def test_deleted_roll_up(self, foreign: Foreign) -> None:
        foreign.mirror_commit = foreign.mirror_now()
        foreign.write(foreign.files() | {"README.md": b"Nothing to see.\n"})
        assert codes(foreign) == {"rollup-deleted"}

    def test_deleted_document(self, foreign: Foreign) -> None:
        foreign.publish()
        (foreign.root / "README.md").unlink()
        commit(foreign.root, {})
        assert codes(foreign) == {"rollup-deleted"}

    def test_wrong_numerator(self, foreign: Foreign) -> None:
        foreign.mirror_commit = foreign.mirror_now()
        wrong = foreign.readme().replace(b"gates-2%2F3", b"gates-3%2F3")
        foreign.write(foreign.files() | {"README.md": wrong})
        ran = foreign.run("amend", "check", "HEAD~1..HEAD", "--format", "json")
        assert done(ran, 1).codes == {"wrong-numerator"}
        (reason,) = ran.json["reasons"]
        assert (reason["expected"], reason["found"]) == ("2", "3")
        assert reason["place"].startswith("README.md:1:")

    def test_wrong_denominator(self, foreign: Foreign) -> None:
        foreign.mirror_commit = foreign.mirror_now()
        wrong = foreign.readme().replace(b"gates-2%2F3", b"gates-2%2F4")
        foreign.write(foreign.files() | {"README.md": wrong})
        assert codes(foreign) == {"stale-rollup"}

    def test_backdated_history_entry(self, foreign: Foreign) -> None:
        foreign.publish()
        foreign.step("1.2.0", "2026-04-02")
        foreign.publish()
        assert codes(foreign) == {"history-backdated"}

    def test_rewritten_history_entry(self, foreign: Foreign) -> None:
        foreign.history[0] = ("2026-03-01", "1.0.0")
        foreign.publish()
        assert codes(foreign) == {"history-rewritten"}

    def test_hand_edited_generated_region(self, foreign: Foreign) -> None:
        foreign.publish()
        region = "regions: [{file: docs/state.md, name: scopes}]\n"
        foreign.write({"contracts/policy.yaml": f"{POLICY}{region}".encode()})
        markers = b"<!-- abverify:scopes -->\n<!-- /abverify:scopes -->\n"
        (foreign.root / "docs").mkdir()
        (foreign.root / "docs/state.md").write_bytes(markers)
        done(foreign.run("render"))
        foreign.write({})
        assert codes(foreign, 0) == set()
        text = (foreign.root / "docs/state.md").read_bytes()
        foreign.write({"docs/state.md": text.replace(b"| --- |", b"| serve | open |\n| --- |")})
        assert codes(foreign) == {"region-drift"}

    def test_contract_removed(self, foreign: Foreign) -> None:
        (foreign.root / CONTRACT).unlink()
        commit(foreign.root, {})
        assert "contract-removed" in codes(foreign)


class TestFixing:
    """`amend fix`, before anything is committed."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Foreign:
        """The same layout with a mirror that is a folder; the next version is written alone."""
        repository = Foreign(tmp_path).start()
        policy = POLICY.replace("kind: git,", "kind: folder,").replace(
            ", commit: mirror_commit", ""
        )
        repository.write({"contracts/policy.yaml": policy.encode()})
        repository.step("1.1.0", "2026-04-09")
        (repository.root / CONTRACT).write_bytes(repository.contract())
        return repository

    def test_pin_mirror_and_roll_ups_follow_the_contract(self, folder: Foreign) -> None:
        report = done(folder.run("amend", "fix", "--format", "json")).json
        assert report["written"] == [PIN, f"../mirror/{MIRRORED}", "README.md"]
        assert (folder.mirror / MIRRORED).read_bytes() == folder.contract()
        assert (folder.root / "README.md").read_bytes() == folder.readme()
        commit(folder.root, {})
        assert codes(folder, 0) == set()

    def test_twice_writes_once(self, folder: Foreign) -> None:
        done(folder.run("amend", "fix"))
        assert done(folder.run("amend", "fix", "--format", "json")).json["written"] == []

    def test_what_needs_a_person_is_left_and_told(self, foreign: Foreign) -> None:
        (foreign.root / CONTRACT).write_bytes(foreign.contract())
        ran = done(foreign.run("amend", "fix", "--format", "json"), 1)
        assert ran.json["written"] == [PIN, "README.md"]
        assert ran.codes == {"mirror-drift"}

    def test_where_nothing_is_declared_there_is_nothing_to_check(self, tmp_path: Path) -> None:
        (tmp_path / "contracts").mkdir()
        ran = in_process("amend", "fix", "--root", str(tmp_path), environment={})
        assert (ran.code, "nothing that moves" in ran.out) == (5, True)


class TestOpenQuestions:
    def test_a_mirror_that_is_gone_is_neither_in_step_nor_out(self, foreign: Foreign) -> None:
        foreign.publish()
        foreign.mirror.rename(foreign.folder / "elsewhere")
        assert "mirror-unreachable" in codes(foreign, 3)
        assert statuses(foreign)["mirrored"] == "cannot-evaluate"

    def test_without_a_declared_mirror_the_step_does_not_apply(self, tmp_path: Path) -> None:
        root = tmp_path / "plain"
        root.mkdir()
        run_git(root, "init", "-q")
        policy = b"schema: abverify/policy/v1\nforeign: [{path: contracts/a.yaml}]\n"
        commit(root, {"contracts/policy.yaml": policy, "contracts/a.yaml": b"version: 1.0.0\n"})
        commit(root, {"contracts/a.yaml": b"version: 1.0.1\n"})
        plain = Foreign(tmp_path)
        (tmp_path / "plain").rename(plain.root)
        found = statuses(plain)
        assert (found["mirrored"], found["rolled-up"]) == ("not-applicable", "not-applicable")
        assert codes(plain, 0) == set()

    def test_a_bundle_stands_in_for_a_mirror_out_of_reach(self, foreign: Foreign) -> None:
        declared = "kind: git, location: ../mirror"
        policy = POLICY.replace(declared, "kind: bundle, location: m.bundle")
        foreign.mirror_commit = foreign.mirror_now()
        run_git(foreign.mirror, "bundle", "create", "-q", str(foreign.root / "m.bundle"), "main")
        foreign.write({"contracts/policy.yaml": policy.encode()})
        foreign.write(foreign.files() | {"contracts/policy.yaml": policy.encode()})
        foreign.mirror.rename(foreign.folder / "elsewhere")
        assert codes(foreign, 0) == set()

    def test_an_empty_range_is_nothing_to_check(self, foreign: Foreign) -> None:
        assert foreign.run("amend", "history", "HEAD..HEAD").code == 5

    @pytest.mark.parametrize("revisions", ["nosuch..HEAD", "..HEAD", "HEAD...main"])
    def test_a_range_that_names_nothing_is_refused(self, foreign: Foreign, revisions: str) -> None:
        assert refused(foreign.run("amend", "check", revisions), 2, "AV701")


class TestTheJudge:
    def test_a_policy_that_changes_with_what_it_judges_is_refused(self, foreign: Foreign) -> None:
        foreign.mirror_commit = foreign.mirror_now()
        looser = POLICY[: POLICY.index("rollups:")].encode()
        files = foreign.files() | {"contracts/policy.yaml": looser, "README.md": b"no badges\n"}
        foreign.write(files)
        assert codes(foreign) == {"judge-edited", "rollup-deleted"}

    def test_so_is_one_that_changes_with_a_contract_that_stands_elsewhere(
        self, tmp_path: Path
    ) -> None:
        policy = "schema: abverify/policy/v1\nforeign: [{path: law/parity.yaml}]\n"
        run_git(tmp_path, "init", "-q", "-b", "main")
        files = {"contracts/policy.yaml": policy.encode(), "law/parity.yaml": b"version: 1.0.0\n"}
        commit(tmp_path, files)
        looser = policy.replace("foreign: [{path: law/parity.yaml}]", "retarget: true")
        files = {"contracts/policy.yaml": looser.encode(), "law/parity.yaml": b"version: 1.0.1\n"}
        commit(tmp_path, files)
        words = ("amend", "check", "HEAD~1..HEAD", "--format", "json", "--root", str(tmp_path))
        ran = in_process(*words, environment={})
        (reason,) = done(ran, 1).json["reasons"]
        assert (reason["code"], reason["found"]) == (
            "judge-edited",
            "also changed: law/parity.yaml",
        )

    def test_a_policy_that_changes_alone_is_told(self, foreign: Foreign) -> None:
        foreign.write({"contracts/policy.yaml": POLICY.replace("gates-badge", "gates").encode()})
        ran = foreign.run("amend", "check", "HEAD~1..HEAD", "--format", "json")
        (reason,) = done(ran, 0).json["reasons"]
        assert (reason["code"], reason["severity"]) == ("judge-edited", "warning")

    def test_a_malformed_policy_says_where(self, foreign: Foreign) -> None:
        foreign.write({"contracts/policy.yaml": b"schema: abverify/policy/v1\nroll: []\n"})
        foreign.publish()
        run_git(foreign.root, "revert", "--no-edit", "-n", "HEAD")
        commit(foreign.root, {})
        foreign.write({"x": b""})
        facts = refused(foreign.run("amend", "check", "HEAD~1..HEAD"), 2, "AV102")
        assert facts["at"] == "contracts/policy.yaml:2:7"

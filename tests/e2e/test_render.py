"""`render`: documents are made to show what is so; what does not is found, with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abverify.cli.group import run
from tests.support.foreign import POLICY, Foreign
from tests.support.refusals import refused
from tests.support.repository import CHECKOUT, Repository, done, introduced, shared

if TYPE_CHECKING:
    from pathlib import Path

README = "README.md"
STATUS = "docs/status.md"
REGION = "<!-- abverify:gates -->\n<!-- /abverify:gates -->\n"
REGIONS = "schema: abverify/policy/v1\nregions: [{file: docs/status.md, name: gates}]\n"


@pytest.fixture
def foreign(tmp_path: Path) -> Foreign:
    """A repository whose README repeats what its contract says."""
    return Foreign(tmp_path).start()


@pytest.fixture
def docket(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Four introduced gates, and a document with an empty region for them."""
    made = shared(tmp_path_factory, "introduced", introduced)
    repository = Repository(made / "repository", made / "keys").copy(tmp_path)
    (repository.root / "docs").mkdir()
    (repository.root / STATUS).write_text(f"# Status\n\n{REGION}\nBy hand.\n")
    (repository.root / "contracts/policy.yaml").write_text(REGIONS)
    return repository


class TestRollUps:
    def test_what_shows_the_facts_is_clean(self, foreign: Foreign) -> None:
        report = done(foreign.run("render", "--check", "--format", "json")).json
        assert (report["verdict"], report["checked"], report["total"]) == ("clean", 3, 3)

    def test_check_finds_drift_and_changes_nothing(self, foreign: Foreign) -> None:
        old = (foreign.root / README).read_bytes()
        stale = old.replace(b"2%2F3", b"3%2F3")
        (foreign.root / README).write_bytes(stale)
        report = done(foreign.run("render", "--check", "--format", "json"), 1).json
        (reason,) = report["reasons"]
        assert report["verdict"] == "drift"
        assert reason["code"] == "wrong-numerator"
        assert reason["place"].startswith("README.md:1:")
        assert (reason["expected"], reason["found"]) == ("2", "3")
        assert (foreign.root / README).read_bytes() == stale

    def test_fix_writes_the_facts_and_touches_nothing_else(self, foreign: Foreign) -> None:
        right = (foreign.root / README).read_bytes()
        stale = right.replace(b"2%2F3", b"3%2F3").replace(b"v1.0.0", b"v0.9.0")
        (foreign.root / README).write_bytes(stale)
        report = done(foreign.run("render", "--fix", "--format", "json")).json
        assert report["written"] == [README]
        assert (foreign.root / README).read_bytes() == right

    def test_without_fix_a_roll_up_stays_the_authors(self, foreign: Foreign) -> None:
        stale = (foreign.root / README).read_bytes().replace(b"2%2F3", b"3%2F3")
        (foreign.root / README).write_bytes(stale)
        assert done(foreign.run("render", "--format", "json"), 1).codes == {"wrong-numerator"}
        assert (foreign.root / README).read_bytes() == stale

    def test_a_deleted_roll_up_is_drift_with_a_reason(self, foreign: Foreign) -> None:
        (foreign.root / README).write_text("No badges, no counts.\n")
        ran = done(foreign.run("render", "--fix", "--format", "json"), 1)
        assert ran.codes == {"rollup-deleted"}
        assert (foreign.root / README).read_text() == "No badges, no counts.\n"

    def test_so_is_a_deleted_document(self, foreign: Foreign) -> None:
        (foreign.root / README).unlink()
        assert done(foreign.run("render", "--format", "json"), 1).codes == {"rollup-deleted"}

    def test_a_fact_that_cannot_be_found_out_is_no_drift(self, foreign: Foreign) -> None:
        policy = POLICY.replace(".fixtures'", ".pictures'")
        (foreign.root / "contracts/policy.yaml").write_text(policy)
        ran = done(foreign.run("render", "--fix", "--format", "json"), 3)
        assert (ran.json["verdict"], ran.codes) == ("cannot-evaluate", {"cannot-evaluate"})

    def test_nor_is_an_expression_that_cannot_be_read(self, foreign: Foreign) -> None:
        policy = POLICY.replace(".fixtures'", ".['")
        (foreign.root / "contracts/policy.yaml").write_text(policy)
        assert done(foreign.run("render", "--fix"), 3).err == ""


class TestRegions:
    def test_render_fills_the_region_and_nothing_around_it(self, docket: Repository) -> None:
        report = done(docket.run("render", "--format", "json")).json
        assert report["written"] == [STATUS]
        text = (docket.root / STATUS).read_text()
        row = "| laptop-replica/S1_004 | proposed | 2.0.0 | SmolLM2-135M-Instruct |"
        assert row in text.splitlines()
        assert text.startswith("# Status\n\n<!-- abverify:gates -->\n| gate | state |")
        assert text.endswith("|\n<!-- /abverify:gates -->\n\nBy hand.\n")

    def test_twice_writes_once(self, docket: Repository) -> None:
        done(docket.run("render"))
        assert done(docket.run("render", "--format", "json")).json["written"] == []

    def test_a_hand_edit_inside_is_found_and_undone(self, docket: Repository) -> None:
        done(docket.run("render"))
        rendered = (docket.root / STATUS).read_bytes()
        docket.edit(STATUS, "V1_004 | proposed", "V1_004 | discharged")
        ran = done(docket.run("render", "--check", "--format", "json"), 1)
        assert ran.codes == {"region-drift"}
        done(docket.run("render"))
        assert (docket.root / STATUS).read_bytes() == rendered

    def test_deleted_markers_are_drift_with_a_reason(self, docket: Repository) -> None:
        (docket.root / STATUS).write_text("# Status\n")
        assert done(docket.run("render", "--format", "json"), 1).codes == {"region-deleted"}

    def test_a_region_in_the_law_itself_is_refused(self, docket: Repository) -> None:
        policy = REGIONS.replace(STATUS, "contracts/V1_004.yaml")
        (docket.root / "contracts/policy.yaml").write_text(policy)
        facts = refused(docket.run("render"), 1, "AV749")
        assert facts["found"] == "contracts/V1_004.yaml"


def test_with_nothing_declared_nothing_is_checked(docket: Repository) -> None:
    (docket.root / "contracts/policy.yaml").unlink()
    assert docket.run("render", "--check").code == 5


def test_check_and_fix_at_once_is_a_usage_error(docket: Repository) -> None:
    assert docket.run("render", "--check", "--fix").code == 2


def test_this_repository_shows_what_is_so() -> None:
    assert run(["render", "--check", "--root", str(CHECKOUT)]) == 0

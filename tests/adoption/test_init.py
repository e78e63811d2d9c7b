"""`abverify init`: a repository whole or not at all, and nothing of anybody's overwritten."""

from __future__ import annotations

import json
import shutil
import stat
from typing import TYPE_CHECKING

import jsonschema
import pytest
from ruamel.yaml import YAML

from tests.support.console import in_process
from tests.support.repository import CHECKOUT, done
from tests.unit.workspace.test_git import run_git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adoption.conftest import Newcomer

ADAPTER = CHECKOUT / "fixtures/models/smollm2-135m-tool-use.lora.gguf"


class TestANewRepository:
    def test_it_lints_clean_and_its_trail_verifies(self, newcomer: Newcomer) -> None:
        done(newcomer.run("init"))
        assert done(newcomer.run("lint", "--format", "json")).json["reasons"] == []
        done(newcomer.run("audit"))

    def test_it_has_what_a_team_needs(self, newcomer: Newcomer) -> None:
        report = done(newcomer.run("init", "--format", "json")).json
        assert report["gate"] == "my-models/G1_001"
        assert report["files"] == newcomer.files()
        assert {
            ".abverify/schemas/contract.v1.schema.json",
            ".github/workflows/abverify.yml",
            ".gitattributes",
            ".gitignore",
            ".pre-commit-config.yaml",
            "contracts/G1_001.yaml",
            "contracts/_versions/my-models/G1_001/1.0.0.yaml",
            "contracts/pin.lock",
            "contracts/policy.yaml",
            "fixtures/corpora/first/python__01-add/fixture.yaml",
            "fixtures/prompts/agent.md",
            "gates/_trust/1.root.dsse.json",
            "gates/my-models/G1_001/000001.amendment.dsse.json",
        } <= set(report["files"])

    def test_the_next_three_commands_are_told(self, newcomer: Newcomer) -> None:
        assert done(newcomer.run("init", "--format", "json")).json["next"] == [
            "abverify doctor",
            "abverify check G1_001 --run",
            "abverify check G1_001 --record --key operator",
        ]

    def test_git_hands_out_the_bytes_that_were_signed(self, newcomer: Newcomer) -> None:
        done(newcomer.run("init"))
        run_git(newcomer.folder, "init", "-q")
        run_git(newcomer.folder, "config", "core.autocrlf", "true")
        run_git(newcomer.folder, "add", ".")
        run_git(newcomer.folder, "commit", "-q", "-m", "start")
        for path in ("contracts", "gates", "fixtures"):
            shutil.rmtree(newcomer.folder / path)
        run_git(newcomer.folder, "checkout", "-q", "--", ".")
        done(newcomer.run("lint"))
        done(newcomer.run("audit"))

    def test_editors_find_the_schema_without_a_network(self, newcomer: Newcomer) -> None:
        done(newcomer.run("init"))
        for path in ("contracts/G1_001.yaml", "fixtures/corpora/first/python__01-add/fixture.yaml"):
            file = newcomer.folder / path
            head, _, place = file.read_text().splitlines()[0].partition("$schema=")
            assert head == "# yaml-language-server: "
            schema = json.loads((file.parent / place).read_text())
            document = YAML(typ="safe").load(file.read_text())
            jsonschema.validate(document, schema)
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate({**document, "colour": "red"}, schema)

    def test_its_key_is_encrypted_and_outside(self, newcomer: Newcomer) -> None:
        done(newcomer.run("init", "--principal", "ana", "--key", "ana"))
        key = newcomer.keys / "ana.pem"
        assert b"ENCRYPTED" in key.read_bytes()
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert not list(newcomer.folder.rglob("*.pem"))
        assert "ana" in done(newcomer.run("trust", "show")).out

    def test_a_key_that_is_there_is_used(self, newcomer: Newcomer) -> None:
        done(in_process("keys", "new", "operator", environment=newcomer.environment))
        before = (newcomer.keys / "operator.pem").read_bytes()
        assert "found in the key folder" in done(newcomer.run("init")).out
        assert (newcomer.keys / "operator.pem").read_bytes() == before

    def test_its_workflow_and_hooks_are_yaml(self, newcomer: Newcomer) -> None:
        done(newcomer.run("init"))
        workflow = YAML(typ="safe").load(
            (newcomer.folder / ".github/workflows/abverify.yml").read_text()
        )
        assert workflow["jobs"]["contracts"]["env"] == {
            "BASE": "${{ github.event.pull_request.base.sha }}"
        }
        hooks = YAML(typ="safe").load((newcomer.folder / ".pre-commit-config.yaml").read_text())
        assert hooks["repos"][0]["hooks"][0]["entry"] == "abverify lint"

    def test_the_folder_is_made_if_it_is_not_there(self, newcomer: Newcomer) -> None:
        done(newcomer.run("init", "deeper/new"))
        assert (newcomer.folder / "deeper/new/contracts/G1_001.yaml").is_file()


class TestNothingIsOverwritten:
    def test_a_repository_that_is_there_is_refused(self, newcomer: Newcomer) -> None:
        done(newcomer.run("init"))
        before = newcomer.files()
        ran = done(newcomer.run("init"), 1)
        assert "error[AV811]" in ran.err
        assert newcomer.files() == before

    @pytest.mark.parametrize(
        "path", [".gitattributes", ".gitignore", ".github/workflows/abverify.yml"]
    )
    def test_a_file_of_the_teams_own_is_kept(self, newcomer: Newcomer, path: str) -> None:
        (newcomer.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (newcomer.folder / path).write_text("ours\n")
        report = done(newcomer.run("init", "--format", "json")).json
        assert report["kept"] == [path]
        assert [reason["rule"] for reason in report["reasons"]] == ["AV811"]
        assert (newcomer.folder / path).read_text() == "ours\n"


class TestAllOrNothing:
    def refused(self, newcomer: Newcomer, code: int, rule: str, *arguments: str) -> None:
        """The command is refused by this rule, and left neither a file nor a key."""
        ran = done(newcomer.run("init", *arguments), code)
        assert f"error[{rule}]" in ran.err
        assert newcomer.files() == []
        assert list(newcomer.keys.glob("*")) == []

    def test_weights_that_are_not_here(self, newcomer: Newcomer) -> None:
        self.refused(newcomer, 3, "AV510", "--weights", "none.gguf")

    def test_weights_that_are_no_model(self, newcomer: Newcomer) -> None:
        self.refused(newcomer, 2, "AV812", "--weights", str(ADAPTER))

    def test_a_principal_that_cannot_stand_in_a_trust_root(self, newcomer: Newcomer) -> None:
        self.refused(newcomer, 2, "AV436", "--principal", "two words\n")

    def test_a_part_that_cannot_be_written(self, newcomer: Newcomer) -> None:
        (newcomer.folder / "gates").symlink_to("/nowhere-at-all")
        self.refused(newcomer, 1, "AV811")

    def test_a_file_where_a_folder_must_be(self, newcomer: Newcomer, tmp_path: Path) -> None:
        (newcomer.folder / ".github").write_text("a file")
        ran = done(newcomer.run("init"), 3)
        assert "error[AV404]" in ran.err
        assert newcomer.files() == [".github"]
        assert list((tmp_path / "keys").glob("*")) == []

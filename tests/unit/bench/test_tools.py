from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abverify.bench.confined import Confined
from abverify.bench.oracle import fixture_limits
from abverify.bench.tools import OUTPUT_LIMIT, Tools
from abverify.toolcalls import DEFAULT_TOOLS

from .tasks import RIGHT, START, bench, task

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    fixture = task()
    (tmp_path / "secret").write_text("secret")
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    Confined(workspace).fill(fixture.workspace)
    here = bench()
    return Tools(workspace, here.sandbox, fixture_limits(fixture), here.chain(fixture))


def answer(tools: Tools, name: str, **arguments: str) -> tuple[bool, str]:
    result = tools.execute(name, arguments, seconds=20.0)
    assert result.tool == name
    return result.ok, result.output


def test_every_declared_tool_can_be_executed(tools: Tools) -> None:
    for declared in DEFAULT_TOOLS:
        arguments = dict.fromkeys(declared.parameters["properties"], "head.py")

        assert tools.execute(declared.name, arguments, seconds=20.0).tool == declared.name


def test_a_file_is_read(tools: Tools) -> None:
    assert answer(tools, "file_read", path="head.py") == (True, START.decode())


def test_a_file_is_written_with_its_folders(tools: Tools) -> None:
    assert answer(tools, "file_write", path="a/b.txt", content="é") == (
        True,
        "wrote 2 bytes to a/b.txt",
    )
    assert (tools.workspace / "a/b.txt").read_bytes() == "é".encode()


def test_an_edit_replaces_the_one_occurrence(tools: Tools) -> None:
    assert answer(
        tools, "file_edit", path="head.py", old_string="lines[count:]", new_string="lines[:count]"
    ) == (True, "edited head.py")
    assert (tools.workspace / "head.py").read_bytes() == RIGHT


@pytest.mark.parametrize(("old", "count"), [("missing", 0), ("count", 2), ("", 0)])
def test_an_edit_that_is_not_unique_changes_nothing(tools: Tools, old: str, count: int) -> None:
    assert answer(tools, "file_edit", path="head.py", old_string=old, new_string="x") == (
        False,
        f"old_string stands {count} times in head.py; it must stand exactly once",
    )
    assert (tools.workspace / "head.py").read_bytes() == START


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "link", "a\x00"])
def test_no_tool_leads_out_of_the_workspace(tools: Tools, path: str) -> None:
    (tools.workspace / "link").symlink_to("../secret")

    for name, rest in (
        ("file_read", {}),
        ("file_write", {"content": "x"}),
        ("file_edit", {"old_string": "secret", "new_string": "x"}),
    ):
        ok, output = answer(tools, name, path=path, **rest)
        assert not ok
        assert output.startswith("refused: ")
    assert (tools.workspace.parent / "secret").read_text() == "secret"


def test_what_is_missing_is_told(tools: Tools) -> None:
    assert answer(tools, "file_read", path="none.py") == (False, "none.py does not exist")


def test_a_name_or_content_that_is_no_text_fails_without_harm(tools: Tools) -> None:
    assert answer(tools, "file_write", path="\udc80", content="x")[0] is False
    assert answer(tools, "file_write", path="a", content="\ud800") == (
        False,
        "failed: UnicodeEncodeError",
    )


def test_a_glob_lists_what_matches(tools: Tools) -> None:
    assert answer(tools, "glob", pattern="*.py") == (True, "head.py\ntest_head.py")
    assert answer(tools, "glob", pattern="*.rs") == (True, "no file matches")


def test_grep_finds_lines_and_says_when_there_are_none(tools: Tools) -> None:
    assert answer(tools, "grep", pattern="return .*count", path="head.py") == (
        True,
        "2:    return lines[count:]\n",
    )
    assert answer(tools, "grep", pattern="nowhere", path="") == (True, "no line matches")
    assert answer(tools, "grep", pattern="-h", path="") == (True, "no line matches")
    assert answer(tools, "grep", pattern="(", path="")[0] is False


def test_a_shell_command_runs_in_the_workspace_and_leaves_what_it_made(tools: Tools) -> None:
    assert answer(tools, "shell", command="cat head.py > copy.py; echo done") == (
        True,
        "done\n\n[exit 0]",
    )
    assert (tools.workspace / "copy.py").read_bytes() == START
    assert answer(tools, "shell", command="exit 3") == (False, "[exit 3]")
    assert answer(tools, "shell", command="echo a\x00b") == (
        False,
        "refused: a NUL byte in the command\n[exit 2]",
    )


def test_a_shell_command_sees_nothing_of_the_host(tools: Tools) -> None:
    ok, output = answer(tools, "shell", command=f"cat {tools.workspace.parent}/secret ../secret")

    assert not ok
    assert "secret\n" not in output.replace("/secret", "").replace("../secret", "")


def test_a_long_output_is_cut_and_the_model_is_told(tools: Tools) -> None:
    (tools.workspace / "long").write_text("x" * (OUTPUT_LIMIT + 5))

    ok, output = answer(tools, "file_read", path="long")

    assert ok
    assert output == "x" * OUTPUT_LIMIT + "\n[5 more characters were cut]"


def test_bytes_that_are_no_text_are_shown_as_text(tools: Tools) -> None:
    (tools.workspace / "data").write_bytes(b"\xff\x00a")

    assert answer(tools, "file_read", path="data") == (True, "\ufffd\x00a")

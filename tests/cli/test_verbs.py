"""Every verb loads, helps, and forgives a typing error; nothing heavy is imported for it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from abverify._version import __version__
from abverify.cli.group import VERBS, root
from tests.support.console import command, in_process
from tests.support.repository import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.repository import Repository

HEAVY = {"llama_cpp", "ray", "matplotlib"}


def commands() -> Iterator[tuple[str, ...]]:
    """Every command there is, groups and what is in them."""
    context = click.Context(root)
    for verb in VERBS:
        found = root.get_command(context, verb)
        yield (verb,)
        if isinstance(found, click.Group):
            yield from ((verb, name) for name in found.list_commands(context))


COMMANDS = sorted(commands())
GROUPS = {words[:1] for words in COMMANDS if len(words) > 1}
WITHOUT_ARGUMENTS = {("keys", "list"), ("trust", "show")}


def test_these_are_the_verbs() -> None:
    assert sorted(VERBS) == [
        "amend",
        "audit",
        "check",
        "compare",
        "discharge",
        "doctor",
        "evidence",
        "explain",
        "init",
        "integrate",
        "keys",
        "lift",
        "lint",
        "log",
        "model",
        "plan",
        "record",
        "render",
        "report",
        "retract",
        "run",
        "schema",
        "show",
        "sign",
        "status",
        "suspend",
        "toolcalls",
        "trust",
    ]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_helps_with_an_example(words: tuple[str, ...]) -> None:
    ran = in_process(*words, "--help", environment={})
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"Usage: abverify {' '.join(words)}")
    if words not in GROUPS | WITHOUT_ARGUMENTS:
        assert "Example" in ran.out
        example = " ".join(ran.out.partition("Example")[2].split())
        assert f"abverify {' '.join(words)}" in example


def test_the_short_option_helps_too() -> None:
    assert in_process("-h", environment={}).out == in_process("--help", environment={}).out


def test_the_list_of_verbs_says_what_each_is_for_and_the_exit_codes() -> None:
    text = in_process("--help", environment={}).out
    for verb, meaning in VERBS.items():
        assert verb in text
        assert meaning.split()[0] in text
    assert "130 interrupted" in " ".join(text.split())


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("chekc", "check"), ("audti", "audit"), ("statsu", "status"), ("tool-calls", "toolcalls")],
)
def test_a_mistyped_verb_meets_a_guess(typed: str, meant: str) -> None:
    ran = in_process(typed, "x", environment={})
    assert (ran.code, ran.out) == (2, "")
    assert f"No such command '{typed}'. Did you mean {meant}" in ran.err


def test_a_word_like_no_verb_meets_none() -> None:
    ran = in_process("zzzzzz", environment={})
    assert (ran.code, ran.out) == (2, "")
    assert "Did you mean" not in ran.err


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("check",),
        ("check", "S1_004", "--no-such-option"),
        ("run", "S1_004"),
        ("run", "S1_004", "--stage", "warm-up"),
        ("audit", "--format", "xml"),
        ("suspend", "M1", "--scope", "x", "--reason", "r"),
        ("suspend", "M1", "--lift-when", "S1_004", "--reason", "r", "--milestone", "a b"),
        ("amend", "S1_004"),
        ("suspend", "M1", "--scope", "x", "--lift-when", "S1_004"),
        ("explain", "AV999"),
        ("schema", "novel"),
        ("toolcalls", "parse", "--profile", "guess"),
        ("toolcalls", "parse", "--profile", "salvage/99"),
        ("toolcalls", "parse", "--profile", "salvage/x"),
    ],
    ids=" ".join,
)
def test_a_command_that_makes_no_sense_exits_with_2_and_prints_no_result(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(repository.root)
    ran = in_process(*words, environment=repository.environment)
    assert ran.code == 2
    assert "Traceback" not in ran.err
    assert ran.err or ran.out.startswith("Usage: ")


def test_the_version_is_the_packages_own() -> None:
    assert in_process("--version", environment={}).out == f"abverify, version {__version__}\n"


@pytest.mark.parametrize(
    ("program", "forbidden"),
    [
        ("import abverify", HEAVY | {"scipy", "numpy", "pydantic", "rich", "ruamel", "click"}),
        ("from abverify.cli.group import run; run(['--version'])", HEAVY | {"scipy", "pydantic"}),
        ("from abverify.cli.group import run; run(['explain', 'AV301'])", HEAVY | {"scipy"}),
        ("from abverify.cli.group import run; run(['check', 'V1_004'])", HEAVY),
        ("from abverify.cli.group import run; run(['audit'])", HEAVY),
        ("from abverify.cli.group import run; run(['status'])", HEAVY),
        ("from abverify.cli.group import run; run(['lint'])", HEAVY),
    ],
    ids=["import", "--version", "explain", "check", "audit", "status", "lint"],
)
def test_nothing_heavy_is_imported_before_it_is_used(program: str, forbidden: set[str]) -> None:
    report = "; import sys; print('\\n' + ' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program + report],
        cwd=CHECKOUT,
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    imported = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert "abverify" in imported
    assert imported & forbidden == set()


def test_a_reader_who_leaves_early_changes_no_verdict() -> None:
    """The exit code stays the verdict's, and nothing is said about the pipe."""
    for words, code in (
        (("audit",), 0),
        (("check", "V1_004"), 3),
        (("explain",), 0),
        (("schema", "contract"), 0),
    ):
        process = subprocess.Popen(
            command(*words),
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait() == code, words
        process.stderr.close()

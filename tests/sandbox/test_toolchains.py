"""Toolchains: real ones run inside, and a missing one is named with what to install."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from abverify.bench.sandbox import Limits, ToolchainMissing, find_sandbox, toolchains

if TYPE_CHECKING:
    from .conftest import Run

_LIB = """\
pub fn double(x: i64) -> i64 { x * 2 }

#[cfg(test)]
mod tests {
    #[test]
    fn doubles() { assert_eq!(super::double(21), 42); }
}
"""


def test_python_inside_is_the_one_that_runs_abverify(tmp_path: Path) -> None:
    python = toolchains.find("python")
    done = find_sandbox().run(
        ["python3", "-c", "import sys, sqlite3, ssl; print(sys.version, sys.prefix)"],
        workspace=tmp_path,
        limits=Limits(),
        toolchains=[python],
    )

    prefix = str(Path(sys.base_prefix).resolve())
    assert done.output.decode() == f"{sys.version} {prefix}\n"
    assert python.identity().startswith(f"CPython {platform.python_version()} [")


def test_cargo_builds_and_tests_a_crate_offline(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/lib.rs").write_text(_LIB)
    (tmp_path / "Cargo.toml").write_text('[package]\nname = "twice"\nedition = "2021"\n')
    rust = toolchains.find("rust")

    done = find_sandbox().run(
        ["cargo", "test", "--offline"], workspace=tmp_path, limits=Limits(), toolchains=[rust]
    )

    assert done.exit_code == 0, done.output.decode()
    assert b"test tests::doubles ... ok" in done.output
    assert rust.identity().startswith("rustc 1.")
    # What the build makes lies in the private /tmp: nothing of it can be left for a later run.
    assert not (tmp_path / "target").exists()


def test_a_toolchain_below_a_closed_home_is_readable_inside(run: Run) -> None:
    done = run("python3", "-c", "import json; print(json.dumps(1))", tools=("python",))

    assert done.output == b"1\n"


def test_identities_are_stable() -> None:
    for name in toolchains.NAMES:
        assert toolchains.find(name).identity() == toolchains.find(name).identity()


def test_the_shell_is_identified_by_its_bytes() -> None:
    name, _, digest = toolchains.find("shell").identity().partition(" sha256:")

    assert name == Path("/bin/sh").resolve().name
    assert len(digest.partition(";")[0]) == 64


def test_a_missing_rust_is_named_with_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(ToolchainMissing) as caught:
        toolchains.find("rust", search=str(tmp_path))

    error = caught.value
    assert (error.rule, error.exit_code, error.name) == ("AV502", 3, "rust")
    assert str(error) == "cannot-evaluate: toolchain cargo not found"
    assert error.tried == (f"cargo on {tmp_path}",)
    assert "apt-get install -y cargo" in str(error.next_step)


def test_a_rust_that_cannot_say_its_sysroot_is_no_toolchain(tmp_path: Path) -> None:
    for name in ("rustc", "cargo"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'no default toolchain' >&2\nexit 1\n")
        (tmp_path / name).chmod(0o755)

    with pytest.raises(ToolchainMissing) as caught:
        toolchains.find("rust", search=f"{tmp_path}:/usr/bin")

    assert "(no default toolchain)" in caught.value.tried[0]


def test_an_unknown_language_lists_the_known_ones() -> None:
    with pytest.raises(ToolchainMissing) as caught:
        toolchains.find("cobol")

    assert caught.value.next_step == "use one of python, rust, shell"

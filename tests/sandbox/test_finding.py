"""A sandbox is offered only after it has proved, here and now, that it isolates."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from abverify.bench.sandbox import (
    BubblewrapSandbox,
    SandboxMissing,
    find_sandbox,
    probe,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_the_sandbox_found_isolates_and_tells_its_version() -> None:
    sandbox = find_sandbox()

    assert isinstance(sandbox, BubblewrapSandbox)
    assert (sandbox.name, sandbox.isolated) == ("bubblewrap", True)
    assert sandbox.version.startswith("bubblewrap 0.")


def test_the_proof_is_remembered() -> None:
    assert find_sandbox() is find_sandbox()


def test_without_bubblewrap_the_message_names_the_command_to_type(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SandboxMissing) as caught:
        find_sandbox()

    error = caught.value
    assert (error.rule, error.exit_code) == ("AV501", 3)
    assert error.found == "bwrap is not on PATH"
    assert "sudo apt-get install -y bubblewrap" in str(error.next_step)
    assert "--unsafe-no-sandbox" in str(error.next_step)


def _program(folder: Path, text: str) -> Path:
    program = folder / "bwrap"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return program


def test_a_bubblewrap_too_old_to_bound_tmp_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SandboxMissing) as caught:
        probe(_program(tmp_path, "echo bubblewrap 0.6.1"))

    assert str(caught.value.found).endswith("is bubblewrap 0.6.1, too old")


def test_a_bubblewrap_that_does_not_isolate_is_refused_at_once(tmp_path: Path) -> None:
    says_only = 'case "$1" in --version) echo bubblewrap 0.8.0;; *) echo no; exit 1;; esac'
    started = time.monotonic()

    with pytest.raises(SandboxMissing) as caught:
        probe(_program(tmp_path, says_only))

    assert caught.value.found == "isolation fails here: no"
    assert time.monotonic() - started < 9  # not after the ten seconds a start may take


_ASK = """
import sys
from abverify.bench.sandbox import find_sandbox
from abverify.errors import AbverifyError
try:
    find_sandbox()
except AbverifyError as error:
    print(error.diagnostics())
    sys.exit(error.exit_code)
"""


def test_where_user_namespaces_are_forbidden_the_reason_is_told() -> None:
    # In a namespace of our own, which may forbid itself to have further ones.
    forbid = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    ask = [sys.executable, "-c", _ASK]
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c", forbid, "sh", *ask],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 3, done.stderr
    assert "error[AV501]: no working sandbox" in done.stdout
    assert "isolation fails here: bwrap: " in done.stdout
    assert "allow user namespaces: `sudo sysctl -w user.max_user_namespaces=15000`" in done.stdout


def test_the_unsafe_host_is_given_only_when_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_sandbox(unsafe=True).isolated is False

"""What a command sees, what comes back from it, and what becomes of the workspace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from abverify.bench.sandbox import Limits, SandboxFailed, UnsafeHost, find_sandbox

from .host import attacked

if TYPE_CHECKING:
    from collections.abc import Callable

    from .callers import Caller
    from .conftest import Run


def test_the_exit_code_is_the_commands_own(run: Run) -> None:
    assert run("sh", "-c", "exit 7").exit_code == 7


def test_death_by_a_signal_is_128_plus_its_number(run: Run) -> None:
    done = run("sh", "-c", "kill -SEGV $$")

    assert (done.exit_code, done.killed) == (128 + 11, None)


def test_a_command_that_does_not_exist_exits_with_127(run: Run) -> None:
    done = run("no-such-command")

    assert done.exit_code == 127
    assert b"no-such-command" in done.output


def test_a_command_that_begins_with_a_dash_is_no_option_of_the_sandbox(run: Run) -> None:
    assert run("--ro-bind").exit_code == 127


def test_stdout_and_stderr_come_in_the_order_written(run: Run) -> None:
    done = run("sh", "-c", "echo one; echo two >&2; echo three")

    assert done.output == b"one\ntwo\nthree\n"
    assert not done.truncated


def test_stdin_is_given_and_ends(run: Run) -> None:
    assert run("wc", "-c", stdin=b"x" * 300_000).output == b"300000\n"
    assert run("wc", "-c").output == b"0\n"


def test_the_environment_holds_what_is_declared_and_nothing_else(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    done = run("env", env={"GIVEN": "yes"})

    assert sorted(done.output.decode().splitlines()) == [
        "GIVEN=yes",
        "HOME=/tmp",
        "LANG=C.UTF-8",
        "LC_ALL=C.UTF-8",
        "LOGNAME=sandbox",
        "PATH=/usr/bin:/bin",
        "PWD=/workspace",
        "PYTHONDONTWRITEBYTECODE=1",
        "PYTHONHASHSEED=0",
        "SHELL=/bin/sh",
        "SOURCE_DATE_EPOCH=315532800",
        "TERM=dumb",
        "TMPDIR=/tmp",
        "TZ=UTC",
        "USER=sandbox",
    ]


def test_names_inside_are_the_same_on_every_host(run: Run) -> None:
    done = run("sh", "-c", "pwd; hostname; id -un; id -u; id -g; echo ~")

    assert done.output == b"/workspace\nsandbox\nsandbox\n1000\n1000\n/tmp\n"


def test_only_standard_folders_stand_at_the_root(run: Run) -> None:
    seen = set(run("ls", "/").output.decode().split())

    assert seen <= {
        "bin",
        "dev",
        "etc",
        "lib",
        "lib32",
        "lib64",
        "libx32",
        "proc",
        "sbin",
        "tmp",
        "usr",
        "workspace",
    }


def test_the_processes_seen_are_the_runs_own(run: Run) -> None:
    done = run("sh", "-c", "ls -d /proc/[0-9]* | wc -l")

    assert int(done.output) <= 5


def test_the_only_network_interface_is_a_loopback_of_its_own(run: Run) -> None:
    done = run("sh", "-c", "sed 1,2d /proc/net/dev | cut -d: -f1")

    assert done.output.split() == [b"lo"]


def test_the_workspace_goes_in_and_comes_back(run: Run, workspace: Path) -> None:
    (workspace / "deep").mkdir()
    (workspace / "deep/kept.txt").write_text("kept\n")
    (workspace / "gone.txt").write_text("gone\n")
    (workspace / "changed.txt").write_text("old\n")

    change = "rm gone.txt; echo new > changed.txt; mkdir -p a/b; echo made > a/b/c"
    done = run("sh", "-c", f"cat deep/kept.txt; {change}")

    assert (done.exit_code, done.output) == (0, b"kept\n")
    found = {
        str(path.relative_to(workspace)): path.read_text()
        for path in workspace.rglob("*")
        if path.is_file()
    }
    assert found == {"deep/kept.txt": "kept\n", "changed.txt": "new\n", "a/b/c": "made\n"}


def test_modes_and_times_survive_the_way_there_and_back(run: Run, workspace: Path) -> None:
    script = workspace / "script.sh"
    script.write_text("echo ran\n")
    script.chmod(0o755)
    os.utime(script, ns=(1_500_000_000_000_000_000, 1_500_000_000_123_456_789))

    assert run("sh", "script.sh").output == b"ran\n"
    assert script.stat().st_mode & 0o777 == 0o755
    assert script.stat().st_mtime_ns == 1_500_000_000_123_456_789


def test_a_file_may_become_a_folder_and_a_folder_a_file(run: Run, workspace: Path) -> None:
    (workspace / "file").write_text("x")
    (workspace / "folder").mkdir()
    (workspace / "folder/inner").write_text("x")

    run("sh", "-c", "rm -r file folder; mkdir file; echo y > file/inner; echo z > folder")

    assert (workspace / "file/inner").read_text() == "y\n"
    assert (workspace / "folder").read_text() == "z\n"


def test_a_hard_link_to_a_fixture_is_cut_not_written_through(run: Run, workspace: Path) -> None:
    fixture = workspace.parent / "fixture.py"
    fixture.write_text("original\n")
    fixture.chmod(0o644)
    os.link(fixture, workspace / "task.py")

    run("sh", "-c", "chmod 700 task.py")
    assert (workspace / "task.py").stat().st_mode & 0o777 == 0o700
    assert fixture.stat().st_mode & 0o777 == 0o644

    run("sh", "-c", "echo edited > task.py")
    assert (workspace / "task.py").read_text() == "edited\n"
    assert fixture.read_text() == "original\n"


def test_a_symlink_inside_the_workspace_is_carried(run: Run, workspace: Path) -> None:
    done = run("sh", "-c", "mkdir d; echo x > d/f; ln -s d/f good; ln -s ../d/f d/up")

    assert done.dropped == ()
    assert str((workspace / "good").readlink()) == "d/f"
    assert str((workspace / "d/up").readlink()) == "../d/f"


def test_what_must_not_reach_the_host_is_dropped_and_named(run: Run, workspace: Path) -> None:
    make = "ln -s /etc/passwd abs; ln -s .. up; mkfifo pipe; touch \"$(printf 'a\\377')\""

    assert run("sh", "-c", make).dropped == ("a?", "abs", "pipe", "up")
    assert list(workspace.iterdir()) == []


def test_scratch_is_writable_and_private_to_one_run(run: Run) -> None:
    assert run("sh", "-c", "echo x > /tmp/x && cat /tmp/x").output == b"x\n"
    assert run("ls", "-A", "/tmp").output == b""


def test_output_of_a_process_left_behind_does_not_hold_the_run(run: Run) -> None:
    done = run("sh", "-c", "(sleep 25; echo late) & echo early", limits=Limits(wall_seconds=20))

    assert (done.exit_code, done.output, done.timed_out) == (0, b"early\n", False)


def test_two_runs_give_the_same_bytes(run: Run) -> None:
    script = "id; env | sort; ls -A / /etc /tmp /dev; echo $$; umask; ulimit -a; df /tmp"

    assert run("sh", "-c", script).output == run("sh", "-c", script).output


def test_a_workspace_too_big_for_its_limit_is_an_error_not_a_result(workspace: Path) -> None:
    (workspace / "big").write_bytes(b"x" * 4096)

    with pytest.raises(SandboxFailed) as caught:
        find_sandbox().run(
            ["true"], workspace=workspace, limits=Limits(workspace_bytes=1024), toolchains=()
        )

    assert caught.value.rule == "AV503"
    assert "too big: more than 1024 bytes" in str(caught.value.found)


_RUN_UNTIL_STOPPED = """
import sys
from pathlib import Path
from abverify.bench.sandbox import Limits, find_sandbox
find_sandbox()
print("ready", flush=True)
find_sandbox().run(
    ["sh", "-c", "setsid sleep " + sys.argv[2] + " & echo x > made; sleep " + sys.argv[2]],
    workspace=Path(sys.argv[1]), limits=Limits(wall_seconds=60), toolchains=(),
)
"""


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopping_abverify_stops_the_tree(caller: Caller, stop: signal.Signals) -> None:
    with attacked(caller) as host:
        process = subprocess.Popen(
            [sys.executable, "-c", _RUN_UNTIL_STOPPED, str(host.workspace), host.mark],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        _until(lambda: _sleeping(host.survivors()) == 2)

        process.send_signal(stop)
        _, said = process.communicate()

        # Ours raises KeyboardInterrupt; the other two leave no time for anything but the kernel's.
        assert (b"KeyboardInterrupt" in said) == (stop == signal.SIGINT)
        assert process.returncode == -stop
        _until(lambda: host.survivors() == [])
        assert not (host.workspace / "made").exists()


def test_the_unsafe_host_says_that_it_does_not_isolate(workspace: Path) -> None:
    unsafe = find_sandbox(unsafe=True)
    done = unsafe.run(
        ["sh", "-c", "cat; pwd; exit 3"],
        workspace=workspace,
        limits=Limits(),
        toolchains=(),
        stdin=b"given\n",
    )

    assert unsafe == UnsafeHost()
    assert not unsafe.isolated
    assert (done.exit_code, done.output) == (3, b"given\n" + f"{workspace}\n".encode())


def test_the_unsafe_host_still_ends_a_command_and_its_group_in_time(
    caller: Caller,
) -> None:
    with attacked(caller) as host:
        done = UnsafeHost().run(
            ["sh", "-c", f"sleep {host.mark} & yes"],
            workspace=host.workspace,
            limits=Limits(wall_seconds=0.3, output_bytes=1000),
            toolchains=(),
        )

        assert (done.exit_code, done.killed, done.timed_out) == (None, "wall_seconds", True)
        assert (done.truncated, len(done.output)) == (True, 1000)
        _until(lambda: host.survivors() == [])


def _sleeping(pids: list[int]) -> int:
    """How many of the marked processes are the sleeps themselves."""
    names = []
    for pid in pids:
        try:
            names.append(Path(f"/proc/{pid}/comm").read_text("ascii").strip())
        except OSError:
            continue
    return names.count("sleep")


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)

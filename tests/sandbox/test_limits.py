"""Each limit holds, says its name when it ended the run, and lets what is below it pass."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from typing import TYPE_CHECKING

import pytest

from abverify.bench.sandbox import Limits
from abverify.bench.sandbox.output import Output

if TYPE_CHECKING:
    from pathlib import Path

    from .callers import Caller
    from .conftest import Run

MIB = 1 << 20
SMALL = Limits(
    wall_seconds=20.0,
    cpu_seconds=10,
    memory_bytes=256 * MIB,
    processes=16,
    file_bytes=4 * MIB,
    output_bytes=1000,
    scratch_bytes=8 * MIB,
    workspace_bytes=8 * MIB,
)


def test_time_ends_a_command_that_sleeps(run: Run) -> None:
    done = run("sleep", "30", limits=replace(SMALL, wall_seconds=0.3))

    assert (done.exit_code, done.killed, done.timed_out) == (None, "wall_seconds", True)


def test_what_was_written_before_the_time_ran_out_is_kept(run: Run, workspace: Path) -> None:
    limits = replace(SMALL, wall_seconds=0.5)
    done = run("sh", "-c", "echo said; echo made > made; sleep 30", limits=limits)

    assert done.output == b"said\n"
    assert (workspace / "made").read_text() == "made\n"


def test_processor_time_counts_over_the_whole_tree(run: Run) -> None:
    spin = "for i in 1 2 3; do (while :; do :; done) & done; wait"
    done = run("sh", "-c", spin, limits=replace(SMALL, cpu_seconds=1))

    assert (done.exit_code, done.killed, done.timed_out) == (None, "cpu_seconds", False)


def test_processor_time_of_children_that_ended_counts_too(run: Run) -> None:
    spin = "while :; do sh -c 'i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done'; done"
    done = run("sh", "-c", spin, limits=replace(SMALL, cpu_seconds=1))

    assert done.killed == "cpu_seconds"


def test_memory_of_one_process_is_refused_beyond_the_limit(run: Run) -> None:
    program = "import sys; bytearray(int(sys.argv[1]) << 20); print('held')"

    held = run("python3", "-c", program, "128", limits=SMALL, tools=("python",))
    refused = run("python3", "-c", program, "300", limits=SMALL, tools=("python",))

    assert (held.exit_code, held.output) == (0, b"held\n")
    assert (refused.exit_code, b"MemoryError" in refused.output) == (1, True)


def test_pages_shared_after_a_fork_are_counted_once(run: Run) -> None:
    program = (
        "import os, time\n"
        "hoard = b'x' * (100 << 20)\n"
        "children = [os.fork() or (time.sleep(0.5), os._exit(0)) for _ in range(6)]\n"
        "for child in children: os.waitpid(child, 0)\n"
        "print('shared')\n"
    )
    done = run("python3", "-c", program, limits=SMALL, tools=("python",))

    assert (done.exit_code, done.killed, done.output) == (0, None, b"shared\n")


def test_processes_are_refused_beyond_the_limit_and_not_before(run: Run) -> None:
    start = "for i in $(seq {}); do sleep 20 & done; echo started"

    assert run("sh", "-c", start.format(14), limits=SMALL).output == b"started\n"
    refused = run("sh", "-c", start.format(20), limits=SMALL)
    assert (refused.exit_code, b"ork" in refused.output) == (2, True)


def test_runs_at_the_same_time_do_not_share_a_limit(caller: Caller) -> None:
    def started(_: int) -> bytes:
        with caller.folder() as folder:
            return caller.sandbox.run(
                ["sh", "-c", "for i in $(seq 14); do sleep 20 & done; sleep 0.3; echo started"],
                workspace=folder,
                limits=SMALL,
                toolchains=(),
            ).output

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(started, range(3))) == [b"started\n"] * 3


def test_a_file_beyond_the_limit_ends_its_writer(run: Run) -> None:
    done = run("sh", "-c", "exec head -c 5000000 /dev/zero > /tmp/big", limits=SMALL)

    assert (done.exit_code, done.killed) == (None, "file_bytes")


def test_output_keeps_both_ends_within_the_limit(run: Run) -> None:
    done = run("sh", "-c", "echo first; seq 100000; echo last; exit 4", limits=SMALL)

    assert (done.exit_code, done.truncated, done.killed) == (4, True, None)
    assert done.output.startswith(b"first\n1\n2\n")
    assert b"\n[... output cut here ...]\n" in done.output
    assert done.output.endswith(b"\n100000\nlast\n")
    assert len(done.output) == 1000


def test_output_of_exactly_the_limit_is_whole(run: Run) -> None:
    done = run("sh", "-c", "head -c 1000 /dev/zero | tr '\\0' x", limits=SMALL)

    assert (done.output, done.truncated) == (b"x" * 1000, False)


def test_scratch_and_workspace_have_their_own_bounds(run: Run) -> None:
    fill = "for i in 1 2 3 4; do head -c 3000000 /dev/zero > {}/$i || exit 9; done"

    assert run("sh", "-c", fill.format("/tmp"), limits=SMALL).exit_code == 9
    assert run("sh", "-c", fill.format("/workspace"), limits=SMALL).exit_code == 9


def test_a_workspace_that_broke_its_bound_is_left_as_it_was(run: Run, workspace: Path) -> None:
    (workspace / "task.py").write_text("before\n")
    sparse = "echo after > task.py; for i in 1 2 3; do truncate -s 4M $i; done"
    done = run("sh", "-c", sparse, limits=SMALL)

    assert (done.exit_code, done.killed) == (None, "workspace_bytes")
    assert [path.name for path in workspace.iterdir()] == ["task.py"]
    assert (workspace / "task.py").read_text() == "before\n"


@pytest.mark.parametrize("name", [item.name for item in fields(Limits)])
def test_there_is_no_unlimited(name: str) -> None:
    with pytest.raises(ValueError, match=f"the limit {name} must be positive, not 0"):
        replace(SMALL, **{name: 0})


def test_endless_output_takes_bounded_memory() -> None:
    output = Output(limit=100)
    for _ in range(10_000):
        output.add(b"y\n" * 1000)

    assert len(output._head) + len(output._tail) < 100_000
    assert len(output.kept()) == 100


def test_a_limit_too_small_for_two_ends_keeps_the_head() -> None:
    output = Output(limit=5)
    output.add(b"0123456789")

    assert (output.kept(), output.truncated) == (b"01234", True)

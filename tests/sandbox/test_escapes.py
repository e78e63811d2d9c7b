"""The escape suite: none of these attempts gets anything, and the host is unharmed.

Each attempt is a real program (`attacks/`) run in the sandbox against a host
with a key, a ledger, listeners and a process to attack. What is asserted is the
state of the host afterwards, and what stopped the attempt: an attempt that broke
down by itself would pass for a refused one otherwise. Where it is safe, the same
program is also run without a sandbox, and must succeed there.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

import pytest

from abverify.bench.sandbox import Completed, Limits, Sandbox, UnsafeHost, toolchains

from . import callers
from .host import TOKEN_NAME, Host, attacked

if TYPE_CHECKING:
    from .callers import Caller

MIB = 1 << 20
LIMITS = Limits(
    wall_seconds=30.0,
    cpu_seconds=20,
    memory_bytes=256 * MIB,
    processes=32,
    file_bytes=8 * MIB,
    output_bytes=64 * 1024,
    scratch_bytes=32 * MIB,
    workspace_bytes=32 * MIB,
)
# For attempts that only a clock can end.
SHORT = replace(LIMITS, wall_seconds=1.5, cpu_seconds=1)


class Unconfined(Enum):
    """Whether the attempt is also shown to succeed without a sandbox."""

    ANY = "by any user"
    ROOT = "by root"
    UNSAFE = "not tried: it would harm or depend on the machine that runs the tests"


ANY, ROOT, UNSAFE = Unconfined.ANY, Unconfined.ROOT, Unconfined.UNSAFE


@dataclass(frozen=True)
class Attempt:
    """A function of `attacks/`, the words or the limit that end it, and its control."""

    name: str
    ends: str | tuple[str, ...]
    unconfined: Unconfined

    def __str__(self) -> str:
        return self.name


NOTHING = "refused: nothing gained"
NOT_FOUND = "refused: FileNotFoundError 2"
NOT_PERMITTED = "refused: PermissionError 1"
NO_ACCESS = "refused: PermissionError 13"
NO_FAMILY = "refused: OSError 97"
READ_ONLY = "refused: OSError 30"
NO_SPACE = "refused: OSError 28"
UNREACHABLE = "refused: OSError 101"
BUSY = ("cpu_seconds", "wall_seconds")  # whichever a loaded machine comes to first

ATTEMPTS = [
    Attempt(*row)
    for row in (
        ("tcp_to_host", "refused: ConnectionRefusedError 111", ANY),
        ("udp_to_host", NOTHING, ANY),
        ("tcp_to_the_internet", UNREACHABLE, UNSAFE),
        ("tcp6_to_the_internet", UNREACHABLE, UNSAFE),
        ("resolve_a_name", "refused: gaierror -", UNSAFE),
        ("abstract_socket_of_host", "refused: ConnectionRefusedError 111", ANY),
        ("path_socket_of_host", NOT_FOUND, ANY),
        ("vsock_to_hypervisor", NO_FAMILY, UNSAFE),
        ("packet_socket", NO_FAMILY, ROOT),
        ("netlink_socket", NO_FAMILY, ANY),
        ("join_network_of_process_1", "refused: PermissionError", UNSAFE),
        ("read_the_signing_key", NOT_FOUND, ANY),
        ("list_the_home", NOT_FOUND, ANY),
        ("append_to_the_ledger", NOT_FOUND, ANY),
        ("delete_the_evidence", NOT_FOUND, ANY),
        ("overwrite_the_fixture", NOT_FOUND, ANY),
        ("climb_out_of_the_workspace", NOT_FOUND, ANY),
        ("read_key_through_symlink", NOT_FOUND, ANY),
        ("hard_link_the_key", NOT_FOUND, ANY),
        ("leave_a_symlink_for_the_host_to_read", NOTHING, ANY),
        ("leave_a_relative_symlink_chain", NOTHING, ANY),
        ("swap_a_folder_for_a_symlink", NOTHING, ANY),
        ("leave_a_setuid_program", NOTHING, ANY),
        ("leave_a_fifo", NOTHING, ANY),
        ("write_to_usr", READ_ONLY, UNSAFE),
        ("write_to_the_toolchain", READ_ONLY, UNSAFE),
        ("write_to_the_root", READ_ONLY, UNSAFE),
        ("write_to_dev", READ_ONLY, UNSAFE),
        ("write_to_the_running_interpreter", NO_ACCESS, UNSAFE),
        ("write_to_its_own_stdin", NOT_PERMITTED, ANY),
        ("use_a_leaked_descriptor", NOTHING, UNSAFE),
        ("read_kernel_devices", NOTHING, ROOT),
        ("read_sysfs", NOT_FOUND, ANY),
        ("write_a_cgroup_release_agent", NOT_FOUND, UNSAFE),
        ("write_a_sysctl", NO_ACCESS, UNSAFE),
        ("find_the_key_anywhere", NOTHING, UNSAFE),
        ("kill_a_host_process", "refused: ProcessLookupError 3", ANY),
        ("kill_every_process", "refused: ProcessLookupError 3", UNSAFE),
        ("kill_the_parent", "refused: ", UNSAFE),
        ("look_into_host_root", NOT_FOUND, ANY),
        ("read_host_environment", NOT_FOUND, ANY),
        ("read_every_environment", NOTHING, ANY),
        ("trace_a_process", NOT_PERMITTED, ROOT),
        ("trace_a_sibling", NOT_PERMITTED, ANY),
        ("read_memory_of_a_sibling", NOT_PERMITTED, ANY),
        ("type_into_the_terminal", NOT_PERMITTED, UNSAFE),
        ("open_the_terminal", "refused: OSError 6", UNSAFE),
        ("become_root", "refused: ", UNSAFE),
        ("run_a_setuid_program", "refused: ", UNSAFE),
        ("make_a_user_namespace", NOT_PERMITTED, ROOT),
        ("clone_into_a_user_namespace", NOT_PERMITTED, ROOT),
        ("clone3_into_a_user_namespace", "refused: OSError 38", ROOT),
        ("remount_writable", NOT_PERMITTED, UNSAFE),
        ("mount_a_tmpfs", NOT_PERMITTED, UNSAFE),
        ("make_a_disk_device", NOT_PERMITTED, ROOT),
        ("change_root", NOT_PERMITTED, ROOT),
        ("rename_the_host", NOT_PERMITTED, UNSAFE),
        ("read_the_keyring", NOT_PERMITTED, ROOT),
        ("read_the_kernel_log", NOT_PERMITTED, ROOT),
        ("system_v_shared_memory", NOT_PERMITTED, ANY),
        ("set_up_io_uring", NOT_PERMITTED, UNSAFE),
        ("load_a_bpf_program", NOT_PERMITTED, UNSAFE),
        ("hide_memory_in_a_memfd", NOT_PERMITTED, ANY),
        ("leave_a_background_process", NOTHING, UNSAFE),
        ("leave_a_daemon", "", ANY),
        ("refuse_to_end", "wall_seconds", UNSAFE),
        ("keep_forking", "", UNSAFE),
        ("fork_bomb", "refused: BlockingIOError 11", UNSAFE),
        ("fork_bomb_that_never_waits", BUSY, UNSAFE),
        ("thread_bomb", "refused: RuntimeError", UNSAFE),
        ("memory_bomb", "refused: MemoryError", UNSAFE),
        ("memory_bomb_of_many_processes", "memory_bytes", UNSAFE),
        ("shared_memory_bomb", "memory_bytes", UNSAFE),
        ("dev_shm_bomb", NO_SPACE, UNSAFE),
        ("fill_the_workspace", NO_SPACE, UNSAFE),
        ("fill_the_scratch", NO_SPACE, UNSAFE),
        ("fill_the_disk_with_deleted_files", NO_SPACE, UNSAFE),
        ("fill_the_host_with_sparse_files", "workspace_bytes", UNSAFE),
        ("fill_the_host_with_empty_files", "workspace_bytes", UNSAFE),
        ("bury_the_host_in_folders", "workspace_bytes", UNSAFE),
        ("write_one_huge_file", "refused: OSError 27", UNSAFE),
        ("print_for_ever", BUSY, UNSAFE),
        ("spin_for_ever", BUSY, UNSAFE),
        ("delete_the_workspace", READ_ONLY, UNSAFE),
        ("lock_the_workspace", NOTHING, UNSAFE),
    )
]
CONTROLS = [
    attempt
    for attempt in ATTEMPTS
    if attempt.unconfined is ANY or (attempt.unconfined is ROOT and os.geteuid() == 0)
]


def _attack(sandbox: Sandbox, host: Host, attempt: Attempt) -> Completed:
    return sandbox.run(
        ["python3", "-m", "attacks", attempt.name, host.facts()],
        workspace=host.workspace,
        limits=SHORT if attempt.ends in {BUSY, "wall_seconds"} else LIMITS,
        toolchains=[toolchains.find("python")],
    )


def _ending(done: Completed) -> str:
    """The limit that ended it or else the last line it printed."""
    lines = done.output.decode("utf-8", "replace").splitlines()
    return done.killed or (lines[-1] if lines else "")


def test_the_suite_makes_at_least_thirty_attempts() -> None:
    assert len({attempt.name for attempt in ATTEMPTS}) >= 30


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=str)
def test_no_attempt_harms_the_host(
    caller: Caller, attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    with attacked(caller) as host:
        monkeypatch.setenv(TOKEN_NAME, host.token)  # the caller's own secret
        done = _attack(caller.sandbox, host, attempt)

        assert host.harm(done) == []
        assert _ending(done).startswith(attempt.ends), done


@pytest.mark.parametrize("attempt", CONTROLS, ids=str)
def test_the_same_attempt_succeeds_without_a_sandbox(attempt: Attempt) -> None:
    with callers.caller("caller") as caller, attacked(caller) as host:
        done = _attack(UnsafeHost(), host, attempt)

        assert host.harm_in_time(done) != [], done

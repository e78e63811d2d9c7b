"""Reading, changing or planting files where the host will find them."""

# An attacker's program: it prints its findings and makes bare system calls.
# ruff: noqa: PTH101, PTH103, PTH118, PTH208, PTH211
# ruff: noqa: T201, S103

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .system import Facts


def read_the_signing_key(host: Facts) -> bool:
    print(Path(host["key"]).read_text("ascii"))
    return True


def list_the_home(host: Facts) -> bool:
    return bool(os.listdir(host["home"]))


def append_to_the_ledger(host: Facts) -> bool:
    with Path(host["ledger"]).open("a", encoding="ascii") as file:
        file.write("forged\n")
    return True


def delete_the_evidence(host: Facts) -> bool:
    Path(host["evidence"]).unlink()
    return True


def overwrite_the_fixture(host: Facts) -> bool:
    Path(host["fixture"]).write_text("assert True\n", "ascii")
    return True


def climb_out_of_the_workspace(_: Facts) -> bool:
    print(Path("../secrets/signing.key").read_text("ascii"))
    return True


def read_key_through_symlink(host: Facts) -> bool:
    os.symlink(host["key"], "link")
    print(Path("link").read_text("ascii"))
    return True


def hard_link_the_key(host: Facts) -> bool:
    os.link(host["key"], "hard")
    print(Path("hard").read_text("ascii"))
    return True


def leave_a_symlink_for_the_host_to_read(host: Facts) -> bool:
    os.symlink(host["key"], "solution.py")
    return False


def leave_a_relative_symlink_chain(_: Facts) -> bool:
    os.makedirs("a/b")
    os.symlink("../..", "a/b/top")
    os.symlink("a/b/top/../secrets/signing.key", "solution.py")
    return False


def swap_a_folder_for_a_symlink(host: Facts) -> bool:
    shutil.rmtree("src")
    os.symlink(str(Path(host["ledger"]).parent), "src")
    return False


def leave_a_setuid_program(_: Facts) -> bool:
    shutil.copy("/bin/sh", "sh")
    os.chmod("sh", 0o6755)
    return False


def leave_a_fifo(_: Facts) -> bool:
    os.mkfifo("solution.py")
    return False


def write_to_usr(_: Facts) -> bool:
    Path("/usr/bin/abverify-escape").write_text("x", "ascii")
    return True


def write_to_the_toolchain(_: Facts) -> bool:
    Path(os.__file__).with_name("abverify_escape.py").write_text("x", "ascii")
    return True


def write_to_the_root(_: Facts) -> bool:
    Path("/escape").write_text("x", "ascii")
    return True


def write_to_dev(_: Facts) -> bool:
    Path("/dev/escape").write_text("x", "ascii")
    return True


def write_to_the_running_interpreter(_: Facts) -> bool:
    with Path("/proc/self/exe").open("r+b"):
        return True


def write_to_its_own_stdin(_: Facts) -> bool:
    with Path("/proc/self/fd/0").open("r+b") as given:
        return bool(given.write(b"x"))


def use_a_leaked_descriptor(_: Facts) -> bool:
    mine = os.open("/proc/self/fd", os.O_RDONLY)
    return bool({int(name) for name in os.listdir(mine)} - {0, 1, 2, mine, mine + 1})


def read_kernel_devices(_: Facts) -> bool:
    return bool(set(os.listdir("/dev")) & {"kmsg", "mem", "port", "kvm", "fuse", "vda", "sda"})


def read_sysfs(_: Facts) -> bool:
    return bool(os.listdir("/sys"))


def write_a_cgroup_release_agent(_: Facts) -> bool:
    Path("/sys/fs/cgroup/release_agent").write_text("/escape", "ascii")
    return True


def write_a_sysctl(_: Facts) -> bool:
    Path("/proc/sys/kernel/core_pattern").write_text("|/escape", "ascii")
    return True


def find_the_key_anywhere(_: Facts) -> bool:
    for folder, folders, files in os.walk("/"):
        folders[:] = [
            name for name in folders if os.path.join(folder, name) not in {"/proc", "/usr"}
        ]
        if "signing.key" in files:
            return True
    return False

"""Gaining privileges, or kernel features that lead to them."""

# An attacker's program: it prints its findings and makes bare system calls.
# ruff: noqa: PTH101, PTH102
# ruff: noqa: S103

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import signal
import stat
import struct
import subprocess
from pathlib import Path

from .system import LIBC, Facts, call

_NEW_USER = 0x10000000


def become_root(_: Facts) -> bool:
    os.setuid(0)
    return os.getuid() == 0


def run_a_setuid_program(_: Facts) -> bool:
    shell = Path("/tmp/sh")
    shutil.copy("/bin/sh", shell)
    os.chown(shell, 0, 0)
    os.chmod(shell, 0o4755)
    return subprocess.run([shell, "-c", "id -u"], capture_output=True, check=False).stdout == b"0\n"


def make_a_user_namespace(_: Facts) -> bool:
    call("unshare", _NEW_USER)
    return True


def clone_into_a_user_namespace(_: Facts) -> bool:
    number = {"x86_64": 56, "aarch64": 220}[platform.machine()]
    child = LIBC.syscall(number, ctypes.c_long(_NEW_USER | signal.SIGCHLD), 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    if child < 0:
        raise OSError(ctypes.get_errno(), "clone")
    os.waitpid(child, 0)
    return True


def clone3_into_a_user_namespace(_: Facts) -> bool:
    arguments = ctypes.create_string_buffer(struct.pack("<8Q", _NEW_USER, *[0] * 3, 17, *[0] * 3))
    child = call("clone3", arguments, 64)
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return True


def remount_writable(_: Facts) -> bool:
    remount_bind = 0x20 | 0x1000
    call("mount", 0, b"/usr", 0, remount_bind, 0)
    return True


def mount_a_tmpfs(_: Facts) -> bool:
    os.mkdir("mounted")
    call("mount", b"tmpfs", b"mounted", b"tmpfs", 0, 0)
    return True


def make_a_disk_device(_: Facts) -> bool:
    os.mknod("disk", stat.S_IFBLK | 0o600, os.makedev(254, 0))
    return True


def change_root(_: Facts) -> bool:
    os.chroot(".")
    return True


def rename_the_host(_: Facts) -> bool:
    call("sethostname", b"escaped", 7)
    return True


def read_the_keyring(_: Facts) -> bool:
    get_id, session = 0, -3
    return call("keyctl", get_id, session, 0) > 0


def read_the_kernel_log(_: Facts) -> bool:
    read_all = 3
    return call("syslog", read_all, ctypes.create_string_buffer(4096), 4096) > 0


def system_v_shared_memory(_: Facts) -> bool:
    return call("shmget", 0, 4096, 0o1600) >= 0


def set_up_io_uring(_: Facts) -> bool:
    return call("io_uring_setup", 1, ctypes.create_string_buffer(120)) >= 0


def load_a_bpf_program(_: Facts) -> bool:
    map_create = 0
    attributes = ctypes.create_string_buffer(struct.pack("<4I", 2, 4, 4, 1), 128)
    return call("bpf", map_create, attributes, 72) >= 0


def hide_memory_in_a_memfd(_: Facts) -> bool:
    return os.memfd_create("hoard") >= 0

"""Reaching processes: signals, memory, environment, terminals."""

# An attacker's program: it prints its findings and makes bare system calls.
# ruff: noqa: PTH208
# ruff: noqa: T201

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import subprocess
import time
from pathlib import Path

from .system import Facts, call


def kill_a_host_process(host: Facts) -> bool:
    os.kill(host["victim"], signal.SIGKILL)
    return True


def kill_every_process(host: Facts) -> bool:
    os.kill(-1, signal.SIGKILL)
    os.kill(host["victim"], 0)
    return True


def kill_the_parent(_: Facts) -> bool:
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(0.1)
    return os.getppid() == 0


def look_into_host_root(host: Facts) -> bool:
    print(Path(f"/proc/{host['victim']}/root{host['key']}").read_text("ascii"))
    return True


def read_host_environment(host: Facts) -> bool:
    print(Path(f"/proc/{host['victim']}/environ").read_text("ascii"))
    return True


def read_every_environment(host: Facts) -> bool:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            found = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            continue
        if host["token_name"].encode() in found:
            print(found)
            return True
    return False


def trace_a_process(host: Facts) -> bool:
    seize = 0x4206
    call("ptrace", seize, host["victim"], 0, 0)
    return True


def trace_a_sibling(_: Facts) -> bool:
    sibling = subprocess.Popen(["sleep", "5"])
    try:
        call("ptrace", 0x4206, sibling.pid, 0, 0)
    finally:
        sibling.kill()
    return True


def read_memory_of_a_sibling(_: Facts) -> bool:
    buffer = ctypes.create_string_buffer(8)
    vector = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
    sibling = os.fork()  # has its own buffer at the same address
    if sibling == 0:
        time.sleep(5)
        os._exit(0)
    try:
        return call("process_vm_readv", sibling, vector, 1, vector, 1, 0) == len(buffer)
    finally:
        os.kill(sibling, signal.SIGKILL)


def type_into_the_terminal(_: Facts) -> bool:
    tiocsti = 0x5412
    controller, terminal = os.openpty()
    fcntl.ioctl(terminal, tiocsti, b"x")
    return bool(controller)


def open_the_terminal(_: Facts) -> bool:
    with Path("/dev/tty").open("r+b", buffering=0):
        return True

"""What every attempt is made of: the facts it is told, and bare system calls."""

from __future__ import annotations

import ctypes
import platform
from typing import Any

Facts = dict[str, Any]
MIB = 1 << 20
LIBC = ctypes.CDLL(None, use_errno=True)
_NUMBERS = {  # x86_64, aarch64
    "ptrace": (101, 117),
    "unshare": (272, 97),
    "setns": (308, 268),
    "clone3": (435, 435),
    "mount": (165, 40),
    "keyctl": (250, 219),
    "shmget": (29, 194),
    "io_uring_setup": (425, 425),
    "syslog": (103, 116),
    "process_vm_readv": (310, 270),
    "sethostname": (170, 161),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
}


def call(name: str, *arguments: Any) -> int:
    """A bare system call; raises what the kernel answers."""
    number = _NUMBERS[name][platform.machine() == "aarch64"]
    # As unsigned longs: a bare int would be cut to 32 bits.
    longs = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result: int = LIBC.syscall(ctypes.c_long(number), *longs)
    if result < 0:
        raise OSError(ctypes.get_errno(), name)
    return result

"""The system-call filter: a classic BPF program that the kernel runs before every call.

It closes what namespaces leave open: new user namespaces (the usual road to
kernel bugs), memory that no process is seen to hold (memfd, System V segments),
other processes' memory, kernel keyrings, terminal injection, and socket families
that no network namespace holds back, such as AF_VSOCK between a virtual machine
and its host. Everything not named is allowed: the namespaces do the rest.
"""

from __future__ import annotations

import errno
import platform
import socket
import struct

# Linux system-call numbers, (x86_64, aarch64), from the kernel's unistd headers.
_DENIED = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "mq_open": (240, 180),
    "msgget": (68, 186),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "semget": (64, 190),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "shmget": (29, 194),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "vhangup": (153, 58),
}
_CLONE, _CLONE3, _IOCTL, _SOCKET, _SOCKETPAIR = (
    (56, 220),
    (435, 435),
    (16, 29),
    (41, 198),
    (53, 199),
)
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT = 0x40000000
_NEW_NAMESPACES = 0x7E020000  # every CLONE_NEW* flag that clone takes
_TERMINAL_INJECTION = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
_FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)

_LOAD, _JUMP_EQUAL, _JUMP_GE, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _ARG0, _ARG1 = 0, 4, 16, 24  # offsets in struct seccomp_data, little-endian
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000

SUPPORTED_MACHINES = tuple(_AUDIT_ARCH)


def program(machine: str | None = None) -> bytes:
    """The filter as an array of `struct sock_filter`, for `bwrap --seccomp`.

    Args:
        machine: an entry of `SUPPORTED_MACHINES`; the running one if not given.

    Raises:
        KeyError: if the machine's call numbers are not known.
    """
    machine = machine or platform.machine()
    column = SUPPORTED_MACHINES.index(machine) if machine in _AUDIT_ARCH else None
    if column is None:
        raise KeyError(machine)
    code = [
        _step(_LOAD, _ARCH),
        _step(_JUMP_EQUAL, _AUDIT_ARCH[machine], 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
    ]
    if machine == "x86_64":
        code += [_step(_JUMP_GE, _X32_BIT, 0, 1), _refuse(errno.EPERM)]
    for numbers in _DENIED.values():
        code += [_step(_JUMP_EQUAL, numbers[column], 0, 1), _refuse(errno.EPERM)]
    # clone3 hides its flags behind a pointer; ENOSYS makes C libraries fall back to clone.
    code += [_step(_JUMP_EQUAL, _CLONE3[column], 0, 1), _refuse(errno.ENOSYS)]
    code += _guarded(_CLONE[column], _ARG0, [_step(_JUMP_SET, _NEW_NAMESPACES, 0, 1)], errno.EPERM)
    for request in _TERMINAL_INJECTION:
        code += _guarded(_IOCTL[column], _ARG1, [_step(_JUMP_EQUAL, request, 0, 1)], errno.EPERM)
    for number in (_SOCKET[column], _SOCKETPAIR[column]):
        passes = [
            _step(_JUMP_EQUAL, family, len(_FAMILIES) - index, 0)
            for index, family in enumerate(_FAMILIES)
        ]
        code += _guarded(number, _ARG0, passes, errno.EAFNOSUPPORT)
    return b"".join([*code, _step(_RETURN, _ALLOW)])


def _guarded(number: int, argument: int, tests: list[bytes], refusal: int) -> list[bytes]:
    """For one call: load an argument, and refuse unless a test jumps over the refusal."""
    body = [_step(_LOAD, argument), *tests, _refuse(refusal), _step(_LOAD, _NUMBER)]
    return [_step(_JUMP_EQUAL, number, 0, len(body)), *body]


def _refuse(number: int) -> bytes:
    return _step(_RETURN, _ERRNO | number)


def _step(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, operand)

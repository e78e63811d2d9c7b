"""The system-call filter, read by an interpreter of its own for both machines it knows.

The escape suite shows that the kernel obeys it on the machine that runs the
tests; here the program for the other machine is followed step by step.
"""

from __future__ import annotations

import errno
import struct

import pytest

from abverify.bench.sandbox import seccomp

ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
CALLS = {
    "x86_64": {"read": 0, "ioctl": 16, "socket": 41, "clone": 56, "ptrace": 101, "clone3": 435},
    "aarch64": {"read": 63, "ioctl": 29, "socket": 198, "clone": 220, "ptrace": 117, "clone3": 435},
}
MACHINES = pytest.mark.parametrize("machine", list(ARCH))


def _decide(machine: str, number: int, *arguments: int, arch: int | None = None) -> int:
    """What the filter returns, following the definition of classic BPF."""
    given = (list(arguments) + [0] * 6)[:6]
    data = struct.pack("<iIQ6Q", number, ARCH[machine] if arch is None else arch, 0, *given)
    program = list(struct.iter_unpack("<HBBI", seccomp.program(machine)))
    position = loaded = 0
    while True:
        code, if_true, if_false, operand = program[position]
        position += 1
        if code == 0x20:
            (loaded,) = struct.unpack_from("<I", data, operand)
        elif code == 0x06:
            return int(operand)
        else:
            tests = {0x15: loaded == operand, 0x35: loaded >= operand, 0x45: loaded & operand != 0}
            position += if_true if tests[code] else if_false


@MACHINES
def test_an_ordinary_call_is_allowed(machine: str) -> None:
    assert _decide(machine, CALLS[machine]["read"]) == ALLOW


@MACHINES
def test_a_denied_call_fails_with_eperm(machine: str) -> None:
    assert _decide(machine, CALLS[machine]["ptrace"]) == ERRNO | errno.EPERM


@MACHINES
def test_clone3_is_said_not_to_exist(machine: str) -> None:
    assert _decide(machine, CALLS[machine]["clone3"]) == ERRNO | errno.ENOSYS


@MACHINES
@pytest.mark.parametrize(
    ("flags", "verdict"),
    [
        (17, ALLOW),  # fork
        (0x3D0F00, ALLOW),  # a thread
        (0x10000000 | 17, ERRNO | errno.EPERM),  # CLONE_NEWUSER
        (0x00020000 | 17, ERRNO | errno.EPERM),  # CLONE_NEWNS
        (0x40000000 | 17, ERRNO | errno.EPERM),  # CLONE_NEWNET
    ],
)
def test_clone_may_make_processes_but_no_namespaces(machine: str, flags: int, verdict: int) -> None:
    assert _decide(machine, CALLS[machine]["clone"], flags) == verdict


@MACHINES
@pytest.mark.parametrize(
    ("family", "verdict"),
    [
        (1, ALLOW),  # AF_UNIX
        (2, ALLOW),  # AF_INET
        (10, ALLOW),  # AF_INET6
        (16, ERRNO | errno.EAFNOSUPPORT),  # AF_NETLINK
        (17, ERRNO | errno.EAFNOSUPPORT),  # AF_PACKET
        (38, ERRNO | errno.EAFNOSUPPORT),  # AF_ALG
        (40, ERRNO | errno.EAFNOSUPPORT),  # AF_VSOCK
    ],
)
def test_only_socket_families_that_a_namespace_confines_exist(
    machine: str, family: int, verdict: int
) -> None:
    assert _decide(machine, CALLS[machine]["socket"], family) == verdict


@MACHINES
@pytest.mark.parametrize(
    ("request_", "verdict"),
    [
        (0x5401, ALLOW),  # TCGETS
        (0x5412, ERRNO | errno.EPERM),  # TIOCSTI
        (0xFFFFFFFF_00005412, ERRNO | errno.EPERM),  # the kernel drops the upper half too
        (0x541C, ERRNO | errno.EPERM),  # TIOCLINUX
    ],
)
def test_a_terminal_cannot_be_typed_into(machine: str, request_: int, verdict: int) -> None:
    assert _decide(machine, CALLS[machine]["ioctl"], 0, request_) == verdict


@MACHINES
def test_calls_of_another_machine_kill(machine: str) -> None:
    i386 = 0x40000003
    assert _decide(machine, CALLS[machine]["read"], arch=i386) == KILL


def test_the_x32_calls_are_denied() -> None:
    assert _decide("x86_64", 0x40000000 | CALLS["x86_64"]["ptrace"]) == ERRNO | errno.EPERM


def test_a_machine_whose_call_numbers_are_unknown_has_no_filter() -> None:
    with pytest.raises(KeyError, match="riscv64"):
        seccomp.program("riscv64")

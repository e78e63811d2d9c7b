"""Being alive after the run is over."""

# An attacker's program: it prints its findings and makes bare system calls.
# ruff: noqa: S606

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .system import Facts


def leave_a_background_process(host: Facts) -> bool:
    subprocess.Popen(["sleep", host["mark"]])
    return False


def leave_a_daemon(host: Facts) -> bool:
    for _index in range(2):  # the double fork, each time in a session of its own
        detached, tell = os.pipe()
        if os.fork():
            os.close(tell)
            os.read(detached, 1)
            os._exit(0)
        os.setsid()
        os.close(detached)
        os.close(tell)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.execvp("sleep", ["sleep", host["mark"]])


def refuse_to_end(host: Facts) -> bool:
    for number in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}:
        try:
            signal.signal(number, signal.SIG_IGN)
        except OSError:
            continue
    os.execvp("sleep", ["sleep", host["mark"]])


def keep_forking(host: Facts) -> bool:
    """Hops from child to child, so that a kill aimed at one process id misses."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if os.fork():
            os._exit(0)
        os.setsid()
        time.sleep(0.002)
    os.execvp("sleep", ["sleep", host["mark"]])

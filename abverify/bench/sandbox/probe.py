"""Whether isolation truly works on this host, found out by trying it once per process."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from abverify.bench.sandbox import seccomp
from abverify.bench.sandbox.bubblewrap import BubblewrapSandbox
from abverify.bench.sandbox.faults import SandboxFailed, SandboxMissing
from abverify.bench.sandbox.interface import Limits
from abverify.bench.sandbox.unsafe_host import UnsafeHost

if TYPE_CHECKING:
    from abverify.bench.sandbox.interface import Sandbox

_INSTALL = "sudo apt-get install -y bubblewrap util-linux"
_ALLOW_NAMESPACES = (
    "run as root, or allow user namespaces: `sudo sysctl -w user.max_user_namespaces=15000`, and "
    "where the kernel has it `sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0` "
    "(in a container: give it the right to create namespaces)"
)
_OLDEST = (0, 7)  # the first that can limit the size of a tmpfs
_PROCESSES = 8
_LIMITS = Limits(
    wall_seconds=20.0,
    cpu_seconds=10,
    memory_bytes=256 << 20,
    processes=_PROCESSES,
    scratch_bytes=1 << 20,
    workspace_bytes=1 << 20,
)
# Each line checks one promise and names it when it is broken. "$1" is a file of the host.
_CHECKS = r"""
broken() { echo "broken: $1"; exit 1; }
status() { sed -n "s/^$1:[[:space:]]*//p" /proc/self/status; }
[ "$(id -u)" = 1000 ] || broken "the user is $(id -u), not 1000"
[ "$(status NoNewPrivs)" = 1 ] || broken "new privileges can be had"
[ "$(status Seccomp)" = 2 ] || broken "no system-call filter is on"
[ "$(status CapEff)$(status CapBnd)" = 00000000000000000000000000000000 ] || broken "capabilities"
[ ! -e "$1" ] || broken "a file of the host is visible"
(echo x > /usr/abverify-probe) 2>/dev/null && broken "/usr can be written"
(echo x > /abverify-probe) 2>/dev/null && broken "/ can be written"
[ "$(sed 1,2d /proc/net/dev | grep -vc '^ *lo:')" = 0 ] || broken "there is a network interface"
unshare --user true 2>/dev/null && broken "a user namespace can be made"
head -c 2097152 /dev/zero > /tmp/big 2>/dev/null && broken "/tmp has no bound"
timeout 2 sh -c 'for i in 1 2 3 4 5 6 7 8 9; do sleep 9 & done' 2>/dev/null \
  && broken "the number of processes has no bound"
exit 0
"""


def find_sandbox(*, unsafe: bool = False) -> Sandbox:
    """The sandbox of this host, proved to work.

    Args:
        unsafe: do without isolation, at the user's explicit wish; the result says
            `isolated=False`.

    Raises:
        SandboxMissing: if there is none that works, with the reason and what to type.
    """
    if unsafe:
        return UnsafeHost()
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxMissing("bwrap is not on PATH", _INSTALL)
    return probe(Path(program))


@cache
def probe(program: Path) -> BubblewrapSandbox:
    """Tries the isolation that this `bwrap` gives here; a success is remembered.

    Raises:
        SandboxMissing: naming the first promise that does not hold.
    """
    if platform.machine() not in seccomp.SUPPORTED_MACHINES:
        raise SandboxMissing(
            f"no system-call filter for {platform.machine()}",
            f"use a machine of {' or '.join(seccomp.SUPPORTED_MACHINES)}",
        )
    if not Path("/usr/bin/setpriv").exists():
        raise SandboxMissing("/usr/bin/setpriv is missing", _INSTALL)
    sandbox = BubblewrapSandbox(program, _version(program))
    with tempfile.TemporaryDirectory(prefix="abverify-probe-") as folder:
        workspace, canary = Path(folder, "workspace"), Path(folder, "canary")
        workspace.mkdir()
        canary.touch()
        try:
            _try(sandbox, workspace, canary)
        except (SandboxFailed, OSError) as error:
            reason = error.found if isinstance(error, SandboxFailed) else str(error)
            raise SandboxMissing(f"isolation fails here: {reason}", _ALLOW_NAMESPACES) from None
    return sandbox


def _try(sandbox: BubblewrapSandbox, workspace: Path, canary: Path) -> None:
    checks = sandbox.run(
        ["sh", "-c", _CHECKS, "probe", str(canary)],
        workspace=workspace,
        limits=_LIMITS,
        toolchains=(),
    )
    if checks.exit_code != 0:
        raise SandboxFailed(checks.output.decode("utf-8", "replace").strip() or repr(checks))
    signed = sandbox.run(
        ["sh", "-c", "echo carried > sign"], workspace=workspace, limits=_LIMITS, toolchains=()
    )
    if signed.exit_code != 0 or (workspace / "sign").read_bytes() != b"carried\n":
        raise SandboxFailed("what the command writes into the workspace is lost")


def _version(program: Path) -> str:
    try:
        done = subprocess.run(
            [str(program), "--version"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise SandboxMissing(f"{program} does not run: {error}", _INSTALL) from None
    version = done.stdout.strip()
    numbers = re.search(r"(\d+)\.(\d+)", version)
    if numbers is None or tuple(map(int, numbers.groups())) < _OLDEST:
        raise SandboxMissing(f"{program} is {version}, too old", _INSTALL)
    return version

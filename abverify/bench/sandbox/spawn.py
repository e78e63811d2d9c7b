"""Starting bubblewrap so that it builds the sandbox and then waits at a closed gate."""

from __future__ import annotations

import fcntl
import json
import os
import select
import subprocess
import time
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.bench.sandbox import layout, seccomp
from abverify.bench.sandbox.faults import SandboxFailed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import ExitStack

    from abverify.bench.sandbox.interface import Limits, Toolchain

START_SECONDS = 10.0
_POLL_SECONDS = 0.0005
_HOST_IDS = 0x70000000  # ids that no account has; + process id: a user of its own
_SEALED = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
_NAMESPACES = (
    "--unshare-user",
    "--unshare-pid",
    "--unshare-net",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--hostname",
    "sandbox",
    "--die-with-parent",
    "--new-session",
)
_INNER_USER = ("--uid", str(layout.INNER_ID), "--gid", str(layout.INNER_ID))
_CAPS_TO_DROP_ROOT = (
    "--cap-drop",
    "ALL",
    *(part for name in ("SETUID", "SETGID", "SETPCAP") for part in ("--cap-add", f"CAP_{name}")),
)
_SETPRIV = ("/usr/bin/setpriv", "--no-new-privs")
_DROP_ROOT = (
    f"--reuid={layout.INNER_ID}",
    f"--regid={layout.INNER_ID}",
    "--clear-groups",
    "--bounding-set=-all",
    "--inh-caps=-all",
)


@frozen
class Order:
    """What to run: the command and all that shapes its sandbox."""

    program: Path
    argv: Sequence[str]
    toolchains: Sequence[Toolchain]
    limits: Limits
    env: dict[str, str]
    stdin: bytes


@frozen
class Pipe:
    """A pipe's two ends; closing either twice is harmless."""

    reader: FileIO
    writer: FileIO


@frozen
class Waiting:
    """bubblewrap at its gate.

    Attributes:
        process: the outer bubblewrap process.
        init_pid: the sandbox's process 1, as the host numbers it.
        root: a descriptor of the sandbox's finished root.
        owner: the host's id of the user inside, None when it is the caller's own.
        gate: one byte into it starts the command.
        status: where bubblewrap reports the command's exit, as JSON lines.
        stream: the command's output.
    """

    process: subprocess.Popen[bytes]
    init_pid: int
    root: int
    owner: int | None
    gate: FileIO
    status: FileIO
    stream: FileIO


def spawn(order: Order, stack: ExitStack) -> Waiting:
    """Starts bubblewrap and returns when it waits at its gate.

    Args:
        order: what will run.
        stack: takes every descriptor, and the kill of the process.

    Raises:
        SandboxFailed: if bubblewrap cannot build the sandbox, with what it says.
    """
    output, info, status, gate = (_pipe(stack) for _ in range(4))
    owner = own_host_id()
    etc = {path: sealed(stack, text.encode()) for path, text in layout.ETC.items()}
    rules = sealed(stack, seccomp.program())
    options = [
        *_flag("--info-fd", info.writer),
        *_flag("--json-status-fd", status.writer),
        *_flag("--block-fd", gate.reader),
        *_flag("--seccomp", rules),
        *(_flag("--userns-block-fd", gate.reader) if owner else ()),
        *_options(order, owner, {path: file.fileno() for path, file in etc.items()}),
    ]
    inherited = [info.writer, status.writer, gate.reader, rules, *etc.values()]
    process = _start(order, options, inherited, output.writer, stack)
    os.set_blocking(output.reader.fileno(), False)
    init_pid = _init_pid(info.reader, output.reader)
    if owner is not None:
        _map_ids(init_pid, owner)
        gate.writer.write(b"x")  # one byte for --userns-block-fd, the next for --block-fd
    root = _finished_root(process, init_pid, output.reader)
    stack.callback(os.close, root)
    return Waiting(process, init_pid, root, owner, gate.writer, status.reader, output.reader)


def own_host_id() -> int | None:
    """The id a root caller lends the sandbox's user, None when the caller is not really root.

    The kernel exempts the host's root from the limit on processes, so the user
    inside must be someone else. A "root" whose own user namespace lacks the id
    (a rootless container) is an ordinary user on the host and needs none.
    """
    if os.geteuid() != 0:
        return None
    wanted = _HOST_IDS + os.getpid()
    maps = (Path(f"/proc/self/{kind}_map").read_text("ascii") for kind in ("uid", "gid"))
    return wanted if all(_covers(text, wanted) for text in maps) else None


def sealed(stack: ExitStack, content: bytes) -> FileIO:
    """A file in memory, at its start, that nobody who gets the descriptor can change."""
    descriptor = os.memfd_create("sandbox", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    file = stack.enter_context(FileIO(descriptor, "r+"))
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]
    file.seek(0)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALED)
    return file


def said(stream: FileIO) -> str:
    """The last words of a bubblewrap that failed."""
    words = stream.read(1 << 14) or b""
    return words.decode("utf-8", "replace").strip() or "bubblewrap ended without a word"


def readable(descriptor: int, seconds: float) -> bool:
    """Whether a descriptor can be read, or its writers are gone, within the time."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _pipe(stack: ExitStack) -> Pipe:
    reader, writer = os.pipe()
    return Pipe(stack.enter_context(FileIO(reader, "r")), stack.enter_context(FileIO(writer, "w")))


def _options(order: Order, owner: int | None, etc: dict[str, int]) -> list[str]:
    """The namespaces, the file system, the environment and the command."""
    return [
        *_NAMESPACES,
        *(_CAPS_TO_DROP_ROOT if owner else _INNER_USER),
        *layout.filesystem(order.toolchains, order.limits, etc),
        "--clearenv",
        *(part for name, value in order.env.items() for part in ("--setenv", name, value)),
        "--",
        *_SETPRIV,
        *(_DROP_ROOT if owner else ()),
        "--",
        *order.argv,
    ]


def _start(
    order: Order, options: list[str], inherited: list[FileIO], output: FileIO, stack: ExitStack
) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [str(order.program), *options],
        stdin=sealed(stack, order.stdin),
        stdout=output,
        stderr=subprocess.STDOUT,
        pass_fds=[file.fileno() for file in inherited],
        env={},  # process 1 keeps this environment where the command can read it
        start_new_session=True,  # Ctrl-C reaches us, and we end the sandbox
    )
    stack.enter_context(process)
    stack.callback(process.kill)
    for file in (*inherited, output):
        file.close()
    return process


def _flag(name: str, file: FileIO) -> tuple[str, str]:
    return name, str(file.fileno())


def _covers(id_map: str, wanted: int) -> bool:
    rows = (tuple(map(int, line.split())) for line in id_map.splitlines())
    return any(start <= wanted < start + length for start, _, length in rows)


def _init_pid(info: FileIO, stream: FileIO) -> int:
    if not readable(info.fileno(), START_SECONDS):
        raise SandboxFailed(f"bubblewrap did not start within {START_SECONDS:.0f} s")
    text = info.readall()
    if not text:
        readable(stream.fileno(), 1.0)
        raise SandboxFailed(said(stream))
    return int(json.loads(text)["child-pid"])


def _map_ids(pid: int, owner: int) -> None:
    """Inside, 0 is the caller, who only builds, and 1000 is a host user without an account."""
    rows = f"0 0 1\n{layout.INNER_ID} {owner} 1\n"
    for kind in ("uid", "gid"):
        Path(f"/proc/{pid}/{kind}_map").write_text(rows, "ascii")


def _finished_root(process: subprocess.Popen[bytes], pid: int, stream: FileIO) -> int:
    """Waits until the root is the sandbox's own: another device, and sealed, which comes last."""
    host = Path("/").stat().st_dev
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            root = os.open(f"/proc/{pid}/root", os.O_PATH | os.O_DIRECTORY)
        except FileNotFoundError:
            break
        if os.fstat(root).st_dev != host and os.fstatvfs(root).f_flag & os.ST_RDONLY:
            return root
        os.close(root)
        time.sleep(_POLL_SECONDS)
    raise SandboxFailed(said(stream))

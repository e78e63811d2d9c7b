"""A host worth attacking: a key, a ledger, listeners and a process, and a look at the damage."""

from __future__ import annotations

import json
import os
import secrets
import select
import shutil
import signal
import socket
import stat
import subprocess
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abverify.bench.sandbox import Completed

    from .callers import Caller

TOKEN_NAME = "ABVERIFY_TEST_TOKEN"  # noqa: S105 (a variable's name)
_FILES = (
    "secrets/signing.key",
    "home/.netrc",
    "ledger/000001.json",
    "evidence.jsonl",
    "test_it.py",
)


@dataclass
class Host:
    """Files, sockets and a process that no sandboxed code may touch."""

    folder: Path
    token: str
    mark: str
    victim: subprocess.Popen[bytes]
    listeners: dict[str, socket.socket] = field(default_factory=dict)

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    def facts(self) -> str:
        """What the attacker is told: where everything is."""
        facts: dict[str, Any] = {
            "key": str(self.folder / "secrets/signing.key"),
            "home": str(self.folder / "home"),
            "ledger": str(self.folder / "ledger/000001.json"),
            "evidence": str(self.folder / "evidence.jsonl"),
            "fixture": str(self.folder / "test_it.py"),
            "victim": self.victim.pid,
            "mark": self.mark,
            "token_name": TOKEN_NAME,
            "abstract_name": self.mark,
            "socket_path": str(self.folder / "host.sock"),
            "tcp_port": self.listeners["tcp"].getsockname()[1],
            "udp_port": self.listeners["udp"].getsockname()[1],
        }
        return json.dumps(facts)

    def harm(self, done: Completed) -> list[str]:
        """What the attempt achieved, one line each; empty is what a sandbox promises."""
        return [
            *(["it says that it escaped"] if b"ESCAPED" in done.output else []),
            *(["it read the secret"] if self.token.encode() in done.output else []),
            *(f"{name} was changed" for name in _FILES if self._changed(name)),
            *(f"the {name} listener was reached" for name in self._reached()),
            *(["the host's process was killed"] if self.victim.poll() is not None else []),
            *(f"process {pid} survived" for pid in self.survivors()),
            *self._traps(),
        ]

    def harm_in_time(self, done: Completed) -> list[str]:
        """The harm as soon as there is any; a process that executes another shows no command."""
        for _moment in range(100):
            if found := self.harm(done):
                return found
            time.sleep(0.02)
        return []

    def survivors(self) -> list[int]:
        """Processes that carry this host's mark in their command line, the victim aside."""
        found = []
        for pid in (path.name for path in Path("/proc").iterdir() if path.name.isdigit()):
            with suppress(OSError):
                if self.mark.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(int(pid))
        return found

    def _changed(self, name: str) -> bool:
        path = self.folder / name
        return not path.exists() or path.read_text("ascii") != f"{self.token} {name}\n"

    def _reached(self) -> list[str]:
        readable = select.select(list(self.listeners.values()), [], [], 0)[0]
        return [name for name, listener in self.listeners.items() if listener in readable]

    def _traps(self) -> Iterator[str]:
        """What the run left in the workspace to be opened, run or followed by the host."""
        for path in self.workspace.rglob("*"):
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode) and not path.resolve().is_relative_to(self.workspace):
                yield f"{path.name} leads out of the workspace"
            elif not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)):
                yield f"{path.name} is a special file"
            elif mode & (stat.S_ISUID | stat.S_ISGID):
                yield f"{path.name} is set-user-id"


@contextmanager
def attacked(caller: Caller) -> Iterator[Host]:
    """A fresh host, everything in it owned by the caller, with the attempts in its workspace."""
    token, mark = secrets.token_hex(16), f"900.{secrets.randbelow(10**15):015d}"
    with ExitStack() as stack:
        folder = stack.enter_context(caller.folder())
        for name in _FILES:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(f"{token} {name}\n", "ascii")
        (folder / "workspace/src").mkdir(parents=True)
        (folder / "workspace/src/main.py").write_text("print('task')\n", "ascii")
        source = Path(__file__).with_name("attacks")
        unneeded = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, folder / "workspace/attacks", ignore=unneeded)
        victim = subprocess.Popen(["sleep", "900"], env={TOKEN_NAME: token}, user=caller.owner)
        stack.callback(_reap, victim)
        host = Host(folder, token, mark, victim)
        for name, made in _listeners(folder, mark):
            host.listeners[name] = stack.enter_context(made)
        caller.own(folder)
        yield host
        for pid in host.survivors():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _listeners(folder: Path, mark: str) -> Iterator[tuple[str, socket.socket]]:
    for name, family, kind, address in (
        ("tcp", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
        ("udp", socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
        ("abstract", socket.AF_UNIX, socket.SOCK_STREAM, "\0" + mark),
        ("path", socket.AF_UNIX, socket.SOCK_STREAM, str(folder / "host.sock")),
    ):
        listener = socket.socket(family, kind)
        listener.bind(address)
        if kind == socket.SOCK_STREAM:
            listener.listen()
        yield name, listener


def _reap(victim: subprocess.Popen[bytes]) -> None:
    victim.kill()
    victim.wait()

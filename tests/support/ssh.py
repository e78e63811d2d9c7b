"""OpenSSH as people have it: real keys, a real agent, real signatures."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PATIENCE_SECONDS = 30


def ssh_key(path: Path, *, comment: str, passphrase: str = "", kind: str = "ed25519") -> Path:
    """A key pair made by ssh-keygen: the private key's file; the public one ends in `.pub`."""
    options = ["-q", "-t", kind, "-N", passphrase, "-C", comment]
    subprocess.run(["ssh-keygen", *options, "-f", str(path)], check=True)
    return path


def ssh_sign(
    key: Path, file: Path, *, namespace: str = "abverify", options: tuple[str, ...] = ()
) -> Path:
    """A signature of a file by ssh-keygen: the signature's file."""
    words = ["ssh-keygen", "-Y", "sign", "-q", "-n", namespace, *options, "-f", str(key), str(file)]
    subprocess.run(words, check=True, stderr=subprocess.PIPE)
    return file.with_name(f"{file.name}.sig")


@contextmanager
def ssh_agent(folder: Path, *keys: Path) -> Iterator[str]:
    """A running agent that holds these keys; the path of its socket."""
    socket = folder / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.PIPE)
    try:
        _wait_for(socket, process)
        environment = {**os.environ, "SSH_AUTH_SOCK": str(socket)}
        for key in keys:
            subprocess.run(["ssh-add", "-q", str(key)], env=environment, check=True)
        yield str(socket)
    finally:
        process.terminate()
        process.communicate()


def _wait_for(socket: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not socket.exists():
        assert process.poll() is None, "ssh-agent ended at once"
        assert time.monotonic() < deadline, "ssh-agent never began"
        time.sleep(0.01)

"""Who calls the sandbox: the user the tests run as and, when that is root, `nobody` too."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import abverify
from abverify.bench.sandbox import Completed, Limits, Sandbox, Toolchain, find_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

NOBODY = 65534
# `env` starts the program: setpriv itself still has root's reach when it looks one up.
_AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "env")


@dataclass(frozen=True)
class Nobody:
    """The sandbox as `nobody` gets it: every run goes through a process of that user."""

    interpreter: str
    package: Path
    name: str = "bubblewrap"
    version: str = "as nobody"
    isolated: bool = True

    def run(
        self,
        argv: Sequence[str],
        *,
        workspace: Path,
        limits: Limits,
        toolchains: Sequence[Toolchain],
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
    ) -> Completed:
        asked = {
            "argv": list(argv),
            "workspace": str(workspace),
            "limits": dataclasses.asdict(limits),
            "toolchains": [toolchain.name for toolchain in toolchains],
            "stdin": base64.b64encode(stdin).decode(),
            "env": dict(env or {}),
        }
        said = json.loads(self._driver("run", json.dumps(asked).encode()))
        said["output"] = base64.b64decode(said["output"])
        said["dropped"] = tuple(said["dropped"])
        return Completed(**said)

    def prove(self) -> None:
        """Has `nobody` prove the sandbox, as every user of abverify does."""
        self._driver("probe", b"")

    def _driver(self, mode: str, given: bytes) -> bytes:
        done = subprocess.run(
            [*_AS_NOBODY, self.interpreter, str(self.package / "as_nobody.py"), mode],
            input=given,
            capture_output=True,
            env={**os.environ, "PYTHONPATH": str(self.package), "PYTHONDONTWRITEBYTECODE": "1"},
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout


@dataclass(frozen=True)
class Caller:
    """A user who calls the sandbox, and the user id that owns what it works on."""

    sandbox: Sandbox
    owner: int | None

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A temporary folder of the caller's own, reachable by it."""
        with tempfile.TemporaryDirectory(prefix="abverify-test-") as name:
            folder = Path(name)
            folder.chmod(0o755)
            self.own(folder)
            yield folder

    def own(self, top: Path) -> None:
        """Makes the caller the owner of everything below a path."""
        if self.owner is not None:
            for path in (top, *top.rglob("*")):
                os.chown(path, self.owner, self.owner, follow_symlinks=False)


@cache
def interpreter_of_nobody() -> str | None:
    """A Python that `nobody` may run; None if we are not root or there is none.

    An interpreter below root's home is out of its reach.
    """
    if os.geteuid() != 0:
        return None
    demand = "import sys; assert sys.version_info >= (3, 11)"
    for program in (sys.executable, "/usr/local/bin/python3", "/usr/bin/python3"):
        done = subprocess.run(
            [*_AS_NOBODY, program, "-c", demand], capture_output=True, check=False, cwd="/"
        )
        if done.returncode == 0:
            return program
    return None


CALLERS = ("caller", "nobody") if interpreter_of_nobody() else ("caller",)


@contextmanager
def caller(name: str) -> Iterator[Caller]:
    """The caller of that name, one of `CALLERS`."""
    if name == "caller":
        yield Caller(find_sandbox(), owner=None)
        return
    interpreter = interpreter_of_nobody()
    assert interpreter is not None
    with tempfile.TemporaryDirectory(prefix="abverify-nobody-") as folder:
        package = Path(folder)
        package.chmod(0o755)
        source = Path(abverify.__file__).parent
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, package / "abverify", ignore=ignored)
        shutil.copy(Path(__file__).with_name("as_nobody.py"), package)
        subprocess.run(["chmod", "-R", "a+rX", str(package)], check=True)
        nobody = Nobody(interpreter, package)
        nobody.prove()
        yield Caller(nobody, owner=NOBODY)

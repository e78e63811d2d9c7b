"""The toolchains a fixture's commands may use, found on the host and bound read-only.

A toolchain is bound at its real path, because interpreters and compilers look
for their own files there. Its environment points every cache at `/tmp`, which is
private to the run: nothing that a model's code builds is ever reused.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from abverify.bench.sandbox.faults import ToolchainMissing
from abverify.bench.sandbox.interface import Toolchain

NAMES = ("python", "rust", "shell")
_VERSION_SECONDS = 30
_INSTALL_PYTHON = "make a virtual environment from a complete Python 3.11 or newer"
_INSTALL_RUST = (
    "sudo apt-get install -y cargo gcc libc6-dev, or rustup (then `rustup default stable`)"
)
_INSTALL_CC = "sudo apt-get install -y gcc libc6-dev"
_INSTALL_SHELL = "sudo apt-get install -y dash coreutils util-linux"


def find(name: str, *, search: str | None = None) -> Toolchain:
    """The toolchain of that name on this host.

    Args:
        name: one of `NAMES`.
        search: where to look for programs, in the form of PATH; the user's own PATH
            (and, for rust, the usual Cargo folder) if not given. Python is always the
            interpreter that is running, or for a virtual environment its base.

    Raises:
        ToolchainMissing: if it is not here, with what to install.
    """
    if name == "python":
        return _python(Path(sys.base_prefix))
    if name == "rust":
        return _rust(_cargo_path() if search is None else search)
    if name == "shell":
        return _shell(search)
    raise ToolchainMissing(name, NAMES, "use one of " + ", ".join(NAMES))


def _python(base: Path) -> Toolchain:
    prefix = base.resolve()
    program = prefix / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    plain = prefix / "bin" / "python3"
    if not program.exists() or not plain.exists() or program.resolve() != plain.resolve():
        raise ToolchainMissing("python", (str(plain), str(program)), _INSTALL_PYTHON)
    if Path.home().resolve().is_relative_to(prefix):
        # Binding this prefix would show the home folder, keys included.
        raise ToolchainMissing("python", (f"{prefix} (holds the home folder)",), _INSTALL_PYTHON)
    version = f"{platform.python_implementation()} {platform.python_version()}"
    return Toolchain(
        name="python",
        version=f"{version} [{platform.python_compiler()}]",
        binds=(prefix,),
        path=(prefix / "bin",),
        env={"PYTHONNOUSERSITE": "1"},
    )


def _rust(search: str) -> Toolchain:
    rustc = shutil.which("rustc", path=search)
    cargo = shutil.which("cargo", path=search)
    if rustc is None or cargo is None:
        missing = "cargo" if cargo is None else "rustc"
        raise ToolchainMissing("rust", (f"{missing} on {search}",), _INSTALL_RUST, program=missing)
    if shutil.which("cc", path="/usr/bin:/bin") is None:
        raise ToolchainMissing("rust", ("cc on /usr/bin:/bin",), _INSTALL_CC, program="cc")
    sysroot = Path(_said("rust", [rustc, "--print", "sysroot"], _INSTALL_RUST)).resolve()
    programs = sysroot / "bin"
    if not (programs / "cargo").exists():
        raise ToolchainMissing("rust", (str(programs / "cargo"),), _INSTALL_RUST)
    versions = [
        _said("rust", [str(programs / tool), "--version"], _INSTALL_RUST)
        for tool in ("rustc", "cargo")
    ]
    return Toolchain(
        name="rust",
        version="; ".join(versions),
        binds=(sysroot,),
        path=(programs,),
        env={
            "CARGO_HOME": "/tmp/cargo",  # noqa: S108 (the run's private /tmp)
            "CARGO_NET_OFFLINE": "true",
            "CARGO_TARGET_DIR": "/tmp/target",  # noqa: S108 (as above)
            "CARGO_TERM_COLOR": "never",
            "HOME": "/tmp",  # noqa: S108 (as above)
        },
    )


def _cargo_path() -> str:
    home = os.environ.get("CARGO_HOME") or str(Path.home() / ".cargo")
    return os.pathsep.join([os.environ.get("PATH", os.defpath), f"{home}/bin"])


def _shell(search: str | None) -> Toolchain:
    search = search or "/usr/bin:/bin"
    shell, list_files = shutil.which("sh", path=search), shutil.which("ls", path=search)
    if shell is None or list_files is None:
        missing = "sh" if shell is None else "ls"
        raise ToolchainMissing("shell", (f"{missing} on {search}",), _INSTALL_SHELL)
    real = Path(shell).resolve()
    digest = hashlib.sha256(real.read_bytes()).hexdigest()
    coreutils = _said("shell", [list_files, "--version"], _INSTALL_SHELL).splitlines()[0]
    return Toolchain(name="shell", version=f"{real.name} sha256:{digest}; {coreutils}")


def _said(name: str, argv: list[str], install: str) -> str:
    """What a trusted tool of the host prints, or why it cannot be used."""
    try:
        done = subprocess.run(  # noqa: PLW1510 (the exit code is judged below)
            argv, capture_output=True, text=True, timeout=_VERSION_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolchainMissing(name, (f"{' '.join(argv)} ({error})",), install) from None
    said = done.stdout.strip()
    if done.returncode != 0 or not said:
        why = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise ToolchainMissing(name, (f"{' '.join(argv)} ({why})",), install)
    return said

"""What a process in the sandbox sees: its files, its names and its environment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abverify.bench.sandbox.interface import Limits, Toolchain

INNER_ID = 1000  # user and group of every run, whoever runs abverify
WORKSPACE = "/workspace"
ETC = {
    "/etc/passwd": f"sandbox:x:{INNER_ID}:{INNER_ID}:sandbox:/tmp:/bin/sh\n",
    "/etc/group": f"sandbox:x:{INNER_ID}:\n",
    "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
_SYSTEM = Path("/usr")
_LINKS_INTO_SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_SYSTEM_PATH = ("/usr/bin", "/bin")
_SHARED_MEMORY_BYTES = 16 << 20
_ENV = {
    "HOME": "/tmp",  # noqa: S108 (the run's private /tmp)
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "LOGNAME": "sandbox",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "SHELL": "/bin/sh",
    "SOURCE_DATE_EPOCH": "315532800",  # 1980-01-01, the first day that zip archives know
    "TERM": "dumb",
    "TMPDIR": "/tmp",  # noqa: S108 (as above)
    "TZ": "UTC",
    "USER": "sandbox",
}


def environment(toolchains: Sequence[Toolchain], env: Mapping[str, str]) -> dict[str, str]:
    """All that is in the command's environment; nothing of the caller's own gets in."""
    folders = [str(folder) for toolchain in toolchains for folder in toolchain.path]
    merged = dict(_ENV)
    for toolchain in toolchains:
        merged.update(toolchain.env)
    return {**merged, "PATH": ":".join([*folders, *_SYSTEM_PATH]), **env}


def filesystem(
    toolchains: Sequence[Toolchain], limits: Limits, etc: Mapping[str, int]
) -> list[str]:
    """The bubblewrap options that build the file system; the order matters.

    Args:
        toolchains: their folders are bound read-only.
        limits: give the sizes of `/tmp` and of the workspace.
        etc: for each path of `ETC`, a descriptor of its content.
    """
    options = ["--ro-bind", str(_SYSTEM), str(_SYSTEM)]
    for name in _LINKS_INTO_SYSTEM:
        options += _link_or_folder(Path("/") / name)
    options += ["--perms", "0755", "--dir", "/etc"]
    for path in ("/etc/alternatives", "/etc/ld.so.cache"):
        options += ["--ro-bind-try", path, path]
    for path, descriptor in etc.items():
        options += ["--perms", "0444", "--file", str(descriptor), path]
    options += ["--proc", "/proc", "--dev", "/dev"]
    options += ["--perms", "1777", "--size", str(_SHARED_MEMORY_BYTES), "--tmpfs", "/dev/shm"]  # noqa: S108
    options += ["--remount-ro", "/dev"]
    options += ["--perms", "1777", "--size", str(limits.scratch_bytes), "--tmpfs", "/tmp"]  # noqa: S108
    for bind in _outside_system(toolchains):
        # Else bubblewrap gives the folders above it the host's modes: a closed home stays closed.
        for above in [*bind.parents][-2::-1]:
            options += ["--perms", "0755", "--dir", str(above)]
        options += ["--ro-bind", str(bind), str(bind)]
    options += ["--perms", "0755", "--size", str(limits.workspace_bytes), "--tmpfs", WORKSPACE]
    # bubblewrap's own root is a writable tmpfs; sealing it comes last.
    return [*options, "--remount-ro", "/", "--chdir", WORKSPACE]


def _outside_system(toolchains: Sequence[Toolchain]) -> list[Path]:
    binds = {bind for toolchain in toolchains for bind in toolchain.binds}
    return sorted(bind for bind in binds if not bind.is_relative_to(_SYSTEM))


def _link_or_folder(path: Path) -> list[str]:
    """`/bin` and its like: a link into `/usr` on most systems, a folder on some."""
    if path.is_symlink():
        return ["--symlink", str(path.readlink()), str(path)]
    return ["--ro-bind", str(path), str(path)] if path.is_dir() else []

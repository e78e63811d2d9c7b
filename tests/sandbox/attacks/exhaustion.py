"""Using up memory, processes, disk, processor or patience. Never run outside a sandbox."""

# An attacker's program: it prints its findings and makes bare system calls.
# ruff: noqa: PTH101, PTH102, PTH106, PTH108, PTH112, PTH208
# ruff: noqa: SIM115, FURB122

from __future__ import annotations

import mmap
import os
import shutil
import threading
import time
from pathlib import Path

from .system import MIB, Facts


def fork_bomb(host: Facts) -> bool:
    for _index in range(1000):
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
    return bool(host)


def fork_bomb_that_never_waits(_: Facts) -> bool:
    while True:
        try:
            os.fork()
        except OSError:
            continue


def thread_bomb(_: Facts) -> bool:
    for _index in range(1000):
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    return True


def memory_bomb(_: Facts) -> bool:
    hoard = [bytearray(16 * MIB) for _index in range(64)]
    return len(hoard) > 0


def memory_bomb_of_many_processes(_: Facts) -> bool:
    for _index in range(8):
        if os.fork() == 0:
            hoard = bytearray(64 * MIB)
            hoard[::4096] = b"x" * len(hoard[::4096])
            time.sleep(30)
            os._exit(0)
    time.sleep(30)
    return True


def shared_memory_bomb(_: Facts) -> bool:
    hoard = []
    for _index in range(64):
        block = mmap.mmap(-1, 16 * MIB)
        for offset in range(0, len(block), 4096):
            block[offset] = 1
        hoard.append(block)
    return True


def dev_shm_bomb(_: Facts) -> bool:
    return all(_pour(Path(f"/dev/shm/{index}")) for index in range(64))


def fill_the_workspace(_: Facts) -> bool:
    return all(_pour(Path(f"{index}.bin")) for index in range(64))


def fill_the_scratch(_: Facts) -> bool:
    return all(_pour(Path(f"/tmp/{index}.bin")) for index in range(64))


def fill_the_disk_with_deleted_files(_: Facts) -> bool:
    held = []
    for index in range(64):
        file = Path(f"{index}.bin").open("wb", buffering=0)
        Path(f"{index}.bin").unlink()
        held.append(file)
        for _index in range(4):
            if file.write(b"x" * MIB) < MIB:
                raise OSError(28, "short write")
    return True


def fill_the_host_with_sparse_files(_: Facts) -> bool:
    for index in range(64):
        with Path(f"{index}.bin").open("wb") as file:
            file.truncate(8 * MIB)
    return False


def fill_the_host_with_empty_files(_: Facts) -> bool:
    for index in range(21_000):
        os.close(os.open(f"{index}", os.O_CREAT | os.O_WRONLY))
    return False


def bury_the_host_in_folders(_: Facts) -> bool:
    for _index in range(1500):
        os.mkdir("d")
        os.chdir("d")
    return False


def write_one_huge_file(_: Facts) -> bool:
    with Path("/tmp/huge").open("wb", buffering=0) as file:
        for _index in range(64):
            file.write(b"x" * MIB)
    return True


def print_for_ever(_: Facts) -> bool:
    while True:
        os.write(1, b"x" * 65536)


def spin_for_ever(_: Facts) -> bool:
    for _index in range(3):
        if os.fork() == 0:
            break
    while True:
        pass


def delete_the_workspace(_: Facts) -> bool:
    for name in os.listdir("."):
        shutil.rmtree(name) if os.path.isdir(name) else os.unlink(name)
    os.rmdir("/workspace")
    return True


def lock_the_workspace(_: Facts) -> bool:
    os.chmod("src", 0)
    os.chmod(".", 0)
    return False


def _pour(path: Path) -> bool:
    with path.open("wb", buffering=0) as file:
        for _index in range(4):
            if file.write(b"x" * MIB) < MIB:
                raise OSError(28, "short write")
    return True

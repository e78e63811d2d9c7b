from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from abverify._canonical import sha256_hex
from abverify.bench.confined import MAX_FILE_BYTES, Confined, OutsideWorkspace

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with one file and every trap, and beside it what must not be reached."""
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "outside").mkdir()
    root = tmp_path / "workspace"
    (root / "src").mkdir(parents=True)
    (root / "src" / "a.py").write_bytes(b"content")
    (root / "file-link").symlink_to(tmp_path / "secret")
    (root / "folder-link").symlink_to(tmp_path / "outside")
    (root / "inner-link").symlink_to("src/a.py")
    os.mkfifo(root / "fifo")
    return root


@pytest.fixture
def files(folder: Path) -> Confined:
    return Confined(folder)


OUTSIDE = ["/etc/passwd", "../secret", "src/../../secret", "..", ".", "", "/", "a\x00b"]
TRAPS = ["file-link", "inner-link", "folder-link/x", "fifo", "src"]


def test_a_file_is_read_and_written_by_its_relative_path(files: Confined) -> None:
    files.write("new/folder/b.py", b"x")
    files.write("./src//a.py", b"shorter")

    assert files.read("new/folder/b.py") == b"x"
    assert files.read("src/a.py") == b"shorter"


@pytest.mark.parametrize("path", [*OUTSIDE, *TRAPS, "src/a.py/x", "x" * 256, "a/" * 2000 + "b"])
def test_reading_never_leaves_the_workspace(files: Confined, path: str) -> None:
    with pytest.raises(OutsideWorkspace):
        files.read(path)


@pytest.mark.parametrize("path", [*OUTSIDE, *TRAPS, "src/a.py/x", "x" * 256, "a/" * 2000 + "b"])
def test_writing_never_leaves_the_workspace(files: Confined, tmp_path: Path, path: str) -> None:
    with pytest.raises(OutsideWorkspace):
        files.write(path, b"overwritten")

    assert (tmp_path / "secret").read_bytes() == b"secret"
    assert list((tmp_path / "outside").iterdir()) == []
    assert files.read("src/a.py") == b"content"


@pytest.mark.parametrize("path", ["\ud800.py", "src/\udcff/x"])
def test_a_name_that_is_no_text_is_refused(files: Confined, path: str) -> None:
    with pytest.raises(OutsideWorkspace):
        files.write(path, b"")

    assert list(files.files()) == ["src/a.py"]


def test_what_does_not_exist_is_told_apart_from_what_is_refused(files: Confined) -> None:
    for path in ("none", "none/none", "src/none"):
        with pytest.raises(FileNotFoundError, match=f"{path} does not exist"):
            files.read(path)


def test_a_pipe_with_a_reader_is_refused_too(files: Confined, folder: Path) -> None:
    reader = os.open(folder / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(OutsideWorkspace):
            files.write("fifo", b"x")
    finally:
        os.close(reader)


def test_a_file_may_have_one_mebibyte_and_no_byte_more(files: Confined, folder: Path) -> None:
    files.write("full", b"x" * MAX_FILE_BYTES)
    (folder / "big").write_bytes(b"x" * (MAX_FILE_BYTES + 1))

    assert len(files.read("full")) == MAX_FILE_BYTES
    with pytest.raises(OutsideWorkspace, match="larger than 1 MiB"):
        files.read("big")
    with pytest.raises(OutsideWorkspace, match="larger than 1 MiB"):
        files.write("full", b"x" * (MAX_FILE_BYTES + 1))
    assert len(files.read("full")) == MAX_FILE_BYTES


def test_the_files_of_a_workspace_are_its_plain_files_in_order(
    files: Confined, folder: Path
) -> None:
    files.write("b/x.py", b"")
    files.write("a.py", b"")
    for skipped in ("target", "__pycache__", ".git", "src/__pycache__"):
        (folder / skipped).mkdir()
        (folder / skipped / "product").write_bytes(b"")

    assert list(files.files()) == ["a.py", "b/x.py", "src/a.py"]


def test_digests_tell_every_file_and_a_large_one_by_its_size(files: Confined, folder: Path) -> None:
    (folder / "big").write_bytes(b"x" * (MAX_FILE_BYTES + 1))

    assert files.digests() == {
        "big": sha256_hex(b"1048577 bytes, not read"),
        "src/a.py": sha256_hex(b"content"),
    }


def test_a_folder_deeper_than_any_path_can_say_does_not_stop_the_listing(
    files: Confined, folder: Path
) -> None:
    """A shell reaches such depths step by step; the paths down there are too long to open."""
    top = os.open(folder, os.O_RDONLY)
    inner = top
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=inner)
        inner = os.open("d" * 250, os.O_RDONLY, dir_fd=inner)
        os.close(os.open("f" * 200, os.O_CREAT | os.O_WRONLY, dir_fd=inner))

    assert "src/a.py" in files.digests()


def test_removing_takes_a_link_away_and_leaves_its_target(files: Confined, tmp_path: Path) -> None:
    files.remove("file-link")

    assert not (tmp_path / "workspace" / "file-link").is_symlink()
    assert (tmp_path / "secret").exists()


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 (names only, nothing is opened)


def test_refusals_leave_no_file_open(files: Confined) -> None:
    before = open_files()
    for path in [*OUTSIDE, *TRAPS, "none", "src/a.py/x"] * 3:
        with pytest.raises((OutsideWorkspace, FileNotFoundError)):
            files.read(path)

    assert open_files() == before

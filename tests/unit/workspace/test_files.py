from __future__ import annotations

import os
import resource
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from abverify.errors import IndeterminateError, RefusedError, UntrustedError
from abverify.workspace.files import read_bytes, read_tree, replace_file, write_new

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Write = Callable[[Path, bytes], None]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with `a/b/file`, and beside it a secret that no path below may reach."""
    (tmp_path / "secret").write_bytes(b"secret")
    folder = tmp_path / "root"
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "file").write_bytes(b"content")
    return folder


@pytest.fixture
def read_only() -> Iterator[Path]:
    """A folder in which this process may not write, also when the suite runs as root."""
    with tempfile.TemporaryDirectory() as top:
        Path(top).chmod(0o755)
        folder = Path(top) / "folder"
        folder.mkdir()
        (folder / "closed").mkdir(mode=0)
        folder.chmod(0o555)
        before = os.geteuid()
        if before == 0:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(before)
            folder.chmod(0o755)
            (folder / "closed").chmod(0o755)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_plain_file_is_read_whole(root: Path) -> None:
    assert read_bytes(root, "a/b/file") == b"content"


def test_a_missing_file_is_missing_wherever_the_path_ends(root: Path) -> None:
    for path in ("a/b/none", "a/none/file", "none"):
        with pytest.raises(FileNotFoundError):
            read_bytes(root, path)


def test_no_symlink_is_followed_anywhere_on_the_path(root: Path) -> None:
    (root / "link").symlink_to("a/b/file")
    (root / "folder").symlink_to("a")
    (root / "a" / "inner").symlink_to("b")
    (root / "out").symlink_to(root.parent)

    for path in ("link", "folder/b/file", "a/inner/file", "out/secret"):
        with pytest.raises(UntrustedError) as refusal:
            read_bytes(root, path)
        assert (refusal.value.rule, str(refusal.value.place)) == ("AV402", path)


@pytest.mark.parametrize(
    "path", ["../secret", "a/../../secret", "..", ".", "", "a//b/file", "./a/b/file", "/etc/passwd"]
)
def test_no_path_leads_out_of_the_root(root: Path, path: str) -> None:
    with pytest.raises(UntrustedError) as refusal:
        read_bytes(root, path)

    assert refusal.value.rule == "AV402"


def test_what_is_no_plain_file_is_refused_without_waiting_for_it(root: Path) -> None:
    os.mkfifo(root / "fifo")

    for path in ("fifo", "a", "a/b/file/x"):
        with pytest.raises(UntrustedError) as refusal:
            read_bytes(root, path)
        assert refusal.value.rule == "AV402"


def test_a_tree_is_every_file_by_its_path_below_the_folder(root: Path) -> None:
    (root / "a" / "top").write_bytes(b"")
    (root / "a" / "empty").mkdir()

    assert read_tree(root, "a") == {"b/file": b"content", "top": b""}
    assert list(read_tree(root, "a")) == ["b/file", "top"]


@pytest.mark.parametrize("target", ["b/file", "b", "nowhere", "../../secret"])
def test_a_tree_with_a_symlink_anywhere_is_refused(root: Path, target: str) -> None:
    (root / "a" / "link").symlink_to(target)

    with pytest.raises(UntrustedError) as refusal:
        read_tree(root, "a")

    assert (refusal.value.rule, str(refusal.value.place)) == ("AV402", "a/link")


def test_a_tree_with_a_special_file_is_refused(root: Path) -> None:
    os.mkfifo(root / "a" / "fifo")

    with pytest.raises(UntrustedError):
        read_tree(root, "a")


def test_a_tree_that_cannot_be_listed_whole_is_not_guessed(read_only: Path) -> None:
    with pytest.raises(IndeterminateError) as refusal:
        read_tree(read_only.parent, "folder")

    assert (refusal.value.rule, str(refusal.value.place)) == ("AV003", "folder/closed")


def test_a_new_file_is_written_whole_with_its_folders(tmp_path: Path) -> None:
    path = tmp_path / "x" / "y" / "file"

    write_new(path, b"content")

    assert path.read_bytes() == b"content"
    assert path.stat().st_mode & 0o777 == 0o644
    assert names(path.parent) == ["file"]


def test_an_existing_file_is_never_overwritten_by_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"first")

    with pytest.raises(RefusedError) as refusal:
        write_new(path, b"second")

    assert (refusal.value.rule, str(refusal.value.place)) == ("AV403", str(path))
    assert path.read_bytes() == b"first"
    assert names(tmp_path) == ["file"]


def test_a_symlink_in_the_place_of_a_new_file_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")

    with pytest.raises(RefusedError):
        write_new(tmp_path / "link", b"x")

    assert not (tmp_path / "target").exists()


def test_a_replaced_file_has_the_new_content_and_leaves_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"first")

    replace_file(path, b"second")
    replace_file(tmp_path / "new", b"third")

    assert path.read_bytes() == b"second"
    assert names(tmp_path) == ["file", "new"]


def test_replacing_a_symlink_replaces_the_link_and_not_its_target(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"kept")
    (tmp_path / "link").symlink_to("target")

    replace_file(tmp_path / "link", b"new")

    assert (tmp_path / "target").read_bytes() == b"kept"
    assert not (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("write", [write_new, replace_file])
def test_an_unwritable_folder_is_refused_and_nothing_is_left(read_only: Path, write: Write) -> None:
    before = names(read_only)

    with pytest.raises(IndeterminateError) as refusal:
        write(read_only / "file", b"x")

    assert (refusal.value.rule, str(refusal.value.place)) == ("AV404", str(read_only / "file"))
    assert refusal.value.found == "Permission denied"
    assert names(read_only) == before


@pytest.mark.parametrize("write", [write_new, replace_file])
def test_a_folder_that_is_a_file_is_refused(tmp_path: Path, write: Write) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(IndeterminateError) as refusal:
        write(tmp_path / "file" / "x", b"x")

    assert refusal.value.rule == "AV404"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("write", [write_new, replace_file])
def test_a_write_that_fails_half_way_leaves_nothing_new_behind(
    tmp_path: Path, write: Write
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(IndeterminateError) as refusal:
            write(tmp_path / "file", b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert (refusal.value.rule, refusal.value.found) == ("AV404", "File too large")
    assert names(tmp_path) == []


def test_replacing_a_folder_is_refused_and_leaves_it(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(IndeterminateError) as refusal:
        replace_file(tmp_path / "folder", b"x")

    assert refusal.value.rule == "AV404"
    assert names(tmp_path) == ["folder"]

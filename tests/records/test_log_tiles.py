"""Entries and tiles: what `sha256sum -c` reads, and how a few files stand for the whole tree."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from abverify.errors import UntrustedError
from abverify.records.log.entries import (
    Entry,
    bundle_path,
    numbered,
    read_entries,
    write_bundles,
)
from abverify.records.log.tiles import frontier_at, full_tiles, tile_path
from abverify.records.log.tree import Frontier, leaf_hash, root_of
from tests.records.simulator import milestone

if TYPE_CHECKING:
    from pathlib import Path

PATH = "gates/serve/V1_004/000001.amendment.dsse.json"


def entries(count: int) -> list[Entry]:
    return [
        Entry(f"{index:064x}", f"gates/serve/V1_004/{index:06d}.amendment.dsse.json")
        for index in range(count)
    ]


def stored(count: int) -> dict[str, bytes]:
    every = entries(count)
    return write_bundles(every, 0) | full_tiles([entry.leaf for entry in every])


@pytest.mark.parametrize(
    ("index", "text"),
    [(0, "000"), (5, "005"), (999, "999"), (1000, "x001/000"), (1_234_567, "x001/x234/567")],
)
def test_tiles_are_numbered_as_c2sp_spells_it(index: int, text: str) -> None:
    assert numbered(index) == text


def test_an_entry_is_the_line_that_sha256sum_checks(tmp_path: Path) -> None:
    simulator = milestone()
    for path, data in simulator.files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    from abverify._canonical import sha256_hex

    every = [Entry(sha256_hex(data), path) for path, data in simulator.files.items()]
    (tmp_path / "entries").write_bytes(write_bundles(every, 0)["gates/_log/entries/000"])
    done = subprocess.run(
        ["sha256sum", "--strict", "-c", "entries"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout.splitlines() == [f"{path}: OK" for path in simulator.files]


def test_a_leaf_is_the_hash_of_the_line_without_its_break() -> None:
    assert Entry("a" * 64, PATH).leaf == leaf_hash(b"a" * 64 + b"  " + PATH.encode())


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 512, 700])
def test_entries_read_back(count: int) -> None:
    assert list(read_entries(write_bundles(entries(count), 0))) == entries(count)


def test_growing_rewrites_only_the_last_file_of_entries() -> None:
    assert list(write_bundles(entries(258), 257)) == [bundle_path(1)]
    assert list(write_bundles(entries(257), 256)) == [bundle_path(1)]
    assert list(write_bundles(entries(256), 256)) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"a" * 64 + b"  " + PATH.encode(),
        b"A" * 64 + b"  " + PATH.encode() + b"\n",
        b"a" * 64 + b" *" + PATH.encode() + b"\n",
        b"a" * 64 + b"  gates/../secret\n",
        b"a" * 64 + b"  " + PATH.encode() + b"\r\n",
        (b"a" * 64 + b"  " + PATH.encode() + b"\n") * 257,
    ],
    ids=["empty", "blank", "no break", "upper case", "binary mark", "elsewhere", "crlf", "257"],
)
def test_entries_have_one_spelling(data: bytes) -> None:
    with pytest.raises(UntrustedError) as caught:
        read_entries({bundle_path(0): data})
    assert caught.value.rule == "AV454"


def test_a_file_of_entries_missing_from_the_middle_is_seen() -> None:
    files = write_bundles(entries(700), 0)
    del files[bundle_path(1)]
    with pytest.raises(UntrustedError) as caught:
        read_entries(files)
    assert str(caught.value.place) == bundle_path(1)


def test_a_short_file_of_entries_in_the_middle_is_seen() -> None:
    files = write_bundles(entries(700), 0)
    files[bundle_path(0)] = files[bundle_path(0)].partition(b"\n")[2]
    with pytest.raises(UntrustedError, match="not as they were written"):
        read_entries(files)


def test_only_full_tiles_are_stored() -> None:
    leaves = [entry.leaf for entry in entries(513)]
    tiles = full_tiles(leaves)
    assert sorted(tiles) == [tile_path(0, 0), tile_path(0, 1)]
    assert tiles[tile_path(0, 1)] == b"".join(leaves[256:512])


def test_growing_adds_only_the_tiles_that_became_full() -> None:
    leaves = [entry.leaf for entry in entries(1030)]
    grown = full_tiles(leaves[:300])
    for size in range(301, 1031):
        grown |= full_tiles(leaves[:size], size - 1)
    assert grown == full_tiles(leaves)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 700, 1023, 1030])
def test_the_frontier_at_a_size_follows_from_a_few_files_of_a_larger_log(size: int) -> None:
    files = stored(1030)
    read: list[str] = []

    def reading(path: str) -> bytes:
        read.append(path)
        return files[path]

    leaves = [entry.leaf for entry in entries(1030)]
    assert frontier_at(size, reading) == Frontier().extended(leaves[:size])
    assert len(read) <= 5


@pytest.mark.slow
def test_tiles_of_the_second_level_hold_the_roots_of_those_below() -> None:
    leaves = [leaf_hash(str(index).encode()) for index in range(66_000)]
    tiles = full_tiles(leaves)
    second = tiles[tile_path(1, 0)]
    assert [second[at : at + 32] for at in (0, 32, 8160)] == [
        root_of(leaves[:256]),
        root_of(leaves[256:512]),
        root_of(leaves[65_280:65_536]),
    ]
    assert frontier_at(65_536, tiles.__getitem__).root == root_of(leaves[:65_536])


@pytest.mark.parametrize("path", [tile_path(0, 0), bundle_path(1)])
def test_a_tile_of_another_size_is_refused(path: str) -> None:
    files = stored(300)
    files[path] = files[path][:-1]
    with pytest.raises(UntrustedError) as caught:
        frontier_at(300, files.__getitem__)
    assert caught.value.rule == "AV454"

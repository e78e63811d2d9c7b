"""The log's entries as text: one line for each record, the line that `sha256sum -c` reads.

An entry is `<sha256 of the envelope's bytes>  <path>`; a leaf of the tree is
that line without its line break. 256 entries stand in each file.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from abverify.errors import UntrustedError
from abverify.records.log.tree import leaf_hash
from abverify.records.record import is_unfinished

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LOG = "gates/_log"
WIDTH = 256
_LINE = re.compile(
    r"([0-9a-f]{64})  "
    r"(gates/[a-z0-9][a-z0-9-]*/[A-Za-z0-9][A-Za-z0-9_-]*/[0-9]{6}\.[a-z-]+\.dsse\.json)\n"
)


class Entry(NamedTuple):
    """One record in the log: the digest of its envelope, and the file it stands in."""

    sha256: str
    path: str

    @property
    def line(self) -> bytes:
        """The entry's bytes: the data of its leaf."""
        return f"{self.sha256}  {self.path}".encode("ascii")

    @property
    def leaf(self) -> bytes:
        """The hash of its leaf."""
        return leaf_hash(self.line)


def numbered(index: int) -> str:
    """A tile's number as C2SP spells it in paths: 5 is `005`, 1234567 is `x001/x234/567`."""
    parts = [f"{index % 1000:03d}"]
    while index := index // 1000:
        parts.append(f"x{index % 1000:03d}")
    return "/".join(reversed(parts))


def bundle_path(index: int) -> str:
    """Where the entries from `256 * index` on stand."""
    return f"{LOG}/entries/{numbered(index)}"


def read_bundle(data: bytes, *, file: str) -> tuple[Entry, ...]:
    """The entries in one file.

    Raises:
        UntrustedError: AV454 for another form.
    """
    entries = tuple(Entry(*found) for found in _LINE.findall(data.decode("ascii", "replace")))
    if not 1 <= len(entries) <= WIDTH or _written(entries) != data:
        wanted = f"1 to {WIDTH} lines of a digest, two blanks and a record's path"
        raise _bad(file, wanted, _first_other(data))
    return entries


def write_bundles(entries: Sequence[Entry], since: int) -> dict[str, bytes]:
    """The files that change when a log of `since` entries grows to these, by path."""
    first = since // WIDTH
    return {
        bundle_path(index): _written(entries[index * WIDTH : (index + 1) * WIDTH])
        for index in range(first, -(-len(entries) // WIDTH))
        if len(entries) > since
    }


def read_entries(files: Mapping[str, bytes]) -> tuple[Entry, ...]:
    """Every entry, in order, from the log's files.

    Raises:
        UntrustedError: AV454 if a file is missing from the middle, or has another form.
    """
    return tuple(chain.from_iterable(read_bundles(files)))


def read_bundles(files: Mapping[str, bytes]) -> Iterator[tuple[Entry, ...]]:
    """The entries in order, file by file; each file is asked for once.

    Raises:
        UntrustedError: AV454 as `read_entries`.
    """
    count = sum(path.startswith(f"{LOG}/entries/") and not is_unfinished(path) for path in files)
    for index in range(count):
        path = bundle_path(index)
        if path not in files:
            raise _bad(path, f"{count} files of entries without a gap", "no file")
        bundle = read_bundle(files[path], file=path)
        if index < count - 1 and len(bundle) < WIDTH:
            raise _bad(path, f"{WIDTH} entries in every file but the last", f"{len(bundle)}")
        yield bundle


def _written(entries: Sequence[Entry]) -> bytes:
    return "".join([f"{sha256}  {path}\n" for sha256, path in entries]).encode("ascii")


def _first_other(data: bytes) -> str:
    """The first line that is no entry, for a message."""
    lines = data.decode("ascii", "backslashreplace").splitlines(keepends=True)
    other = next((line for line in lines if not _LINE.fullmatch(line)), None)
    return f"{len(lines)} lines" if other is None else repr(other[:120])


def _bad(file: str, expected: str, found: str) -> UntrustedError:
    return UntrustedError(
        "the log's entries are not as they were written",
        rule="AV454",
        place=file,
        expected=expected,
        found=found,
        next_step="restore the file from version control",
    )

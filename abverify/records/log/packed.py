"""The log's entries, and where each record stands among them, in some fifty bytes an entry.

A log may have a million entries. As tuples, texts and dictionaries they would take half a
kilobyte each; here they are digests in one row of bytes, and numbers in arrays.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import starmap
from operator import le
from typing import TYPE_CHECKING, overload

from abverify.records.log.entries import WIDTH, Entry
from abverify.records.log.tree import HASH_BYTES
from abverify.records.record import RECORD_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable

_HEX = 2 * HASH_BYTES
_SEQ_DIGITS = 6
_SUFFIX = ".dsse.json"
_KIND_BITS = 32
_KIND_MASK = (1 << _KIND_BITS) - 1


class Numbered:
    """Texts of which there are few, each with a number."""

    __slots__ = ("_numbers", "texts")

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """The text's number; a new one if it has none."""
        found = self._numbers.get(text)
        if found is None:
            found = self._numbers[text] = len(self.texts)
            self.texts.append(text)
        return found

    def known(self, text: str) -> int | None:
        """The text's number, if it has one."""
        return self._numbers.get(text)


class Entries(Sequence[Entry]):
    """Entries in order; more can be put at the end."""

    __slots__ = ("_digests", "_folder_of", "_folders", "_kinds", "_names")

    def __init__(self) -> None:
        self._digests = bytearray()
        self._folders = Numbered()
        self._kinds = Numbered()
        self._folder_of = array("I")
        self._names = array("Q")

    def extend(self, entries: Sequence[Entry]) -> None:
        """Puts more entries at the end; each path is one that `entries.read_bundle` gives."""
        self._digests += bytes.fromhex("".join([sha256 for sha256, _ in entries]))
        folder_number, kind_number = self._folders.number, self._kinds.number
        for _, path in entries:
            folder, _, name = path.rpartition("/")
            kind = kind_number(name[_SEQ_DIGITS + 1 : -len(_SUFFIX)])
            self._folder_of.append(folder_number(folder))
            self._names.append(int(name[:_SEQ_DIGITS]) << _KIND_BITS | kind)

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[Entry]:
        for start in range(0, len(self), WIDTH):
            stop = start + WIDTH
            digests = self._digests[start * HASH_BYTES : stop * HASH_BYTES].hex()
            names = zip(self._folder_of[start:stop], self._names[start:stop], strict=True)
            for at, path in enumerate(starmap(self._path, names)):
                yield Entry(digests[at * _HEX : (at + 1) * _HEX], path)

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Entry, ...]: ...
    def __getitem__(self, index: int | slice) -> Entry | tuple[Entry, ...]:
        if isinstance(index, slice):
            return tuple(map(self.__getitem__, range(len(self))[index]))
        path = self._path(self._folder_of[index], self._names[index])
        return Entry(self.sha256(range(len(self))[index]), path)

    def sha256(self, index: int) -> str:
        """The digest in the entry of an index from 0 on."""
        return self._digests[index * HASH_BYTES : (index + 1) * HASH_BYTES].hex()

    def places(self, first: int = 0) -> Places:
        """Where each record stands, if the first of them stands there.

        Of a record that is there twice it is the later place.
        """
        rows: list[_Row] = [(array("Q"), array("I")) for _ in self._folders.texts]
        for index, (folder, name) in enumerate(
            zip(self._folder_of, self._names, strict=True), first
        ):
            names, indices = rows[folder]
            names.append(name)
            indices.append(index)
        by_folder = dict(zip(self._folders.texts, map(_sorted, rows), strict=True))
        return Places(by_folder, self._kinds)

    def _path(self, folder: int, name: int) -> str:
        kind = self._kinds.texts[name & _KIND_MASK]
        return f"{self._folders.texts[folder]}/{name >> _KIND_BITS:06d}.{kind}{_SUFFIX}"


_Row = tuple["array[int]", "array[int]"]
"""The records of one folder: their names as numbers, rising, and each one's place in the log."""


class Places(Mapping[str, int]):
    """The place of each record in the log, by the record's path."""

    __slots__ = ("_folders", "_kinds")

    def __init__(
        self, folders: Mapping[str, _Row] | None = None, kinds: Numbered | None = None
    ) -> None:
        self._folders = folders or {}
        self._kinds = kinds or Numbered()

    def within(self, folders: Iterable[str]) -> Places:
        """The places of the records in some folders alone."""
        chosen = {folder: self._folders[folder] for folder in folders if folder in self._folders}
        return Places(chosen, self._kinds)

    def __len__(self) -> int:
        return sum(len(set(names)) for names, _ in self._folders.values())

    def __iter__(self) -> Iterator[str]:
        for folder, (names, _) in self._folders.items():
            for name in dict.fromkeys(names):
                kind = self._kinds.texts[name & _KIND_MASK]
                yield f"{folder}/{name >> _KIND_BITS:06d}.{kind}{_SUFFIX}"

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and self._find(path) is not None

    def __getitem__(self, path: str) -> int:
        place = self._find(path)
        if place is None:
            raise KeyError(path)
        return place

    def _find(self, path: str) -> int | None:
        folder, _, name = path.rpartition("/")
        row = self._folders.get(folder)
        if row is None or not RECORD_NAME.fullmatch(name):
            return None
        kind = self._kinds.known(name[_SEQ_DIGITS + 1 : -len(_SUFFIX)])
        if kind is None:
            return None
        names, indices = row
        wanted = int(name[:_SEQ_DIGITS]) << _KIND_BITS | kind
        last = bisect_right(names, wanted) - 1
        return indices[last] if last >= 0 and names[last] == wanted else None


def _sorted(row: _Row) -> _Row:
    """The row by name, and of one name by place; most logs hold it so already."""
    names, indices = row
    if all(map(le, names, names[1:])):
        return row
    order = sorted(range(len(names)), key=names.__getitem__)
    return array("Q", [names[i] for i in order]), array("I", [indices[i] for i in order])

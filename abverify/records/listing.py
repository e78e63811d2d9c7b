"""The files of a folder by their names, kept as one text: a ledger may have a million of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from abverify._frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BETWEEN = "/"
"""What stands between two names: the one character that no file's name holds."""


@frozen
class Listing(Sequence[str]):
    """The paths of the files in one folder, in order, in a third of the memory of a tuple.

    Attributes:
        folder: the folder, relative to the repository root.
        text: the files' names in order, parted by slashes.
        size: how many there are.
    """

    folder: str
    text: str
    size: int

    @classmethod
    def of(cls, folder: str, names: Iterable[str]) -> Listing:
        """The listing of a folder's files by their names, in any order."""
        ordered = sorted(names)
        return cls(folder, _BETWEEN.join(ordered), len(ordered))

    @property
    def names(self) -> list[str]:
        """The files' names, in order."""
        return self.text.split(_BETWEEN) if self.size else []

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[str]:
        return (f"{self.folder}/{name}" for name in self.names)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [f"{self.folder}/{name}" for name in self.names[index]]
        return f"{self.folder}/{self.names[index]}"


def by_folder(paths: Iterable[str]) -> tuple[Listing, ...]:
    """The listings of the folders that some files stand in, by folder in order."""
    found: dict[str, list[str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        found.setdefault(folder, []).append(name)
    return tuple(Listing.of(folder, found[folder]) for folder in sorted(found))

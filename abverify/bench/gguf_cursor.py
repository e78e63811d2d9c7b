"""Reading a GGUF file forwards, never beyond its size, with everything counted beforehand."""

from __future__ import annotations

import hashlib
import struct
from typing import BinaryIO, Final, NoReturn

from abverify.errors import InvalidError

_CHUNK: Final = 1 << 20
_MAX_KEPT: Final = 16 << 20
_MAX_STRINGS: Final = 8_388_608


class Cursor:
    """A place in a stream of a known size.

    Two budgets hold for the whole file, because every single key of a hostile one may be
    within its bounds: the bytes of text that are kept, and the strings that are walked over.

    Args:
        stream: the file, open for reading at its start.
        size: its size, in bytes.
        name: what to call it in an error message.
    """

    def __init__(self, stream: BinaryIO, size: int, name: str) -> None:
        self._stream = stream
        self._name = name
        self._kept = 0
        self._strings = 0
        self.size = size
        self.at = 0

    def fail(self, expected: str, found: str) -> NoReturn:
        """Refuses the file.

        Raises:
            InvalidError: AV511 with the place that was reached.
        """
        raise InvalidError(
            "not a whole GGUF file",
            rule="AV511",
            place=self._name,
            expected=expected,
            found=f"{found} (at byte {self.at:,} of {self.size:,})",
            next_step="fetch the file again and compare its size with the publisher's",
        )

    def take(self, length: int) -> bytes:
        """The next bytes."""
        if length > self.size - self.at:
            self.fail(f"{length:,} more bytes", "the end of the file")
        data = self._stream.read(length)
        if len(data) != length:
            self.fail(f"{length:,} more bytes", "the end of the file")
        self.at += length
        return data

    def skip(self, length: int) -> None:
        """Moves on without reading."""
        if length > self.size - self.at:
            self.fail(f"{length:,} more bytes", "the end of the file")
        self.go(self.at + length)

    def go(self, at: int) -> None:
        """Moves to an offset that was passed before, or that `skip` proved to be inside."""
        self.at = at
        self._stream.seek(at)

    def number(self, form: str) -> int:
        """The next number, in a form of the `struct` module."""
        value: int = struct.unpack(form, self.take(struct.calcsize(form)))[0]
        return value

    def count(self, most: int, smallest: int, what: str) -> int:
        """A count that the rest of the file can hold, at `smallest` bytes a piece."""
        found = self.number("<Q")
        limit = min(most, (self.size - self.at) // smallest)
        if found > limit:
            self.fail(f"at most {limit:,} {what}", f"a count of {found:,}")
        return found

    def strings(self, what: str) -> int:
        """A count of strings, which the whole file may have no more of than the budget."""
        found = self.count(_MAX_STRINGS - self._strings, 8, what)
        self._strings += found
        return found

    def text(self, limit: int, what: str) -> str:
        """The next string, which is kept."""
        length = self.count(min(limit, _MAX_KEPT - self._kept), 1, f"bytes in {what}")
        self._kept += length
        try:
            return self.take(length).decode("utf-8")
        except UnicodeDecodeError:
            self.fail(f"UTF-8 in {what}", "other bytes")

    def digest(self, start: int) -> str:
        """SHA-256 of the bytes from `start` to here; the position stays."""
        digest = hashlib.sha256()
        self._stream.seek(start)
        left = self.at - start
        while left:
            data = self._stream.read(min(left, _CHUNK))
            if not data:
                self.fail(f"{left:,} more bytes", "the end of the file")
            digest.update(data)
            left -= len(data)
        return digest.hexdigest()

"""Reading a command's output without ever blocking, and without growing on an endless one."""

from __future__ import annotations

import os
import select
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

TICK_SECONDS = 0.02
_CHUNK = 1 << 16
_END = 0
_PIPE_AT_MOST = 1 << 20  # the largest pipe an unprivileged process can have


@dataclass(slots=True)
class Output:
    """Keeps the first and the last half of what it is given.

    Attributes:
        limit: bytes kept in all, the line that marks a cut included.
    """

    limit: int
    _total: int = 0
    _head: bytearray = field(default_factory=bytearray)
    _tail: bytearray = field(default_factory=bytearray)

    def add(self, data: bytes) -> None:
        """Takes the next bytes."""
        self._total += len(data)
        room = max(0, self.limit - len(self._head))
        self._head += data[:room]
        self._tail += data[room:]
        if len(self._tail) > 2 * self.limit + _CHUNK:
            del self._tail[: -self.limit]

    @property
    def truncated(self) -> bool:
        """Whether there was more than is kept."""
        return self._total > self.limit

    def kept(self) -> bytes:
        """At most `limit` bytes: everything, or both ends around a line that tells the cut."""
        if not self.truncated:
            return bytes(self._head)
        mark = b"\n[... output cut here ...]\n"
        room = self.limit - len(mark)
        if room < 2:  # noqa: PLR2004 (too small for a head, a mark and a tail)
            return bytes(self._head)
        tail = room // 2
        whole_tail = (bytes(self._head) + bytes(self._tail))[-tail:]
        return bytes(self._head[: room - tail]) + mark + whole_tail


def follow(
    stream: int,
    exited: int,
    output: Output,
    *,
    deadline: float,
    breach: Callable[[], str | None],
) -> str | None:
    """Reads until the process exits, time is up or a limit is breached.

    Args:
        stream: the reading end of the command's output, non-blocking.
        exited: a pidfd, readable once the process has exited.
        output: where the bytes go.
        deadline: on `time.monotonic()`.
        breach: asked about fifty times a second; names the limit that is broken.

    Returns:
        The name of the limit that ended it, or None if the process exited by itself.
    """
    poll = select.poll()
    poll.register(stream, select.POLLIN)
    poll.register(exited, select.POLLIN)
    next_look = 0.0
    while True:
        ready = {descriptor for descriptor, _ in poll.poll(TICK_SECONDS * 1000)}
        if stream in ready and _read_once(stream, output) == _END:
            poll.unregister(stream)
        if exited in ready:
            return None
        now = time.monotonic()
        if now >= deadline:
            return "wall_seconds"
        if now >= next_look:
            next_look = now + TICK_SECONDS
            if broken := breach():
                return broken


def drain(stream: int, output: Output) -> None:
    """Takes what is left in the pipe once its writers are gone."""
    left = _PIPE_AT_MOST
    while left > 0 and (taken := _read_once(stream, output)):
        left -= taken


def _read_once(stream: int, output: Output) -> int | None:
    """How many bytes were read; `_END` at the end of file, None if there is nothing yet."""
    try:
        data = os.read(stream, _CHUNK)
    except BlockingIOError:
        return None
    output.add(data)
    return len(data)

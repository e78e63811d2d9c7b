"""Live progress of reading large files: one line on standard error, on a terminal only."""

from __future__ import annotations

import sys
import time
from typing import Final, Self

from abverify.report.plain import inert

_REFRESH_SECONDS: Final = 0.2
_CLEAR_LINE: Final = "\r\x1b[K"
_MEGABYTE: Final = 1_000_000


class ByteProgress:
    """Counts bytes read; the line is gone when the work is done."""

    def __init__(self) -> None:
        self._label = ""
        self._started = 0.0
        self._shown = 0.0

    @classmethod
    def on_terminal(cls, *, quiet: bool) -> Self | None:
        """A counter when somebody looks, else nothing."""
        return cls() if sys.stderr.isatty() and not quiet else None

    def __call__(self, label: str, done: int, total: int) -> None:
        """So many bytes of so many are read."""
        moment = time.monotonic()
        if label != self._label:
            self._label, self._started, self._shown = label, moment, moment
        if done >= total:
            self._label = ""
            sys.stderr.write(_CLEAR_LINE)
        elif moment - self._shown >= _REFRESH_SECONDS:
            self._shown = moment
            speed = done / _MEGABYTE / max(moment - self._started, 1e-6)
            text = f"{label}  {done * 100 // total} %  {speed:,.0f} MB/s"
            sys.stderr.write(_CLEAR_LINE + inert(text))
        sys.stderr.flush()

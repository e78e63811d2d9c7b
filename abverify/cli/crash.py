"""When abverify itself is at fault: the whole story in a file, one line on the screen."""

from __future__ import annotations

import platform
import sys
import tempfile
import traceback
from pathlib import Path

from abverify._version import __version__


def write_report(error: Exception, arguments: list[str]) -> str:
    """Writes a crash report to the temporary folder and returns what to tell the user."""
    story = "".join(traceback.format_exception(error))
    text = (
        f"abverify {__version__}\nPython {sys.version}\n{platform.platform()}\n"
        f"arguments: {arguments!r}\n\n{story}"
    )
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="abverify-crash-", suffix=".txt", delete=False, encoding="utf-8"
        ) as stream:
            stream.write(text)
        where = str(Path(stream.name))
    except OSError:
        where = "could not be written"
    summary = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return (
        f"error[AV900]: abverify failed, which says nothing about the gate: {summary}\n"
        f"  report: {where}\n  next: attach the report to a bug report"
    )

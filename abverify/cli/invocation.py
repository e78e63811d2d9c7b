"""How a verb was called, and where its result goes."""

from __future__ import annotations

import sys
from pathlib import Path

from abverify._frozen import frozen
from abverify.cli.streams import abandon_output

_MAX_WIDTH = 110


@frozen
class Common:
    """The common options as given.

    Attributes:
        root_option: the value of `--root`, or None.
        format: the output format.
        output: the file to write the result to, or None for standard output.
        quiet: whether progress is silenced.
        color: whether standard output is coloured.
    """

    root_option: str | None
    format: str
    output: str | None
    quiet: bool
    color: bool

    @property
    def root(self) -> Path:
        """The repository root; UsageError AV001 when there is none."""
        from abverify.workspace.root import find_root

        return find_root(self.root_option)

    @property
    def width(self) -> int:
        """Columns for text output."""
        if self.output or not sys.stdout.isatty():
            return _MAX_WIDTH
        import shutil

        return max(40, min(_MAX_WIDTH, shutil.get_terminal_size().columns))

    def emit(self, text: str) -> None:
        """Writes the result: to `--output`, or to standard output."""
        if self.output is None:
            try:
                sys.stdout.write(text)
                sys.stdout.flush()
            except BrokenPipeError:  # the reader left early; the verdict stands as it is
                abandon_output()
            return
        from abverify.workspace.files import replace_file

        replace_file(Path(self.output), text.encode("utf-8"))

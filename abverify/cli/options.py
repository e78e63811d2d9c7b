"""The options every verb takes, and how its result is printed."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from abverify.errors import AbverifyError

if TYPE_CHECKING:
    from collections.abc import Callable

FORMATS = ("text", "json", "junit", "sarif", "github", "markdown")
_MAX_WIDTH = 110


@dataclass(frozen=True, slots=True)
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


def abandon_output() -> None:
    """Sends what is left of standard output nowhere, so that nothing more can fail on it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _prove_writable(output: str) -> None:
    """Refuses a result file that cannot be written, before anything is done or signed."""
    import tempfile

    from abverify.errors import IndeterminateError

    target = Path(output)
    found = "a folder" if target.is_dir() else None
    try:
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        found = error.strerror or str(error)
    if found is not None:
        raise IndeterminateError(
            "the result cannot be written there; nothing was done",
            rule="AV404",
            place=output,
            expected="a file in a writable folder",
            found=found,
            next_step="name another file with --output",
        )


def common_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the common options and hands them to the command as its first argument."""

    @wraps(function)
    def wrapper(
        root: str | None,
        format_: str,
        output: str | None,
        quiet: bool,  # noqa: FBT001 (click passes options by keyword)
        no_color: bool,  # noqa: FBT001
        **rest: Any,
    ) -> Any:
        if output is not None:
            _prove_writable(output)
        color = not no_color and not os.environ.get("NO_COLOR") and sys.stdout.isatty()
        common = Common(root, format_, output, quiet, color and output is None)
        try:
            return function(common, **rest)
        except AbverifyError as error:
            if format_ != "text":  # a person reads it on standard error, a program here
                from abverify.cli.printing import show_error

                show_error(common, error)
            raise

    options = (
        click.option("--root", metavar="DIR", help="The repository; found upwards by default."),
        click.option(
            "--format",
            "format_",
            type=click.Choice(FORMATS),
            default="text",
            show_default=True,
            help="The output format; it never changes the exit code.",
        ),
        click.option("--output", "-o", metavar="FILE", help="Write the result to a file."),
        click.option("--quiet", "-q", is_flag=True, help="No progress on standard error."),
        click.option("--no-color", is_flag=True, help="No colour; NO_COLOR does the same."),
    )
    for option in reversed(options):
        wrapper = option(wrapper)
    return wrapper

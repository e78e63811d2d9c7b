"""The options every verb takes."""

from __future__ import annotations

import os
import sys
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from abverify.cli.invocation import Common
from abverify.errors import AbverifyError

if TYPE_CHECKING:
    from collections.abc import Callable

PARANOID_HELP = "Read every byte of the weights, also where their digest is remembered."
UNSAFE_HELP = "Run tools and oracles unconfined; the evidence says so and never counts."
FORMATS = ("text", "json", "junit", "sarif", "github", "markdown")


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

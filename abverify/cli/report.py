"""`abverify report`: one HTML page about a gate, an experiment, the audit, or everything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from abverify.cli import completion
from abverify.cli.options import common_options

if TYPE_CHECKING:
    from abverify.cli.invocation import Common


def _subjects(context: click.Context, parameter: click.Parameter, typed: str) -> list[str]:
    """The gates and experiments whose names begin like this."""
    both = (completion.gates, completion.experiments)
    return [name for names in both for name in names(context, parameter, typed)]


@click.command(
    epilog="Exit codes: those of the verb that asks the same question: check for a gate, compare"
    " for an experiment, audit for --audit, status for everything.\n\n"
    "Examples:\n\n  abverify report S1_004 -o report.html\n\n"
    "  abverify report S294 -o report.html\n\n  abverify report --audit -o report.html"
)
@click.argument("subject", metavar="[GATE|EXPERIMENT]", required=False, shell_complete=_subjects)
@click.option("--audit", is_flag=True, help="A page of the audit and of the whole trail.")
@click.option("--force", is_flag=True, help="Overwrite a file that is no report.")
@common_options
def command(
    common: Common,
    subject: str | None,
    audit: bool,  # noqa: FBT001 (click passes options by keyword)
    force: bool,  # noqa: FBT001
) -> int:
    """Make a page to read, print or attach: one HTML file that needs no network.

    Without a subject the page tells of every gate and scope. It reads only:
    what it shows is decided as check, compare and audit decide it.
    """
    from abverify.app.report_page import PageRequest, page
    from abverify.cli.printing import show
    from abverify.model.page import PageReport
    from abverify.report import html

    if common.output is None:
        raise click.UsageError("say where the page goes: -o report.html")
    if audit and subject is not None:
        raise click.UsageError("name a gate or an experiment, or ask for the --audit")
    if not force:
        _refuse_another_file(Path(common.output))
    found = page(common.root, PageRequest(subject, audit=audit))
    data = html.render(found).encode("utf-8")
    common.emit(data.decode("utf-8"))
    told = PageReport(found, common.output, _sha256(data), len(data))
    return show(replace(common, output=None), told)


def _refuse_another_file(target: Path) -> None:
    """Only a page of ours is overwritten unasked.

    Raises:
        RefusedError: AV800 where another file stands there.
    """
    from abverify.errors import RefusedError
    from abverify.report.html import is_page

    try:
        with target.open("rb") as file:
            beginning = file.read(256).decode("utf-8", errors="replace")
    except FileNotFoundError:
        return
    except OSError:  # a file that cannot be read is none of ours
        beginning = ""
    if not is_page(beginning):
        raise RefusedError(
            "the file is no report, and is left as it is",
            rule="AV800",
            place=str(target),
            expected="a report that abverify made, or no file",
            found="another file",
            next_step="name another file with -o, or overwrite it with --force",
        )


def _sha256(data: bytes) -> str:
    from abverify._canonical import sha256_hex

    return sha256_hex(data)

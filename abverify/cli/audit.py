"""`abverify audit`: the whole trail, verified from nothing but files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from abverify.cli.options import common_options

if TYPE_CHECKING:
    from abverify.cli.options import Common


@click.command(epilog="Examples:\n\n  abverify audit\n\n  abverify audit --format json")
@common_options
def command(common: Common) -> int:
    """Verify every record, its signatures, and all that it cites.

    Needs no network and no key. Exits with 4 when anything is not as it was
    signed, and with 5 when there is no record at all.
    """
    from abverify.app.audit import audit
    from abverify.cli.printing import show

    return show(common, audit(common.root))

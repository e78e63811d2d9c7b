"""The document: templates filled with a page's values, under a policy that runs nothing else.

Every expression in a template is escaped, and what shows nothing is written out, before it is
put in; only the charts and transcripts are markup, and they escape their own texts. The policy in
the head then allows the one script and the one style sheet by their digests, and no address at
all: were something to slip through, it would not run.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from abverify.report.html.chart_pairs import pairs_chart
from abverify.report.html.chart_shares import arms_chart, criteria_chart, effects_chart
from abverify.report.html.chart_survival import survival_chart
from abverify.report.html.chart_trail import LETTERS, trail_chart
from abverify.report.html.visible import annotated, marked, visible

if TYPE_CHECKING:
    from jinja2 import Environment

    from abverify.model.page import Page

_BEGINNING = '<!DOCTYPE html>\n<html lang="en" data-abverify-report="v1">'
"""How every page of ours begins, and by which it is known again."""


def render(page: Page) -> str:
    """The page as one HTML document."""
    environment = _environment()
    style, script = (_source(environment, name) for name in ("style.css", "script.js"))
    anchors = {(t.arm, t.fixture): t.anchor for t in reversed(page.transcripts)}
    comparison = page.comparison
    return environment.get_template("page.html").render(
        beginning=Markup(_BEGINNING),  # noqa: S704 (a constant)
        page=page,
        style=Markup(style),  # noqa: S704 (our own file)
        script=Markup(script),  # noqa: S704 (our own file)
        policy=_policy(style, script),
        letters=LETTERS,
        charts={
            "trail": trail_chart(page.trail),
            "criteria": criteria_chart(page.criteria),
            "arms": arms_chart(comparison.arms, comparison.control) if comparison else None,
            "survival": survival_chart(page.survival),
        },
        effects=effects_chart,
        pairs=lambda contrast, control: pairs_chart(contrast, control, anchors),
    )


def is_page(beginning: str) -> bool:
    """Whether a file that begins like this is a page of ours."""
    return beginning.startswith(_BEGINNING)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("abverify.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalized,
    )
    environment.filters.update(
        marked=marked, annotated=annotated, arguments=_arguments, millis=_millis, share=_share
    )
    return environment


def _finalized(value: Any) -> Any:
    """What an expression gives, made visible; autoescape does the rest."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None  # noqa: S101 (set above)
    source, _, _ = environment.loader.get_source(environment, name)
    return source


def _policy(style: str, script: str) -> str:
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    )


def _digest(source: str) -> str:
    digest = hashlib.sha256(source.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _arguments(text: str) -> str:
    """A call's arguments with a line for each, strings as JSON writes them."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return json.dumps(value, indent=2, ensure_ascii=False)


def _millis(value: int) -> str:
    return f"{value} ms" if value < 10_000 else f"{value / 1000:.1f} s"  # noqa: PLR2004


def _share(value: float) -> str:
    return f"{value:.1%}"

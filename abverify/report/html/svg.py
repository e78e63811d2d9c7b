"""The few words of SVG that the charts are written in; every value is escaped on the way in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from abverify.report.html.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable


def tag(name: str, *inner: str | Markup, **attributes: str | float | None) -> Markup:
    """An element. `_` in an attribute's name stands for `-`, a name ending in `_` for itself.

    Args:
        name: the element's name, ours and never data.
        inner: its contents; plain text is escaped.
        attributes: numbers are written with two decimals at most; None leaves one out.
    """
    words = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    body = Markup("").join(_inner(item) for item in inner)
    return Markup(f"<{name}{words}>{body}</{name}>")  # noqa: S704 (escaped above)


def group(items: Iterable[Markup]) -> Markup:
    """Several elements after each other."""
    return Markup("").join(items)


def text(x: float, y: float, words: str, class_: str = "", anchor: str | None = None) -> Markup:
    """A line of text."""
    return tag("text", words, x=x, y=y, class_=class_ or None, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """A straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def picture(width: float, height: float, label: str, *inner: Markup) -> Markup:
    """A whole picture of that size, with words for those who do not see it."""
    return tag(
        "svg",
        tag("title", label),
        *inner,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        role="group",
        aria_label=label,
    )


def shortened(words: str, room: int) -> str:
    """The words, or as much of their beginning as fits, with an ellipsis."""
    shown = visible(words)
    return shown if len(shown) <= room else f"{shown[: room - 1]}…"


def _inner(item: str | Markup) -> Markup:
    return item if isinstance(item, Markup) else escape(visible(item))


def _value(value: str | float) -> Markup:
    if isinstance(value, str):
        return escape(visible(value))
    return Markup(f"{value:.2f}".rstrip("0").rstrip("."))  # noqa: S704 (a number)

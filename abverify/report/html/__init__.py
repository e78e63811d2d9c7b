"""A page as one HTML file: no network, no dependency, nothing in it that a model can run."""

from __future__ import annotations

from abverify.report.html.document import is_page, render

__all__ = ["is_page", "render"]

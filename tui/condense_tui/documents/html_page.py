"""The frame of an HTML page that needs nothing else: no script, no font, no address."""

from __future__ import annotations

from condense_tui.documents.markup import Markup, el
from condense_tui.documents.style import style_sheet


def html_page(title: str, body: Markup) -> str:
    """The whole page, in the look that all of them have."""
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", title),
        el("style", Markup(style_sheet())),
    )
    return "<!DOCTYPE html>\n" + el("html", head, el("body", body), lang="en") + "\n"

"""HTML and SVG that cannot be malformed: elements close themselves, and text is escaped unless it is markup already."""

from __future__ import annotations

import html

from condense_core.text import printable

_VOID = frozenset({"meta", "br", "hr", "path", "line", "rect", "polyline", "circle"})


class Markup(str):
    """Text that is markup: it goes into an element as it is. Everything else is escaped."""

    __slots__ = ()


def el(tag: str, /, *children: str, **attributes: str | float | None) -> Markup:
    """One element. `class_` is `class`, `_` in other names is `-`; an attribute that is None is left out."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if tag in _VOID and not children:
        return Markup(f"<{tag}{given}/>")
    return Markup(f"<{tag}{given}>{join(*children)}</{tag}>")


def join(*children: str) -> Markup:
    """The children one after the other, escaped where they are plain text."""
    return Markup("".join(child if isinstance(child, Markup) else escape(child) for child in children))


def escape(text: str) -> Markup:
    """Text from a run file or a scenario, made safe for a page: no markup, no control characters."""
    lines = (html.escape(printable(line)) for line in text.split("\n"))
    return Markup("\n".join(lines))

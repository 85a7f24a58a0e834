"""Colours of the app: its themes, and the styles that widgets draw their own lines with.

Two themes of our own and one of the terminal's sixteen colours. Meaning is never in colour alone, so each of them may
be poor in colours. Greys have little enough colour in them (a saturation under 0.15, a test holds it) to stay grey
where only 256 colours are to be had. Styles come without a background: a line takes that of the widget it is drawn on.
"""

from __future__ import annotations

from dataclasses import dataclass

from rich.style import Style
from textual.theme import BUILTIN_THEMES, Theme

DARK = "condense-dark"
LIGHT = "condense-light"
ANSI = "condense-ansi"


@dataclass(frozen=True)
class Look:
    """Styles by meaning, and whether the background is dark."""

    dark: bool
    text: Style
    strong: Style
    muted: Style
    faint: Style
    key: Style
    good: Style
    warn: Style
    bad: Style
    accent: Style
    chosen: Style
    playhead: Style
    band: Style
    curves: tuple[Style, ...]


def themes() -> tuple[Theme, ...]:
    """The app's themes, to be registered."""
    return (
        Theme(
            name=DARK,
            primary="#6cb6ff",
            secondary="#8b95a7",
            accent="#ffb454",
            warning="#f0c674",
            error="#ff8a80",
            success="#7fd6a8",
            foreground="#dadde2",
            background="#0e1116",
            surface="#12161d",
            panel="#1e2127",
            dark=True,
            variables={"frame": "#383c44", "frame-focus": "#6cb6ff", "title": "#b0b6c1"},
        ),
        Theme(
            name=LIGHT,
            primary="#1f5fae",
            secondary="#6a7280",
            accent="#a8500d",
            warning="#8a6100",
            error="#b3261e",
            success="#1f7a43",
            foreground="#24282e",
            background="#fbfaf7",
            surface="#ffffff",
            panel="#eeedea",
            dark=False,
            variables={"frame": "#d4d1ca", "frame-focus": "#1f5fae", "title": "#545b66"},
        ),
        Theme(
            name=ANSI,
            primary="ansi_cyan",
            secondary="ansi_white",
            accent="ansi_yellow",
            warning="ansi_yellow",
            error="ansi_red",
            success="ansi_green",
            foreground="ansi_default",
            background="ansi_default",
            surface="ansi_default",
            panel="ansi_default",
            boost="ansi_default",
            dark=True,
            ansi=True,
            variables={
                **BUILTIN_THEMES["ansi-dark"].variables,
                "frame": "ansi_bright_black",
                "frame-focus": "ansi_cyan",
                "title": "ansi_default",
            },
        ),
    )


def of(theme: Theme) -> Look:
    """Styles for any registered theme."""
    if theme.name in _LOOKS:
        return _LOOKS[theme.name]
    return _LOOKS[ANSI if theme.ansi else DARK if theme.dark else LIGHT]


def _look(dark: bool, colours: dict[str, str], curves: tuple[str, ...]) -> Look:
    plain = {name: Style.parse(colour) for name, colour in colours.items()}
    return Look(dark=dark, curves=tuple(Style.parse(colour) for colour in curves), **plain)


_LOOKS = {
    DARK: _look(
        True,
        {
            "text": "#dadde2",
            "strong": "bold #f2f5fa",
            "muted": "#8b95a7",
            "faint": "#43474f",
            "key": "bold #b0b6c1",
            "good": "#7fd6a8",
            "warn": "#f0c674",
            "bad": "bold #ff8a80",
            "accent": "#6cb6ff",
            "chosen": "bold #6cb6ff",
            "playhead": "#ffb454",
            "band": "on #26282c",
        },
        ("#6cb6ff", "#ffb454", "#7fd6a8", "#d3a6f5", "#ff9aa8", "#e6dc8c"),
    ),
    LIGHT: _look(
        False,
        {
            "text": "#24282e",
            "strong": "bold #0b0e13",
            "muted": "#6a7280",
            "faint": "#cbc8c1",
            "key": "bold #3d4450",
            "good": "#1f7a43",
            "warn": "#8a6100",
            "bad": "bold #b3261e",
            "accent": "#1f5fae",
            "chosen": "bold #1f5fae",
            "playhead": "#b8560f",
            "band": "on #e8e8ec",
        },
        ("#1f5fae", "#b8560f", "#1f7a43", "#74479f", "#a31545", "#6a5d00"),
    ),
    ANSI: _look(
        True,
        {
            "text": "default",
            "strong": "bold default",
            "muted": "default",
            "faint": "bright_black",
            "key": "bold default",
            "good": "green",
            "warn": "yellow",
            "bad": "bold red",
            "accent": "cyan",
            "chosen": "bold cyan",
            "playhead": "yellow",
            "band": "none",
        },
        ("cyan", "yellow", "green", "magenta", "red", "blue"),
    ),
}

"""What the terminal can show, decided once from its environment: colours, and whether it knows Unicode."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass


class Depth(enum.IntEnum):
    """Colours a terminal can show, fewest first."""

    NONE = 0
    ANSI = 16
    INDEXED = 256
    TRUE = 1 << 24


@dataclass(frozen=True)
class Ability:
    """Colour depth, and whether half blocks and braille can be drawn."""

    depth: Depth
    unicode: bool

    @property
    def ascii_heatmap(self) -> bool:
        """Half blocks carry their values in two colours, so without colour the ramp has to do."""
        return self.depth is Depth.NONE or not self.unicode

    @property
    def one_look(self) -> str:
        """Why themes and palettes change nothing, in words; empty if they do."""
        if self.depth is Depth.NONE:
            return "no colours, so themes and palettes have no effect: NO_COLOR is set, or TERM has none"
        if self.depth is Depth.ANSI:
            return "16 colours, which the terminal itself defines; if it has more, set TERM=xterm-256color"
        return ""


def ability(environ: Mapping[str, str], encoding: str | None) -> Ability:
    """What a terminal with this environment and output encoding can show.

    NO_COLOR counts when it is there at all, as Textual reads it. The Linux console has 8 colours and no braille.
    """
    term = environ.get("TERM", "").lower()
    dumb = term in {"dumb", "unknown", ""}
    return Ability(_depth(environ, term, dumb), speaks_utf8(environ, encoding) and not dumb and term != "linux")


def output_ability(environ: Mapping[str, str], terminal: bool, encoding: str | None) -> Ability:
    """What standard output can show: a terminal as its environment says, a pipe or a file no colour."""
    if terminal or environ.get("FORCE_COLOR"):
        return ability(environ, encoding)
    return Ability(Depth.NONE, speaks_utf8(environ, encoding))


def speaks_utf8(environ: Mapping[str, str], encoding: str | None) -> bool:
    """Whether what is written in `encoding` can be Unicode. Python writes UTF-8 in the locale C nevertheless, and says
    so in LC_CTYPE; a person who asked for C by name gets ASCII."""
    utf8 = (encoding or "").lower().replace("-", "") in {"utf8", "utf8sig"}
    asked = environ.get("LC_ALL", "")
    if not asked:
        coerced = environ.get("LC_CTYPE", "") in {"", "C.UTF-8", "C.utf8", "UTF-8"}
        asked = environ.get("LANG", "") if coerced else environ["LC_CTYPE"]
    return utf8 and asked not in {"C", "POSIX"}


def _depth(environ: Mapping[str, str], term: str, dumb: bool) -> Depth:
    if dumb or "NO_COLOR" in environ:
        return Depth.NONE
    if environ.get("COLORTERM", "").lower() in {"truecolor", "24bit"} or term.endswith(("-direct", "kitty")):
        return Depth.TRUE
    if "256color" in term:
        return Depth.INDEXED
    return Depth.ANSI

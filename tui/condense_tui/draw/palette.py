"""Diverging palettes for cosines: fixed scale -1…1, cut to 31 colours with an exact 0, and one code for no number.

The scale never adapts to the data: a colour means the same cosine in every frame, layer and run. 32 codes and no more,
because a frame of a live run then repeats most of its cells, and what repeats need not be sent.
All three palettes keep their two ends apart for every common kind of colour blindness: blue-orange, purple-green with
unequal lightness, teal-gold.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from rich.color import Color

from condense_tui.draw.ability import Depth

Rgb = tuple[int, int, int]

# Odd, so that one colour is exactly 0 and both signs have as many.
LEVELS = 31
ZERO = LEVELS // 2
NAN = 31
DROPPED = 32
EMPTY = 33
CODES = 34

RAMP = " .:-=+*#%@"
# ANSI colours by strength for 16-colour terminals: weak, middle, strong on either side, from blue to cyan and from red
# to yellow. White for the strongest would be one colour with cyan to eyes without red cones.
_ANSI_NEGATIVE = (4, 12, 14)
_ANSI_POSITIVE = (1, 3, 11)
_ANSI_ZERO, _ANSI_NAN, _ANSI_DROPPED = 0, 5, 8


@dataclass(frozen=True)
class Palette:
    """Anchors from -1 over 0 to 1, for a dark and for a light background; and colours of xterm's 256 from weak to
    strong, negative and positive. The nearest of those to each anchor would do neither hue nor sign justice: the dark
    ends of teal and of gold are both nearest to one grey.
    """

    name: str
    words: str
    dark: tuple[str, ...]
    light: tuple[str, ...]
    dark_256: tuple[tuple[int, ...], tuple[int, ...]]
    light_256: tuple[tuple[int, ...], tuple[int, ...]]


PALETTES = (
    Palette(
        "ember",
        "blue to orange",
        ("#b9deff", "#5aa5f5", "#215fa8", "#152c4a", "#12151b", "#4a2410", "#a8501a", "#f08c3c", "#ffd9a8"),
        ("#08306b", "#1f5fae", "#6ba3d6", "#c6dcee", "#fbfaf6", "#f8d9b8", "#ea9a55", "#b8560f", "#6b2a04"),
        ((17, 24, 25, 32, 74, 75, 117, 153), (52, 94, 130, 172, 208, 215, 222, 223)),
        ((189, 153, 110, 68, 26, 25, 18, 17), (223, 216, 209, 173, 166, 130, 88, 52)),
    ),
    Palette(
        "orchid",
        "purple to green",
        ("#f5b8ff", "#b98ae6", "#74479f", "#33214a", "#131416", "#1a3622", "#35733f", "#74bf69", "#c8f58f"),
        ("#520a60", "#74479f", "#ab8cc6", "#ddd0e8", "#fbfaf6", "#d3ead0", "#85bd83", "#2f7d40", "#04491b"),
        ((53, 54, 91, 97, 134, 141, 183, 225), (22, 28, 34, 71, 77, 114, 157, 194)),
        ((225, 183, 140, 134, 97, 91, 54, 53), (194, 157, 114, 71, 34, 28, 22)),
    ),
    Palette(
        "reef",
        "teal to gold",
        ("#86f5e4", "#54cdbd", "#1e7f78", "#143a3a", "#121518", "#3c3010", "#8a6a17", "#dfae35", "#ffe07a"),
        ("#004a55", "#14756d", "#62b0a6", "#c5e4df", "#fbfaf6", "#f0e2b8", "#cfa64b", "#8b5f0c", "#5f3000"),
        ((23, 30, 37, 44, 80, 116, 159, 195), (58, 94, 136, 178, 179, 221, 222, 230)),
        ((195, 152, 116, 73, 37, 30, 23), (230, 222, 179, 178, 136, 94, 58)),
    ),
)


def codes(cosine: np.ndarray) -> np.ndarray:
    """Codes (uint8) of cosines: 0…30 from -1 to 1, NAN where there is no number; what lies outside is clipped."""
    missing = np.isnan(cosine)
    scaled = np.rint(np.clip(np.where(missing, 0, cosine), -1, 1) * ZERO) + ZERO
    found: np.ndarray = scaled.astype(np.uint8)
    found[missing] = NAN
    return found


def value(code: int) -> float:
    """The cosine in the middle of a colour."""
    return (code - ZERO) / ZERO


@lru_cache(maxsize=16)
def colours(palette: Palette, dark: bool) -> tuple[Rgb, ...]:
    """The colour of every code: LEVELS colours of the scale, then those for NAN, DROPPED and EMPTY."""
    anchors = np.array([_to_oklab(_rgb(text)) for text in (palette.dark if dark else palette.light)])
    at = np.linspace(0, len(anchors) - 1, LEVELS)
    places = np.arange(len(anchors))
    blended = np.stack([np.interp(at, places, anchors[:, axis]) for axis in range(3)], axis=1)
    scale = tuple(_from_oklab(colour) for colour in blended)
    special = ("#6d7480", "#2a2f38", "#0e1116") if dark else ("#8a8f98", "#e3e1da", "#fbfaf7")
    return scale + tuple(_rgb(text) for text in special)


@lru_cache(maxsize=64)
def sgr(palette: Palette, dark: bool, depth: Depth, ground: int) -> tuple[str, ...]:
    """SGR parameters of every code as foreground (ground 38) or background (ground 48); empty without colour."""
    if depth is Depth.NONE:
        return ("",) * CODES
    if depth is Depth.ANSI:
        # what is outside the matrix is the terminal's own background, whatever that is
        return (*(_ansi_parameter(_ansi(code), ground) for code in range(EMPTY)), str(ground + 1))
    if depth is Depth.TRUE:
        return tuple(f"{ground};2;{r};{g};{b}" for r, g, b in colours(palette, dark))
    return tuple(f"{ground};5;{number}" for number in indexed(palette, dark))


def rich_colour(palette: Palette, dark: bool, depth: Depth, code: int) -> Color:
    """The same colour for a rich Style, for what is not drawn through our own escape strings."""
    if depth is Depth.ANSI:
        return Color.default() if code == EMPTY else Color.from_ansi(_ansi(code))
    if depth is Depth.INDEXED:
        return Color.from_ansi(indexed(palette, dark)[code])
    return Color.from_rgb(*colours(palette, dark)[code])


@lru_cache(maxsize=2)
def ramp(wide: bool) -> tuple[str, ...]:
    """The text of every code without colour, one or two characters: strength by the ramp, sign by a minus.

    Positive is the solid texture (`@@`), negative has its sign in front (`-@`); one character wide there is no room
    for both, so negative values take letters of about the same weight.
    """
    texts = []
    for code in range(LEVELS):
        strength = RAMP[min(len(RAMP) - 1, round(abs(value(code)) * (len(RAMP) - 1)))]
        negative = code < ZERO and strength != " "
        if wide:
            texts.append(f"-{strength}" if negative else strength * 2)
        else:
            texts.append(_NEGATIVE_RAMP[RAMP.index(strength)] if negative else strength)
    special = ("??", "//", "  ") if wide else ("?", "/", " ")
    return (*texts, *special)


_NEGATIVE_RAMP = " ,;~ixoeXM"


def ramp_scale(wide: bool) -> str:
    """The ramp from -1 over 0 to 1, as it is drawn with one or two characters a pixel."""
    negative = f"-{RAMP[:0:-1]}" if wide else _NEGATIVE_RAMP[:0:-1]
    return f"{negative} 0 {RAMP[1:]}"


def _ansi(code: int) -> int:
    if code >= LEVELS:
        return {NAN: _ANSI_NAN, DROPPED: _ANSI_DROPPED}.get(code, _ANSI_ZERO)
    strength = abs(value(code))
    side = _ANSI_NEGATIVE if code < ZERO else _ANSI_POSITIVE
    for limit, colour in ((0.2, _ANSI_ZERO), (0.5, side[0]), (0.85, side[1])):
        if strength < limit:
            return colour
    return side[2]


def _ansi_parameter(colour: int, ground: int) -> str:
    base = ground - 8 if colour < 8 else ground + 52
    return str(base + colour % 8)


# What xterm has for a cosine of 0: all but black, white.
_ZERO_256 = {True: 233, False: 231}


@lru_cache(maxsize=16)
def indexed(palette: Palette, dark: bool) -> tuple[int, ...]:
    """Numbers of every code among xterm's 256: on each side the colour whose lightness is nearest to the true one."""
    true = colours(palette, dark)
    numbers = []
    for code in range(LEVELS):
        side = (palette.dark_256 if dark else palette.light_256)[int(code > ZERO)]
        offered = np.array((_ZERO_256[dark],) if code == ZERO else side)
        away = np.abs(_xterm()[offered - 16, 0] - _to_oklab(true[code])[0])
        numbers.append(int(offered[away.argmin()]))
    return (*numbers, *(_nearest(rgb) for rgb in true[LEVELS:]))


def _nearest(rgb: Rgb) -> int:
    """The nearest of xterm's 6×6×6 cube and greys to the eye, numbers 16 to 255; the first 16 are the user's own."""
    away = np.sum((_xterm() - _to_oklab(rgb)) ** 2, axis=1)
    return 16 + int(away.argmin())


@lru_cache(maxsize=1)
def _xterm() -> np.ndarray:
    cube = (0, 95, 135, 175, 215, 255)
    table = [(red, green, blue) for red in cube for green in cube for blue in cube]
    table += [(8 + 10 * level,) * 3 for level in range(24)]
    return np.array([_to_oklab(rgb) for rgb in table])


def _rgb(text: str) -> Rgb:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


# Björn Ottosson's OKLab: blending there keeps steps of equal size to the eye, and the middle from going grey.
_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def _to_oklab(rgb: Rgb) -> np.ndarray:
    channel = np.array(rgb) / 255
    linear = np.where(channel <= 0.04045, channel / 12.92, ((channel + 0.055) / 1.055) ** 2.4)
    lab: np.ndarray = _TO_LAB @ np.cbrt(_TO_LMS @ linear)
    return lab


def _from_oklab(lab: np.ndarray) -> Rgb:
    linear = np.clip(np.linalg.solve(_TO_LMS, np.linalg.solve(_TO_LAB, lab) ** 3), 0, 1)
    channel = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    red, green, blue = (round(float(part) * 255) for part in np.clip(channel, 0, 1))
    return red, green, blue

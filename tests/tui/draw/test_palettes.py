"""Palettes at every colour depth: sign and strength stay readable, also for eyes that miss one kind of cone."""

from __future__ import annotations

import colorsys
import itertools

import numpy as np
import pytest
from rich.color import ColorSystem
from rich.style import Style

from condense_tui.draw.ability import Depth
from condense_tui.draw.palette import (
    LEVELS,
    PALETTES,
    ZERO,
    Palette,
    _ansi,
    _to_oklab,
    _xterm,
    colours,
    indexed,
    rich_colour,
)
from condense_tui.terminal import look

# Machado, Oliveira, Fernandes 2009, severity 1: what a linear RGB colour looks like to each kind of dichromat.
EYES = {
    "trichromat": np.eye(3),
    "protanope": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranope": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanope": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
# In OKLab two neighbouring patches 0.02 apart can be told apart; this is seen at a glance.
APART = 0.09
ANSI = ((0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229))
ANSI += ((127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0), (92, 92, 255), (255, 0, 255), (0, 255, 255))
ANSI += ((255, 255, 255),)

SCHEMES = list(itertools.product(PALETTES, (True, False), (Depth.TRUE, Depth.INDEXED, Depth.ANSI)))


def scale(palette: Palette, dark: bool, depth: Depth) -> list[tuple[int, int, int]]:
    """RGB of the scale from -1 to 1; of sixteen colours, xterm's own."""
    if depth is Depth.TRUE:
        return list(colours(palette, dark)[:LEVELS])
    if depth is Depth.ANSI:
        return [ANSI[_ansi(code)] for code in range(LEVELS)]
    cube = (0, 95, 135, 175, 215, 255)
    found = []
    for number in indexed(palette, dark)[:LEVELS]:
        if number >= 232:
            found.append((8 + 10 * (number - 232),) * 3)
        else:
            red, rest = divmod(number - 16, 36)
            green, blue = divmod(rest, 6)
            found.append((cube[red], cube[green], cube[blue]))
    return found


def seen_by(eye: str, rgb: tuple[int, int, int]) -> np.ndarray:
    channel = np.array(rgb) / 255
    linear = np.where(channel <= 0.04045, channel / 12.92, ((channel + 0.055) / 1.055) ** 2.4)
    changed = np.clip(EYES[eye] @ linear, 0, 1)
    encoded = np.where(changed <= 0.0031308, changed * 12.92, 1.055 * changed ** (1 / 2.4) - 0.055)
    red, green, blue = (round(float(value) * 255) for value in encoded)
    return _to_oklab((red, green, blue))


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize(("palette", "dark", "depth"), SCHEMES)
def test_signs_are_told_apart_by_every_eye(palette: Palette, dark: bool, depth: Depth, eye: str) -> None:
    seen = [seen_by(eye, rgb) for rgb in scale(palette, dark, depth)]
    for strength in (5, 8, 11, 15):
        apart = float(np.linalg.norm(seen[ZERO + strength] - seen[ZERO - strength]))
        assert apart > APART * min(1.0, strength / 8), f"{palette.name} at ±{strength / 15:.1f}: {apart:.3f}"


@pytest.mark.parametrize(("palette", "dark", "depth"), SCHEMES)
def test_strength_is_lightness_on_both_sides(palette: Palette, dark: bool, depth: Depth) -> None:
    lightness = np.array([_to_oklab(rgb)[0] for rgb in scale(palette, dark, depth)])
    if depth is Depth.ANSI:
        # sixteen colours are not ours to choose: only the ends and the middle are compared
        assert abs(lightness[0] - lightness[ZERO]) > 0.3 and abs(lightness[-1] - lightness[ZERO]) > 0.3
        return
    side = 1 if dark else -1
    assert (side * np.diff(lightness[ZERO:]) >= -1e-9).all()
    assert (side * np.diff(lightness[ZERO::-1]) >= -1e-9).all()
    assert abs(lightness[0] - lightness[-1]) < 0.12


@pytest.mark.parametrize(("palette", "dark"), list(itertools.product(PALETTES, (True, False))))
def test_of_256_colours_each_side_has_at_least_five(palette: Palette, dark: bool) -> None:
    numbers = indexed(palette, dark)
    assert len(set(numbers[:ZERO])) >= 5
    assert len(set(numbers[ZERO + 1 : LEVELS])) >= 5
    assert not set(numbers[:ZERO]) & set(numbers[ZERO + 1 : LEVELS])
    assert all(16 <= number < 16 + len(_xterm()) for number in numbers)


def test_rich_and_ready_strings_use_the_same_colour() -> None:
    for palette, dark in itertools.product(PALETTES, (True, False)):
        for code in range(LEVELS):
            assert rich_colour(palette, dark, Depth.INDEXED, code).number == indexed(palette, dark)[code]


def test_greys_of_the_themes_stay_grey_among_256_colours() -> None:
    def number(style: Style) -> int:
        assert style.color is not None
        found = style.color.downgrade(ColorSystem.EIGHT_BIT).number
        assert found is not None
        return found

    for theme in look.themes():
        if theme.ansi:
            continue
        shown = look.of(theme)
        for style in (shown.text, shown.muted, shown.faint, shown.key):
            assert number(style) >= 232 or number(style) in {16, 59, 102, 145, 188, 231}, style
        assert shown.band.bgcolor is not None
        assert number(Style(color=shown.band.bgcolor)) >= 232
        for colour in (theme.panel, theme.variables["frame"], theme.variables["title"]):
            assert colour is not None
            red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
            assert colorsys.rgb_to_hls(red, green, blue)[2] < 0.15, colour

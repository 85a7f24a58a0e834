"""What the values of a picture file mean: a ramp from black to white reads as one, however it is stored."""

import numpy as np
import pytest
import torch
from PIL import Image, TiffImagePlugin

from condense_core.engine.data.pictures import decode
from condense_core.errors import DataError

SIDE = 16
RAMP = np.tile(np.linspace(0, 1, SIDE), (SIDE, 1))
WORDS = np.rint(65535 * RAMP).astype(np.uint16)
BYTES = np.rint(255 * RAMP).astype(np.uint8)


def saved(path, image, **options):
    image.save(path, **options)
    return path


def tags(**values):
    """Tags of a TIFF file by their numbers: t258=…"""
    found = TiffImagePlugin.ImageFileDirectory_v2()
    for name, value in values.items():
        found[int(name[1:])] = value
    return found


def is_ramp(pixel, channels):
    assert pixel.shape == (channels, SIDE, SIDE)
    assert pixel.dtype == torch.uint8
    wanted = torch.from_numpy(BYTES).int().expand(channels, -1, -1)
    # a photograph's compression is not exact; everything else is
    return (pixel.int() - wanted).abs().max() <= 3


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.pgm", "big-endian.tif"])
@pytest.mark.parametrize("grey", [True, False])
def test_16_bits_are_scaled_and_not_cut(tmp_path, name, grey):
    words = WORDS.astype(">u2") if name.startswith("big") else WORDS
    file = saved(tmp_path / name, Image.fromarray(words))
    assert is_ramp(decode(file, SIDE, grey), 1 if grey else 3)


def test_16_bit_grey_that_counts_from_white_is_turned_over(tmp_path):
    file = saved(tmp_path / "a.tif", Image.fromarray(65535 - WORDS), tiffinfo=tags(t262=0))
    with Image.open(file) as image:
        if image.tag_v2[262] != 0:
            pytest.skip("this Pillow writes no such file")
    assert is_ramp(decode(file, SIDE, True), 1)


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "CMYK"])
def test_8_bit_modes_are_read_as_they_are(tmp_path, mode):
    colours = Image.fromarray(BYTES).convert("RGB")
    file = saved(tmp_path / "a.tif", colours.quantize(256) if mode == "P" else colours.convert(mode))
    assert is_ramp(decode(file, SIDE, False), 3)


def test_one_bit_is_black_and_white(tmp_path):
    file = saved(tmp_path / "a.png", Image.fromarray(BYTES > 127))
    assert set(decode(file, SIDE, True).flatten().tolist()) == {0, 255}


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P"])
@pytest.mark.parametrize("grey", [True, False])
def test_transparent_pixels_show_white_and_not_what_they_hide(tmp_path, mode, grey):
    image = Image.new("RGBA", (SIDE, SIDE), (200, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, SIDE // 2, SIDE))
    if mode == "P":
        red = Image.new("P", (SIDE, SIDE), 0)
        red.putpalette([200, 0, 0, 0, 0, 0])
        red.paste(1, (0, 0, SIDE // 2, SIDE))
        file = saved(tmp_path / "a.png", red, transparency=b"\0\xff")
    else:
        file = saved(tmp_path / "a.png", image.convert(mode))
    pixel = decode(file, SIDE, grey)
    assert not pixel[:, :, : SIDE // 2].any()
    assert pixel[:, :, SIDE // 2 :].eq(255).all()


def test_a_half_transparent_black_is_grey(tmp_path):
    file = saved(tmp_path / "a.png", Image.new("RGBA", (SIDE, SIDE), (0, 0, 0, 128)))
    assert set(decode(file, SIDE, False).flatten().tolist()) == {127}


def test_a_picture_that_lies_on_its_side_is_put_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter to the right
    lying = Image.fromarray(BYTES).rotate(90, expand=True)
    file = saved(tmp_path / "a.png", lying, exif=exif)
    assert is_ramp(decode(file, SIDE, True), 1)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (Image.fromarray(RAMP.astype(np.float32)), "numbers with fractions"),
        (Image.fromarray(WORDS.astype(np.int32)), "32-bit whole numbers"),
        (Image.new("LAB", (SIDE, SIDE)), "L*a*b*"),
        (Image.new("L", (1, 100_000)), "too long and thin"),
    ],
    ids=["fractions", "32 bits", "lab", "thin"],
)
def test_what_has_no_agreed_meaning_is_refused_in_one_line(tmp_path, image, words):
    file = saved(tmp_path / "a.tif", image)
    with pytest.raises(DataError) as caught:
        decode(file, 256, False)
    message = str(caught.value)
    assert str(file) in message
    assert words in message
    assert message.isprintable()

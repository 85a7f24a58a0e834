"""One picture file as bytes of 0 (black) to 255 (white), by what its values mean.   # C channels

Formats count in many ways: in 1, 8, 12 or 16 bits, in ink, with transparency, lying on their side. A conversion that
does not ask cuts 16 bits to their lowest 8 and shows what a transparent pixel hides. docs/DATA.md lists the terms.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from condense_core.errors import DataError
from condense_core.foreign import decoding, open_file

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

# Modes that hold 8 bits a channel or less, with one agreed meaning.
_PLAIN = frozenset({"1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr"})
_TRANSPARENT = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
# Of a TIFF file: bits of a sample, and what its zero is (TIFF 6.0, sections 3 and 8).
_BITS_PER_SAMPLE, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0
# Pixels of a scaled picture, before its middle is cut out: a line of 1×100,000 pixels would take gigabytes.
_LARGEST_SCALED = 50_000_000


def decode(file: Path, size: int, grey: bool) -> Tensor:
    """The picture as (C, size, size) bytes, C 1 or 3: the shorter side scaled to `size`, the middle of the longer kept.

    DataError, in one line that names the file, where it cannot be read or its values have no agreed black and white.
    """
    from PIL import Image

    with decoding(DataError, f"{file} cannot be read as an image; repair or remove it"), warnings.catch_warnings():
        # a picture too large to be trusted is refused; one that is only large is nobody's business
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with open_file(file) as opened, Image.open(opened) as image:
            image.load()
            plain = _plain(image)
        return _bytes(_square(plain.convert("L" if grey else "RGB"), size))


def _square(picture: Image, size: int) -> Image:
    """Scaled and cut as torchvision's `resize` and `center_crop` do, whose import takes more memory than most sets."""
    from PIL.Image import Resampling

    width, height = picture.size
    if max(width, height) * size * size > _LARGEST_SCALED * min(width, height):
        raise ValueError(f"{width}×{height} pixels are too long and thin to be scaled")
    wide, high = (size, size * height // width) if width <= height else (size * width // height, size)
    if (width, height) != (wide, high):
        picture = picture.resize((wide, high), Resampling.BILINEAR)
    left, top = round((wide - size) / 2), round((high - size) / 2)
    return picture.crop((left, top, left + size, top + size))


def _bytes(picture: Image) -> Tensor:
    """(C, rows, columns)."""
    import numpy as np
    import torch

    value = torch.from_numpy(np.array(picture))
    return value[None] if value.ndim == 2 else value.permute(2, 0, 1)


def _plain(image: Image) -> Image:
    """The picture upright in a mode of 8 bits without transparency; ValueError where that has no agreed meaning."""
    from PIL import Image, ImageOps

    transparent = image.mode in _TRANSPARENT or "transparency" in image.info
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in {"PNG", "PPM"}):
        if transparent:
            raise ValueError("16 bits a pixel with one transparent value; save it as 8 bits or with an alpha channel")
        seen = _from_16_bits(image)
    elif transparent:
        # Pillow takes the factor out of premultiplied colours, but not on the way to another mode
        alpha = image.convert({"La": "LA", "RGBa": "RGBA"}.get(image.mode, image.mode)).convert("RGBA")
        seen = Image.alpha_composite(Image.new("RGBA", alpha.size, "white"), alpha).convert("RGB")
    elif image.mode in _PLAIN:
        seen = image.convert("L" if image.mode in {"1", "L"} else "RGB")
    else:
        kind = {"F": "numbers with fractions", "I": "signed or 32-bit whole numbers", "LAB": "CIE L*a*b* colours"}
        raise ValueError(
            f"its pixels are {kind.get(image.mode, image.mode)}, of which no value is agreed to be white;"
            " save it with 8 or 16 bits a channel, as PNG for instance"
        )
    turned = image.getexif().get(0x0112, 1)
    if turned != 1:
        seen.getexif()[0x0112] = turned
        seen = ImageOps.exif_transpose(seen)
    return seen


def _from_16_bits(image: Image) -> Image:
    """Grey of more than 8 bits in 8: 0 is black and the largest value of its bits is white."""
    import numpy as np
    from PIL import Image

    tags = getattr(image, "tag_v2", {})
    bits = int(tags.get(_BITS_PER_SAMPLE, (16,))[0])
    white = 2**bits - 1
    value = np.asarray(image).astype(np.float64).clip(0, white)
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        value = white - value
    return Image.fromarray(np.rint(value * (255 / white)).astype(np.uint8))

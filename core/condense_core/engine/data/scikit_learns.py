"""The digits and photos that come with scikit-learn, read from its files: to import it takes as long as PyTorch does.

Where a version of it keeps them elsewhere it is asked for them.   # N images, H×W pixels
"""

from __future__ import annotations

import gzip
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_SIDE = 8


def digits() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """The scanned digits, (N, 8, 8) from 0 to 16, and which digit each is, (N,); what `load_digits` has of them."""
    file = _datasets("data", "digits.csv.gz")
    if file is None:
        from sklearn.datasets import load_digits

        found = load_digits()
        return found.images, found.target
    with gzip.open(file, "rt", encoding="utf-8") as opened:
        table = np.loadtxt(opened, delimiter=",")
    return table[:, :-1].reshape(-1, _SIDE, _SIDE), table[:, -1].astype(int)


def photos() -> list[npt.NDArray[Any]]:
    """Photos, (H, W, 3) of bytes each; what `load_sample_images` has of them."""
    folder = _datasets("images")
    files = [] if folder is None else sorted(folder.glob("*.jpg"))
    if not files:
        from sklearn.datasets import load_sample_images

        return list(load_sample_images().images)
    from PIL import Image

    found = []
    for file in files:
        with Image.open(file) as photo:
            found.append(np.asarray(photo))
    return found


def _datasets(*parts: str) -> Path | None:
    """A place among its data sets; None where there is none of that name."""
    spec = importlib.util.find_spec("sklearn")
    places = spec.submodule_search_locations if spec is not None else None
    found = (Path(place, "datasets", *parts) for place in places or ())
    return next((place for place in found if place.exists()), None)

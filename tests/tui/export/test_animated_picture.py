"""The README's animated picture: small enough to load, and the same bytes from the same pictures."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from condense_core.runfile.reader import RunReader
from condense_presets import recordings

Image = pytest.importorskip("PIL.Image")
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_animation", ROOT / "docs" / "make_animation.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_picture_in_the_readme_is_small_and_moves(maker: ModuleType) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.index("](docs/run.gif)") < readme.index("## Run")
    assert maker.OUT.stat().st_size < 1_500_000
    with Image.open(maker.OUT) as picture:
        assert (picture.n_frames, picture.width) == (maker.FRAMES, maker.WIDTH)
        assert picture.info["loop"] == 0


def test_the_steps_are_spread_over_the_recording(maker: ModuleType) -> None:
    with RunReader(recordings()[maker.PRESET]) as run:
        steps = [int(step) for step in run.instants]
    shown = maker.steps_shown(steps, maker.FRAMES)
    assert (shown[0], shown[-1], len(set(shown))) == (steps[0], steps[-1], maker.FRAMES)
    assert maker.steps_shown([3, 5], 9) == [3, 5]


def test_the_same_pictures_give_the_same_bytes(maker: ModuleType, tmp_path: Path) -> None:
    images = [Image.new("RGB", (40, 20), colour) for colour in ("#102030", "#ffcc88", "#3388ff")]
    assert maker.animated(images) == maker.animated([image.copy() for image in images])
    (tmp_path / "a.gif").write_bytes(maker.animated(images))
    with Image.open(tmp_path / "a.gif") as picture:
        assert picture.n_frames == 3
        picture.seek(2)
        assert picture.convert("RGB").getpixel((5, 5)) == (0x33, 0x88, 0xFF)

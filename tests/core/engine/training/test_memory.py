"""How much memory large data take: while they are loaded, as a share of what they are, and in a step."""

import ctypes
import platform
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
import pytest
import torch
from PIL import Image

from condense_core.engine.data.datasets import Dataset, load
from condense_core.engine.network.make import make_network
from condense_core.engine.steppers.gradients.cnn import CnnGradients
from condense_core.engine.steppers.gradients.convolutions import CompiledConvolutions
from condense_core.engine.training import memory, worker
from condense_core.scenario import toml
from condense_core.scenario.experiment import Experiment

# In float32, too, more than the 32 MB up to which memory that was given back may be kept for the next who asks.
SIDE, PICTURES = 256, 44
LOADED = PICTURES * 3 * SIDE**2 * 8
"""Bytes of the sample in float64."""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for number in range(PICTURES):
        (folder / f"class {number % 2}").mkdir(exist_ok=True)
        Image.fromarray(random.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)).save(
            folder / f"class {number % 2}" / f"{number}.bmp"
        )
    return folder


def _experiment(pictures: Path, *settings: str) -> Experiment:
    table = {
        "name": "pictures",
        "steps": 1,
        "layers": [{"kind": "conv", "width": 2, "size": 3, "activation": "tanh"}],
        "data": {"name": "folder", "path": str(pictures), "size": SIDE, "samples": PICTURES, "labels": "onehot"},
        "init": {"scheme": "normal", "std": 0.01},
        "optimizer": {"name": "gd", "lr": 0.1},
    }
    return toml.build(toml.override(table, settings))


def _resident(field: str) -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(field))


def _most(call: Callable[[], object]) -> tuple[int, object]:
    """Bytes that the process had at most while it was called, beyond what it had before; and what was returned."""
    Path("/proc/self/clear_refs").write_text("5")
    before = _resident("VmRSS")
    found = call()
    return _resident("VmHWM") - before, found


@pytest.fixture(autouse=True)
def memory_goes_back() -> None:
    """As in a process that has not trained yet: what is freed is held by nobody."""
    if platform.libc_ver()[0] == "glibc":
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(memory._MMAP_THRESHOLD, 2**25)
        mallopt(memory._TRIM_THRESHOLD, 2**17)


@pytest.fixture(autouse=True)
def once_before(pictures: Path) -> None:
    """What the first of all calls imports and keeps is no memory of the data."""
    worker.samples_of(_experiment(pictures, "data.samples=2", "data.test_samples=2"))


def test_loading_pictures_holds_them_once(pictures):
    data = _experiment(pictures).data
    most, sample = _most(lambda: load(data))
    assert sample.input.nbytes == LOADED
    # and their bytes, an eighth
    assert most < 1.5 * LOADED


def test_what_is_held_out_is_in_the_memory_of_all(pictures):
    data = _experiment(pictures, "data.samples=22", "data.test_samples=22").data
    most, sample = _most(lambda: load(data))
    assert sample.test.input.nbytes == LOADED // 2
    assert most < 1.5 * LOADED


def test_training_keeps_the_precision_that_it_takes_and_no_other(pictures):
    experiment = _experiment(pictures)
    before = _resident("VmRSS")
    samples, _ = worker.samples_of(experiment)
    assert samples[0].input.dtype == torch.float32
    assert _resident("VmRSS") - before < 0.75 * LOADED


def test_members_that_share_data_read_them_once(pictures, monkeypatch):
    read = []
    monkeypatch.setattr(worker.datasets, "load", lambda data: read.append(data) or load(data))
    samples, _ = worker.samples_of(_experiment(pictures, "ensemble.members=3"))
    assert len(read) == 1
    assert len({id(sample) for sample in samples}) == 1
    assert len(samples) == 3


def test_patches_are_laid_out_in_their_own_memory(pictures):
    experiment = _experiment(pictures, "data.size=64")
    one = load(experiment.data).to("cpu", torch.float32)
    # more of them than are laid out at a time
    dataset = Dataset(name="", note="", input=one.input.repeat(10, 1, 1, 1), target=one.target.repeat(10, 1))
    network = make_network(experiment, dataset.input_shape, dataset.outputs)
    most, gradients = _most(lambda: CnnGradients(experiment, [network], [dataset], shared=True))
    (patches,) = gradients._patches.values()
    assert most < 1.5 * patches.nbytes


@pytest.mark.parametrize("method", [CnnGradients, CompiledConvolutions])
def test_a_step_of_many_images_takes_the_memory_of_a_few_at_a_time(method, pictures, monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)
    experiment = _experiment(pictures, "layers.0.width=16", "data.size=32")
    images, target = torch.rand(2_000, 3, 32, 32), torch.eye(2)[torch.arange(2_000) % 2]
    few, many = (Dataset(name="", note="", input=images[:count], target=target[:count]) for count in (50, len(images)))
    network = make_network(experiment, many.input_shape, many.outputs)
    method(experiment, [network], [few], shared=True).forward_backward(None)
    gradients = method(experiment, [network], [many], shared=True)
    # 2.5 MB of each of some forty chunks, were what stays of it in the way of the next one
    most, _ = _most(lambda: gradients.forward_backward(None))
    assert most < 40e6

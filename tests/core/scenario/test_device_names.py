"""What a device may be called: the same to the command, the form, the server and the worker."""

from __future__ import annotations

import pytest

from condense_core.errors import ScenarioError
from condense_core.scenario.device import DeviceName, device_named


@pytest.mark.parametrize(
    ("name", "device"),
    [
        ("auto", DeviceName("auto")),
        ("cpu", DeviceName("cpu")),
        ("cuda", DeviceName("cuda", 0)),
        ("cuda:0", DeviceName("cuda", 0)),
        ("cuda:13", DeviceName("cuda", 13)),
    ],
)
def test_a_device_has_a_kind_and_a_number(name, device):
    assert device_named(name) == device


@pytest.mark.parametrize(
    "name", ["", "gpu", "CPU", "cpu:0", "cuda:", "cuda0", "cuda:-1", "cuda:²", "cuda:" + "9" * 5_000]
)
def test_anything_else_is_refused_in_one_line(name):
    with pytest.raises(ScenarioError, match="expected auto, cpu, cuda or cuda:i"):
        device_named(name)

"""What the device that a run trains on may be called. Whether it is there, only the machine that trains can tell."""

from __future__ import annotations

import re
from typing import NamedTuple

from condense_core.errors import ScenarioError
from condense_core.text import short

DEVICE_NAMES = "auto, cpu, cuda or cuda:i"
# More digits than any machine has GPUs; Python refuses to read a number of thousands of them.
_CUDA = re.compile(r"cuda(?::([0-9]{1,4}))?")


class DeviceName(NamedTuple):
    """`kind` auto (a GPU where there is one), cpu or cuda, and which GPU."""

    kind: str
    number: int = 0


def device_named(name: str) -> DeviceName:
    """The device of that name; ScenarioError for what is none."""
    if name in {"auto", "cpu"}:
        return DeviceName(name)
    match = _CUDA.fullmatch(name)
    if match is None:
        raise ScenarioError(f"--device {short(name)}: expected {DEVICE_NAMES}")
    return DeviceName("cuda", int(match[1] or 0))

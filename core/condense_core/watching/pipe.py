"""What the training's process says to the recorder's, and what it answers. Both are this program, on one machine.

A message to the recorder is its length, a msgpack map, and then the bytes of the tensors that the map names; an answer
is a line of JSON. Neither end ever runs what it is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

import msgspec
import numpy as np
import torch
from torch import Tensor

from condense_core import typed
from condense_core.scenario.geometry import Geometry

_DTYPES = {torch.float32: "f4", torch.float64: "f8"}


class SentTensor(msgspec.Struct, frozen=True):
    """A tensor that follows a message."""

    part: str
    name: str
    dtype: str
    shape: tuple[int, ...]


class Shot(msgspec.Struct, frozen=True, kw_only=True, tag="shot"):
    """Copies of weights and gradients that are to be measured by the probes named, as far as that `share` of the time
    trained allows; all of them where they `must`."""

    step: int
    seconds: float
    loss: float
    norm: float
    scale: float
    probes: tuple[str, ...]
    share: float = 1.0
    must: bool = False
    geometry: dict[str, Geometry]
    tensors: tuple[SentTensor, ...]


class SaidNow(msgspec.Struct, frozen=True, kw_only=True, tag="said"):
    """An event and scalars of a step."""

    step: int
    scalars: tuple[tuple[str, float], ...] = ()
    event: tuple[str, str] | None = None


class RowChange(msgspec.Struct, frozen=True, kw_only=True, tag="row"):
    """Columns of the run's row."""

    status: str
    reason: str = ""
    columns: dict[str, str | int | float | None] = {}


class At(msgspec.Struct, frozen=True, kw_only=True, tag="at"):
    """How far training is; for how long its own thread was held up, `spent` seconds, what that took of a core, and what
    `beside` it the others of its process took."""

    step: int
    seconds: float
    spent: float
    copying: float = 0.0
    beside: float = 0.0


class End(msgspec.Struct, frozen=True, kw_only=True, tag="end"):
    """It is over; `said` false: the run is left as it was before it was resumed, without an event."""

    status: str
    reason: str
    said: bool = True


ToRecorder = Shot | SaidNow | RowChange | At | End


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """From the recorder: a command that a viewer gave, what the probes of a shot have cost in seconds, and what
    `besides` the process has, or why it cannot go on."""

    command: str = ""
    costs: dict[str, float] = {}
    besides: float = 0.0
    failed: str = ""


def sent(part: str, tensors: Mapping[str, Tensor]) -> tuple[list[SentTensor], list[np.ndarray]]:
    """What is said of tensors on the CPU, and their bytes."""
    said, data = [], []
    for name, given in tensors.items():
        tensor = given if given.dtype in _DTYPES else given.float()
        said.append(SentTensor(part, name, _DTYPES[tensor.dtype], tuple(tensor.shape)))
        data.append(tensor.contiguous().numpy())
    return said, data


def write(file: BinaryIO, message: ToRecorder, data: list[np.ndarray] | None = None) -> None:
    """Send a message."""
    body = msgspec.msgpack.encode(message)
    file.write(len(body).to_bytes(8, "little"))
    file.write(body)
    for array in data or ():
        if array.size:
            file.write(array.data.cast("B"))
    file.flush()


def read(file: BinaryIO) -> ToRecorder | None:
    """The next message; None where the other end is gone."""
    length = file.read(8)
    if len(length) < 8:
        return None
    body = file.read(int.from_bytes(length, "little"))
    try:
        message: ToRecorder = typed.msgpack_decoder(ToRecorder).decode(body)
    except msgspec.DecodeError:
        # cut off in the middle
        return None
    return message


def read_tensors(file: BinaryIO, message: Shot) -> dict[str, dict[str, Tensor]] | None:
    """The tensors that follow, by part and name; None where the other end is gone."""
    parts: dict[str, dict[str, Tensor]] = {"weight": {}, "gradient": {}, "small": {}}
    for each in message.tensors:
        size = int(np.prod(each.shape)) * np.dtype(each.dtype).itemsize
        data = bytearray(size)
        if size and file.readinto(data) != size:  # type: ignore[attr-defined]
            return None
        array = np.frombuffer(data, each.dtype).reshape(each.shape)
        parts[each.part][each.name] = torch.from_numpy(array)
    return parts

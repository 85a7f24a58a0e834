"""Scalars from TensorBoard's event files, through its own reader. Everything else in them is passed over."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from condense_core.errors import DataError, MissingExtraError, nearest
from condense_core.foreign import decoding
from condense_core.importing.sources import EventFile
from condense_core.installation import how_to_add
from condense_core.runfile.given_names import LONGEST, MOST_NAMES, named
from condense_core.runfile.rows import LARGEST_STEP, LATEST
from condense_core.text import printable, short

# Values of all curves together: some 500 MB while they are read.
MOST_VALUES = 5_000_000
LOSS = "loss"


@dataclass
class EventScalars:
    """Values of each tag by step, and the time at which each step was first written, in seconds since the first."""

    values: dict[str, dict[int, float]] = field(default_factory=dict)
    seconds: dict[int, float] = field(default_factory=dict)
    left_out: int = 0
    """Tags that are beyond what a run may have."""
    damaged: list[str] = field(default_factory=list)
    """A line for each file that could not be read to its end."""


def read_events(files: Sequence[EventFile]) -> EventScalars:
    """All scalars of the files. Of a tag that has a step twice, what was written later counts. DataError for a file
    that is none, MissingExtraError without tensorboard."""
    if importlib.util.find_spec("tensorboard") is None:
        raise MissingExtraError(
            f"event files need tensorboard, which is not installed here: {how_to_add('tensorboard')}"
        )
    found, first, count = EventScalars(), math.nan, 0
    for prefix, file in files:
        # of one that is still written, or was cut, the rest is said to be missing
        with decoding(DataError, f"cannot read {file}"):
            for event in _events(file, found.damaged):
                if not 0 <= event.step <= LARGEST_STEP:
                    raise ValueError(f"a step of {event.step}")
                time = event.wall_time if 0 <= event.wall_time <= LATEST else math.nan
                for value in event.summary.value:
                    number = _scalar(value)
                    if number is None:
                        continue
                    tag = printable(f"{prefix}/{value.tag}" if prefix else value.tag)[:LONGEST]
                    if tag not in found.values and len(found.values) >= MOST_NAMES:
                        found.left_out += 1
                        continue
                    count += 1
                    if count > MOST_VALUES:
                        raise ValueError(f"more than {MOST_VALUES:,} values")
                    found.values.setdefault(tag, {})[event.step] = number
                    first = time if math.isnan(first) else first
                    if not math.isnan(time):
                        found.seconds.setdefault(event.step, max(0.0, time - first))
    return found


def loss_of(scalars: EventScalars, asked: str) -> tuple[str, str]:
    """Which tag is the loss, and why in words; an empty tag where there is none.

    What is asked for; else `loss`; else what ends in it, of training before anything else. DataError for a tag that is
    not there.
    """
    tags = list(scalars.values)
    if asked:
        if asked not in tags:
            raise DataError(f"--loss {short(asked)}: {nearest(asked, tags) if tags else 'there are no scalars'}")
        return asked, f"{asked} is the loss"
    ends = [tag for tag in tags if LOSS in tag.lower().replace("_", "/").split("/")]
    exact = [tag for tag in tags if tag.lower() == LOSS]
    chosen = [*exact, *(tag for tag in ends if "train" in tag.lower()), *ends]
    if not chosen:
        return "", "no scalar is called a loss; --loss chooses one" if tags else ""
    others = f", of {len(ends)} that may be; --loss chooses another" if len(ends) > 1 else ""
    return chosen[0], f"{chosen[0]} is the loss{others}"


def by_step(scalars: EventScalars, loss: str) -> dict[int, list[tuple[str, float]]]:
    """What was recorded at each step, ascending; the loss under its own name, and first."""
    found: dict[int, list[tuple[str, float]]] = {}
    for tag in sorted(scalars.values, key=lambda tag: tag != loss):
        name = LOSS if tag == loss else named(tag)
        for step, value in scalars.values[tag].items():
            found.setdefault(step, []).append((name, value))
    return {step: list(dict(found[step]).items()) for step in sorted(found)}


def _events(file: Path, damaged: list[str]) -> Iterator[Any]:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.tensorflow_stub import errors
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New

    size = file.stat().st_size
    if not file.is_file():
        raise OSError("not a file")
    reader, some = PyRecordReader_New(str(file), 0, None, None), False
    while True:
        try:
            reader.GetNext()
        except errors.OutOfRangeError:
            break
        except errors.DataLossError:
            if not some:
                raise ValueError("it is no event file, or damaged from its beginning") from None
            damaged.append(f"{file.name} is cut or damaged: what comes after its first records is missing")
            break
        some = True
        yield Event.FromString(reader.record())
    if size == 0:
        damaged.append(f"{file.name} is empty")


def _scalar(value: Any) -> float | None:
    """The number of a summary's value: as TensorFlow 1 and PyTorch write it, or as a tensor of one; None for images,
    histograms and the like."""
    kind = value.WhichOneof("value")
    if kind == "simple_value":
        return float(value.simple_value)
    if kind != "tensor" or value.metadata.plugin_data.plugin_name not in {"scalars", ""}:
        return None
    from tensorboard.util import tensor_util

    if any(side.size != 1 for side in value.tensor.tensor_shape.dim):
        return None
    array = tensor_util.make_ndarray(value.tensor)
    return float(array.reshape(-1)[0]) if array.size == 1 and array.dtype.kind in "fiu" else None

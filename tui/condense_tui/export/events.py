"""Event files for TensorBoard, through its own writer: every scalar, and every layer's similarity as images."""

from __future__ import annotations

import importlib.util
import struct
import zlib
from pathlib import Path

import numpy as np

from condense_core.errors import MissingExtraError
from condense_core.installation import how_to_add
from condense_core.runfile.reader import RunReader
from condense_core.runs.columns import column
from condense_tui.draw.palette import DROPPED, PALETTES, codes, colours
from condense_tui.snapshots.image import image_of

# TensorBoard itself shows ten images of a tag unless told otherwise; a few more give a choice.
IMAGES = 20
# Pixels that a kernel's cell takes at least, so that a matrix of eight is more than a dot.
IMAGE_SIDE = 256


def require_tensorboard() -> None:
    """MissingExtraError if event files cannot be written on this machine; nothing is imported."""
    if importlib.util.find_spec("tensorboard") is None:
        raise MissingExtraError(
            f"event files need tensorboard, which is not installed here: {how_to_add('tensorboard')}"
        )


def write_events(run: RunReader, folder: Path, at: int | None) -> None:
    """Write one event file into `folder` with everything up to step `at`.

    Scalars have no clock of their own in a run file: times go evenly from the run's start over the seconds it trained.
    Values are float32, TensorBoard's own; NaN and ±inf stay what they are. What was left out because it is damaged
    is a text, `left_out`.
    """
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.compat.proto.types_pb2 import DT_STRING
    from tensorboard.summary.writer.record_writer import RecordWriter

    info = run.info()
    pace = info.seconds / info.step if info.step > 0 else 0.0
    # TensorBoard's own EventFileWriter writes on a thread that a full disk kills with a traceback
    with (folder / f"events.out.tfevents.{int(info.created)}.{info.id}").open("wb") as file:
        records = RecordWriter(file)

        def add(step: int, **content: object) -> None:
            records.write(Event(wall_time=info.created + pace * step, step=step, **content).SerializeToString())

        add(0, file_version="brain.Event:2")
        for name in run.curve_names:
            steps, values = run.curve(name)
            shown = tag(column(run, name))
            for step, value in zip(steps.tolist(), values.tolist(), strict=True):
                if at is None or step <= at:
                    add(step, summary=Summary(value=[Summary.Value(tag=shown, simple_value=value)]))
        for layer in run.layers:
            for step in _some(run.instants, at):
                png, side = _image(run, layer, step)
                if side:
                    image = Summary.Image(height=side, width=side, colorspace=3, encoded_image_string=png)
                    add(step, summary=Summary(value=[Summary.Value(tag=f"{layer}/similarity", image=image)]))
        if run.damage.named:
            text = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text"))
            words = TensorProto(dtype=DT_STRING, string_val=["\n\n".join(run.damage.named).encode()])
            add(0, summary=Summary(value=[Summary.Value(tag="left_out", metadata=text, tensor=words)]))


def tag(name: str) -> str:
    """`conv1/lines` for `conv1.lines`: TensorBoard groups by what stands before a slash."""
    layer, dot, quantity = name.partition(".")
    return f"{layer}/{quantity}" if dot else name


def _some(instants: np.ndarray, at: int | None) -> list[int]:
    """At most IMAGES of the recorded steps, the first and the last among them."""
    steps = np.unique(instants if at is None else instants[instants <= at])
    if not len(steps):
        return []
    chosen = np.unique(np.linspace(0, len(steps) - 1, IMAGES).round().astype(int))
    return [int(steps[index]) for index in chosen]


def _image(run: RunReader, layer: str, step: int) -> tuple[bytes, int]:
    """The layer's heatmap as PNG, kernels ordered as they end so that the order is one for all steps."""
    cosine = run.similarity(layer, step)
    if cosine is None or not len(cosine):
        return b"", 0
    image = image_of(layer, cosine, run.condensation(layer), True)
    away = image.dropped[image.order]
    code = codes(cosine[np.ix_(image.order, image.order)])
    code[away, :] = code[:, away] = DROPPED
    scale = max(1, IMAGE_SIDE // len(code))
    table = np.array(colours(PALETTES[0], False), np.uint8)
    pixels = table[code].repeat(scale, axis=0).repeat(scale, axis=1)
    return png(pixels), len(pixels)


def png(pixels: np.ndarray) -> bytes:
    """RGB pixels (height, width, 3) uint8 as a PNG file."""
    height, width, _ = pixels.shape
    rows = np.zeros((height, 1 + 3 * width), np.uint8)
    rows[:, 1:] = pixels.reshape(height, -1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows.tobytes(), 6)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body

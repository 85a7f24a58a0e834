"""What one measurement looks like: typed records, and the bytes they travel as.   # M kernels, K entries a kernel

A frame is a msgpack map of a fixed type, compressed with zstandard. Whatever decodes here is data from a file or
another machine: types, shapes and sizes are checked, and nothing is ever executed.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
import zstandard
from msgspec import Meta

from condense_core import typed
from condense_core.errors import RunFileError
from condense_core.foreign import decoding
from condense_core.measure_table import PredictionSource, prediction_source
from condense_core.runfile.rows import LARGEST_FRAME
from condense_core.thresholds import direction_is_doubtful

T = TypeVar("T")

# A heatmap has no more cells than a large terminal.
LARGEST_SIDE = 256
# int16 steps where a cosine near 1 should be told from 1.
FINE_LEVELS = 32_767
NAN_FINE_LEVEL = -32_768
# Parameters of a network whose weights are kept at recorded steps: 800 kB of float64 a step; larger networks have
# their checkpoint. Bounds what a foreign file can make a reader allocate, too.
MOST_WEIGHTS = 100_000

# Values of one frame of all members: half of LARGEST_FRAME.
MOST_OF_MEMBERS = LARGEST_FRAME // 16

_ITEM_SIZES = {"i1": 1, "i2": 2, "f4": 4, "f8": 8}
_DTYPES = {name: np.dtype(f"<{name}") for name in _ITEM_SIZES}
# A scenario has at most 64 layers of 65,536 kernels, and some dozen parameters and scalars a layer.
Count = Annotated[int, Meta(ge=0, le=2**31)]
Counts = Annotated[tuple[Count, ...], Meta(max_length=65_536)]
Names = Annotated[tuple[Annotated[str, Meta(max_length=200)], ...], Meta(max_length=4_096)]


class Array(msgspec.Struct, frozen=True, array_like=True):
    """A small array on the wire: little-endian bytes, their type and shape."""

    dtype: Literal["i1", "i2", "f4", "f8"]
    shape: Annotated[tuple[Count, ...], Meta(max_length=4)]
    data: bytes

    @classmethod
    def of(cls, values: Any, dtype: Literal["i1", "i2", "f4", "f8"]) -> Array:
        array = np.ascontiguousarray(values, dtype=_DTYPES[dtype])
        return cls(dtype, array.shape, array.tobytes())

    def __post_init__(self) -> None:
        if math.prod(self.shape) * _ITEM_SIZES[self.dtype] != len(self.data):
            raise ValueError(f"{len(self.data)} bytes do not fill the shape {self.shape}")

    def check(self, name: str, dtypes: str, *shape: int | None) -> None:
        """ValueError if the array is not of one of the types (`f4 f8`), or not of the shape; None is any length."""
        if self.shape == shape and self.dtype in dtypes:
            # as nearly always: one comparison, of thousands that an ensemble's step has
            return
        sides = len(self.shape) == len(shape) and all(
            wanted in {None, side} for wanted, side in zip(shape, self.shape, strict=True)
        )
        if not sides or self.dtype not in dtypes.split():
            expected = "×".join("N" if side is None else str(side) for side in shape)
            raise ValueError(f"{name}: expected {expected} of {dtypes}, got {self.shape} of {self.dtype}")

    def numpy(self) -> npt.NDArray[Any]:
        """The values, read-only."""
        return np.frombuffer(self.data, _DTYPES[self.dtype]).reshape(self.shape)


class Similarity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="similarity"):
    """Cosine similarity of the kernels of a layer, as int8 levels of the upper triangle with its diagonal.

    `side` cells each way: the kernels themselves in their own order, or above LARGEST_SIDE blocks of kernels, pooled
    by their mean in the order of display. `key` false: levels are differences (modulo 256) to the layer's frame before.
    `drawn_of`: of how many kernels these are a sample; None where they are all.
    """

    kernels: Count
    side: Annotated[int, Meta(ge=0, le=LARGEST_SIDE)]
    key: bool
    levels: bytes
    drawn_of: Count | None = None

    def __post_init__(self) -> None:
        if len(self.levels) != self.side * (self.side + 1) // 2:
            raise ValueError(f"{len(self.levels)} levels do not fill a triangle of side {self.side}")


class Condensation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="condensation"):
    """Condensed lines and directions of a layer (docs/SCIENCE.md, "Lines and directions"), their null calibration,
    and each kernel's place.

    `label` (M,) i2: the kernel's line, numbered so that a line keeps its number over time; NO_LINE on none, DROPPED for
    its small norm (`thresholds`). `sign` (M,) i1: the side of the line it points to. `norm` (M,) f4, of 4 decimal
    digits. `drawn_of`: of how many kernels these are a sample; None where they are all.
    """

    kernels: Count
    kept: Count
    lines: Count
    lines_coarse: Count
    directions: Count
    coverage: float
    mean_abs_cos: float
    pair_abs_cos: float
    null_coverage: float
    null_abs_cos: float
    condensed: bool
    sizes: Counts
    label: Array
    sign: Array
    norm: Array
    drawn_of: Count | None = None

    def __post_init__(self) -> None:
        self.label.check("label", "i2", self.kernels)
        self.sign.check("sign", "i1", self.kernels)
        self.norm.check("norm", "f4", self.kernels)


class Spectrum(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="spectrum"):
    """Singular values of the signal matrix, largest first (r,) f8, and its top right singular vector (K,) f4.

    `bias` true: the last entry of v1 belongs to the kernel's bias. `ones_overlap` (c_in,) f8: |⟨v1, 1⟩| per input
    channel, both of norm 1. `from_data` false: there is no signal matrix for this layer, and the spectrum is that of
    its gradient, which predicts only the next moment; v1 and ones_overlap are empty then. None: a file from before it
    was noted, whose spectrum may be either.
    """

    values: Array
    v1: Array
    bias: bool
    ones_overlap: Array
    from_data: bool | None = None

    def __post_init__(self) -> None:
        self.values.check("values", "f8", None)
        self.v1.check("v1", "f4", None)
        self.ones_overlap.check("ones_overlap", "f8", None)

    @property
    def gap(self) -> float:
        """λ1 - λ2; NaN if there is only one singular value."""
        values = self.values.numpy()
        return float(values[0]) - float(values[1]) if len(values) > 1 else float("nan")

    @property
    def source(self) -> PredictionSource:
        """What the direction and the eigenvalues are called."""
        return prediction_source(self.from_data)

    @property
    def direction_is_doubtful(self) -> bool:
        """Whether v1 is not determined: there is another singular value as large as the first."""
        values = self.values.numpy()
        return len(values) > 1 and direction_is_doubtful(*values[:2].tolist())


class Alignment(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="alignment"):
    """Cosine of each kernel with the predicted direction, signed; mean |cos| over kept kernels; the ratio
    ‖P_v1 θ_W‖ / ‖θ_W‖ of the layer's weights that lies on the predicted direction.

    `cosine` (M,) i2 in FINE_LEVELS each side of 0, or f4 as older files have it: `numpy` reads both.
    """

    cosine: Array
    mean_abs_cos: float
    ratio: float

    def __post_init__(self) -> None:
        self.cosine.check("cosine", "i2 f4", None)

    @classmethod
    def of(cls, cosine: npt.NDArray[Any], *, mean_abs_cos: float, ratio: float) -> Alignment:
        """The frame of these cosines (M,), NaN if a kernel has no direction."""
        return cls(cosine=cls.levels(cosine), mean_abs_cos=mean_abs_cos, ratio=ratio)

    @staticmethod
    def levels(cosine: npt.NDArray[Any]) -> Array:
        """Cosines of any shape as `cosine` has them."""
        levels = np.rint(np.clip(np.nan_to_num(cosine, nan=0.0), -1, 1) * FINE_LEVELS)
        levels[np.isnan(cosine)] = NAN_FINE_LEVEL
        return Array.of(levels, "i2")

    def numpy(self) -> npt.NDArray[np.float32]:
        """The cosines (M,) float32."""
        values = self.cosine.numpy()
        if self.cosine.dtype != "i2":
            return values.astype(np.float32)
        cosine = values.astype(np.float32) / np.float32(FINE_LEVELS)
        cosine[values == NAN_FINE_LEVEL] = np.nan
        return cosine


class Weights(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="weights"):
    """Every parameter of the network at one step, by name and in its own precision (f4 or f8)."""

    names: Names
    values: Annotated[tuple[Array, ...], Meta(max_length=4_096)]

    @classmethod
    def of(cls, parameters: Mapping[str, npt.NDArray[Any]]) -> Weights:
        """The frame of these parameters; ValueError if there are more than MOST_WEIGHTS."""
        return cls.of_each({name: value[None] for name, value in parameters.items()})[0]

    @classmethod
    def of_each(cls, parameters: Mapping[str, npt.NDArray[Any]]) -> list[Weights]:
        """A frame of each member, of parameters (S, …) that all have; ValueError as for `of`."""
        if sum(value[0].size for value in parameters.values()) > MOST_WEIGHTS:
            raise ValueError(f"expected at most {MOST_WEIGHTS} weights")
        found = []
        for value in parameters.values():
            whole = Array.of(value, "f8" if value.dtype == np.float64 else "f4")
            size, shape = len(whole.data) // len(value), whole.shape[1:]
            starts = range(0, len(value) * size, size) if size else [0] * len(value)
            found.append([Array(whole.dtype, shape, whole.data[start : start + size]) for start in starts])
        names = tuple(parameters)
        return [cls(names=names, values=values) for values in zip(*found, strict=True)]

    def numpy(self) -> dict[str, npt.NDArray[Any]]:
        """The parameters by name, read-only; RunFileError if the frame is not whole."""
        sizes = [len(value.data) // _ITEM_SIZES[value.dtype] for value in self.values]
        if len(self.names) != len(self.values) or len(set(self.names)) != len(self.names):
            raise RunFileError("recorded weights do not match their names; the run file is damaged")
        if sum(sizes) > MOST_WEIGHTS:
            raise RunFileError(f"more than {MOST_WEIGHTS:,} recorded weights; the run file is not from this program")
        try:
            return {name: value.numpy() for name, value in zip(self.names, self.values, strict=True)}
        except ValueError as error:
            raise RunFileError(f"recorded weights cannot be read ({error}); the run file is damaged") from None


class Singular(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="singular"):
    """Singular values of a layer's kernels (M, K) as they are, a bias their last entry, largest first: `values` (r,)
    f4, of 4 decimal digits. Recorded at the steps at which weights are kept, also where those are too many; files from
    before it was noted have none."""

    values: Array

    def __post_init__(self) -> None:
        self.values.check("values", "f4", None)


class Outputs(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="outputs"):
    """Output of a network with one input at test points `point` (T,) f8, ascending: `output` (T,) f8, and beside it the
    least-squares `polynomial` (T,) f8 of `degree`; `complexity` is their largest distance over the output's range."""

    degree: Count
    complexity: float
    point: Array
    output: Array
    polynomial: Array

    def __post_init__(self) -> None:
        self.point.check("point", "f8", None)
        self.output.check("output", "f8", *self.point.shape)
        self.polynomial.check("polynomial", "f8", *self.point.shape)


class Field(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="field"):
    """The field that drives neurons (weight, bias) of a network with one input: at `omega` (G, 2) f8, the points of a
    square grid row by row, the `velocity` (G, 2) f8; and `stable` (L,) f8, angles in [0, π) of the stable lines."""

    omega: Array
    velocity: Array
    stable: Array

    def __post_init__(self) -> None:
        self.omega.check("omega", "f8", None, 2)
        self.velocity.check("velocity", "f8", *self.omega.shape)
        self.stable.check("stable", "f8", None)


class Members(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="members"):
    """Scalars of an ensemble at one step, member by member: `values` (len(names), len(members)) f8, for the numbers of
    those that still trained. The run file's own scalars are their means."""

    names: Names
    members: Counts
    values: Array

    def __post_init__(self) -> None:
        self.values.check("values", "f8", len(self.names), len(self.members))

    def numpy(self) -> npt.NDArray[np.float64]:
        """The values, read-only."""
        return self.values.numpy()


Frame = Similarity | Condensation | Spectrum | Alignment | Weights | Singular | Outputs | Field | Members


Kind = Literal[
    "similarity", "condensation", "spectrum", "alignment", "weights", "singular", "outputs", "field", "members"
]
"""The name of each in a run file."""


_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Frame] = typed.msgpack_decoder(Frame)


class _Compressors(threading.local):
    """One a thread: the object is not safe to share, and a new one a frame would cost more than the frame."""

    def __init__(self) -> None:
        self.own = zstandard.ZstdCompressor(level=1)
        # Differences of levels are mostly near 0, a few bits each: a short match takes more than what it stands for.
        # Long ones, where nothing moves, are found in a table of 128, too.
        long = zstandard.ZstdCompressionParameters.from_level(1, min_match=7, hash_log=7)
        self.of_levels = zstandard.ZstdCompressor(compression_params=long)


_compressors = _Compressors()


def kind_of(frame: msgspec.Struct | type[msgspec.Struct]) -> str:
    """The name under which the run file keeps this type of frame."""
    kind = frame if isinstance(frame, type) else type(frame)
    return kind.__name__.lower()


def encode(frame: msgspec.Struct) -> bytes:
    """Bytes of one frame, or of a stack of them, for the run file."""
    # the first is a stack's
    return compressed(_encoder.encode(frame), getattr(frame, "of", None) or kind_of(frame))


def compressed(data: bytes, kind: str) -> bytes:
    """What a frame of that kind, or a stack of such, was encoded to, as the run file has it."""
    return (_compressors.of_levels if kind == "similarity" else _compressors.own).compress(data)


def decode(blob: bytes) -> Frame:
    """The frame in `blob`; RunFileError if it is not one, or larger than LARGEST_FRAME."""
    return decoded(blob, _decoder)


def decoded(blob: bytes, decoder: msgspec.msgpack.Decoder[T]) -> T:
    """What a decoder makes of `blob`; RunFileError as for `decode`."""
    with decoding(RunFileError, "the run file is damaged or not from this program: a recorded frame cannot be read"):
        if zstandard.get_frame_parameters(blob).content_size > LARGEST_FRAME:
            raise ValueError(f"larger than {LARGEST_FRAME} bytes")
        # of its own a call, as above
        raw = zstandard.ZstdDecompressor().decompress(blob, max_output_size=LARGEST_FRAME)
        return decoder.decode(raw)

"""What a list shows of a run on another machine besides its row: each by itself, so that one which makes no sense hides
no other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from condense_core import typed
from condense_core.errors import RunFileError
from condense_core.foreign import decoding
from condense_core.runs.about_run import NOTHING, AboutRun, shown_about
from condense_core.runs.glance import MOST_LAYERS, POINTS, Glance, LayerGlance
from condense_core.text import printable

if TYPE_CHECKING:
    from condense_core.runfile.info import RunInfo

LONGEST_WORDS, MOST_WORDS = 200, 200


class ListRow(msgspec.Struct, frozen=True, array_like=True):
    """Points of the loss, the layers, what a person says of the run, and in what it differs from its preset."""

    loss: Annotated[tuple[float, ...], Meta(max_length=POINTS)] = ()
    layers: Annotated[tuple[LayerGlance, ...], Meta(max_length=MOST_LAYERS)] = ()
    about: AboutRun = NOTHING
    differs: Annotated[tuple[Annotated[str, Meta(max_length=LONGEST_WORDS)], ...], Meta(max_length=MOST_WORDS)] = ()


def packed_row(glance: Glance) -> msgspec.Raw:
    """What a list shows of the run, as bytes."""
    differs = tuple(words[:LONGEST_WORDS] for words in glance.differs[:MOST_WORDS])
    layers = glance.layers[:MOST_LAYERS]
    return msgspec.Raw(msgspec.msgpack.encode(ListRow(glance.loss[-POINTS:], layers, glance.about, differs)))


def unpacked_row(packed: msgspec.Raw, info: RunInfo) -> Glance:
    """The run as a list shows it, with texts that can be shown; RunFileError where that makes no sense."""
    with decoding(RunFileError, "what its list shows of it is malformed"):
        found = typed.from_msgpack(packed, ListRow)
        return Glance(
            folder=Path(info.id),
            info=info,
            loss=found.loss,
            layers=tuple(msgspec.structs.replace(layer, name=printable(layer.name[:200])) for layer in found.layers),
            about=shown_about(found.about),
            differs=tuple(printable(words) for words in found.differs),
        )

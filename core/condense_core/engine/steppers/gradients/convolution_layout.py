"""Where everything of a stack of convolutions lies in memory, for compiled code (`steppers.compiled.convolutions`).

Channels lie side by side; from the first layer on they are padded with zeros to whole vectors.
# M filters, C channels, s rows and columns of a filter, K entries of a kernel (row, column, channel)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from condense_core.engine.steppers.parameters import ByName
from condense_core.scenario.experiment import Conv

Whole = NDArray[np.int64]


class _LayerPlaces(NamedTuple):
    """One convolution: its name and sizes, and where its own numbers begin in memory."""

    name: str
    width: int
    filters: int
    """The width, padded."""
    own_channels: int
    channels: int
    """Those that lie in memory."""
    size: int
    rows: int
    columns: int
    across: int
    """Numbers in a row of what it reads."""
    padding: int
    """Rows and columns of zeros around what comes back to it."""
    bias: bool
    weight_at: int
    turned_at: int
    bias_at: int
    grad_at: int
    bias_grad_at: int
    hidden_at: int
    back_at: int

    @property
    def entries(self) -> int:
        return self.size**2 * self.channels

    @property
    def back_across(self) -> int:
        return (self.columns + 2 * self.padding) * self.filters

    @property
    def back_from(self) -> int:
        return self.padding * (self.back_across + self.filters)


class ConvolutionLayout:
    """Sizes of memory and tables for `compiled.convolutions.passes`."""

    def __init__(
        self, layers: Sequence[Conv], names: Sequence[str], input_shape: tuple[int, ...], lanes: int, tile: int
    ) -> None:
        """`input_shape` is one image's, (channels, rows, columns); `lanes` is how many numbers a vector has."""
        self._layers: list[_LayerPlaces] = []
        channels, rows, columns = input_shape
        own_channels = channels
        self.weights = self.gradients = self.hidden = self.back = 0
        """Numbers that weights take, gradients, an image's activations, and what comes back."""
        for number, (name, layer) in enumerate(zip(names, layers, strict=True)):
            across, size = columns * channels, layer.size
            rows, columns = rows - size + 1, columns - size + 1
            filters = -(-layer.width // lanes) * lanes
            count = size**2 * channels * filters
            # tiles of entries may reach beyond the last one
            room = -(-(size**2 * channels) // tile) * tile * filters
            this = _LayerPlaces(
                name=name, width=layer.width, filters=filters, own_channels=own_channels, channels=channels,
                size=size, rows=rows, columns=columns, across=across, padding=size - 1 if number else 0,
                bias=layer.bias, weight_at=self.weights, turned_at=self.weights + count,
                bias_at=self.weights + 2 * count, grad_at=self.gradients, bias_grad_at=self.gradients + room,
                hidden_at=self.hidden, back_at=self.back,
            )  # fmt: skip
            self._layers.append(this)
            self.weights = this.bias_at + filters
            self.gradients = this.bias_grad_at + filters
            self.hidden += rows * columns * filters
            self.back += (rows + 2 * this.padding) * this.back_across
            own_channels, channels = layer.width, filters
        self._tile = tile

    @property
    def top(self) -> tuple[int, int, int, int]:
        """Of the last layer: where its activations begin, and pixels, filters and filters with padding."""
        last = self._layers[-1]
        return last.hidden_at, last.rows * last.columns, last.width, last.filters

    def tables(self, codes: Sequence[int]) -> tuple[Whole, Whole, Whole]:
        """Layers, places and entries; `codes` are the numbers of the layers' activations."""
        rows: list[list[int]] = []
        places: list[Whole] = []
        entries: list[Whole] = []
        placed = listed = 0
        for number, layer in enumerate(self._layers):
            forward = self._places(layer)
            turned = self._turned_places(self._layers[number - 1], layer) if number else forward[:0]
            side = np.arange(layer.size)
            offsets = (
                side[:, None, None] * layer.across + side[:, None] * layer.channels + np.arange(layer.channels)
            ).ravel()
            own = _whole_tiles(offsets, self._tile)
            middle, end = placed + len(forward), placed + len(forward) + len(turned)
            rows.append([
                layer.filters, layer.channels, layer.rows, layer.columns, layer.across, layer.size * layer.channels,
                layer.size, layer.weight_at, layer.turned_at, layer.bias_at if layer.bias else -1, layer.grad_at,
                layer.bias_grad_at, layer.hidden_at, layer.back_at, layer.back_from, layer.back_across, codes[number],
                placed, middle, middle, end, listed, listed + len(own),
            ])  # fmt: skip
            places += [forward, turned]
            entries.append(own)
            placed, listed = end, listed + len(own)
        return np.array(rows, np.int64), np.concatenate(places), np.concatenate(entries)

    def _places(self, layer: _LayerPlaces) -> Whole:
        row, column = np.divmod(np.arange(layer.rows * layer.columns), layer.columns)
        written = np.arange(len(row)) * layer.filters
        read = row * layer.across + column * layer.channels
        return _whole_tiles(np.stack([read, written, written], axis=1), self._tile)

    def _turned_places(self, below: _LayerPlaces, layer: _LayerPlaces) -> Whole:
        row, column = np.divmod(np.arange(below.rows * below.columns), below.columns)
        read = row * layer.back_across + column * layer.filters
        written = row * below.back_across + column * below.filters
        factor = np.arange(len(row)) * below.filters
        return _whole_tiles(np.stack([read, written, factor], axis=1), self._tile)

    def pack(self, weight: ByName, row: int, into: Tensor) -> None:
        """Write a member's filters, as they are and turned round, and biases to `into`, whose padding is 0."""
        for number, layer in enumerate(self._layers):
            own = weight[f"{layer.name}.weight"][row]
            plain, turned = self._filters(layer, into)
            plain.copy_(own.permute(2, 3, 1, 0))
            if number:
                turned.copy_(own.flip(2, 3).permute(2, 3, 0, 1))
            if layer.bias:
                into[layer.bias_at : layer.bias_at + layer.width] = weight[f"{layer.name}.bias"][row]

    def _filters(self, layer: _LayerPlaces, of: Tensor) -> tuple[Tensor, Tensor]:
        side, count = layer.size, layer.entries * layer.filters
        plain = of[layer.weight_at : layer.weight_at + count].view(side, side, layer.channels, layer.filters)
        turned = of[layer.turned_at : layer.turned_at + count].view(side, side, layer.filters, layer.channels)
        inside = slice(layer.own_channels), slice(layer.width)
        return plain[:, :, inside[0], inside[1]], turned[:, :, inside[1], inside[0]]

    def unpack(self, found: Tensor, grad: ByName, row: int) -> None:
        """Write gradients to their member's place."""
        for layer in self._layers:
            count, side = layer.entries * layer.filters, layer.size
            own = found[layer.grad_at : layer.grad_at + count].view(side, side, layer.channels, layer.filters)
            own = own[:, :, : layer.own_channels, : layer.width]
            grad[f"{layer.name}.weight"][row].copy_(own.permute(3, 2, 0, 1))
            if layer.bias:
                grad[f"{layer.name}.bias"][row].copy_(found[layer.bias_grad_at : layer.bias_grad_at + layer.width])


def _whole_tiles(rows: Whole, tile: int) -> Whole:
    """The last row again and again, until they are a whole number of tiles."""
    index = np.minimum(np.arange(-(-len(rows) // tile) * tile), len(rows) - 1)
    return rows[index].astype(np.int64)


def zeros(count: int, dtype: torch.dtype) -> Tensor:
    """Memory that begins where a vector may: PyTorch aligns it to 64 bytes, NumPy does not."""
    return torch.zeros(count, dtype=dtype)

"""Convolutions of 3×3 with tanh, a linear output, cross-entropy and Adam, full batch, in every other way that a person
would write it.

Each way is `make(layers) -> steps`: `steps(count)` takes that many steps. All see the same 500 colour images; float32.
A way whose library or compiler is missing is left out, and said.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

Steps = Callable[[int], object]
Make = Callable[[int], Steps]

IMAGES, CHANNELS, SIDE, CLASSES, WIDTH, LR, BETAS, EPS = 500, 3, 32, 10, 32, 1e-4, (0.9, 0.999), 1e-8


def _images() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(IMAGES, CHANNELS, SIDE, SIDE, generator=generator), torch.arange(IMAGES) % CLASSES


def _module(layers: int) -> nn.Module:
    parts: list[nn.Module] = []
    channels, side = CHANNELS, SIDE
    for _ in range(layers):
        parts += [nn.Conv2d(channels, WIDTH, 3), nn.Tanh()]
        channels, side = WIDTH, side - 2
    network = nn.Sequential(*parts, nn.Flatten(), nn.Linear(channels * side * side, CLASSES))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(0.01)
    return network


def _in_torch(layers: int, *, channels_last: bool, compiled: bool) -> Steps:
    network, (images, label) = _module(layers), _images()
    if channels_last:
        network = network.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), lr=LR, fused=True)

    def error() -> torch.Tensor:
        return nn.functional.cross_entropy(network(images), label)

    found = torch.compile(error, dynamic=False) if compiled else error

    def steps(count: int) -> None:
        for _ in range(count):
            optimizer.zero_grad()
            found().backward()
            optimizer.step()

    return steps


def _in_jax(layers: int, images_layout: str) -> Steps:
    """One compiled step, the error's gradient by JAX; `images_layout` is NCHW or NHWC."""
    import jax
    import jax.numpy as jnp

    images, label = (each.numpy() for each in _images())
    last = images_layout == "NHWC"
    x = jnp.asarray(images.transpose(0, 2, 3, 1) if last else images)
    y = jnp.asarray(np.eye(CLASSES, dtype="float32")[label])
    layout = (images_layout, "HWIO" if last else "OIHW", images_layout)
    generator = np.random.default_rng(1)

    def drawn(*shape: int) -> jax.Array:
        return jnp.asarray(1e-3 * generator.standard_normal(shape), "float32")

    weights, channels, side = [], CHANNELS, SIDE
    for _ in range(layers):
        shape = (3, 3, channels, WIDTH) if last else (WIDTH, channels, 3, 3)
        weights.append((drawn(*shape), drawn(WIDTH)))
        channels, side = WIDTH, side - 2
    weights.append((drawn(channels * side * side, CLASSES), drawn(CLASSES)))

    def error(weights):
        h = x
        for w, b in weights[:-1]:
            h = jax.lax.conv_general_dilated(h, w, (1, 1), "VALID", dimension_numbers=layout)
            h = jnp.tanh(h + (b if last else b[:, None, None]))
        w, b = weights[-1]
        return -(y * jax.nn.log_softmax(h.reshape(len(h), -1) @ w + b)).sum() / len(h)

    @jax.jit
    def step(state):
        weights, means, squares, time = state
        time = time + 1
        found = jax.grad(error)(weights)
        means = jax.tree.map(lambda m, g: BETAS[0] * m + (1 - BETAS[0]) * g, means, found)
        squares = jax.tree.map(lambda v, g: BETAS[1] * v + (1 - BETAS[1]) * g * g, squares, found)
        weights = jax.tree.map(
            lambda p, m, v: p - LR * (m / (1 - BETAS[0] ** time)) / (jnp.sqrt(v / (1 - BETAS[1] ** time)) + EPS),
            weights,
            means,
            squares,
        )
        return weights, means, squares, time

    zeros = jax.tree.map(jnp.zeros_like, weights)
    state = (weights, zeros, zeros, jnp.zeros(()))

    def steps(count: int) -> None:
        nonlocal state
        for _ in range(count):
            state = step(state)
        jax.block_until_ready(state)

    return steps


def ways() -> tuple[dict[str, Make], list[str]]:
    """Every way by its name, the plainest first, and what is left out for want of something."""
    found: dict[str, Make] = {
        "eager PyTorch": lambda layers: _in_torch(layers, channels_last=False, compiled=False),
        "eager, channels-last": lambda layers: _in_torch(layers, channels_last=True, compiled=False),
    }
    left_out = []
    if shutil.which("c++") or shutil.which("g++"):
        found["torch.compile"] = lambda layers: _in_torch(layers, channels_last=False, compiled=True)
        found["torch.compile, channels-last"] = lambda layers: _in_torch(layers, channels_last=True, compiled=True)
    else:
        left_out.append("torch.compile wants a compiler (c++)")
    if importlib.util.find_spec("jax"):
        found["JAX, NCHW"] = lambda layers: _in_jax(layers, "NCHW")
        found["JAX, NHWC"] = lambda layers: _in_jax(layers, "NHWC")
    else:
        left_out.append("JAX is not installed (extra peers)")
    return found, left_out

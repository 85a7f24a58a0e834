"""5-50-1 with tanh, MSE and Adam, full batch, in every other way that a person would write it.

Each way is `make(members) -> steps`: `steps(count)` takes that many steps of all members. All start from small weights
and see the same 80 points; float32, one core. A way whose library or compiler is missing is left out, and said.
"""

from __future__ import annotations

import ctypes
import importlib.util
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

Steps = Callable[[int], object]
Make = Callable[[int], Steps]

INPUTS, WIDTH, LR, BETAS, EPS = 5, 50, 1e-4, (0.9, 0.999), 1e-8


def points() -> tuple[np.ndarray, np.ndarray]:
    """Inputs with a last column of ones (80, 6), and targets (80,)."""
    generator = np.random.default_rng(0)
    x = 6 * generator.random((80, INPUTS)) - 4
    y = (3.5 * np.sin(5 * x + 1)).sum(1)
    return np.concatenate([x, np.ones((80, 1))], 1).astype("float32"), y.astype("float32")


def _start(*shape: int) -> np.ndarray:
    return (0.005 * np.random.default_rng(1).standard_normal(shape)).astype("float32")


def eager(members: int) -> Steps:
    """One network after the other, autograd and PyTorch's fused Adam."""
    x, y = (torch.from_numpy(each) for each in points())
    networks = [
        torch.nn.Sequential(torch.nn.Linear(INPUTS, WIDTH), torch.nn.Tanh(), torch.nn.Linear(WIDTH, 1))
        for _ in range(members)
    ]
    optimizers = [torch.optim.Adam(network.parameters(), lr=LR, fused=True) for network in networks]
    with torch.no_grad():
        for network in networks:
            for parameter in network.parameters():
                parameter.mul_(0.01)

    def steps(count: int) -> None:
        for network, optimizer in zip(networks, optimizers, strict=True):
            for _ in range(count):
                optimizer.zero_grad()
                (0.5 * (network(x[:, :-1])[:, 0] - y).square().mean()).backward()
                optimizer.step()

    return steps


def _stacked(members: int) -> list[torch.Tensor]:
    shapes = ((members, WIDTH, INPUTS + 1), (members, WIDTH), (members, 1))
    return [torch.from_numpy(_start(*shape)).requires_grad_() for shape in shapes]


def vmapped(members: int) -> Steps:
    """All networks stacked by torch.func: vmap of grad, one fused Adam."""
    x, y = (torch.from_numpy(each) for each in points())
    weights = _stacked(members)
    optimizer = torch.optim.Adam(weights, lr=LR, fused=True)

    def error(w: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return 0.5 * (torch.tanh(x @ w.T) @ a + b - y).square().mean()

    gradients = torch.func.vmap(torch.func.grad(error, argnums=(0, 1, 2)))

    def steps(count: int) -> None:
        for _ in range(count):
            for weight, found in zip(weights, gradients(*(weight.detach() for weight in weights)), strict=True):
                weight.grad = found
            optimizer.step()

    return steps


def torch_compiled(members: int) -> Steps:
    """torch.compile of a whole step in closed form, Adam included."""
    x, y = (torch.from_numpy(each) for each in points())
    weights = [weight.detach() for weight in _stacked(members)]
    moments = [torch.zeros_like(weight) for weight in (*weights, *weights)]
    time = torch.zeros(())

    @torch.compile(dynamic=False)
    def step() -> None:
        w, a, b = weights
        h = torch.tanh(w @ x.T)
        e = (torch.einsum("sm,smn->sn", a, h) + b - y) / len(y)
        d = a[:, :, None] * e[:, None] * (1 - h * h)
        time.add_(1)
        for index, g in enumerate((d @ x, torch.einsum("smn,sn->sm", h, e), e.sum(1, keepdim=True))):
            m, v = moments[index], moments[index + 3]
            m.lerp_(g, 1 - BETAS[0])
            v.mul_(BETAS[1]).addcmul_(g, g, value=1 - BETAS[1])
            weights[index].sub_(LR * (m / (1 - BETAS[0] ** time)) / ((v / (1 - BETAS[1] ** time)).sqrt() + EPS))

    def steps(count: int) -> None:
        for _ in range(count):
            step()

    return steps


def numpy_closed_form(members: int) -> Steps:
    """Formulas by hand, all members at once."""
    x, y = points()
    columns = np.ascontiguousarray(x.T)
    w, a, b = _start(members, WIDTH, INPUTS + 1), _start(members, WIDTH), _start(members, 1)
    weights = (w, a, b)
    means, squares = ([np.zeros_like(each) for each in weights] for _ in range(2))
    taken = 0

    def steps(count: int) -> None:
        nonlocal taken
        for _ in range(count):
            taken += 1
            h = np.tanh((w.reshape(-1, INPUTS + 1) @ columns).reshape(members, WIDTH, -1))
            e = ((a[:, None] @ h)[:, 0] + b - y) / np.float32(len(y))
            back = (1 - h * h) * a[:, :, None] * e[:, None]
            first = (back.reshape(members * WIDTH, -1) @ x).reshape(w.shape)
            gradients = (first, (h @ e[:, :, None])[:, :, 0], e.sum(1, keepdims=True))
            rate, root = LR / (1 - BETAS[0] ** taken), (1 - BETAS[1] ** taken) ** 0.5
            for index, g in enumerate(gradients):
                m, v = means[index], squares[index]
                m += np.float32(1 - BETAS[0]) * (g - m)
                v *= np.float32(BETAS[1])
                v += np.float32(1 - BETAS[1]) * g * g
                weights[index][...] -= np.float32(rate) * m / (np.sqrt(v) / np.float32(root) + np.float32(EPS))

    return steps


def jax_scan(members: int) -> Steps:
    """JAX: the same formulas, vmap over members, scan over steps, one compiled program."""
    import jax
    import jax.numpy as jnp

    x, y = (jnp.asarray(each) for each in points())

    def gradients(w, a, b):
        h = jnp.tanh(w @ x.T)
        e = (a @ h + b - y) / len(y)
        d = a[:, None] * e[None] * (1 - h * h)
        return d @ x, h @ e, e.sum()[None]

    def step(carry, _):
        weights, means, squares, time = carry
        time = time + 1
        found = gradients(*weights)
        means = jax.tree.map(lambda m, g: BETAS[0] * m + (1 - BETAS[0]) * g, means, found)
        squares = jax.tree.map(lambda v, g: BETAS[1] * v + (1 - BETAS[1]) * g * g, squares, found)
        weights = jax.tree.map(
            lambda p, m, v: p - LR * (m / (1 - BETAS[0] ** time)) / (jnp.sqrt(v / (1 - BETAS[1] ** time)) + EPS),
            weights,
            means,
            squares,
        )
        return (weights, means, squares, time), None

    weights = tuple(jnp.asarray(_start(members, *shape)) for shape in ((WIDTH, INPUTS + 1), (WIDTH,), (1,)))
    if members == 1:
        weights = tuple(each[0] for each in weights)
    zeros = jax.tree.map(jnp.zeros_like, weights)
    state = (weights, zeros, zeros, jnp.zeros(()) if members == 1 else jnp.zeros(members))
    programs: dict[int, Callable] = {}

    def steps(count: int) -> None:
        nonlocal state
        if count not in programs:

            def run(carry):
                return jax.lax.scan(step, carry, None, length=count)[0]

            programs[count] = jax.jit(run if members == 1 else jax.vmap(run))
        state = jax.block_until_ready(programs[count](state))

    return steps


def in_c(members: int) -> Steps:
    """A loop in C over members and steps, fused by hand, at -O3 -ffast-math for this very processor."""
    source = Path(__file__).parent / "dense_peer.c"
    options = ["-O3", "-ffast-math", "-march=native", "-shared", "-fPIC"]
    with tempfile.TemporaryDirectory() as folder:
        library = f"{folder}/dense_peer.so"
        subprocess.run(["cc", *options, str(source), "-o", library, "-lm"], check=True)
        run = ctypes.CDLL(library).run
    x, y = points()
    columns = np.ascontiguousarray(x.T)
    weights = _start(members, WIDTH * (INPUTS + 2) + 1)
    means, squares = np.zeros_like(weights), np.zeros_like(weights)
    arrays = [ctypes.c_void_p(each.ctypes.data) for each in (weights, means, squares, columns, y)]
    taken = 0

    def steps(count: int) -> object:
        nonlocal taken
        run(*arrays, members, taken, count)
        taken += count
        # what the addresses are of lives as long as this function
        return weights, means, squares, columns, y

    return steps


def ways() -> tuple[dict[str, Make], list[str]]:
    """Every way by its name, the weakest first, and what is left out for want of something."""
    found: dict[str, Make] = {
        "eager PyTorch, fused Adam": eager,
        "torch.func.vmap, fused Adam": vmapped,
        "NumPy closed form": numpy_closed_form,
    }
    left_out = []
    if shutil.which("cc"):
        found["torch.compile of the step"] = torch_compiled
    if importlib.util.find_spec("jax"):
        found["JAX closed form, scan"] = jax_scan
    else:
        left_out.append("JAX is not installed (extra peers)")
    if shutil.which("cc"):
        found["C, fused by hand"] = in_c
    else:
        left_out.append("torch.compile and the loop in C want a compiler (cc)")
    return found, left_out

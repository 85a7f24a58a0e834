"""A run as NumPy arrays: every curve, and of every layer all that was measured at one step.

Names in the archive are `step`, `info` (JSON), `curve.NAME` (S, 2: step, value), `LAYER.similarity` (M, M),
`LAYER.label`, `.sign`, `.norm` (M,), `LAYER.singular_values` (r,), `.cosine_to_v1` (M,) and `.v1` (K,) where the
data predict it (`.cosine_to_gradient1` where the gradient does, `.cosine_to_direction1` in files that do not say),
and of networks with one input `LAYER.output.{point,output,polynomial}` (T,) and
`LAYER.field.{omega,velocity}` (G, 2), `.stable` (L,).
Of an ensemble `curve.NAME` is the mean, `curve.NAME@k` a member's, and `LAYER@k.…` what was measured of member k > 0;
of one member, what is its own has plain names. `left_out` (L,) are words of what was left out because it is damaged;
without any it is not there.
No array needs pickle: `numpy.load(FILE)` is enough.
"""

from __future__ import annotations

import io
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from condense_core.runfile.reader import RunReader
from condense_core.runs.columns import column

Arrays = dict[str, npt.NDArray[Any]]


def to_npz(run: RunReader, at: int) -> bytes:
    """The archive: curves up to step `at`, and every layer's newest frames at or before it."""
    arrays: Arrays = {"step": np.array(at), "info": np.array(_info(run))}
    for name in run.curve_names:
        curve, words = run.curve(name), column(run, name)
        # a member has no speed of its own
        if len(curve[0]):
            arrays[f"curve.{words}"] = _until(*curve, at)
        for member in range(run.members if run.members > 1 else 0):
            curve = run.member(member).curve(name)
            if len(curve[0]):
                arrays[f"curve.{words}@{member}"] = _until(*curve, at)
    for member in range(run.members):
        own, mark = run.member(member), f"@{member}" if member else ""
        for layer in run.layers:
            arrays |= {f"{layer}{mark}.{name}": array for name, array in _layer(own, layer, at).items()}
    if run.damage.named:
        arrays["left_out"] = np.array(run.damage.named)
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def _until(steps: npt.NDArray[np.int64], values: npt.NDArray[np.float64], at: int) -> npt.NDArray[np.float64]:
    kept = steps <= at
    return np.stack([steps[kept].astype(np.float64), values[kept]], axis=1)


def _info(run: RunReader) -> str:
    return msgspec.json.encode(run.info()).decode()


def _layer(run: RunReader, layer: str, at: int) -> Arrays:
    found: Arrays = {}
    similarity = run.similarity(layer, at)
    if similarity is not None:
        found["similarity"] = similarity
    condensation = run.condensation(layer, at)
    if condensation is not None:
        found |= {name: getattr(condensation, name).numpy() for name in ("label", "sign", "norm")}
    spectrum = run.spectrum(layer, at)
    if spectrum is not None:
        found["singular_values"] = spectrum.values.numpy()
        if spectrum.from_data:
            found["v1"] = spectrum.v1.numpy()
    alignment = run.alignment(layer, at)
    if alignment is not None:
        found[f"cosine_to_{run.prediction_source(layer, at).first}"] = alignment.numpy()
    outputs = run.outputs(layer, at)
    if outputs is not None:
        found |= {f"output.{name}": getattr(outputs, name).numpy() for name in ("point", "output", "polynomial")}
    field = run.field(layer, at)
    if field is not None:
        found |= {f"field.{name}": getattr(field, name).numpy() for name in ("omega", "velocity", "stable")}
    return found

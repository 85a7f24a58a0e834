"""A wheel of this program, made from the files that run here: what `doctor HOST --install` sends.

Neither a checkout nor a build tool is needed, so it works from any installation and without a network.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import importlib.util
import io
import zipfile
from pathlib import Path
from typing import NamedTuple

from condense_core.errors import CondenseError
from condense_core.installation import how_to_install
from condense_core.libraries import DISTRIBUTION

PACKAGES = ("condense_core", "condense_presets", "condense_tui")
_WHEEL = "Wheel-Version: 1.0\nGenerator: condense-tui\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


class Wheel(NamedTuple):
    """A wheel's file name and its bytes."""

    name: str
    data: bytes


def make_wheel() -> Wheel:
    """The installed program as a wheel; CondenseError if it was never installed."""
    try:
        installed = importlib.metadata.distribution(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        raise CondenseError(
            f"this condense-tui runs without being installed and cannot be sent; first: {how_to_install()}"
        ) from None
    info = f"condense_tui-{installed.version}.dist-info"
    files = {f"{info}/WHEEL": _WHEEL.encode()}
    for name in ("METADATA", "entry_points.txt"):
        files[f"{info}/{name}"] = (installed.read_text(name) or "").encode()
    for package in PACKAGES:
        files |= _files_of(package)
    record = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""]).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return Wheel(f"condense_tui-{installed.version}-py3-none-any.whl", out.getvalue())


def _files_of(package: str) -> dict[str, bytes]:
    found = importlib.util.find_spec(package)
    assert found is not None
    assert found.origin is not None
    top = Path(found.origin).parent
    return {
        f"{package}/{file.relative_to(top).as_posix()}": file.read_bytes()
        for file in sorted(top.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    }


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()

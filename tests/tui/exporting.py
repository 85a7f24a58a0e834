"""Helpers for tests of `export`: what it wrote, and the command as it is typed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from condense_tui.app.screenshot import draw_screen
from condense_tui.export.make import export
from condense_tui.export.wish import Format, Wish
from condense_tui.main import main


def written(place: Path, tmp_path: Path, format: Format, what: str = "heatmap", **more: object) -> bytes:
    path, _ = export(place, Wish(format, what=what, **more), tmp_path / "out", screen=draw_screen)  # type: ignore[arg-type]
    assert path == tmp_path / "out"
    return path.read_bytes()


def command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["condense-tui", "export", *arguments])
    return main()

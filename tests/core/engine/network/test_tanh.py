"""Which tanh is taken is found once, kept, and obeyed."""

from __future__ import annotations

import pytest
import torch

from condense_core.engine import found_once
from condense_core.engine.network import tanh


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(found_once.platformdirs, "user_cache_path", lambda name: tmp_path / name)
    return tmp_path / "condense-tui" / "tanh"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_both_are_one_function(dtype):
    z = torch.cat([torch.linspace(-9, 9, 2001, dtype=dtype), torch.tensor([torch.nan, torch.inf, 1e-30], dtype=dtype)])
    expected = torch.tanh(z)
    found = tanh.by_numpy(z)
    assert found is z
    torch.testing.assert_close(found, expected, rtol=4 * torch.finfo(dtype).eps, atol=0, equal_nan=True)


@pytest.mark.parametrize(("faster", "name"), [(True, tanh.NUMPY), (False, tanh.TORCH)])
def test_what_was_found_first_stays(cache, monkeypatch, faster, name):
    monkeypatch.setattr(tanh, "_numpy_is_faster", lambda dtype: faster)
    assert tanh.faster("float32") == name
    monkeypatch.setattr(tanh, "_numpy_is_faster", lambda dtype: not faster)
    assert tanh.faster("float32") == name
    # the other precision is found apart, and so are other versions
    assert tanh.faster("float64") != name
    monkeypatch.setattr(tanh, "processor", lambda: "another")
    assert tanh.faster("float32") != name
    assert len(list(cache.iterdir())) == 3


def test_of_two_at_once_both_take_what_the_first_one_kept(cache, monkeypatch):
    def other_is_first(dtype: str) -> bool:
        monkeypatch.setattr(tanh, "_numpy_is_faster", lambda dtype: False)
        assert tanh.faster(dtype) == tanh.TORCH
        return True

    monkeypatch.setattr(tanh, "_numpy_is_faster", other_is_first)
    assert tanh.faster("float32") == tanh.TORCH


def test_where_nothing_can_be_kept_it_is_pytorchs(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(found_once.platformdirs, "user_cache_path", lambda name: tmp_path / "file" / name)
    monkeypatch.setattr(tanh, "_numpy_is_faster", lambda dtype: True)
    assert tanh.faster("float32") == tanh.TORCH


def test_a_file_that_says_something_else_is_asked_no_more(cache, monkeypatch):
    monkeypatch.setattr(tanh, "_numpy_is_faster", lambda dtype: True)
    tanh.faster("float32")
    (kept,) = cache.iterdir()
    kept.write_bytes(b"\xff\x00neither")
    assert tanh.faster("float32") == tanh.TORCH

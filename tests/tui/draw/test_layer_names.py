"""Long names of layers in little room."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from condense_core.scalar_names import label_of, layer_in_words
from condense_core.thresholds import FINE
from condense_tui.draw.layer_names import blocks, fitted, shared, together, without_shared
from condense_tui.snapshots.snapshot import LinesChanged

GPT = ("transformer.h.0.attn.c_attn.q", "transformer.h.0.mlp.c_fc", "transformer.h.11.mlp.c_fc")


def test_what_all_names_begin_with_is_left_out():
    assert [without_shared(name, GPT) for name in GPT] == ["0.attn.c_attn.q", "0.mlp.c_fc", "11.mlp.c_fc"]
    # a part is shared as a whole or not at all, and a name never goes away
    assert shared(("conv1", "conv2")) == ""
    assert without_shared("block.conv", ("block.conv", "block.conv.q")) == "conv"
    assert without_shared("net.fc", ("net.fc",)) == "net.fc"


@pytest.mark.parametrize("room", range(30))
def test_a_name_is_cut_in_its_middle_to_what_there_is_room_for(room):
    cut = fitted(GPT[0], room)
    assert len(cut) <= room
    if 3 <= room < len(GPT[0]):
        assert cut[-1] == "q"
        assert cut.count("…") == 1
    assert fitted("fc1", 3) == "fc1"


def test_blocks_of_networks_as_people_build_them():
    resnet = tuple(f"layer{a}.{b}.conv{c}" for a in (1, 2, 3) for b in (0, 1) for c in (1, 2))
    found = blocks(("conv1", *resnet, "fc"))
    assert [block.label for block in found] == [
        "",
        *(f"layer{a}.{b}" for a in (1, 2, 3) for b in (0, 1)),
        "",
    ]
    assert found[1].short == ("conv1", "conv2")
    gpt = tuple(f"transformer.h.{block}.{part}" for block in range(12) for part in ("attn.c_attn.q", "mlp.c_fc"))
    assert [block.label for block in blocks(gpt)] == [f"h.{block}" for block in range(12)]
    vgg = (*(f"features.{at}" for at in range(0, 16, 2)), "classifier.0", "classifier.3")
    assert [(block.label, block.short[:2]) for block in blocks(vgg)] == [
        ("features", ("0", "2")),
        ("classifier", ("0", "3")),
    ]
    # few layers, one block of all, or none at all: nothing to fold
    assert blocks(resnet[:8]) == () == blocks(tuple(f"fc{at}" for at in range(20)))
    assert blocks(tuple(f"net.{at}" for at in range(20))) == ()


@given(st.lists(st.from_regex(r"[a-c0-2](\.[a-c0-2]){0,3}", fullmatch=True), unique=True, max_size=30))
def test_every_layer_is_in_one_block_under_a_name_of_its_own(names):
    found = blocks(tuple(names))
    if found:
        assert sorted(layer for block in found for layer in block.layers) == sorted(names)
        assert all(all(block.short) and len(set(block.short)) == len(block.layers) for block in found)
    for name in names:
        seen = together(tuple(names), name, 6)
        assert name in seen
        assert len(seen) <= 6


def test_a_name_that_is_a_number_is_read_as_a_name():
    assert [without_shared(name, ("0", "2")) for name in ("0", "2")] == ["layer 0", "layer 2"]
    assert without_shared("features.10", ("features.0", "features.10")) == "layer 10"
    assert layer_in_words("conv1") == "conv1"
    assert label_of("0.lines") == "layer 0: lines"
    assert label_of("0.eigenvalue.2").startswith("layer 0: ")
    turn = LinesChanged("2", 40, 5, 3, FINE)
    assert turn.text == "layer 2: 3 lines at 0.9, 5 before"

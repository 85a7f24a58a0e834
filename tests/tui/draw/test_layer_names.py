"""Long names of layers in little room."""

from __future__ import annotations

import pytest

from condense_tui.draw.layer_names import fitted, shared, without_shared

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

"""Which rows each kind of layer has: read off a module, they are what its neurons, filters and gates read with."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from condense_core.errors import ScenarioError
from condense_core.measures.sample import MOST_KERNELS as MOST_ROWS
from condense_core.watching.choice import MOST, choose
from condense_core.watching.find import Finder, fits
from condense_core.watching.layers import FoundLayer


def found(module: nn.Module, **options) -> dict[str, FoundLayer]:
    layers = Finder(module, **options).layers()
    names = [layer.name for layer in layers]
    assert len(set(names)) == len(names)
    for layer in layers:
        assert layer.weight().shape == (layer.geometry.kernels, layer.geometry.entries)
    return {layer.name: layer for layer in layers}


def in_a_box(module: nn.Module) -> nn.Module:
    return nn.ModuleDict({"one": module})


def of_row(layer: FoundLayer, row: int) -> Tensor:
    return layer.weight()[row]


def test_a_linear_layers_rows_are_its_neurons_with_their_bias_last():
    linear = nn.Linear(5, 7)
    layer = found(in_a_box(linear))["one"]
    assert torch.equal(of_row(layer, 3), torch.cat([linear.weight[3], linear.bias[3:4]]))
    assert (layer.geometry.kind, layer.geometry.channels, layer.geometry.bias) == ("dense", 5, True)
    without = found(in_a_box(nn.Linear(5, 7, bias=False)))["one"]
    assert (without.geometry.entries, without.geometry.bias) == (5, False)


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_a_convolutions_rows_are_its_filters_in_any_number_of_dimensions(dimensions):
    made = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}[dimensions](3, 8, 2)
    layer = found(in_a_box(made))["one"]
    assert torch.equal(of_row(layer, 5), torch.cat([made.weight[5].flatten(), made.bias[5:6]]))
    assert layer.geometry.patch == (2,) * dimensions
    assert layer.geometry.filters == 3 * 2**dimensions


def test_a_grouped_convolution_is_a_layer_for_each_group_since_they_read_different_channels():
    made = nn.Conv2d(6, 8, 3, groups=2)
    layers = found(in_a_box(made))
    assert list(layers) == ["one.group[0]", "one.group[1]"]
    second = layers["one.group[1]"]
    assert (second.geometry.kernels, second.geometry.channels, second.geometry.group) == (4, 3, 1)
    assert torch.equal(of_row(second, 0), torch.cat([made.weight[4].flatten(), made.bias[4:5]]))


def test_a_depthwise_convolution_is_one_layer_of_filters_of_one_channel():
    made = nn.Conv2d(6, 12, 3, groups=6, bias=False)
    layer = found(in_a_box(made))["one"]
    assert (layer.geometry.kind, layer.geometry.kernels, layer.geometry.entries) == ("depthwise", 12, 9)
    assert torch.equal(of_row(layer, 7), made.weight[7].flatten())


@pytest.mark.parametrize("groups", [1, 2])
def test_a_transposed_convolutions_rows_are_of_its_output_channels(groups):
    """A row is right where an input that is 1 at one place of one channel is answered by that row's entries."""
    made = nn.ConvTranspose2d(4, 6, 3, groups=groups, bias=False)
    layers = found(in_a_box(made))
    for channel in range(4):
        image = torch.zeros(1, 4, 1, 1)
        image[0, channel] = 1
        answer = made(image)[0]
        for out in range(6):
            layer = layers["one" if groups == 1 else f"one.group[{out // 3}]"]
            row = of_row(layer, out if groups == 1 else out % 3).reshape(4 // groups, 3, 3)
            mine = channel // (4 // groups) == (out // 3 if groups == 2 else 0)
            expected = row[channel % (4 // groups)] if mine else torch.zeros(3, 3)
            assert torch.equal(answer[out], expected)


@pytest.mark.parametrize("kdim", [None, 5])
def test_attention_is_split_into_q_k_v_and_heads(kdim):
    made = nn.MultiheadAttention(8, 2, kdim=kdim, vdim=kdim)
    layers = found(in_a_box(made))
    whole = {"one.q", "one.k", "one.v"}
    assert set(layers) == whole | {f"{name}[{head}]" for name in whole for head in (0, 1)} | {"one.out_proj"}
    weight = made.in_proj_weight[8:16] if kdim is None else made.k_proj_weight
    keys = torch.cat([weight, made.in_proj_bias[8:16, None]], dim=1)
    assert torch.equal(layers["one.k"].weight(), keys)
    assert torch.equal(layers["one.k[1]"].weight(), keys[4:])
    assert layers["one.k[1]"].geometry.head == 1
    assert [layer.name for layer in choose(list(layers.values()), "*", ())[0]] == ["one.q", "one.k", "one.v"]


class CausalAttention(nn.Module):
    """As nanoGPT has it: one linear layer for queries, keys and values."""

    def __init__(self) -> None:
        super().__init__()
        self.n_head = 2
        self.c_attn = nn.Linear(8, 24)
        self.c_proj = nn.Linear(8, 8)


def test_a_fused_layer_of_queries_keys_and_values_is_split():
    module = CausalAttention()
    layers = found(in_a_box(module))
    assert {"one.c_attn.q", "one.c_attn.k", "one.c_attn.v", "one.c_attn.v[1]", "one.c_proj"} <= set(layers)
    values = torch.cat([module.c_attn.weight, module.c_attn.bias[:, None]], dim=1)[16:]
    assert torch.equal(layers["one.c_attn.v"].weight(), values)
    module.c_attn.weight.grad = torch.randn(24, 8)
    module.c_attn.bias.grad = torch.randn(24)
    gradient = layers["one.c_attn.v[1]"].gradient()
    assert torch.equal(gradient, torch.cat([module.c_attn.weight.grad, module.c_attn.bias.grad[:, None]], dim=1)[20:])


def test_any_fused_layer_is_split_as_it_is_asked():
    layers = found(in_a_box(nn.Linear(4, 10)), split={"one": 2})
    assert list(layers) == ["one.part[0]", "one.part[1]"]
    assert layers["one.part[1]"].geometry.kernels == 5


class Conv1D(nn.Module):
    """As transformers has it: a linear layer whose weight is (inputs, outputs)."""

    def __init__(self, nf: int, nx: int) -> None:
        super().__init__()
        self.nf = nf
        self.weight = nn.Parameter(torch.randn(nx, nf))
        self.bias = nn.Parameter(torch.randn(nf))


def test_a_linear_layer_that_is_stored_the_other_way_round_has_its_outputs_as_rows():
    plain = Conv1D(6, 4)
    layer = found(in_a_box(plain))["one"]
    assert torch.equal(of_row(layer, 2), torch.cat([plain.weight[:, 2], plain.bias[2:3]]))
    fused = Conv1D(12, 4)
    layers = found(nn.ModuleDict({"c_attn": fused}))
    assert list(layers) == ["c_attn.q", "c_attn.k", "c_attn.v"]
    assert torch.equal(of_row(layers["c_attn.k"], 0), torch.cat([fused.weight[:, 4], fused.bias[4:5]]))


@pytest.mark.parametrize(("kind", "gates"), [(nn.LSTM, "ifgo"), (nn.GRU, "rzn"), (nn.RNN, "h")])
def test_a_recurrent_layer_has_a_layer_for_each_gate_in_both_directions(kind, gates):
    made = kind(3, 5, num_layers=2, bidirectional=True)
    layers = found(in_a_box(made))
    ways = [f"{what}_l{layer}{way}" for layer in (0, 1) for way in ("", "_reverse") for what in ("ih", "hh")]
    assert set(layers) == {f"one.{way}.{gate}" for way in ways for gate in gates}
    last = gates[-1]
    rows = slice(5 * (len(gates) - 1), None)
    expected = torch.cat([made.weight_hh_l1_reverse, made.bias_hh_l1_reverse[:, None]], dim=1)[rows]
    assert torch.equal(layers[f"one.hh_l1_reverse.{last}"].weight(), expected)


def test_a_recurrent_cell_has_its_gates():
    assert set(found(in_a_box(nn.GRUCell(3, 5)))) == {f"one.{what}.{gate}" for what in ("ih", "hh") for gate in "rzn"}


def test_tied_weights_are_one_layer_with_both_names():
    embedding, output = nn.Embedding(11, 4), nn.Linear(4, 11, bias=False)
    output.weight = embedding.weight
    layers = found(nn.ModuleDict({"wte": embedding, "lm_head": output}))
    assert list(layers) == ["wte"]
    assert layers["wte"].also == ("lm_head",)
    assert layers["wte"].geometry.kind == "embedding"
    network = nn.ModuleDict({"wte": embedding, "last": nn.Linear(4, 4), "lm_head": output})
    assert [layer.name for layer in choose(Finder(network).layers(), ("*",), ())[0]] == ["last"]


@pytest.mark.parametrize("make", [parametrizations.weight_norm, parametrizations.spectral_norm])
def test_a_parametrized_layer_has_the_weight_that_is_used_and_looking_changes_nothing(make):
    linear = nn.Linear(5, 7)
    made = make(linear)
    before = {name: value.clone() for name, value in made.state_dict().items()}
    layer = found(in_a_box(made))["one"]
    weight = layer.weight()
    assert all(torch.equal(value, made.state_dict()[name]) for name, value in before.items())
    assert made.training
    assert all(module.training for module in made.modules())
    assert layer.gradient() is None
    made.eval()
    assert torch.allclose(weight[:, :5], made.weight)


class LoraLinear(nn.Module):
    """As peft has it."""

    def __init__(self) -> None:
        super().__init__()
        self.base_layer = nn.Linear(6, 5).requires_grad_(requires_grad=False)
        self.lora_A = nn.ModuleDict({"default": nn.Linear(6, 2, bias=False)})
        self.lora_B = nn.ModuleDict({"default": nn.Linear(2, 5, bias=False)})
        self.scaling = {"default": 0.5}


def test_low_rank_adapters_are_their_change_and_the_weight_with_it():
    made = LoraLinear()
    layers = found(in_a_box(made))
    assert list(layers) == ["one.delta", "one.merged"]
    change = 0.5 * made.lora_B["default"].weight @ made.lora_A["default"].weight
    assert torch.equal(layers["one.delta"].weight(), change)
    assert torch.equal(layers["one.merged"].weight(), made.base_layer.weight + change)
    assert layers["one.delta"].gradient() is None


def test_a_lazy_layer_is_there_once_it_has_a_shape():
    network = nn.Sequential(nn.LazyLinear(6), nn.ReLU(), nn.LazyLinear(4))
    assert found(network) == {}
    network(torch.zeros(2, 3))
    assert list(found(network)) == ["0", "2"]


class Unknown(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.randn(6, 3))
        self.experts = nn.Parameter(torch.randn(2, 6, 3))
        self.scale = nn.Parameter(torch.randn(6))


def test_bare_matrices_are_taken_either_way_round_and_what_has_more_dimensions_is_named():
    module = Unknown()
    out, into = found(module)["matrix"], found(module, reads="in")["matrix"]
    assert torch.equal(out.weight(), module.matrix)
    assert torch.equal(into.weight(), module.matrix.T)
    finder = Finder(module)
    finder.layers()
    assert finder.not_measured == ["experts (2×6×3)"]


def test_a_quantised_layer_is_named():
    module = nn.Linear(4, 4)
    module.weight = nn.Parameter(torch.zeros(4, 4, dtype=torch.int8), requires_grad=False)
    finder = Finder(in_a_box(module))
    assert finder.layers() == []
    assert finder.not_measured == ["one (quantised)"]


def test_names_are_those_of_the_network_whatever_is_around_it():
    network = nn.Sequential(nn.Linear(3, 4))
    compiled = torch.compile(network)
    assert list(found(compiled)) == ["0"]
    assert list(found(nn.DataParallel(network))) == ["0"]
    inside = nn.ModuleDict({"block": torch.compile(nn.Sequential(nn.Linear(3, 4)))})
    assert list(found(inside)) == ["block.0"]


def test_a_copy_of_a_weight_stays_as_it_was_and_has_no_history():
    linear = nn.Linear(3, 4, bias=False)
    layer = found(in_a_box(linear))["one"]
    copy = layer.weight()
    before = copy.clone()
    with torch.no_grad():
        linear.weight.add_(1)
    assert torch.equal(copy, before)
    assert not copy.requires_grad


def deep(layers: int) -> nn.Sequential:
    return nn.Sequential(*(nn.Linear(8, 8) for _ in range(layers)))


def test_by_default_trained_layers_are_measured_but_no_embedding_output_or_handful_of_rows():
    network = nn.ModuleDict(
        {
            "wte": nn.Embedding(20, 8),
            "frozen": nn.Linear(8, 8).requires_grad_(requires_grad=False),
            "first": nn.Linear(8, 8),
            "few": nn.Linear(8, 3),
            "head": nn.Linear(8, 20),
        }
    )
    chosen, words = choose(Finder(network).layers(), ("*",), ("odd (quantised)",))
    assert [layer.name for layer in chosen] == ["first"]
    assert words == (
        "1 of 5 layers are measured; left out: wte (embedding), frozen (frozen), few (fewer than 4 rows),"
        " head (output), odd (quantised)"
    )
    asked, _ = choose(Finder(network).layers(), ("wte", "fr*"), ())
    assert [layer.name for layer in asked] == ["wte", "frozen"]


def test_of_very_many_layers_some_are_measured_evenly_over_depth():
    chosen, words = choose(Finder(deep(60)).layers(), ("*",), ())
    numbers = [int(layer.name) for layer in chosen]
    assert len(numbers) == MOST
    assert (numbers[0], numbers[-1]) == (0, 58)
    gaps = [after - before for before, after in itertools.pairwise(numbers)]
    assert max(gaps) - min(gaps) <= 1
    assert "59 (output)" in words


def test_a_layer_that_does_not_exist_is_said_with_the_nearest_that_does():
    with pytest.raises(ScenarioError, match=r"layers: 'frist' fits no layer; did you mean 'first'\?"):
        choose(Finder(nn.ModuleDict({"first": nn.Linear(4, 4)})).layers(), ("frist",), ())


def test_of_very_many_rows_the_same_ones_are_measured_each_time():
    network = nn.Sequential(nn.Linear(2, 3000), nn.Linear(3000, 2))
    samples = []
    for _ in range(2):
        (layer,), words = choose(Finder(network).layers(), ("*",), ())
        assert (layer.geometry.kernels, layer.geometry.sampled) == (MOST_ROWS, 3000)
        assert layer.weight().shape == (MOST_ROWS, 3)
        assert f"of layer 0 {MOST_ROWS:,} rows each" in words
        samples.append(layer.sample)
    assert torch.equal(*samples)
    assert torch.equal(layer.weight()[:, :2], network[0].weight[samples[0]])
    assert math.isclose(float(samples[0].double().mean()), 1500, rel_tol=0.1)


@pytest.mark.parametrize(
    ("name", "pattern", "yes"),
    [
        ("h.0.attn.q[1]", "*.q[*]", True),
        ("h.0.attn.q", "*.q[*]", False),
        ("h.0.attn.q[1]", "h.0.attn.q[1]", True),
        ("conv1", "conv?", False),
        ("a.b", "a.b", True),
        ("axb", "a.b", False),
    ],
)
def test_in_a_pattern_only_the_star_is_special(name, pattern, yes):
    assert fits(name, pattern) is yes

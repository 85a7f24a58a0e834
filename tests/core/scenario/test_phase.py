import math

import pytest

from condense_core.engine.data import datasets
from condense_core.engine.network.network import Network
from condense_core.errors import ScenarioError
from condense_core.scenario import toml
from condense_core.scenario.phase import phase_of, phase_point

# Luo et al. 2021, table 1: (β1 output, β2 input, α), each as a function of the width, and where the paper puts them
NAMED = {
    "lecun": (lambda m: m**-0.5, lambda m: 1.0, lambda m: 1.0, (0.5, 0.5), "linear"),
    "ntk": (lambda m: 1.0, lambda m: 1.0, lambda m: m**0.5, (0.5, 0.0), "linear"),
    "xavier": (lambda m: m**-0.5, lambda m: m**-0.5, lambda m: 1.0, (1.0, 0.0), "critical"),
    "mean field": (lambda m: 1.0, lambda m: 1.0, lambda m: m, (1.0, 0.0), "critical"),
    "small": (lambda m: m**-1.5, lambda m: m**-1.5, lambda m: 1.0, (3.0, 0.0), "condensed"),
}


@pytest.mark.parametrize("width", [50, 1000, 10**6])
@pytest.mark.parametrize("name", NAMED)
def test_named_initialisations_lie_where_the_paper_puts_them(name, width):
    output_std, input_std, alpha, coordinates, regime = NAMED[name]
    point = phase_point(width, output_std=output_std(width), input_std=input_std(width), alpha=alpha(width))
    assert (point.gamma, point.gamma_prime) == pytest.approx(coordinates, abs=1e-12)
    assert point.regime == regime


def test_a_much_smaller_output_layer_makes_it_linear_again():
    assert phase_point(100, output_std=100**-1.9, input_std=100**-0.1).regime == "linear"
    assert phase_point(100, output_std=100**-1.2, input_std=100**-0.8).regime == "condensed"
    assert phase_point(100, output_std=100**-0.1, input_std=100**-1.9).regime == "condensed"


def test_a_constant_factor_fades_with_the_logarithm_of_the_width():
    gammas = [phase_point(m, output_std=2.0, input_std=1.0, alpha=m**0.5).gamma for m in (10**2, 10**4)]
    assert gammas == pytest.approx([0.5 - math.log(2) / math.log(m) for m in (10**2, 10**4)])


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_gamma_prime_does_not_depend_on_the_common_scale(scale):
    point = phase_point(10, output_std=scale, input_std=scale)
    assert point.gamma_prime == 0.0
    assert point.gamma == pytest.approx(-2 * math.log10(scale))


@pytest.mark.parametrize(("kernels", "std"), [(1, 1.0), (10, 0.0), (10, -1.0), (10, math.nan), (10, math.inf)])
def test_values_without_a_logarithm_are_refused(kernels, std):
    with pytest.raises(ValueError, match="M ≥ 2"):
        phase_point(kernels, output_std=std, input_std=1.0)


SCENARIO = """
name = "two layers"
steps = 1
layers = [{ kind = "dense", width = 100, activation = "relu" }]
data = { name = "sine", inputs = 5 }
init = { scheme = "width-power", gamma = 1.5 }
optimizer = { name = "gd", lr = 0.1 }
"""


def point(*settings: str, text: str = SCENARIO):
    return phase_of(toml.build(toml.override(toml.parse(text), settings)))


def test_a_scenarios_point_is_that_of_its_initialisation():
    assert (point().gamma, point().gamma_prime) == pytest.approx((3.0, 0.0))
    assert point().regime == "condensed"
    assert point("init.gamma=0.25").regime == "linear"
    # σ = M^-½ for both layers: Glorot's scheme where the width is far above the inputs
    assert point("init.scheme=he-normal", "layers.0.width=10000").gamma == pytest.approx(0.5, abs=0.2)


@pytest.mark.parametrize("gamma", [500, -30])
def test_weights_beyond_a_float_have_no_point_and_no_error(gamma):
    settings = ["init.scheme=width-power", f"init.gamma={gamma}", "layers.0.width=65536"]
    point = phase_of(toml.build(toml.override(toml.parse(SCENARIO), settings)))
    assert point is None or gamma < 0


def test_a_network_that_the_diagram_has_no_place_for_has_no_point():
    two = "layers=[{kind='dense', width=4}, {kind='dense', width=4}]"
    assert point(two) is None
    assert point("initial=x.safetensors") is None
    assert point("layers.0.width=1") is None
    assert point("data.name=folder", "data.path=/nowhere") is None


@pytest.mark.parametrize(
    ("data", "layer"),
    [
        (["data.name=digits"], []),
        (["data.name=digits", "data.labels=raw"], ["layers.0.kind=conv", "layers.0.size=3"]),
        (["data.name=photos", "data.size=12"], ["layers.0.kind=conv", "layers.0.size=5"]),
        ([], []),
    ],
)
@pytest.mark.parametrize("scheme", ["mean-fan-power", "glorot-normal", "fan-out-power"])
def test_the_point_is_where_the_drawn_weights_lie(data, layer, scheme):
    init = [f"init.scheme={scheme}", *(["init.gamma=1.5"] if scheme.endswith("power") else [])]
    table = toml.override(toml.parse(SCENARIO), [*data, *layer, *init, "layers.0.width=400"])
    experiment = toml.build(table)
    dataset = datasets.load(experiment.data)
    network = Network(experiment, dataset.input_shape, dataset.outputs)
    (name,) = experiment.layer_names
    output_std, input_std = (float(layer.weight.detach().std()) for layer in (network.output, network.layer(name)))
    drawn = phase_point(400, output_std=output_std, input_std=input_std)
    found = phase_of(experiment)
    # a standard deviation of n weights is known to 1/√(2n); over ln 400 that is little
    assert (found.gamma, found.gamma_prime) == pytest.approx((drawn.gamma, drawn.gamma_prime), abs=0.02)


AT_A_POINT = ["init.scheme=phase", "init.gamma=1.5", "init.gamma_prime=0.2"]


@pytest.mark.parametrize("gamma_prime", [-0.7, 0.0, 0.2, 0.9])
@pytest.mark.parametrize("gamma", [0.25, 1.0, 1.5])
@pytest.mark.parametrize("width", [2, 50, 1000])
def test_the_scheme_phase_lies_at_its_own_coordinates(gamma, gamma_prime, width):
    settings = [f"init.gamma={gamma}", f"init.gamma_prime={gamma_prime}", f"layers.0.width={width}"]
    found = point(*AT_A_POINT, *settings)
    assert (found.gamma, found.gamma_prime) == pytest.approx((gamma, gamma_prime), abs=1e-12)


def test_the_scheme_phase_draws_both_layers_at_their_own_scales():
    experiment = toml.build(toml.override(toml.parse(SCENARIO), [*AT_A_POINT, "layers.0.width=4000"]))
    assert toml.build(toml.parse(toml.dumps(experiment))) == experiment
    dataset = datasets.load(experiment.data)
    network = Network(experiment, dataset.input_shape, dataset.outputs)
    # five standard errors of a deviation of 4,000 numbers
    assert float(network.output.weight.detach().std()) == pytest.approx(4000**-0.85, rel=0.06)
    assert float(network.layer("dense1").weight.detach().std()) == pytest.approx(4000**-0.65, rel=0.06)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            ["layers=[{kind='dense', width=4}, {kind='dense', width=4}]"],
            "one dense layer for 'phase', got 2 dense layers",
        ),
        (["data.name=digits", "layers.0.kind=conv"], "one dense layer for 'phase', got 1 convolution"),
        (["init.gamma_prime=31"], "init.gamma_prime: expected -30 to 30"),
        (["init.gamma_prime=nan"], "gamma_prime"),
        (["init.gamma_prime=none"], "gamma_prime"),
    ],
)
def test_the_scheme_phase_is_for_two_layer_networks_and_finite_points(settings, message):
    with pytest.raises(ScenarioError) as refused:
        point(*AT_A_POINT, *settings)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import rtol
from torch.nn import functional

from condense_core.engine.network.activations import activation, describe_multiplicity, multiplicity
from condense_core.errors import ScenarioError
from condense_core.scenario.experiment import ACTIVATIONS, CENTRED_PREFIX

MULTIPLICITY = {
    "tanh": 1,
    "sigmoid": 1,
    "softplus": 1,
    "relu": None,
    "gelu": 1,
    "silu": 1,
    "xtanh": 2,
    "x2tanh": 3,
    "identity": 1,
}


def points(dtype=torch.float64):
    return torch.linspace(-6, 6, 25, dtype=dtype)


@pytest.mark.parametrize("prefix", ["", CENTRED_PREFIX])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_multiplicity_is_found_for_every_activation(name, prefix):
    assert multiplicity(activation(prefix + name)) == MULTIPLICITY[name]


@pytest.mark.parametrize(("name", "words"), [("x2tanh", "3"), ("relu", "none: not smooth at 0")])
def test_multiplicity_is_told_in_words(name, words):
    assert describe_multiplicity(name) == words


@settings(max_examples=30)
@given(
    order=st.integers(1, 8),
    scale=st.floats(-200, 200).map(lambda power: 10.0**power),
    slope=st.floats(-1, 1),
)
def test_planted_multiplicity_is_found_at_any_scale(order, scale, slope):
    assert multiplicity(lambda x: scale * (x**order * torch.cos(x) + slope * x ** (order + 1))) == order


@pytest.mark.parametrize(
    ("function", "order"),
    [
        (lambda x: torch.sigmoid(x) - 0.5 - x / 4, 3),
        (lambda x: functional.gelu(x) - x / 2, 2),
        (lambda x: torch.tanh(x) - x, 3),
        (torch.nn.Softsign(), 1),
        (functional.elu, 1),
    ],
)
def test_multiplicity_of_a_function_of_ones_own(function, order):
    assert multiplicity(function) == order


@pytest.mark.parametrize(
    "function", [functional.leaky_relu, lambda x: x * x.abs(), lambda x: (x > 0).double(), lambda x: x.abs().sqrt()]
)
def test_a_kink_at_zero_has_no_multiplicity(function):
    assert multiplicity(function) is None


@pytest.mark.parametrize("function", [torch.zeros_like, torch.ones_like, lambda x: 0 * x, lambda x: x**9])
def test_a_function_that_vanishes_has_no_multiplicity(function):
    assert multiplicity(function) is None


def test_a_function_that_autograd_cannot_repeat_has_no_multiplicity():
    class Once(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * x

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, slope):
            return 0 * slope

    assert multiplicity(Once.apply) is None


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_centred_is_the_activation_less_its_value_at_zero(name):
    plain, centred = activation(name), activation(CENTRED_PREFIX + name)
    zero = torch.zeros((), dtype=torch.float64)
    assert centred(zero) == 0
    torch.testing.assert_close(centred(points()), plain(points()) - plain(zero), rtol=rtol("float64"), atol=1e-15)


@pytest.mark.parametrize("name", ["centred-sigmoid", "centred-softplus"])
def test_centred_keeps_its_digits_for_tiny_inputs_in_float32(name):
    tiny = torch.logspace(-12, -3, 10)
    expected = activation(name)(tiny.double())
    torch.testing.assert_close(activation(name)(tiny).double(), expected, rtol=rtol("float32"), atol=0)


@pytest.mark.parametrize("name", [*ACTIVATIONS, "centred-sigmoid", "centred-softplus"])
def test_gradients_are_finite_far_from_zero(name):
    x = torch.tensor([-1e3, -90.0, 90.0, 1e3], requires_grad=True)
    (slope,) = torch.autograd.grad(activation(name)(x).sum(), x)
    assert torch.isfinite(slope).all()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_shape_and_dtype_are_kept(name):
    for dtype in (torch.float32, torch.float64):
        result = activation(name)(torch.ones(2, 3, dtype=dtype))
        assert (result.shape, result.dtype) == ((2, 3), dtype)


def test_gelu_is_the_exact_one():
    x = points()
    exact = 0.5 * x * (1 + torch.erf(x / 2**0.5))
    torch.testing.assert_close(activation("gelu")(x), exact, rtol=rtol("float64"), atol=1e-15)


@pytest.mark.parametrize("name", ["thanh", "centred-", "centred-thanh", ""])
def test_an_unknown_name_is_one_line_with_the_known_ones(name):
    with pytest.raises(ScenarioError, match="tanh") as caught:
        activation(name)
    assert "\n" not in str(caught.value)

"""Every measure that is recorded or reported, once: what it is called, how it is written, what it means.

Tables, documents, pictures of sweeps, the glossary and claims read it, so that a new measure has one place here beside
the code that measures it. Names are those of the scalars in run files: of a layer `LAYER.NAME`.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from condense_core.thresholds import ARRIVED, COARSE, FINE, INITIAL_STAGE, LEAST_COVERAGE, SMALL_NORM, percent

MeasureKind = Literal["count", "share", "cosine", "flag", "step", "value"]
"""How a value is written and summed up: a whole number; a share in [0, 1], in per cent; a number in [0, 1] of which the
last digits before 1 matter; yes or no; a step of the run; any other number."""


class PredictionSource(NamedTuple):
    """What a layer's predicted direction, and the spectrum that it is the first direction of, are called: once, for
    every screen, page and table. `first` and `second` are the directions in names of columns and arrays."""

    direction: str
    eigenvalue: str
    eigenvalues: str
    first: str
    second: str


FROM_DATA = PredictionSource("v1 of Z", "eigenvalue of ZᵀZ", "eigenvalues of ZᵀZ", "v1", "v2")
OF_GRADIENT = PredictionSource(
    "the gradient's first direction", "gradient's eigenvalue", "gradient's eigenvalues", "gradient1", "gradient2"
)
# of a file that does not say, and of several layers together
UNKNOWN_SOURCE = PredictionSource("the predicted direction", "eigenvalue", "eigenvalues", "direction1", "direction2")


def prediction_source(from_data: bool | None) -> PredictionSource:
    """The names where the direction is from the data, where it is from the gradient, and where it is not known."""
    return UNKNOWN_SOURCE if from_data is None else FROM_DATA if from_data else OF_GRADIENT


class Measure(NamedTuple):
    """One measure. `label` is its name in a sentence, `head` the same over a narrow column, `help` what it is."""

    label: str
    kind: MeasureKind
    help: str
    head: str = ""
    of: Literal["layer", "network"] = "layer"
    digits: int = 4
    """Figures that are shown of a value."""
    claimed: bool = False
    """A claim may require it."""
    version: int = 1
    """Raised with every change of what is measured, so that older values are known to be of another measure."""
    of_the_data: bool = False
    """A claim that names no step means it at small weights, where it belongs to the data: at step 0."""

    @property
    def counted(self) -> bool:
        """Over several draws the values are counted one by one; of others the middle and the range are given."""
        return self.kind == "count"


MEASURES: dict[str, Measure] = {
    # of a layer, by its kernels alone
    "kernels": Measure(
        "kernels", "count", "the weights of one output channel, or of one neuron, as one vector", "kernels"
    ),
    "kept": Measure(
        "kernels kept",
        "count",
        f"those whose norm is at least {SMALL_NORM:g} of the layer's 90th percentile; the others are not counted",
        "kernels",
    ),
    "lines": Measure(
        "lines",
        "count",
        f"kernels along one axis, on either side: a cluster at |cos| {FINE.cos:g} of at least {percent(FINE.share)} of"
        " the kept kernels",
        "lines",
        claimed=True,
    ),
    "lines_coarse": Measure(
        f"lines at {COARSE.words}",
        "count",
        f"lines cut at |cos| {COARSE.cos:g}, of at least {percent(COARSE.share)} of the kept kernels: nearer to what an"
        " eye reads off a heatmap",
        "coarse",
        claimed=True,
    ),
    "directions": Measure(
        "directions",
        "count",
        "one side of a line, with at least half as many kernels as a line needs",
        "dirs",
        claimed=True,
    ),
    "directions_coarse": Measure(
        f"directions at {COARSE.words}", "count", "sides of the lines of that cut, counted alike", claimed=True
    ),
    "coverage": Measure("coverage", "share", "share of the kept kernels that lie on lines", "cover", claimed=True),
    "coverage_coarse": Measure(
        f"coverage at {COARSE.words}", "share", "share of the kept kernels on lines of that cut", claimed=True
    ),
    "mean_abs_cos": Measure(
        "mean |cos| with their axis",
        "cosine",
        "mean |cosine| of all kept kernels with the one axis that fits them best",
        "|cos|",
        claimed=True,
    ),
    "pair_abs_cos": Measure("mean |cos| of pairs", "cosine", "mean |cosine| of every two kernels", claimed=True),
    "slice_abs_cos": Measure(
        "mean |cos| of slices with their axis",
        "cosine",
        "the same of a convolution's slices for each output and input channel, where it has several input channels",
        claimed=True,
    ),
    "effective_rank": Measure(
        "effective rank",
        "value",
        "how many directions the kept kernels use, without a cut: 1 where all lie on one line",
        claimed=True,
    ),
    "null_coverage": Measure(
        "coverage by chance", "share", "what random kernels of that size and number would cover in 95 of 100 draws"
    ),
    "null_coverage_coarse": Measure(f"coverage by chance at {COARSE.words}", "share", "the same for lines of that cut"),
    "condensed": Measure(
        "condensed",
        "flag",
        f"more than {percent(LEAST_COVERAGE)} on lines, and more than as many random vectors of that length would be",
        "condensed",
        claimed=True,
    ),
    "condensed_coarse": Measure(
        f"condensed at {COARSE.words}", "flag", "the same for lines of that cut, by its own chance", claimed=True
    ),
    "condensed_at": Measure("step at which it condensed", "step", "the first recorded step at which it was", "at step"),
    "condensed_coarse_at": Measure(
        f"step at which it condensed at {COARSE.words}", "step", "the same for lines of that cut", "at step"
    ),
    "relative_change": Measure(
        "relative change", "value", "how far the kernels have moved from their start, over its norm", claimed=True
    ),
    "velocity_cos": Measure(
        "mean |cos| with their own velocity",
        "cosine",
        "1 where the kernels keep their direction under gradient flow, which is what condensed means for one kernel",
        claimed=True,
    ),
    "turning_to_growth": Measure(
        "turning over growth",
        "value",
        "median of how fast a kernel's direction changes over how fast its norm does, under gradient flow",
        claimed=True,
    ),
    # of a layer, beside the direction that is predicted for it
    "alignment": Measure(
        f"mean |cos| with {UNKNOWN_SOURCE.direction}",
        "cosine",
        "mean |cosine| of the kept kernels with the direction predicted for them: v1 of Z where the data alone give it,"
        " else the first direction of the layer's gradient",
        "aligned",
        claimed=True,
    ),
    "share_on_v1": Measure(
        f"share of the kernels along {UNKNOWN_SOURCE.direction}",
        "share",
        f"those of the kept kernels with a |cosine| of {FINE.cos:g} or more with it",
        claimed=True,
    ),
    "share_on_v2": Measure(
        "share of the kernels along the second singular direction",
        "share",
        f"those of the kept kernels with a |cosine| of {FINE.cos:g} or more with it",
        claimed=True,
    ),
    "case1_cos": Measure(
        "mean |cos| with Σ e_i x_i",
        "cosine",
        "of a dense layer of multiplicity 1: mean |cosine| of the kept neurons with the sum of its inputs, weighted by"
        " the residuals",
        claimed=True,
    ),
    "ratio": Measure(
        f"share of the weights on {UNKNOWN_SOURCE.direction}",
        "cosine",
        "share of the layer's weight along the direction predicted for it, as measured and, where it is v1 of Z, as the"
        " linear dynamics predict it",
        "on direction",
        claimed=True,
    ),
    "predicted_ratio": Measure(
        "predicted share of the weights on v1 of Z",
        "cosine",
        "the share on v1 of Z that the linear dynamics make of the start",
    ),
    "prediction_error": Measure(
        "largest error of the predicted share on v1 of Z",
        "value",
        "largest difference of the share from the one that the linear dynamics predict, over all recorded steps",
        claimed=True,
    ),
    "predicted_at": Measure(
        "predicted step of condensation",
        "step",
        f"the first step at which the linear dynamics have {percent(ARRIVED)} of the weight on v1 of Z",
        "predicted",
    ),
    "arrived_at": Measure(
        f"step of arrival on {UNKNOWN_SOURCE.direction}",
        "step",
        f"the first step with {percent(ARRIVED)} of the weight on it",
    ),
    "eigenvalue": Measure(
        UNKNOWN_SOURCE.eigenvalue,
        "value",
        "λ², squares of the singular values of the signal matrix Z, or of the layer's gradient where there is no Z",
    ),
    "gap_ratio": Measure(
        "λ2/λ1",
        "cosine",
        "second over first singular value of Z: 0 for a rank of one, near 1 where two directions compete",
        claimed=True,
        of_the_data=True,
    ),
    "ones_overlap": Measure(
        f"|⟨{UNKNOWN_SOURCE.direction}, ones⟩|",
        "cosine",
        "how flat the predicted direction is: 1 where all entries of each input channel are equal; mean over channels",
        claimed=True,
        of_the_data=True,
    ),
    "ones_overlap_least": Measure(
        f"|⟨{UNKNOWN_SOURCE.direction}, ones⟩| of the least channel",
        "cosine",
        "the same of the input channel where it is least",
        claimed=True,
        of_the_data=True,
    ),
    "ones_cos": Measure(
        "mean |cos| with all-ones", "cosine", "mean |cosine| of the kept filters with the all-ones vector", claimed=True
    ),
    "ones_cos_least": Measure(
        "least |cos| with all-ones", "cosine", "the same of the filter where it is least", claimed=True
    ),
    # of the network
    "loss": Measure("loss", "value", "loss on the whole sample", "loss", of="network"),
    "loss_first": Measure("first loss", "value", "loss at the first recorded step", of="network"),
    "loss_last": Measure("last loss", "value", "loss at the last recorded step", of="network"),
    "loss_ratio": Measure(
        "loss / first loss",
        "value",
        f"while the loss is above {percent(INITIAL_STAGE)} of its first value: the initial stage of training, where the"
        " theory holds",
        "loss",
        of="network",
        claimed=True,
    ),
    "accuracy": Measure(
        "accuracy", "share", "share of the sample that is classified right", of="network", claimed=True
    ),
    "test_accuracy": Measure(
        "test accuracy", "share", "share of the held-out sample that is classified right", of="network", claimed=True
    ),
    "test_loss": Measure("test loss", "value", "loss on the held-out sample", of="network"),
    "unseen_accuracy": Measure(
        "accuracy on unseen pairs",
        "share",
        "share of the sequences with pairs of anchors that were never trained on of which the answer is right",
        of="network",
        claimed=True,
    ),
    "unseen_loss": Measure(
        "loss on unseen pairs", "value", "loss on sequences with pairs of anchors never trained on", of="network"
    ),
    "gradient_norm": Measure("norm of the gradient", "value", "Euclidean norm over all parameters", of="network"),
    "steps_per_second": Measure("steps a second", "value", "speed of training, measuring not counted", of="network"),
    "recording_share": Measure(
        "share of time on measuring", "share", "what measuring takes of the time of training", of="network"
    ),
    "diverged": Measure("diverged", "flag", "the loss is not finite any more", of="network"),
    "complexity": Measure(
        "complexity",
        "value",
        "of one input: the output's distance from a polynomial of the activation's multiplicity, over its range",
        of="network",
        claimed=True,
    ),
    "complexity_below": Measure(
        "complexity below",
        "value",
        "of one input: the output's distance from a polynomial of one degree less than the multiplicity",
        of="network",
        claimed=True,
    ),
    "angle_to_lines": Measure(
        "mean angle to a stable line, degrees",
        "value",
        "of one input: mean angle of the kept neurons to the nearest stable line",
        of="network",
        claimed=True,
    ),
    "stable_lines": Measure(
        "stable lines",
        "count",
        "of one input: lines through 0 to which small neurons are driven",
        of="network",
        claimed=True,
    ),
    "sharpness": Measure(
        "sharpness",
        "value",
        "the largest eigenvalue of the Hessian of the loss",
        of="network",
        claimed=True,
    ),
    **{
        f"hessian_{rank}": Measure(
            f"eigenvalue {rank} of the Hessian",
            "value",
            "an eigenvalue of the Hessian of the loss, the largest of which is the sharpness",
            of="network",
        )
        for rank in range(2, 5)
    },
    "lowest_curvature": Measure(
        "lowest curvature",
        "value",
        "the smallest eigenvalue of the Hessian of the loss: below 0 the weights are at no minimum",
        of="network",
        claimed=True,
    ),
    "stability_limit": Measure(
        "stability limit",
        "value",
        "2 / lr (times 1 + the momentum): gradient descent is unstable where the sharpness is above it",
        of="network",
    ),
    **{
        f"ntk_{rank}": Measure(
            f"eigenvalue {rank} of the tangent kernel",
            "value",
            "an eigenvalue of the neural tangent kernel K = J Jᵀ, J the Jacobian of the outputs by all parameters",
            of="network",
        )
        for rank in range(1, 5)
    },
    "ntk_drift": Measure(
        "drift of the tangent kernel",
        "value",
        "‖K − K(0)‖ / ‖K(0)‖ of the neural tangent kernel K = J Jᵀ: near 0 while training is linear in the weights",
        of="network",
        claimed=True,
    ),
    # of the machine that trains
    "cpu_use": Measure("processor in use", "share", "share of all the machine's cores in use", of="network"),
    "worker_cpu": Measure("cores used by training", "value", "what of it is this run's own", of="network", digits=3),
    "memory_use": Measure("memory in use", "share", "share of the machine's memory in use", of="network"),
    "worker_memory": Measure("memory of training, MiB", "value", "what of it is this run's own", of="network"),
    "gpu_use": Measure("GPU in use", "share", "share of the time that the GPU computes something", of="network"),
    "gpu_memory_use": Measure("GPU memory in use", "share", "share of the GPU's memory in use", of="network"),
    "gpu_temperature": Measure("GPU temperature, °C", "value", "as its driver says", of="network", digits=3),
    "gpu_power": Measure("GPU power, W", "value", "as its driver says", of="network", digits=3),
    # of several seeds
    "claim": Measure("claim", "flag", "the claim holds", of="network"),
}

OF_THE_MACHINE = (
    "cpu_use",
    "worker_cpu",
    "memory_use",
    "worker_memory",
    "gpu_use",
    "gpu_memory_use",
    "gpu_temperature",
    "gpu_power",
)
"""What is read of the machine that trains, not of the network."""

CLAIMED = tuple(name for name, measure in MEASURES.items() if measure.claimed)
"""What a claim may require."""

"""What the words and signs on the screens mean, for a reader who presses `?` and has not read the papers."""

from __future__ import annotations

Words = tuple[tuple[str, str], ...]

AT_HOME: Words = (
    ("◆ ◇", "a layer that has condensed, and one that has not; after its name, the number of its lines"),
    ("line", "kernels (the weights of a channel or neuron as a vector) that lie along one axis, on either side"),
    ("▁▄█", "the loss over the whole run"),
    ("▷", "a recording of this preset ships with the program; it plays at once, without training"),
    ("2 s", "how long training the preset takes, on two cores or, where it says so, on a GPU"),
)
IN_A_RUN: Words = (
    ("kernel", "the weights of one output channel, or of one neuron, as one vector"),
    (
        "similarity",
        "the heatmap: cosine of the angle between every two kernels; 1 same direction, -1 opposite",
    ),
    ("line", "kernels along one axis, on either side: a cluster at |cos| 0.9 of at least 5 % of the kept kernels"),
    ("direction", "one side of a line, with at least half as many kernels as a line needs"),
    ("on lines", "share of the kept kernels that lie on lines"),
    ("condensed", "more than 80 % on lines, and more than as many random vectors of that length would be"),
    ("|cos|", "mean |cosine| of all kept kernels with the one axis that fits them best"),
    (
        "dropped",
        "kernels whose norm is below a tenth of the layer's 90th percentile; not counted, and hatched",
    ),
    (
        "v1",
        "the direction predicted from the data alone: top right singular vector of the signal matrix Z",
    ),
    ("on v1", "share of the layer's weight along v1, as measured and as the linear dynamics predict it"),
    ("λ, gap", "singular values of Z, and λ1 − λ2: the larger the gap, the sooner one direction wins"),
    (
        "70 %",
        "while the loss is above 70 % of its first value: the initial stage of training, where the theory holds",
    ),
    ("seeds", "a run may train several at once; curves show their mean, and in grey the lowest and the highest"),
    (
        "timeline",
        "◆ condensed, ▽ end of the initial stage, ● done, ✖ failed, diverged or lost, █ playhead; bright: recorded",
    ),
)

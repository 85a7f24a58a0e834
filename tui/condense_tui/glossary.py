"""What the words and signs on the screens mean, for a reader who presses `?` and has not read the papers."""

from __future__ import annotations

from condense_core.measure_table import FROM_DATA, MEASURES, OF_GRADIENT
from condense_core.thresholds import INITIAL_STAGE, percent

Words = tuple[tuple[str, str], ...]

AT_HOME: Words = (
    ("◆ ◇", "a layer that has condensed, and one that has not; after its name, the number of its lines"),
    ("line", "kernels (the weights of a channel or neuron as a vector) that lie along one axis, on either side"),
    ("▁▄█", "the loss over the whole run"),
    ("▷", "a recording of this preset ships with the program; it plays at once, without training"),
    ("2 s", "how long training the preset takes, on two cores or, where it says so, on a GPU"),
)
IN_A_RUN: Words = (
    (
        "claim",
        "what the run must show: ✔ it does, ✖ it does not, ○ not decided yet; then the requirement that decides, its"
        " value and what is wanted, and the step they are of",
    ),
    ("kernel", MEASURES["kernels"].help),
    (
        "similarity",
        "the heatmap: cosine of the angle between every two kernels; 1 same direction, -1 opposite",
    ),
    ("line", MEASURES["lines"].help),
    (
        "lines at 0.8",
        f"{MEASURES['lines_coarse'].help}; a run counts at the cut of its claim, and u counts at the other",
    ),
    (
        "▸ h.3 ◇ 2/6 · 1–4",
        "a block of layers, folded: 2 of its 6 have condensed, and lie on 1 to 4 lines; ▾ where its layers stand below",
    ),
    ("direction", MEASURES["directions"].help),
    ("on lines", MEASURES["coverage"].help),
    ("condensed", MEASURES["condensed"].help),
    (MEASURES["mean_abs_cos"].head, MEASURES["mean_abs_cos"].help),
    (
        "dropped",
        "kernels whose norm is below a tenth of the layer's 90th percentile; not counted, and hatched",
    ),
    (
        FROM_DATA.direction,
        "the direction predicted from the data alone: top right singular vector of the signal matrix Z",
    ),
    (
        OF_GRADIENT.direction,
        "what is predicted for a layer without a signal matrix: top right singular vector of its gradient",
    ),
    (MEASURES["alignment"].head, MEASURES["alignment"].help),
    (MEASURES["ratio"].head, MEASURES["ratio"].help),
    ("λ, gap", "singular values of Z, and λ1 − λ2: the larger the gap, the sooner one direction wins"),
    (percent(INITIAL_STAGE), MEASURES["loss_ratio"].help),
    (
        "seeds",
        "a run may train several at once; curves show their mean, and in grey the lowest and the highest; layers show"
        " the most frequent number of lines with its range, and medians",
    ),
    (
        "timeline",
        "◆ condensed, ▽ end of the initial stage, ● done, ✖ failed, diverged or lost, █ playhead; bright: recorded",
    ),
)

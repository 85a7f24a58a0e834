"""What the words and signs on the screens mean, for who presses `?` without having read the papers."""

from __future__ import annotations

from condense_core.measure_table import MEASURES
from condense_core.thresholds import INITIAL_STAGE, percent

Words = tuple[tuple[str, str], ...]

AT_HOME: Words = (
    ("◆ ◇", "a layer whose kernels have condensed, and one whose kernels have not; behind it how many lines they form"),
    ("line", "kernels (a channel's or neuron's weights as a vector) along one axis, either way"),
    ("▁▄█", "the loss over the whole run"),
    ("▷", "a recording of the preset ships with the program: it plays at once, and needs no training"),
    ("2 s", "what training a preset takes, on two cores or where it says so on a GPU"),
)
IN_A_RUN: Words = (
    ("kernel", MEASURES["kernels"].help),
    ("similarity", "the heatmap: cosine of the angle between every two kernels, 1 the same direction, -1 opposite"),
    ("line", MEASURES["lines"].help),
    ("direction", MEASURES["directions"].help),
    ("on lines", MEASURES["coverage"].help),
    ("condensed", MEASURES["condensed"].help),
    (MEASURES["mean_abs_cos"].head, MEASURES["mean_abs_cos"].help),
    ("dropped", "kernels with a norm under a tenth of the layer's 90th percentile; they have no say, and are hatched"),
    ("v1", "the direction that theory predicts from the data alone: top right singular vector of the signal matrix Z"),
    (MEASURES["ratio"].head, MEASURES["ratio"].help),
    ("λ, gap", "singular values of Z; λ1 far above λ2 means that one direction wins, and how soon"),
    (percent(INITIAL_STAGE), MEASURES["loss_ratio"].help),
    ("seeds", "a run may train several as one: curves are their mean between the lowest and the highest, in grey"),
    ("timeline", "◆ condensed, ▽ initial stage over, ● done, ✖ a bad end, █ the playhead; bright is recorded"),
)

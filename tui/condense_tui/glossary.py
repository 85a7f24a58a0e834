"""What the words and signs on the screens mean, for who presses `?` without having read the papers."""

from __future__ import annotations

Words = tuple[tuple[str, str], ...]

AT_HOME: Words = (
    ("◆ ◇", "a layer whose kernels have condensed, and one whose kernels have not; behind it how many lines they form"),
    ("line", "kernels (a channel's or neuron's weights as a vector) along one axis, either way"),
    ("▁▄█", "the loss over the whole run"),
    ("▷", "a recording of the preset ships with the program: it plays at once, and needs no training"),
    ("2 s", "what training a preset takes, on two cores or where it says so on a GPU"),
)
IN_A_RUN: Words = (
    ("kernel", "one output channel's weights, or one neuron's, as one vector"),
    ("similarity", "the heatmap: cosine of the angle between every two kernels, 1 the same direction, -1 opposite"),
    ("line", "kernels along one axis, either way; a cluster at |cos| 0.9 of at least 5 % of the kernels kept"),
    ("direction", "one of the two ways along a line, with at least half as many kernels as a line needs"),
    ("on lines", "share of the kernels kept that lie on lines"),
    ("condensed", "more than 80 % on lines, and more than random vectors of that number and length would have"),
    ("|cos|", "mean |cosine| of all kernels kept with the one axis that is nearest to all of them"),
    ("dropped", "kernels with a norm under a tenth of the layer's 90th percentile; they have no say, and are hatched"),
    ("v1", "the direction that theory predicts from the data alone: top right singular vector of the signal matrix Z"),
    ("on v1", "share of the layer's weight along v1, measured, and as linear dynamics predict it"),
    ("λ, gap", "singular values of Z; λ1 far above λ2 means that one direction wins, and how soon"),
    ("70 %", "while the loss is above 70 % of its first value, training is in its initial stage, where theory holds"),
    ("seeds", "a run may train several as one: curves are their mean between the lowest and the highest, in grey"),
    ("timeline", "◆ condensed, ▽ initial stage over, ● done, ✖ a bad end, █ the playhead; bright is recorded"),
)

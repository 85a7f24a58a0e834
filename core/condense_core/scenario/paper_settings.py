"""The settings of a figure that a paper may give, by name, and what each is called on screens and in reports."""

from __future__ import annotations

SETTINGS = {
    "data": "data",
    "samples": "samples n",
    "inputs": "inputs d",
    "used": "inputs used",
    "interval": "inputs' interval",
    "terms": "target's terms (amplitude, frequency, phase)",
    "layers": "kind of hidden layers",
    "hidden": "hidden layers",
    "width": "width m",
    "filter": "filter's side",
    "beside_filters": "stride, padding, pooling, batch norm",
    "activation": "activation",
    "residual": "residual connections",
    "trunk": "trunk",
    "outputs": "outputs",
    "output_bias": "bias of the output layer",
    "init": "initial weights",
    "bias": "initial biases",
    "loss": "loss",
    "optimizer": "optimiser",
    "batch": "batch",
    "lr": "learning rate",
    "later_lr": "later learning rates (epoch, rate)",
    "epoch": "epochs",
    "shown": "epochs shown",
    "judged": "epochs at which the claim is judged",
    "dropped_below": "norm below which neurons are left out",
    "trials": "trials",
}

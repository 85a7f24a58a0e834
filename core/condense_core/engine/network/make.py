"""The network of a scenario, whichever kind it is."""

from __future__ import annotations

from condense_core.engine.network.decoder import Decoder
from condense_core.engine.network.measured import MeasuredNetwork
from condense_core.engine.network.network import Network
from condense_core.scenario.experiment import Experiment


def make_network(experiment: Experiment, input_shape: tuple[int, ...], outputs: int) -> MeasuredNetwork:
    """A decoder where the scenario's layers are blocks, else layers one after the other; arguments as `Network`'s."""
    kind = Decoder if experiment.decodes else Network
    return kind(experiment, input_shape, outputs)

"""What the network makes of what the data keep from training altogether: recorded wherever there is some."""

from __future__ import annotations

import numpy as np

from condense_core.engine.network.observation import Observation
from condense_core.engine.probes.base import Measurement
from condense_core.engine.probes.members import MemberViews, together
from condense_core.engine.probes.view import View
from condense_core.runfile.precision import DOUBLE
from condense_core.runfile.reader import RunReader


class UnseenProbe:
    """Scalars `unseen_loss` and `unseen_accuracy`."""

    def measure(self, view: View | MemberViews, into: Measurement) -> None:
        found = [each.on_unseen() for each in together(view).views if isinstance(each, Observation)]
        loss_S, accuracy_S = np.array(found).T
        into.scalar("unseen_loss", loss_S, DOUBLE)
        into.scalar("unseen_accuracy", accuracy_S)

    def resume(self, run: RunReader, number: int = 0) -> None:
        """Nothing: it remembers nothing."""

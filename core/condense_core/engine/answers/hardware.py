"""`python -m condense_core.engine.answers.hardware`: where training can run on this machine, for `AskDevices`."""

from __future__ import annotations

import sys

import torch

from condense_core.engine.answers.main import answer
from condense_core.engine.training.device import describe
from condense_core.jobs.messages import AskDevices, DevicesAnswer


def devices(_: AskDevices) -> DevicesAnswer:
    """PyTorch's version and the devices, GPUs first."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    found = [torch.device("cuda", index) for index in range(count)] + [torch.device("cpu")]
    return DevicesAnswer(torch=str(torch.__version__), devices=[describe(device) for device in found])


if __name__ == "__main__":
    sys.exit(answer(AskDevices, devices))

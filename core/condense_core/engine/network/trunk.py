"""The convolutional trunk of ResNet18-like networks (Zhou et al. 2022, figs 2, 9, 18c).

Apart from the network because its layers are torchvision's, and it alone brings what the other networks do not have:
batch normalisation, whose running statistics are state that is no parameter.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import nn

from condense_core.engine.network.random_weights import LayerSize, draw
from condense_core.scenario.experiment import GlorotNormalInit

# What torchvision's ResNet18 gives after its average pooling.
FEATURES = 512


def resnet18_trunk(generator: torch.Generator, dtype: torch.dtype) -> nn.Module:
    """torchvision's ResNet18 without its last layer: images (N, 3, rows, columns) to features (N, 512).

    Convolutions are drawn by Glorot's normal scheme from `generator`, batch normalisation starts as the identity. The
    global generator is left alone: the module is built without memory, and everything in it is filled in here.
    """
    from torchvision.models import resnet18

    with torch.device("meta"):
        trunk = cast(nn.Module, resnet18(weights=None))
        trunk.fc = nn.Identity()
    trunk = trunk.to_empty(device="cpu").to(dtype)
    with torch.no_grad():
        for module in trunk.modules():
            if isinstance(module, nn.Conv2d):
                n_out, n_in, *filter_sides = module.weight.shape
                size = LayerSize(n_in=n_in, n_out=n_out, filter_pixels=math.prod(filter_sides), first_width=n_out)
                shape = tuple(module.weight.shape)
                module.weight.copy_(draw(GlorotNormalInit(), size, shape, generator=generator, dtype=dtype))
            elif isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
                module.weight.fill_(1)
                module.bias.zero_()
    return trunk

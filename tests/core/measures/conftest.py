"""Keeps to one thread: on shared cores, two that wait for each other in small matrices are a hundred times slower."""

import torch

torch.set_num_threads(1)

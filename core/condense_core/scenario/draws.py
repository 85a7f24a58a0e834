"""Which draws of a scenario are different ones, for the claim that is made of them."""

from __future__ import annotations

from collections.abc import Sequence

from condense_core.scenario.claims import Claim
from condense_core.scenario.data import Cifar10, Cifar100, Csv, Data, Digits, Formula, Mnist, Npz

# (seed of the weights, seed of the data)
Draw = tuple[int, int]


def is_whole(data: Data) -> bool:
    """Whether the sample is the whole data set: every draw of it is then the same images in another order."""
    match data:
        case Mnist():
            return data.samples == (60_000 if data.train else 10_000)
        case Cifar10() | Cifar100():
            return data.samples == (50_000 if data.train else 10_000)
        case Digits():
            return data.samples == 1_797
        case Npz() | Csv():
            # what is held out differs from draw to draw, unless the file says which samples are
            return data.samples is None and not data.test_samples
        case Formula():
            return data.spacing == "even" and not data.test_samples
        case _:
            return False


def distinct(claim: Claim, data: Data, draws: Sequence[Draw]) -> list[int]:
    """Places of the draws that differ in what the claim depends on, the first of those that share it."""
    seen: dict[Draw, int] = {}
    for place, (seed, data_seed) in enumerate(draws):
        of_data = 0 if is_whole(data) else data_seed
        seen.setdefault((0 if claim.about == "data" else seed, of_data), place)
    return list(seen.values())


def vary_together(claim: Claim, data: Data, draws: Sequence[Draw]) -> bool:
    """Whether weights and data differ from draw to draw, as a claim about any draw needs it; the data where they can,
    the weights where the claim depends on them."""
    weights, images = (len({draw[place] for draw in draws}) == len(draws) for place in (0, 1))
    return (weights or claim.about == "data") and (images or is_whole(data))

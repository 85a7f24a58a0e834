import functools
import math
import time

import pytest
import torch
from planted import generator, orthogonal_axes, planted_layer

from condense_core.measures import null, null_table
from condense_core.measures.clusters import CondensedLines, condensed_lines
from condense_core.measures.null import calibration_size, is_condensed, null_condensation
from condense_core.thresholds import COARSE, LEAST_COVERAGE


def gaussian(kernels, entries, seed):
    return torch.randn(kernels, entries, dtype=torch.float64, generator=generator(10_000 + seed))


def test_in_two_dimensions_random_kernels_cover_themselves_with_lines():
    assert null_condensation(2, 100).coverage95 == 1.0


def test_in_many_dimensions_random_kernels_form_no_lines():
    assert null_condensation(28, 100).coverage95 == 0.0


# Fresh layers that are held against the null, and how likely a right null is to have more of them above it, or fewer
# below, than a test allows. The layers are drawn from fixed seeds, so a test passes always or never.
FRESH, ERROR = 200, 1e-3
# `null_condensation` reads its quantile off so many trials: at the place 0.95 × 199, between the 190th and the 191st.
TRIALS, BELOW, ABOVE = 200, 190, 191


def chance(above: int, rank: int) -> float:
    """That so many of FRESH draws lie above the value of that rank among TRIALS draws from the same distribution.

    Whatever the distribution is, if it is continuous: all orders of the TRIALS + FRESH draws are equally likely.
    """
    over, under = math.comb(TRIALS - rank + above, above), math.comb(rank - 1 + FRESH - above, FRESH - above)
    return over * under / math.comb(TRIALS + FRESH, FRESH)


def limits() -> tuple[int, int]:
    """Fewer than the first, and more than the second, are each less likely than ERROR."""
    below, above = ([chance(count, rank) for count in range(FRESH + 1)] for rank in (ABOVE, BELOW))
    fewest = next(count for count in range(FRESH + 1) if sum(below[: count + 1]) >= ERROR)
    most = next(count for count in range(FRESH, -1, -1) if sum(above[count:]) >= ERROR)
    return fewest, most


@functools.cache
def fresh_layers(entries: int) -> list[CondensedLines]:
    return [condensed_lines(gaussian(30, entries, seed)) for seed in range(FRESH)]


def test_limits_are_where_the_chances_say():
    assert sum(chance(count, BELOW) for count in range(FRESH + 1)) == pytest.approx(1)
    # 11 of the 201 places that a fresh draw may take lie above the 190th
    assert sum(count * chance(count, BELOW) for count in range(FRESH + 1)) == pytest.approx(FRESH * 11 / 201)
    fewest, most = limits()
    assert 0 < fewest < 0.05 * FRESH < most < 0.2 * FRESH


@pytest.mark.parametrize("entries", [2, 3, 4, 6])
def test_five_percent_of_fresh_random_layers_pass_each_quantile(entries):
    null, (_, most) = null_condensation(entries, 30), limits()
    for value, quantile in [
        ("coverage", null.coverage95),
        ("mean_abs_cos", null.abs_cos95),
        ("tightness", null.tightness95),
    ]:
        assert sum(getattr(lines, value) > quantile for lines in fresh_layers(entries)) <= most


def false_alarms(entries: int) -> int:
    """How many random layers are called condensed."""
    null = null_condensation(entries, 30)
    return sum(is_condensed(lines, null, entries) for lines in fresh_layers(entries))


@pytest.mark.parametrize("entries", [2, 3])
def test_a_twentieth_of_random_layers_of_few_entries_is_called_condensed(entries):
    """Random kernels cover themselves, so tightness alone decides, and does so at its 95 % quantile."""
    fewest, most = limits()
    assert fewest <= false_alarms(entries) <= most


@pytest.mark.parametrize("entries", [1, 6, 28])
def test_random_layers_of_one_or_of_many_entries_are_never_called_condensed(entries):
    assert false_alarms(entries) == 0


def test_random_layers_of_four_entries_are_hardly_called_condensed():
    """Coverage above 0.8 is beyond the null's own quantile, 0.73: fewer than a twentieth."""
    assert null_condensation(4, 30).coverage95 < LEAST_COVERAGE
    assert false_alarms(4) <= limits()[1]
    assert false_alarms(4) < sum(lines.coverage > null_condensation(4, 30).coverage95 for lines in fresh_layers(4))


@pytest.mark.parametrize("entries", [2, 3, 4, 28])
@pytest.mark.parametrize("count", [1, 2])
def test_planted_lines_are_called_condensed_in_any_dimension(entries, count):
    layer = planted_layer(orthogonal_axes(count, entries, seed=0), 30, noise=0.03, seed=0)
    assert is_condensed(condensed_lines(layer), null_condensation(entries, 30), entries)


def test_a_layer_half_on_a_line_is_not_condensed():
    layer = torch.cat([planted_layer(orthogonal_axes(1, 28, seed=0), 25, noise=0.05, seed=0), gaussian(25, 28, 0)])
    assert not is_condensed(condensed_lines(layer), null_condensation(28, 50), 28)


@pytest.mark.parametrize("layer", [torch.zeros(50, 2), torch.zeros(50, 28), torch.ones(1, 2), torch.ones(50, 1)])
def test_what_cannot_be_judged_is_not_condensed(layer):
    kernels, entries = layer.shape
    assert not is_condensed(condensed_lines(layer), null_condensation(entries, kernels), entries)


def test_the_cap_on_kernels_errs_on_the_careful_side():
    capped = null_condensation(3, 1024)
    larger = [condensed_lines(gaussian(1024, 3, seed)) for seed in range(3)]
    assert sum(lines.coverage for lines in larger) / 3 <= capped.coverage95
    assert max(lines.mean_abs_cos for lines in larger) <= capped.abs_cos95


def test_it_moves_no_global_random_numbers_and_answers_the_same_again():
    before = torch.get_rng_state()
    first = null_condensation(5, 6)
    assert null_condensation.__wrapped__(5, 6) == first
    assert torch.equal(torch.get_rng_state(), before)


def test_coarse_has_a_null_of_its_own():
    cut, share = COARSE
    assert null_condensation(4, 12, cut=cut, smallest_share=share) != null_condensation(4, 12)


def test_it_is_cached():
    null_condensation(9, 40)
    start = time.perf_counter()
    for _ in range(100):
        null_condensation(9, 40)
    assert time.perf_counter() - start < 0.1


@pytest.mark.parametrize(("entries", "kernels"), [(0, 3), (3, 0)])
def test_nothing_to_simulate_is_refused(entries, kernels):
    with pytest.raises(ValueError, match="1 or more of each"):
        null_condensation(entries, kernels)


def test_both_standard_settings_are_of_the_same_trials_as_each_alone():
    cut, share = COARSE
    both = null_condensation(3, 20), null_condensation(3, 20, cut=cut, smallest_share=share)
    alone = null.simulated(3, 20, [COARSE])[COARSE]
    assert both[1] == alone
    assert both[0].coverage95 != both[1].coverage95


@pytest.mark.parametrize(("entries", "kernels"), [(2, 48), (3, 12), (6, 48), (28, 24), (145, 32), (1024, 16)])
def test_the_table_has_what_a_simulation_finds(entries, kernels):
    for cut, quantiles in null_table.look_up(entries, kernels).items():
        found = null.simulated(entries, kernels, [cut])[cut]
        assert found == pytest.approx(quantiles, abs=1e-12)
        assert found != pytest.approx(null_table.look_up(4, kernels)[cut], abs=1e-12)


def test_no_layer_of_few_entries_is_simulated(monkeypatch):
    monkeypatch.setattr(null, "simulated", None)
    null._standard.cache_clear()
    null_condensation.cache_clear()
    for kept in (2, 5, 50, 57, 100, 200, 256, 384, 1000, 1024):
        size = calibration_size(kept)
        assert size <= kept < 1.5 * size
        for entries in (2, 6, 26, 28, 65, 289, 785, 3073):
            assert null_condensation(entries, size).coverage95 <= 1


def test_beyond_the_table_a_null_is_simulated():
    assert null_table.look_up(140, 48) is null_table.look_up(6, 50) is None
    assert 0 < null_condensation(140, 12).abs_cos95 < null_condensation(129, 12).abs_cos95

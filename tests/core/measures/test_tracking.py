import numpy as np
import pytest
import torch
from planted import orthogonal_axes, planted_layer

from condense_core.measures.clusters import condensed_lines
from condense_core.measures.tracking import Tracker, match_lines


def labels(text):
    """One character a kernel: a digit is its line, '-' none, 'x' dropped; lower line = + side."""
    return torch.tensor([{"-": -1, "x": -2}.get(letter, ord(letter) - ord("0")) for letter in text])


def plus(label):
    return (label >= 0).long()


def renumber(old, new):
    old, new = labels(old), labels(new)
    return match_lines(old, plus(old), new, plus(new))


def test_a_line_keeps_its_number_when_sizes_swap_places():
    matched = renumber("000011", "110000")
    assert matched.number_of == (1, 0)
    assert torch.equal(matched.label_M, labels("001111"))


def test_most_shared_kernels_decide_over_all_lines_together():
    assert renumber("0000011111", "0001000111").number_of == (0, 1)


def test_a_new_line_takes_the_smallest_number_that_neither_frame_uses():
    assert renumber("0022--", "001122").number_of == (0, 2, 1)
    # line 1 has gone and the new line shares nothing with it: it is not called 1
    assert renumber("0011----", "00----11").number_of == (0, 2)


def test_a_number_that_is_free_again_is_used_again():
    assert renumber("00--22", "001122").number_of == (0, 1, 2)


def test_kernels_on_no_line_stay_on_none():
    assert torch.equal(renumber("00-x", "-x00").label_M, labels("-x11"))


def test_signs_turn_with_the_axis():
    label = labels("00000")
    old_sign, new_sign = torch.tensor([1, 1, 1, -1, -1]), torch.tensor([-1, -1, -1, 1, -1])
    matched = match_lines(label, old_sign, label, new_sign)
    assert matched.side_of == (-1,)
    assert matched.sign_M.tolist() == [1, 1, 1, -1, 1]


def test_signs_on_no_line_stay_zero():
    old, new = labels("00--"), labels("0-0x")
    matched = match_lines(old, plus(old), new, -plus(new))
    assert matched.sign_M.tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize(("old", "new"), [("----", "0011"), ("0011", "xxxx"), ("", "")])
def test_frames_without_lines_are_no_special_case(old, new):
    matched = renumber(old, new)
    assert torch.equal(matched.label_M, labels(new).long())


def test_a_different_number_of_kernels_is_refused():
    with pytest.raises(ValueError, match="as many kernels as before, 2, got 3"):
        renumber("00", "000")


def test_a_line_that_grows_and_turns_slowly_keeps_number_and_sides():
    axes = orthogonal_axes(3, 8, seed=0)
    before = condensed_lines(planted_layer(axes, 30, noise=0.05, seed=0))
    # the second axis takes over two thirds of the first's kernels; the axes as a whole are turned round
    weight = planted_layer(-axes, 30, noise=0.05, seed=0)
    weight[0::3] = weight[1::3]
    weight[0:9:3] = planted_layer(-axes[:1], 3, noise=0.0, seed=1, both_sides=False)
    after = condensed_lines(weight)
    matched = match_lines(before.label_M, before.sign_M, after.label_M, after.sign_M)
    still = torch.arange(30) % 3 != 0
    assert torch.equal(matched.label_M[still], before.label_M[still])
    again = match_lines(matched.label_M, matched.sign_M, before.label_M, before.sign_M)
    assert torch.equal(again.label_M[still], before.label_M[still])


@pytest.mark.parametrize("lines", [1, 2, 5])
def test_members_together_are_followed_as_each_alone(lines):
    """Also where a line shares kernels with two, which is an assignment problem, and where there is none."""
    drawn, numbers = np.random.default_rng(lines), (0, 3, 4, 9, 11)
    tracker, before, problems = Tracker(), None, 0
    for step in range(60):
        label_SM = drawn.integers(-2, lines, (len(numbers), 9))
        if before is not None and step % 3:
            label_SM = np.where(drawn.random(label_SM.shape) < 0.8, before[2], -1)
        for label_M in label_SM:
            # numbered without a gap, as lines are
            label_M[label_M >= 0] = np.unique(label_M[label_M >= 0], return_inverse=True)[1]
        sign_SM = np.where(label_SM >= 0, drawn.choice([-1, 1], label_SM.shape), 0)
        found = tracker.follow(numbers, label_SM, sign_SM)
        if before is not None:
            for row in range(len(numbers)):
                own = (before[0], before[1], label_SM, sign_SM)
                alone = match_lines(*(torch.from_numpy(each[row]) for each in own))
                assert found[0][row].tolist() == alone.label_M.tolist()
                assert found[1][row].tolist() == alone.sign_M.tolist()
                shared = {(old, new) for old, new in zip(own[0][row], own[2][row], strict=True) if min(old, new) >= 0}
                problems += len({old for old, _ in shared}) < len(shared)
        before = (*found, label_SM)
    assert lines == 1 or problems > 10

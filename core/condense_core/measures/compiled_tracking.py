"""Lines that keep their numbers and sides in compiled code.   # S members, M kernels, O lines before, L lines now

Imported where `in_compiled_code` has it compiled, and nowhere else: it needs Numba.
"""

from __future__ import annotations

from typing import Any

from numba import carray

from condense_core.measures.compiled_ways import inner


def follow(
    old_label: Any,
    old_sign: Any,
    label: Any,
    sign: Any,
    clear: Any,
    shared: Any,
    whole: Any,
    taken: Any,
    members: Any,
    kernels: Any,
) -> None:
    """Give each member's lines the names and sides of `tracking.match_lines`, in place, where that is clear: every old
    line shares most kernels with a new one of its own, or every new line with an old one. Nothing else has as many in
    common then; others are left as they are. Labels and signs are (S, M), `clear` (S,). Scratch: `shared` (2, M, M),
    `whole` (2, M), `taken` (2 M,)."""
    old_label_SM, old_sign_SM = carray(old_label, (members, kernels)), carray(old_sign, (members, kernels))
    label_SM, sign_SM = carray(label, (members, kernels)), carray(sign, (members, kernels))
    clear_S, is_taken = carray(clear, (members,)), carray(taken, (2 * kernels,))
    # kernels that an old and a new line share, and those of one sign among them less those of two
    shared_XOL, whole_XM = carray(shared, (2, kernels, kernels)), carray(whole, (2, kernels))
    shared_OL, agree_OL, old_of_L, side_L = shared_XOL[0], shared_XOL[1], whole_XM[0], whole_XM[1]
    for member in range(members):
        old_label_M, label_M, sign_M = old_label_SM[member], label_SM[member], sign_SM[member]
        old_lines, lines = 0, 0
        for kernel in range(kernels):
            old_lines, lines = max(old_lines, old_label_M[kernel] + 1), max(lines, label_M[kernel] + 1)
        for line in range(old_lines + lines):
            is_taken[line] = False
        for old in range(old_lines):
            for line in range(lines):
                shared_OL[old, line] = 0
                agree_OL[old, line] = 0
        for kernel in range(kernels):
            old, new = old_label_M[kernel], label_M[kernel]
            if old >= 0:
                is_taken[old] = True
                if new >= 0:
                    shared_OL[old, new] += 1
                    agree_OL[old, new] += old_sign_SM[member, kernel] * sign_M[kernel]
        is_clear = _pairs_by_old(shared_OL, old_lines, lines, old_of_L) or _pairs_by_new(
            shared_OL, old_lines, lines, old_of_L
        )
        clear_S[member] = is_clear
        if not is_clear:
            continue
        free = 0
        for line in range(lines):
            old = old_of_L[line]
            side_L[line] = -1 if old >= 0 and agree_OL[old, line] < 0 else 1
            if old < 0:
                # the smallest number that no line had before
                while is_taken[free]:
                    free += 1
                old_of_L[line] = free
                free += 1
        for kernel in range(kernels):
            line = label_M[kernel]
            if line >= 0:
                label_M[kernel] = old_of_L[line]
                sign_M[kernel] *= side_L[line]


@inner
def _pairs_by_old(shared_OL: Any, old_lines: Any, lines: Any, old_of_L: Any) -> Any:
    """The old line of each new one that shares most of its kernels, -1 of one without; whether no line has two."""
    for line in range(lines):
        old_of_L[line] = -1
    for old in range(old_lines):
        best, most, equal = -1, 0, False
        for line in range(lines):
            shared = shared_OL[old, line]
            if shared > most:
                best, most, equal = line, shared, False
            elif shared == most:
                equal = True
        if best >= 0 and (equal or old_of_L[best] >= 0):
            return False
        if best >= 0:
            old_of_L[best] = old
    return True


@inner
def _pairs_by_new(shared_OL: Any, old_lines: Any, lines: Any, old_of_L: Any) -> Any:
    """The old line that each new one shares most of its kernels with, -1 of one without; whether no line has two."""
    for line in range(lines):
        best, most, equal = -1, 0, False
        for old in range(old_lines):
            shared = shared_OL[old, line]
            if shared > most:
                best, most, equal = old, shared, False
            elif shared == most:
                equal = True
        for other in range(line):
            equal = equal or old_of_L[other] == best
        if best >= 0 and equal:
            return False
        old_of_L[line] = best
    return True

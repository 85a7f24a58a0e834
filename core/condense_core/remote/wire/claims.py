"""How the claims of listed runs stand, on the wire: each by itself, so that one which makes no sense hides no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from condense_core import typed
from condense_core.errors import RunFileError
from condense_core.foreign import decoding
from condense_core.measure_table import MEASURES
from condense_core.text import printable

if TYPE_CHECKING:
    from condense_core.runs.claim_state import Standing

# A claim asks for some things of each of a network's layers.
MOST_FINDINGS = 1_000
LONGEST_TEXT = 2_000


def packed_claim(claim: Standing | None) -> msgspec.Raw:
    """The claim as bytes; without one, or where how it stands is not known, those of nothing."""
    return msgspec.Raw(msgspec.msgpack.encode(claim))


def unpacked_claim(packed: msgspec.Raw) -> Standing | None:
    """The claim, with texts that can be shown; RunFileError where it makes no sense here."""
    # imports NumPy, which the app does not wait for
    from condense_core.runs.claim_state import Standing

    with decoding(RunFileError, "how its claim stands is malformed"):
        claim: Standing | None = typed.from_msgpack(packed, Standing | None)  # type: ignore[arg-type]
        if claim is None:
            return None
        if claim.of < 1 or len(claim.findings) > MOST_FINDINGS:
            raise ValueError(f"{len(claim.findings):,} requirements in {claim.of:,} draws")
        unknown = next((found.measure for found in claim.findings if found.measure not in MEASURES), None)
        if unknown is not None:
            raise ValueError(f"unknown measure {printable(unknown[:60])}")
        findings = tuple(
            msgspec.structs.replace(found, layer=_shown(found.layer), wanted=_shown(found.wanted))
            for found in claim.findings
        )
        return msgspec.structs.replace(claim, text=_shown(claim.text), why=_shown(claim.why), findings=findings)


def _shown(text: str) -> str:
    return printable(text[:LONGEST_TEXT])

"""Text for terminals without Unicode: characters outside ASCII become those that look most like them."""

from __future__ import annotations

import codecs

ERRORS = "condense-ascii"
"""Name of what Python does with a character that an ASCII stream cannot write, once `for_streams` was called."""

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("─━╌┈╸╺▔▁", "-"),
        **dict.fromkeys("│┃╎▌▐▏▕█║", "|"),
        **dict.fromkeys("╭╮╰╯┌┐└┘├┤┬┴┼╔╗╚╝", "+"),
        **dict.fromkeys("·•", "-"),
        "═": "=",
        **{"…": "~", "λ": "l", "ᵀ": "T", "²": "2", "×": "x", "–": "-", "−": "-", "±": "~", "σ": "s", "≥": ">"},
        **{"✔": "v", "✖": "x", "■": "#", "▮": "|", "‖": "=", "▽": "v", "▲": "!"},
        **{"←": "<", "→": ">", "↑": "^", "↓": "v", "●": "*", "○": "o", "◆": "*", "◇": "o", "▷": ">", "†": "+"},
    }
)


def to_ascii(text: str) -> str:
    """As many characters, all of them ASCII; a question mark where nothing looks alike."""
    return text if text.isascii() else text.translate(_PLAIN).encode("ascii", "replace").decode("ascii")


def for_streams() -> None:
    """Have streams with ERRORS write what is not ASCII as `to_ascii` does."""

    def written(error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeEncodeError):
            raise error
        return to_ascii(error.object[error.start : error.end]), error.end

    codecs.register_error(ERRORS, written)

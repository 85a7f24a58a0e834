"""Text for terminals without Unicode: characters outside ASCII become those that look most like them."""

from __future__ import annotations

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("─━╌┈╸╺▔▁═", "-"),
        **dict.fromkeys("│┃╎▌▐▏▕█║", "|"),
        **dict.fromkeys("╭╮╰╯┌┐└┘├┤┬┴┼", "+"),
        **dict.fromkeys("·•", "-"),
        **{"…": "~", "λ": "l", "ᵀ": "T", "²": "2", "×": "x", "–": "-", "−": "-", "±": "~", "σ": "s", "≥": ">"},
        **{"←": "<", "→": ">", "↑": "^", "↓": "v", "●": "*", "○": "o", "◆": "*", "◇": "o", "▷": ">", "†": "+"},
    }
)


def to_ascii(text: str) -> str:
    """As many characters, all of them ASCII; a question mark where nothing looks alike."""
    return text if text.isascii() else text.translate(_PLAIN).encode("ascii", "replace").decode("ascii")

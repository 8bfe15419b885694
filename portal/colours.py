"""Which brand colours can stand behind white text. Pure arithmetic (WCAG 2.2, contrast of relative luminances)."""

from __future__ import annotations

import re

ENOUGH = 5.6  # the smaller words on it are not quite white, and they still need 4.5


def is_readable(colour: str) -> bool:
    """Whether white words on a colour, six hexadecimal digits, can be read by everybody.

    >>> is_readable("0f5f57"), is_readable("ffd400"), is_readable("red;}")
    (True, False, False)
    """
    if not re.fullmatch("[0-9a-fA-F]{6}", colour):
        return False
    return 1.05 / (_luminance(colour) + 0.05) >= ENOUGH


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (0, 2, 4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(share: float) -> float:
    return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)

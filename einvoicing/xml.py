"""What both syntaxes write with: elements under a prefix, texts no XML refuses, amounts and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring


class Writer:
    """Elements by prefix and name, such as «ram:ID»; equal calls give equal bytes."""

    def __init__(self, spaces: Mapping[str, str]) -> None:
        self.spaces = spaces
        for prefix, space in spaces.items():
            register_namespace(prefix, space)

    def root(self, tag: str) -> Element:
        return Element(self._name(tag))

    def into(self, parent: Element, tag: str) -> Element:
        return SubElement(parent, self._name(tag))

    def text(self, parent: Element, tag: str, value: str, **attributes: str) -> None:
        """An element with a text; none where there is nothing to say, because an empty element is an error."""
        clean = "".join(s if s.isprintable() or s == "\n" else " " if s.isspace() else "" for s in value).strip()
        if clean:
            SubElement(parent, self._name(tag), attributes).text = clean

    def _name(self, tag: str) -> str:
        prefix, name = tag.split(":")
        return f"{{{self.spaces[prefix]}}}{name}"


def as_bytes(root: Element) -> bytes:
    """The whole document, UTF-8."""
    written: str = tostring(root, encoding="unicode")
    return f"<?xml version='1.0' encoding='UTF-8'?>\n{written}\n".encode()


def amount(value: Decimal) -> str:
    """Two decimals where there are no finer ones; the norm takes no more than two.

    >>> amount(Decimal("1200")), amount(Decimal("-0.5")), amount(Decimal("1.235"))
    ('1200.00', '-0.50', '1.235')
    """
    exponent = value.normalize().as_tuple().exponent
    places = max(2, -exponent) if isinstance(exponent, int) else 2
    return f"{value.quantize(Decimal(1).scaleb(-places)) + 0:f}"


def number(value: Decimal) -> str:
    """A quantity, price or percentage without the zeros that say nothing.

    >>> number(Decimal("5.0000")), number(Decimal("0.000125")), number(Decimal("-1200"))
    ('5', '0.000125', '-1200')
    """
    return f"{value.normalize() + 0:f}"

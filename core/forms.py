"""Fields that the desk's forms and the client's page share."""

from __future__ import annotations

import re
from decimal import Decimal
from html import escape
from typing import Any

from django import forms
from django.forms.renderers import TemplatesSetting
from django.forms.utils import flatatt
from django.utils.formats import localize
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from core.money import TooFine, parse_amount, parse_number

_CENTS = re.compile(r"-?[0-9]+[.,][0-9]{2}")


def decimal_sign() -> str:
    """What separates the decimals for the reader: a point in English, a comma in German and French."""
    return "." if (get_language() or "en").startswith("en") else ","


class WrittenNumber(forms.CharField):
    """A number as the reader's language writes it: strict groups of three, ASCII digits, nothing guessed at.

    With a currency it is an amount in that currency's places; otherwise it has at most ``digits`` decimals.
    """

    def __init__(self, *, digits: int = 4, currency: str = "", **options: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(**{"max_length": 30, "widget": widget, "empty_value": None, **options})
        self.digits, self.currency = digits, currency

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text or isinstance(value, Decimal):
            return value if isinstance(value, Decimal) else None
        sign = decimal_sign()
        # 5748.89 can mean one thing only, also where a comma is the custom; 5.748 could mean two.
        sign = text[-3] if _CENTS.fullmatch(text) else sign
        try:
            if self.currency:
                return parse_amount(text, self.currency, decimal=sign)
            return parse_number(text, self.digits, decimal=sign)
        except TooFine as why:
            raise self.unreadable(too_fine=True) from why
        except ValueError as why:
            raise self.unreadable(too_fine=False) from why

    def run_validators(self, value: Any) -> None:
        """The length was asked of the text; a number has none."""

    def unreadable(self, *, too_fine: bool) -> forms.ValidationError:
        """What the reader is told about what could not be read."""
        raise NotImplementedError


class Renderer(TemplatesSetting):
    """Draws forms by our templates, and a list to choose from without one.

    Two templates for each of 600 time zones were nine tenths of what the form of a client cost.
    """

    def render(self, template_name: str, context: dict[str, Any], request: Any = None) -> str:
        if template_name == forms.Select.template_name:
            return _select(context["widget"])
        drawn: str = super().render(template_name, context, request)
        return drawn


def _select(widget: dict[str, Any]) -> SafeString:
    """The list as Django's own template draws it, but for the blanks between the options."""
    lines = []
    for group, options, _index in widget["optgroups"]:
        drawn = [
            f'<option value="{_escaped(str(option["value"]))}"'
            f"{_attributes(option['attrs'])}>{_escaped(option['label'])}</option>"
            for option in options
        ]
        lines += [format_html('<optgroup label="{}">', group), *drawn, "</optgroup>"] if group else drawn
    # Every word in it was escaped above.
    inside = mark_safe("\n".join(lines))
    return format_html('<select name="{}"{}>\n{}\n</select>', widget["name"], _attributes(widget["attrs"]), inside)


def _escaped(words: Any) -> str:
    return escape(words) if type(words) is str else conditional_escape(localize(words))


def _attributes(attrs: dict[str, Any]) -> str:
    told = {name: True if value is True else str(value) for name, value in attrs.items() if value is not False}
    return flatatt(told) if told else ""

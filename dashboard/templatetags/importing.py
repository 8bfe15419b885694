"""Words of the import: what a key of ours is called, and a date format as people write it."""

from __future__ import annotations

from django import template

from dashboard.forms.imports import WORDS
from imports.date_formats import in_letters

register = template.Library()


@register.filter
def word(key: str) -> str:
    """What one of our keys is called.

    >>> word("due_on")
    'Due date'
    """
    return str(WORDS[key][0]) if key in WORDS else key


@register.filter
def letters(fmt: str) -> str:
    """A date format as people write it.

    >>> letters("%d.%m.%Y")
    'DD.MM.YYYY'
    """
    return in_letters(fmt)

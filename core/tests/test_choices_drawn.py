"""A list to choose from is drawn without a template, and looks as Django's own template draws it."""

from __future__ import annotations

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.test.html import parse_html
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy, override

from core.forms import Renderer

CHOICES = [
    ("", "—"), ("a<b>'\"&", "O'Neill & <Sons>"),
    (7, 1234.5), (None, gettext_lazy("Yes")), ("s", mark_safe("a<b>c</b>")),
    ("Group & more", [("x", "in it"), (True, False)]),
]  # fmt: skip


@pytest.mark.parametrize("widget", [
    forms.Select(choices=CHOICES), forms.SelectMultiple(choices=CHOICES), forms.NullBooleanSelect(),
    forms.Select(attrs={"data-x": "<&\"", "required": True, "hidden": False, "size": 3}, choices=CHOICES),
    forms.Select(),
])  # fmt: skip
@pytest.mark.parametrize("chosen", ["a<b>'\"&", 7, "x", None, "nobody"])
@pytest.mark.parametrize("language", ["en", "de"])
def test_it_is_the_list_that_django_draws(widget, chosen, language):
    value = [chosen] if isinstance(widget, forms.SelectMultiple) else chosen
    with override(language):
        ours, django = (widget.render('na"me', value, renderer=one) for one in (Renderer(), DjangoTemplates()))
    assert parse_html(ours) == parse_html(django)
    assert ours.count("<option") == django.count("<option")


def test_it_is_what_our_forms_are_drawn_with():
    assert isinstance(forms.renderers.get_default_renderer(), Renderer)

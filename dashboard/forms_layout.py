"""The one layout of every form: label above, help and error below the field, a summary with links on top, two buttons.

What a form asks and refuses belongs to the form; where its fields stand and how they look belongs here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Column, Fieldset, Layout, Row, TemplateNameMixin
from django import forms
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Section(NamedTuple):
    """A titled group of rows."""

    title: str | Promise
    rows: Sequence[str | tuple[str, ...]]


Rows = Sequence["str | tuple[str, ...] | Section"]

if TYPE_CHECKING:
    _Base = forms.BaseForm
else:
    _Base = object


class HouseForm(_Base):
    """Give a form the house layout: `class TermsForm(HouseForm, forms.Form)`, then `{% crispy form %}`.

    `rows` says what stands beside what: a name is a row of its own, a tuple shares one row, a Section has a title.
    Fields it does not name follow in their own order. `action`, `save_label` and `cancel_url` are the form's frame.
    """

    rows: ClassVar[Rows] = ()
    save_label: str | Promise = _("Save")
    action: str = ""
    cancel_url: str = ""

    def __init__(self, *args: Any, action: str = "", cancel_url: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.action = action or self.action
        self.cancel_url = cancel_url or self.cancel_url
        for field in self.fields.values():
            _fit_widget(field)

    @property
    def helper(self) -> FormHelper:
        helper = FormHelper()
        helper.form_method = "post"
        helper.form_class = "form"
        helper.form_action = self.action
        helper.attrs = {"novalidate": "novalidate"}  # the server's sentences say more than the browser's
        helper.layout = Layout(*(_placed(row) for row in self._all_rows()), Buttons(self.save_label, self.cancel_url))
        return helper

    def _all_rows(self) -> list[str | tuple[str, ...] | Section]:
        named = set(_names(self.rows))
        return [*self.rows, *(name for name in self.fields if name not in named)]


class Buttons(TemplateNameMixin):  # type: ignore[misc]
    """Save, and the way back."""

    def __init__(self, save_label: str | Promise, cancel_url: str) -> None:
        self.save_label, self.cancel_url = save_label, cancel_url

    def render(self, form: forms.BaseForm, context: Any, template_pack: str = "", **kwargs: Any) -> str:
        return render_to_string(
            "components/form_buttons.html", {"save_label": self.save_label, "cancel_url": self.cancel_url}
        )


def _names(rows: Rows) -> list[str]:
    names: list[str] = []
    for row in rows:
        if isinstance(row, Section):
            names += _names(row.rows)
        else:
            names += [row] if isinstance(row, str) else row
    return names


def _placed(row: str | tuple[str, ...] | Section) -> Any:
    if isinstance(row, Section):
        return Fieldset(row.title, *(_placed(inner) for inner in row.rows))
    return row if isinstance(row, str) else Row(*(Column(name, css_class="col-md") for name in row))


def _fit_widget(field: forms.Field) -> None:
    """A date gets the browser's calendar, an amount a plain text field with the figures' keyboard."""
    if type(field.widget) is forms.DateInput:
        field.widget = forms.DateInput(format="%Y-%m-%d", attrs={**field.widget.attrs, "type": "date"})
        field.widget.is_required = field.required
    elif isinstance(field, forms.DecimalField) and isinstance(field.widget, forms.NumberInput):
        field.widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        field.widget.is_required = field.required
    elif isinstance(field.widget, forms.Textarea):
        field.widget.attrs["rows"] = 4

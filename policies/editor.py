"""The editor of a version: the form and its cards, the days of a sample invoice beside them, what would be refused."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.http import JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from .forms import SampleForm, StepForm, StepFormSet, VersionForm, mark, steps_from
from .ladder_checks import Wrong
from .sentences import step_sentences
from .services.no_country import not_looked_at
from .services.versions import what_is_wrong
from .step_days import step_day

PREFIX = "steps"
NEW_STEP = {"channel": "mail", "tone": "plain", "addressee": "accounts_payable", "offset_days_1": "after"}


class Card(NamedTuple):
    """One step as the page shows it: its form, the day for the sample invoice, and its sentences."""

    form: StepForm
    day: dt.date | None
    offset: int | None
    title: str
    sentences: list[str]


class Editor:
    """Values and steps of a policy ``name`` while they are written, read from a form once it is sent.

    ``values`` and ``steps`` are what stands there in the beginning, by field; times and dates may be texts.
    """

    def __init__(
        self, name: str, values: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], *, on: dt.date,
        data: Any = None,
    ) -> None:
        self.name, self.on = name, on
        self._begun = values, steps
        if data is not None and data.get("look") == "step":
            data = _with_another(data)
        self.another = data is not None and data.get("look") == "step"
        self.form = VersionForm(
            data, initial={"effective_from": on + dt.timedelta(days=1), **values}, label_suffix=""
        )
        self.steps = StepFormSet(
            data, initial=[dict(step) for step in steps], prefix=PREFIX, form_kwargs={"label_suffix": ""}
        )
        self.sample = SampleForm(data, prefix="sample", initial={"issued_on": on, "net_days": 30})
        self.issued_on, self.due_on = sample_days(self.sample)

    def is_valid(self) -> bool:
        """Each field by itself is as it should be; ``troubles`` looks at the whole."""
        return all([self.form.is_valid(), self.steps.is_valid()])

    def values(self) -> dict[str, Any]:
        """Everything the version says besides its ladder and its first day, by field."""
        return {name: value for name, value in self.form.cleaned_data.items() if name != "effective_from"}

    def effective_from(self) -> dt.date:
        day = self.form.cleaned_data["effective_from"]
        assert isinstance(day, dt.date)
        return day

    def ladder(self) -> list[dict[str, Any]]:
        return steps_from(self.steps)

    def troubles(self) -> list[Wrong]:
        """For what the version would be refused, each sentence put beside its field. Only once ``is_valid``."""
        wrong = what_is_wrong(self.name, self.values(), self.ladder(), effective_from=self.effective_from())
        mark(wrong, self.form, self.steps)
        return wrong

    def not_looked_at(self) -> list[str]:
        """What no rule was checked for, because no country is named; nothing while a field cannot be read."""
        if not self.form.is_bound:
            values, steps = self._begun
            first = values.get("effective_from")
            return not_looked_at(values, steps, effective_from=first if isinstance(first, dt.date) else self.on)
        if not self.is_valid():
            return []
        return not_looked_at(self.values(), self.ladder(), effective_from=self.effective_from())

    def cards(self) -> list[Card]:
        """The steps in the order in which they stand on the page."""
        return [self._card(form) for form in self.steps]

    def calendar(self) -> list[Card]:
        """The steps in the order in which they go, those that are taken out or left out not among them."""
        kept = [card for card in self.cards() if card.title and not card.form["DELETE"].value()]
        return sorted(kept, key=lambda card: card.offset if card.offset is not None else 10**6)

    def context(self) -> dict[str, Any]:
        return {
            "editor": self, "form": self.form, "steps": self.steps, "sample": self.sample, "cards": self.cards(),
            "calendar": self.calendar(), "issued_on": self.issued_on, "due_on": self.due_on,
            "not_looked_at": self.not_looked_at(),
        }  # fmt: skip

    def seen(self, request: Any) -> JsonResponse:
        """What changes on the page while somebody types: the line of each card, the calendar, what would be refused."""
        cards = [
            render_to_string("admin/policies/policy/card_line.html", {"card": card}, request) for card in self.cards()
        ]
        told = self.context() | {"wrong": self._wrong()}
        beside = render_to_string("admin/policies/policy/beside.html", told, request)
        return JsonResponse({"cards": cards, "beside": beside})

    def _wrong(self) -> list[str]:
        if self.is_valid():
            self.troubles()
        forms: list[Any] = [self.form, *self.steps.forms]
        return [
            _labelled(form, name, said) for form in forms for name, errors in form.errors.items() for said in errors
        ]

    def _card(self, form: StepForm) -> Card:
        step = _written(form)
        offset = step.get("offset_days")
        day = step_day(offset, self.issued_on, self.due_on) if offset is not None else None
        title = str(step.get("title") or step.get("code") or (_("Without a title") if offset is not None else ""))
        return Card(form, day, offset, title, step_sentences(step, day) if title else [])


def sample_days(sample: SampleForm) -> tuple[dt.date, dt.date]:
    """The day of issue and the due date of the sample invoice; the usual ones where something unreadable stands."""
    given = sample.cleaned_data if sample.is_valid() else {}
    issued_on = given.get("issued_on") or sample.initial["issued_on"]
    net_days = given.get("net_days") or sample.initial["net_days"]
    return issued_on, issued_on + dt.timedelta(days=net_days)


def _written(form: StepForm) -> dict[str, Any]:
    """A step as far as it can be read."""
    if form.is_bound:
        form.is_valid()
        return dict(getattr(form, "cleaned_data", {}))
    return dict(form.initial)


def _labelled(form: Any, name: str, said: str) -> str:
    """What is wrong with a field; a sentence that names its step already stays as it is."""
    if name not in form.fields or said.startswith(("“", "The ", "Two ", "Of ", "What ")):
        return said
    step = form["title"].value() if isinstance(form, StepForm) else ""
    return f"{step + ': ' if step else ''}{form.fields[name].label}: {said}"


def _with_another(data: Any) -> Any:
    """What was sent, with one more card at the end."""
    data = data.copy()
    written = str(data.get(f"{PREFIX}-TOTAL_FORMS") or 0)
    number = int(written) if re.fullmatch("[0-9]{1,4}", written) else 0
    data[f"{PREFIX}-TOTAL_FORMS"] = str(number + 1)
    for name, value in NEW_STEP.items():
        data[f"{PREFIX}-{number}-{name}"] = value
    return data

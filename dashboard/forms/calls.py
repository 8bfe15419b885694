"""The call logged inside the queue: what happened, and what belongs to that answer alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from clients.models import Contact
from core.dates import next_business_day
from dashboard.forms_layout import HouseForm
from dashboard.templatetags.ledger import day, money
from disputes.models import Dispute
from disputes.services import REVISIT_AFTER_DAYS
from invoices.models import Invoice

from .desk import CALL_OUTCOMES
from .fields import AmountField, OnceField

PROMISED_IN_DAYS = 7
MOST = 25  # invoices to choose from one by one, the oldest; all of them are covered by «all overdue»


class DoneForm(HouseForm, forms.Form):
    """What came of a task that no call answers."""

    because = forms.CharField(label=_("What came of it"), max_length=200)
    save_label = _("Done")


class CallForm(forms.Form):
    """One call. Whom it can be with and which invoices it can be about is given, so that fifty forms ask nothing."""

    use_required_attribute = False  # the server's sentences say more than the browser's

    key = OnceField()
    client = forms.IntegerField(widget=forms.HiddenInput)
    outcome = forms.ChoiceField(
        label=_("What happened?"),
        choices=CALL_OUTCOMES,
        widget=forms.RadioSelect,
        error_messages={"required": _("Say what happened: choose one of the answers.")},
    )
    contact = forms.TypedChoiceField(label=_("With"), required=False, coerce=int, empty_value=None)
    with_whom = forms.CharField(label=_("Name"), required=False, max_length=150)
    amount = AmountField(label=_("Will pay"), required=False)
    promised_for = forms.DateField(label=_("On"), required=False)
    covers = forms.ChoiceField(label=_("For"), required=False)
    about = forms.TypedChoiceField(label=_("Which invoice"), required=False, coerce=int, empty_value=None)
    reason = forms.ChoiceField(label=_("What is wrong"), choices=Dispute.REASONS, required=False)
    revisit_on = forms.DateField(label=_("Look again on"), required=False)
    paid_on = forms.DateField(label=_("Paid on"), required=False)
    right_name = forms.CharField(label=_("The right person"), required=False, max_length=120)
    right_phone = forms.CharField(label=_("Telephone"), required=False, max_length=40)
    right_email = forms.EmailField(label=_("E-mail"), required=False)
    said = forms.CharField(label=_("Note"), required=False)
    next_step = forms.CharField(label=_("Next step"), required=False, max_length=200)
    next_on = forms.DateField(label=_("On"), required=False)

    def __init__(
        self, data: Any = None, *, client_id: int, people: Sequence[Contact], invoices: Sequence[Invoice], on: dt.date
    ) -> None:
        super().__init__(data, auto_id=f"%s-{client_id}")
        self.people = {person.pk: person for person in people}
        self.invoices = {invoice.pk: invoice for invoice in invoices}
        self.overdue = overdue_by_currency(invoices, on)
        one_by_one = [(str(invoice.pk), _named(invoice)) for invoice in invoices[:MOST]]
        at_once = [(code, _together(items)) for code, items in self.overdue.items() if len(items) > 1]
        self._offer("contact", [*((str(p.pk), p.name) for p in people), ("", _("Somebody else"))])
        self._offer("about", one_by_one)
        self._offer("reason", [(code, capfirst(label)) for code, label in Dispute.REASONS])
        self._offer("covers", [*at_once, *one_by_one])
        first = next(iter(self.overdue.values()), list(invoices)[:1])
        self.usual = "" if not first else first[0].currency if len(first) > 1 else str(first[0].pk)
        self.initial = {
            "client": client_id, "contact": people[0].pk if people else "", "promised_for": in_a_week(on),
            "covers": self.usual, "amount": sum((invoice.balance for invoice in first), Decimal(0)) or None,
            "revisit_on": on + dt.timedelta(days=REVISIT_AFTER_DAYS),
        }  # fmt: skip
        for name, field in self.fields.items():
            if not field.widget.is_hidden and name != "outcome":
                _fit(field)

    def _offer(self, name: str, choices: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices
        field.widget = forms.Select(choices=choices)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("next_step") and not given.get("next_on") and "next_on" not in self.errors:
            self.add_error("next_on", _("By which day is the next step due?"))
        has_address = given.get("right_phone") or given.get("right_email")
        if given.get("outcome") == "wrong_person" and has_address and not given.get("right_name"):
            self.add_error("right_name", _("Who is the right person? Write a name."))
        return given

    def facts(self) -> dict[str, Any]:
        """What the verb takes: only what belongs to the answer given."""
        given = self.cleaned_data
        outcome = given["outcome"]
        facts: dict[str, Any] = {name: given[name] for name in ("key", "outcome", "said", "next_step", "next_on")}
        facts["contact"] = self.people.get(given["contact"])
        facts["with_whom"] = "" if facts["contact"] else given["with_whom"]
        if outcome == "promised":
            facts |= {"amount": given["amount"], "promised_for": given["promised_for"]}
            facts["about"] = self._covered(or_later_due=True)
        elif outcome == "claims_paid":
            facts |= {"paid_on": given["paid_on"], "about": self._covered()}
        elif outcome in ("disputes", "wants_plan"):
            invoice = self.invoices.get(given["about"]) or next(iter(self.invoices.values()), None)
            facts |= {"about": [invoice] if invoice else []}
        elif outcome == "wrong_person" and given["right_name"]:
            facts["right_person"] = {name: given[f"right_{name}"] for name in ("name", "phone", "email")}
        if outcome == "disputes":
            facts |= {"reason": given["reason"], "revisit_on": given["revisit_on"]}
        if facts["next_on"] and not facts["next_step"] and outcome not in ("no_answer", "voicemail"):
            facts["next_step"] = str(_("Call again"))
        return facts

    def _covered(self, or_later_due: bool = False) -> list[Invoice]:
        """The invoices meant: one, or all that is overdue in a currency; what is due later where more is promised."""
        chosen = self.cleaned_data["covers"] or self.usual
        if chosen in self.overdue:
            every = self.invoices.values()
            return [i for i in every if i.currency == chosen] if or_later_due else self.overdue[chosen]
        return [self.invoices[int(chosen)]] if chosen else []


def overdue_by_currency(invoices: Sequence[Invoice], on: dt.date) -> dict[str, list[Invoice]]:
    """What is overdue, per currency, in the order given; the currency of the first comes first."""
    found: dict[str, list[Invoice]] = {}
    for invoice in invoices:
        if invoice.due_on is not None and invoice.due_on < on:
            found.setdefault(invoice.currency, []).append(invoice)
    return found


def in_a_week(on: dt.date) -> dt.date:
    """The business day a week from now, the day most promises are made for."""
    return next_business_day(on + dt.timedelta(days=PROMISED_IN_DAYS))


def _named(invoice: Invoice) -> str:
    return f"{invoice} · {money(invoice.balance, invoice.currency)} · {day(invoice.due_on)}"


def _together(invoices: Sequence[Invoice]) -> str:
    total = money(sum((invoice.balance for invoice in invoices), Decimal(0)), invoices[0].currency)
    return _("All overdue, oldest first · %(total)s") % {"total": total}


def _fit(field: forms.Field) -> None:
    """The look of a field inside the queue."""
    if isinstance(field, forms.DateField):
        field.widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    field.widget.attrs["class"] = "form-select" if isinstance(field.widget, forms.Select) else "form-control"

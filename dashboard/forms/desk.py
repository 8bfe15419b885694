"""What the desk asks when somebody was spoken to, when chasing pauses, when something is promised or wrong."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from ar_collections.models import ContactLog, StageChange
from ar_collections.services.stages import legal_moves
from clients.models import Client, Contact
from dashboard.forms_layout import HouseForm, Section
from disputes.models import Dispute
from invoices.models import Invoice

from .fields import AmountField, OnceField

CALL_OUTCOMES = [pair for pair in ContactLog.OUTCOMES if pair[0] != "note"]


def people_of(client: Client) -> Any:
    """The contacts of a client who are still there."""
    return Contact.objects.filter(client=client, is_active=True)


class LogContactForm(HouseForm, forms.Form):
    """Whom, when, by which channel, what was said, what came of it, what comes next."""

    key = OnceField()
    contact = forms.ModelChoiceField(
        label=_("With"), queryset=Contact.objects.none(), required=False, empty_label=_("Somebody else")
    )
    with_whom = forms.CharField(label=_("Somebody else: name"), required=False, max_length=150)
    happened_at = forms.DateTimeField(
        label=_("When"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    )
    channel = forms.ChoiceField(label=_("How"), choices=ContactLog.CHANNELS, initial="call")
    direction = forms.ChoiceField(label=_("Direction"), choices=ContactLog.DIRECTIONS, initial="out")
    outcome = forms.ChoiceField(label=_("What came of it"), choices=[("", ""), *CALL_OUTCOMES])
    said = forms.CharField(label=_("What was said"), required=False, widget=forms.Textarea)
    right_name = forms.CharField(label=_("Name"), required=False, max_length=120)
    right_email = forms.EmailField(label=_("E-mail"), required=False)
    right_phone = forms.CharField(label=_("Telephone"), required=False, max_length=40)
    next_step = forms.CharField(label=_("Next step"), required=False, max_length=200)
    next_on = forms.DateField(label=_("On"), required=False, widget=forms.DateInput)
    save_label = _("Save")
    rows = (
        ("contact", "with_whom"), ("happened_at", "channel", "direction"), "outcome", "said",
        ("next_step", "next_on"),
        Section(_("If it was the wrong person: who is the right one?"), [("right_name", "right_email", "right_phone")]),
    )  # fmt: skip

    def __init__(self, *args: Any, client: Client, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = self.fields["contact"]
        assert isinstance(people, forms.ModelChoiceField)
        people.queryset = people_of(client)
        self.zone = client.company.zone
        self.fields["contact"].initial = people.queryset.first()
        self.fields["happened_at"].initial = timezone.localtime(timezone.now(), self.zone).replace(tzinfo=None)

    def clean_happened_at(self) -> dt.datetime:
        """The time on the wall of the company."""
        wall: dt.datetime = self.cleaned_data["happened_at"]
        return wall.replace(tzinfo=self.zone)

    def facts(self) -> dict[str, Any]:
        """What the verb keeps."""
        given = dict(self.cleaned_data)
        right = {name: given.pop(f"right_{name}") for name in ("name", "email", "phone")}
        return given | {"right_person": right if right["name"] else None}


class NoteForm(HouseForm, forms.Form):
    """A note on the client's file."""

    key = OnceField()
    said = forms.CharField(label=_("Note"), widget=forms.Textarea)
    next_step = forms.CharField(label=_("Next step"), required=False, max_length=200)
    next_on = forms.DateField(label=_("On"), required=False, widget=forms.DateInput)
    rows = ("said", ("next_step", "next_on"))


class PauseForm(HouseForm, forms.Form):
    """Why and until when nobody is reminded."""

    invoice = forms.ModelChoiceField(
        label=_("What"), queryset=Invoice.objects.none(), required=False, empty_label=_("Everything of this client")
    )
    reason = forms.CharField(label=_("Why"), max_length=300)
    until = forms.DateField(label=_("Until, that day included"), widget=forms.DateInput)
    save_label = _("Pause reminders")
    rows = ("invoice", "reason", "until")

    def __init__(self, *args: Any, client: Client, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer_open(self, client)


class PromiseForm(HouseForm, forms.Form):
    """What the client will pay, and by when."""

    invoice = forms.ModelChoiceField(label=_("Invoice"), queryset=Invoice.objects.none(), empty_label=None)
    amount = AmountField(label=_("Will pay"))
    promised_for = forms.DateField(label=_("By"), widget=forms.DateInput)
    contact = forms.ModelChoiceField(label=_("Who said so"), queryset=Contact.objects.none(), required=False)
    save_label = _("Keep this promise in view")
    rows = ("invoice", ("amount", "promised_for"), "contact")

    def __init__(self, *args: Any, client: Client, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer_open(self, client)
        people = self.fields["contact"]
        assert isinstance(people, forms.ModelChoiceField)
        people.queryset = people_of(client)


class DisputeForm(HouseForm, forms.Form):
    """What the client says is wrong."""

    reason = forms.ChoiceField(label=_("What is wrong"), choices=Dispute.REASONS)
    text = forms.CharField(label=_("In the client's words"), widget=forms.Textarea, required=False)
    amount = AmountField(label=_("Disputed amount"), required=False, help_text=_("Empty: the whole invoice."))
    revisit_on = forms.DateField(label=_("Look again on"), widget=forms.DateInput)
    save_label = _("Mark as disputed")
    rows = ("reason", "text", ("amount", "revisit_on"))


class CloseDisputeForm(HouseForm, forms.Form):
    """How a dispute ended."""

    outcome = forms.CharField(label=_("How it ended"), widget=forms.Textarea)
    save_label = _("Close the dispute")


class StageForm(HouseForm, forms.Form):
    """Where a client stands from now on: a stage that can be reached from the one it is ``now`` at."""

    stage = forms.ChoiceField(label=_("Stage"))
    because = forms.CharField(label=_("Why"), max_length=300)
    save_label = _("Move")
    rows = ("stage", "because")

    def __init__(self, *args: Any, now: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stages, words = self.fields["stage"], dict(StageChange.STAGES)
        assert isinstance(stages, forms.ChoiceField)
        stages.choices = [(stage, capfirst(words[stage])) for stage in legal_moves(now)]


class SnoozeForm(HouseForm, forms.Form):
    """Until when a task is put off."""

    until = forms.DateField(label=_("Again on"), widget=forms.DateInput)
    save_label = _("Put off")


class AssignForm(HouseForm, forms.Form):
    """Who does it."""

    owner = forms.ModelChoiceField(
        label=_("Colleague"),
        queryset=User.objects.filter(is_staff=True, is_active=True),
        required=False,
        empty_label=_("Nobody"),
    )
    save_label = _("Hand over")


class SkipForm(HouseForm, forms.Form):
    """Why a task is left undone."""

    reason = forms.CharField(label=_("Why"), max_length=200)
    save_label = _("Skip")


def _offer_open(form: Any, client: Client) -> None:
    field = form.fields["invoice"]
    field.queryset = Invoice.objects.open().of(client).order_by("due_on")
    field.label_from_instance = _named


def _named(invoice: Invoice) -> str:
    from dashboard.templatetags.ledger import day, money

    return f"{invoice} · {money(invoice.balance, invoice.currency)} · {day(invoice.due_on)}"

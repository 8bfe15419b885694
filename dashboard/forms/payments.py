"""What the desk asks when money came in, and where it goes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from dashboard.desk import row_number
from dashboard.forms_layout import HouseForm
from dashboard.templatetags.ledger import day, money
from invoices.models import ProForma
from payments.models import Payment
from payments.services import open_claims

from .choices import currencies
from .fields import AmountField, OnceField

HOW = [
    ("oldest", _("to the oldest first")), ("exact", _("to what it matches exactly")), ("hand", _("as I write below")),
    ("none", _("to nothing yet")),
]  # fmt: skip


class AllocationFields(forms.Form):
    """One amount per open claim of a client, for «as I write below»."""

    def offer(self, client: Client, currency: str) -> None:
        """Ask for an amount beside everything the client owes in that currency."""
        self.claims = open_claims(client, currency)
        for claim in self.claims:
            self.fields[f"claim-{claim.key}"] = AmountField(required=False)

    def allocation(self) -> Any:
        """What the verb takes: a word, or the amounts by claim."""
        chosen = self.cleaned_data["how"]
        return self.by_hand() if chosen == "hand" else chosen

    def by_hand(self) -> dict[str, Decimal]:
        amounts = {claim.key: self.cleaned_data.get(f"claim-{claim.key}") for claim in self.claims}
        return {key: amount for key, amount in amounts.items() if amount}

    def rows(self) -> list[tuple[Any, Any]]:
        """Each claim with its field."""
        return [(claim, self[f"claim-{claim.key}"]) for claim in self.claims]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("how") == "hand" and not self.errors and not self.by_hand():
            self.add_error("how", _("Write an amount beside at least one of them."))
        return given


class PaymentForm(AllocationFields):
    """A payment received."""

    key = OnceField()
    amount = AmountField(label=_("Amount"))
    currency = forms.ChoiceField(label=_("Currency"), choices=currencies)
    received_on = forms.DateField(
        label=_("Received on"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    method = forms.ChoiceField(label=_("How it came"), choices=[m for m in Payment.METHODS if m[0] != "opening"])
    reference = forms.CharField(label=_("Reference"), required=False, max_length=140)
    note = forms.CharField(label=_("Note"), required=False, max_length=300)
    pro_forma = forms.ModelChoiceField(
        label=_("For the pro forma"), queryset=ProForma.objects.none(), required=False,
        empty_label=_("for none: put it to what is owed"),
        help_text=_("The money is kept for it; once all of it is here, the invoice is issued and paid."),
    )
    how = forms.ChoiceField(label=_("Put it"), choices=HOW, initial="oldest", widget=forms.RadioSelect)

    def __init__(self, *args: Any, client: Client, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = ProForma.objects.filter(invoice__client=client)
        sent = str(self.data.get("pro_forma") or "")  # stands no longer where the same form is sent twice
        standing = mine.standing() | mine.filter(pk=row_number(sent))
        chosen = self.fields["pro_forma"]
        assert isinstance(chosen, forms.ModelChoiceField)
        chosen.queryset = standing
        chosen.label_from_instance = _named  # type: ignore[method-assign, assignment]
        if not standing.exists():
            del self.fields["pro_forma"]
        self.offer(client, str(self.data.get("currency") or self.initial.get("currency") or client.currency))
        dress(self)


class AllocateForm(AllocationFields):
    """Where what is left of a payment goes."""

    how = forms.ChoiceField(label=_("Put it"), choices=HOW[:3], initial="oldest", widget=forms.RadioSelect)

    def __init__(self, *args: Any, payment: Payment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer(payment.client, payment.currency)
        dress(self)


class TakeBackForm(HouseForm, forms.Form):
    """Why a payment is taken back."""

    reason = forms.CharField(label=_("Why"), max_length=300)
    returned_by_bank = forms.BooleanField(
        label=_("The bank returned it (bounced cheque, recalled debit)"), required=False,
        help_text=_("This speaks against the client's credit. Leave it empty where it was only recorded wrongly."),
    )
    save_label = _("Take it back")


def _named(pro_forma: Any) -> str:
    return f"{pro_forma.number} · {money(pro_forma.total, pro_forma.currency)} · {day(pro_forma.pay_by)}"


def dress(form: forms.BaseForm) -> None:
    """Give fields that stand outside the house layout its classes."""
    for field in form.fields.values():
        if isinstance(field.widget, forms.RadioSelect) or field.widget.is_hidden:
            continue
        css = "form-select" if isinstance(field, forms.ChoiceField) else "form-control"
        field.widget.attrs["class"] = f"{css} n" if isinstance(field, AmountField) else css

"""The statement of account: what is open on a day with a running balance, and all that moved since a day."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from clients.models import Client
from invoices.models import (
    CUSTOMER_CREDIT,
    RECEIVABLE,
    RECEIVABLE_CHARGES,
    Charge,
    CreditNote,
    Entry,
    Invoice,
)
from payments.models import Payment
from payments.services import unapplied_cash

ACCOUNT = (RECEIVABLE, RECEIVABLE_CHARGES, CUSTOMER_CREDIT)


@dataclass(frozen=True)
class OpenRow:
    """Something open: its amount adds to the balance, money not put to anything takes from it."""

    label: str
    url: str
    issued_on: dt.date | None
    due_on: dt.date | None
    total: Decimal
    open: Decimal
    running: Decimal
    currency: str


@dataclass(frozen=True)
class Movement:
    """A document that changed what the client owes in all, and the balance after it."""

    on: dt.date
    label: str
    url: str
    amount: Decimal
    running: Decimal
    currency: str


@dataclass
class Account:
    """The account in one currency: ``opening`` is the balance at the beginning of the day the movements start."""

    currency: str
    rows: list[OpenRow] = field(default_factory=list)
    opening: Decimal = Decimal(0)
    movements: list[Movement] = field(default_factory=list)

    @property
    def balance(self) -> Decimal:
        return self.rows[-1].running if self.rows else Decimal(0)

    @property
    def closing(self) -> Decimal:
        return self.movements[-1].running if self.movements else self.opening


def account_of(client: Client, *, since: dt.date, on: dt.date) -> list[Account]:
    """The account of a client, a block per currency: open today, and what moved from ``since`` to ``on``."""
    accounts: dict[str, Account] = {}

    def of(currency: str) -> Account:
        return accounts.setdefault(currency, Account(currency))

    for invoice in Invoice.objects.open().of(client).order_by("due_on", "pk"):
        url = reverse("dashboard:invoice", args=[invoice.pk])
        _add(of(invoice.currency), str(invoice), url, invoice.issued_on, invoice.due_on, invoice.total, invoice.balance)
    charges = Charge.objects.open().filter(client=client).select_related("invoice").order_by("charged_on", "pk")
    for charge in charges:
        label = f"{charge.get_kind_display()} {charge.invoice}"
        url = reverse("dashboard:invoice", args=[charge.invoice_id]) + "#charges"
        _add(of(charge.currency), label, url, charge.charged_on, None, charge.amount, charge.balance)
    for currency, held in unapplied_cash(client).items():
        url = reverse("dashboard:payments") + f"?client={client.pk}&tab=left"
        _add(of(currency), _("Payments received, not put to anything yet"), url, None, None, -held, -held)
    _movements(client, since, on, of)
    return [accounts[currency] for currency in sorted(accounts)]


def _add(
    account: Account, label: str, url: str, issued_on: dt.date | None, due_on: dt.date | None, total: Decimal,
    amount: Decimal,
) -> None:
    running = account.balance + amount
    account.rows.append(OpenRow(label, url, issued_on, due_on, total, amount, running, account.currency))


def _movements(client: Client, since: dt.date, on: dt.date, of: object) -> None:
    """Entries by document and day; what only moves money from one claim to another changes nothing and is no row."""
    ours = Q(dr__in=ACCOUNT) | Q(cr__in=ACCOUNT)
    entries = Entry.objects.filter(ours, client=client, effective_on__lte=on).order_by("effective_on", "pk")
    moved: dict[tuple[str, dt.date, str, bool], Decimal] = defaultdict(Decimal)
    read = entries.values_list("currency", "effective_on", "doc", "dr", "cr", "amount", "reverses")
    for currency, day, doc, dr, cr, amount, reverses in read:
        moved[currency, day, doc, reverses is not None] += amount * ((dr in ACCOUNT) - (cr in ACCOUNT))
    named = _names({doc for (_c, day, doc, _r), amount in moved.items() if amount and day >= since})
    for (currency, day, doc, is_back), amount in moved.items():
        if not amount:
            continue
        account = of(currency)  # type: ignore[operator]
        if day < since:
            account.opening += amount
            continue
        label, url = named.get(doc, (doc, ""))
        label = _("%(what)s, taken back") % {"what": label} if is_back else label
        account.movements.append(Movement(day, label, url, amount, account.closing + amount, currency))


def _names(docs: set[str]) -> dict[str, tuple[str, str]]:
    """What each document is called, and where it stands."""
    keys: dict[str, list[int]] = defaultdict(list)
    for doc in docs:
        kind, _colon, pk = doc.partition(":")
        if pk.isdecimal():
            keys[kind].append(int(pk))
    found: dict[str, tuple[str, str]] = {}
    for invoice in Invoice.objects.filter(pk__in=keys["invoice"]):
        label = _("Invoice %(number)s") % {"number": invoice}
        found[f"invoice:{invoice.pk}"] = label, reverse("dashboard:invoice", args=[invoice.pk])
    for note in CreditNote.objects.filter(pk__in=keys["credit_note"]).select_related("invoice"):
        label = _("Credit note %(number)s for %(invoice)s") % {"number": note, "invoice": note.invoice}
        found[f"credit_note:{note.pk}"] = label, reverse("dashboard:credit_note", args=[note.pk])
    for payment in Payment.objects.filter(pk__in=keys["payment"]):
        label = " ".join(filter(None, [_("Payment"), payment.reference]))
        found[f"payment:{payment.pk}"] = label, reverse("dashboard:payment", args=[payment.pk])
    for charge in Charge.objects.filter(pk__in=keys["charge"]).select_related("invoice"):
        label = f"{charge.get_kind_display()} {charge.invoice}".capitalize()
        found[f"charge:{charge.pk}"] = label, reverse("dashboard:invoice", args=[charge.invoice_id]) + "#charges"
    return found

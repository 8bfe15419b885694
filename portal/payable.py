"""What a client can pay on a day: the sums of an invoice, and the claims of all that is open.

A form names a choice or a claim; how much that is, is worked out here.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal

from clients.models import Client
from disputes.models import Dispute
from invoices.models import Charge, Invoice
from invoices.services.parts import Due, EarlyPayment, due_of, early_payment_of, early_payments_of, parts_of_many
from payments.models import Checkout

NOTHING = Decimal(0)


@dataclass(frozen=True)
class Choice:
    """One sum that can be paid at once: «early», «due» (the part due now), «whole» or «charges» (with interest)."""

    what: str
    amount: Decimal
    claims: dict[str, Decimal]


@dataclass(frozen=True)
class Owed:
    """A claim on the statement: its key, what is paid by paying it today, and what stands in the way, if anything.

    ``due`` is what of an invoice is due now and what later; None of a charge.
    """

    key: str
    invoice: Invoice
    charge: Charge | None
    currency: str
    amount: Decimal
    open: Decimal
    early: EarlyPayment | None
    is_disputed: bool
    in_flight: Decimal
    due: Due | None = None

    @property
    def is_chosen(self) -> bool:
        """Whether it is ticked before the client has chosen: not what they dispute, not what is on its way."""
        return not self.is_disputed and not self.in_flight


def choices_of(invoice: Invoice, on: dt.date) -> tuple[Choice, ...]:
    """The sums of an invoice that can be paid at once on a day, the most sensible first; none once nothing is owed."""
    if invoice.balance == 0 or invoice.voided_at is not None:
        return ()
    key, early, due = f"invoice:{invoice.pk}", early_payment_of(invoice, on), due_of(invoice, on)
    sums = [("early", early.pay)] if early else []
    if due.later and due.now:
        sums.append(("due", due.now))
    if not early:
        sums.append(("whole", invoice.balance))
    found = [Choice(what, amount, {key: amount}) for what, amount in sums]
    charges = {f"charge:{charge.pk}": charge.balance for charge in open_charges(invoice)}
    if charges and not early:
        claims = {key: invoice.balance} | charges
        found.append(Choice("charges", sum(claims.values(), NOTHING), claims))
    return tuple(found)


def open_charges(invoice: Invoice) -> list[Charge]:
    """Interest and fees on an invoice that are not paid."""
    return list(Charge.objects.open().filter(invoice=invoice).order_by("pk"))


def owed_by(client: Client, on: dt.date) -> list[Owed]:
    """All that a client owes on a day, invoice by invoice as they fall due, each with the charges on it."""
    invoices = list(Invoice.objects.open().of(client).select_related("company").order_by("due_on", "pk"))
    disputed = set(
        Dispute.objects.open_on(on).filter(invoice__client=client).values_list("invoice", flat=True)
    )
    flying, parts, offers = in_flight(client), parts_of_many(invoices), early_payments_of(invoices, on)
    found = []
    for invoice in invoices:
        early, due = offers.get(invoice.pk), due_of(invoice, on, parts[invoice.pk])
        key, amount = f"invoice:{invoice.pk}", early.pay if early else due.now or invoice.balance
        found.append(Owed(
            key, invoice, None, invoice.currency, amount, invoice.balance, early, invoice.pk in disputed,
            flying.get(key, NOTHING), due,
        ))  # fmt: skip
    charges = Charge.objects.open().filter(client=client).select_related("invoice")
    for charge in charges.order_by("invoice__due_on", "pk"):
        key = f"charge:{charge.pk}"
        found.append(Owed(
            key, charge.invoice, charge, charge.currency, charge.balance, charge.balance, None,
            charge.invoice_id in disputed, flying.get(key, NOTHING),
        ))  # fmt: skip
    return found


def chosen_of(owed: Iterable[Owed], keys: Collection[str]) -> list[Owed]:
    """What of it was chosen, in one currency: that of the first. What is no claim of this client is nothing."""
    mine = [claim for claim in owed if claim.key in set(keys)]
    return [claim for claim in mine if claim.currency == mine[0].currency]


def in_flight(client: Client) -> dict[str, Decimal]:
    """What the client has paid at a provider whose last word is still to come, by claim key."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for split in Checkout.objects.in_flight().filter(client=client).values_list("split", flat=True):
        for key, amount in split.items():
            found[key] += Decimal(str(amount))
    return dict(found)

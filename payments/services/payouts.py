"""A provider pays out what it held: net to the bank, its fee to the cost of collecting, payment by payment."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _

from core.errors import Refused
from core.money import plain
from invoices.models import BANK, COLLECTION_COST, clearing
from invoices.services.ledger import NewEntry, post_entries

from ..models import Payment
from ..providers import Heard, PayoutLine
from .allocating import doc_of


def post_payout(name: str, heard: Heard, *, by: str) -> tuple[str, bool]:
    """Post what a payout is made of; answers in words, and whether every line belonged to a payment of ours.

    Refused where the lines do not come to the payout; posted twice it changes nothing.
    """
    total = sum((line.net for line in heard.lines), Decimal(0))
    if total != heard.amount:
        raise Refused(
            _("The payout %(payout)s is %(said)s %(currency)s, its lines come to %(lines)s.") % {
                "payout": heard.about, "said": plain(heard.amount or Decimal(0), heard.currency),
                "currency": heard.currency, "lines": plain(total, heard.currency),
            },
            code="payout",
        )
    refs = {line.payment_ref for line in heard.lines if line.payment_ref}
    mine = Payment.objects.filter(checkout__provider=name, reference__in=refs).select_related("client", "company")
    payments = {payment.reference: payment for payment in mine}
    entries: list[NewEntry] = []
    strange = Decimal(0)
    for line in heard.lines:
        payment = payments.get(line.payment_ref)
        if payment is None or payment.currency != line.currency:
            strange += line.net
        else:
            entries += _entries(name, heard, line, payment)
    post_entries(entries, by)
    if len(entries) == 0 or strange or any(line.payment_ref not in payments for line in heard.lines):
        return (
            _("Paid out %(payout)s; %(sum)s %(currency)s of it belongs to no payment of ours.") % {
                "payout": heard.about, "sum": plain(strange, heard.currency), "currency": heard.currency
            },
            False,
        )
    return _("Paid out: %(n)d payments.") % {"n": len(refs)}, True


def _entries(name: str, heard: Heard, line: PayoutLine, payment: Payment) -> list[NewEntry]:
    day = max(heard.happened_at.astimezone(payment.company.zone).date(), payment.received_on)

    def entry(what: str, kind: str, account: str, amount: Decimal) -> NewEntry:
        dr, cr = (account, clearing(name)) if amount > 0 else (clearing(name), account)
        return NewEntry(
            key=f"payout:{name}:{line.ref}:{what}", doc=doc_of(payment), kind=kind, client=payment.client, dr=dr, cr=cr,
            amount=abs(amount), currency=line.currency, effective_on=day, memo=heard.about,
        )

    wanted = [("net", "payout", BANK, line.net), ("fee", "provider_fee", COLLECTION_COST, line.fee)]
    return [entry(what, kind, account, amount) for what, kind, account, amount in wanted if amount]

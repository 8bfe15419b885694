"""Case 23, the good side of it: a client on cash-only orders, pays in advance, and is served.

«Prepaid work passes on hold; delivered work stays invoiceable» (erpnext#37888, #33967, #41426). The order becomes a pro
forma; the client reads it, pays it in two parts, and the second part issues the invoice by itself. What had been
delivered before is invoiced all the same, by somebody who may.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client as Browser
from django.utils import timezone

from clients.services.status import set_status
from core.errors import Refused
from invoices.models import CompletedWork, Invoice, ShareLink
from invoices.services.exposure import exposure_of
from invoices.services.issuing import issue_invoice
from invoices.services.linking import token_of
from invoices.services.pro_forma import make_pro_forma, send_pro_forma
from invoices.services.work import Done, days_to_invoice, record_work
from invoices.services.work_invoicing import invoice_work
from outbox.models import Message
from outbox.services import deliver
from payments.services import unapplied_cash
from tests.cast import CLERK, invoice_due, make_draft, pay

pytestmark = pytest.mark.django_db

MONDAY = dt.date(2026, 11, 16)
DAY = dt.timedelta(days=1)


def at(on: dt.date, hour: int = 10):
    return time_machine.travel(dt.datetime.combine(on, dt.time(hour), tzinfo=dt.UTC), tick=False)


def test_a_client_on_cash_only_orders_pays_in_advance_and_is_served(late_client):
    company, cash = late_client.company, Decimal
    with at(MONDAY):
        cache.clear()
        old = invoice_due(late_client, MONDAY - 70 * DAY, "900")
        set_status(
            late_client, "cash_only", because="70 days overdue", source="policy", on=MONDAY, by="system",
        )

        # They call and order. On credit it does not go; the sentence says so.
        order = make_draft(late_client, "1000", tax="19", po_number="PO-7731")
        with pytest.raises(Refused) as refused:
            issue_invoice(order, on=MONDAY, by=CLERK)
        assert refused.value.code == "cash_only"

        # In advance it does: the pro forma goes out by mail, with its paper and its page.
        pro_forma = make_pro_forma(order, MONDAY + 14 * DAY, on=MONDAY, by=CLERK)
        message = send_pro_forma(pro_forma, on=MONDAY, by=CLERK, not_before=timezone.now())
        deliver(timezone.now())
        message.refresh_from_db()
        assert message.state == "sent" and "not an invoice" in " ".join(message.text.split())
        link = ShareLink.objects.get(kind="pro_forma")
        page = Browser().get(f"/p/{link.pk}/{token_of(link)}/").content.decode()
        assert pro_forma.number in page and "€1,190.00" in page
        assert exposure_of(late_client, "EUR", MONDAY).total == 900, "nothing is owed by it"

    # They pay half on Wednesday: it is kept for the order, though an old invoice is open.
    wednesday = MONDAY + 2 * DAY
    with at(wednesday):
        pay(late_client, "590", on=wednesday, pro_forma=pro_forma)
        old.refresh_from_db()
        order.refresh_from_db()
        assert (old.balance, order.issued_at) == (900, None)
        assert unapplied_cash(late_client) == {"EUR": cash(590)}

    # The rest comes on Friday, ten euros too much: the invoice is issued and paid in the same act.
    friday = MONDAY + 4 * DAY
    with at(friday):
        pay(late_client, "610", on=friday, pro_forma=pro_forma)
        invoice = Invoice.objects.get(pk=order.pk)
        assert (invoice.issued_on, invoice.total, invoice.balance) == (friday, 1190, 0)
        assert invoice.number and invoice.number != pro_forma.number
        assert unapplied_cash(late_client) == {"EUR": cash(10)}
        page = Browser().get(f"/p/{link.pk}/{token_of(link)}/").content.decode()
        assert f"It became the invoice {invoice.number}" in page

        # What was delivered before waits on the list; the night may not invoice it, somebody who may does.
        work = record_work(
            late_client, Done("Repair of the grinder", MONDAY, cash(120)), on=friday, by=CLERK
        )
        (left,) = invoice_work(company, on=friday, by="system").left
        assert left.code == "cash_only" and CompletedWork.objects.waiting().get() == work
        boss = User.objects.create_superuser("boss", password="correct horse battery")
        (repaired,) = invoice_work(company, on=friday, by=boss).invoices
        assert (repaired.total, repaired.due_on) == (120, friday + 30 * DAY)
        (month,) = days_to_invoice(company, friday)
        assert (month.count, month.mean) == (1, 4)

        # And the books are in order.
        assert Message.objects.filter(state="failed").count() == 0
        call_command("check_ledger", "--json")

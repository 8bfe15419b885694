"""Cases 11 and 12: what was paid, credited, disputed and agreed stands at the item, in the mail and on paper.

Part-paid: total, paid and balance (OCA #330, #380, InvoiceShelf#297). Credits and unapplied cash are taken off and
listed (OCA #211, #283); nothing is asked where nothing is left; void and drafts are never counted (killbill#444).
"""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal

import pypdf
import pytest

from ar_collections.models import Served
from core.services import read_file
from disputes.services import open_dispute
from invoices.models import Extension, Invoice
from invoices.services.issuing import void_invoice
from outbox.models import Message
from payments.services import issue_credit_note
from tests.cast import CLERK, invoice_due, make_draft, pay
from tests.collecting import a_day, sent_to, served

pytestmark = pytest.mark.django_db

ON = dt.date(2026, 11, 18)  # a Wednesday


def ago(days: int) -> dt.date:
    return ON - dt.timedelta(days=days)


def credit(invoice: Invoice, share: str) -> None:
    issue_credit_note(invoice, {1: Decimal(share)}, reason="Fewer hours", key="c1", on=ago(2), by=CLERK)


def in_pdf(message: Message) -> str:
    (letter,) = [file for file in message.attachments if file["name"].startswith("letter")]
    return " ".join(pypdf.PdfReader(io.BytesIO(read_file(letter["sha256"]))).pages[0].extract_text().split())


def test_total_paid_credited_disputed_and_balance_stand_at_the_item_in_mail_and_letter(late_client):
    """1,000: 200 credited, 300 paid, 100 disputed: 400 are asked for, and the letter says where the rest is."""
    invoice = invoice_due(late_client, ago(21))
    Served.objects.create(invoice=invoice, step="reminder_1", channel="mail", on=ago(13))
    credit(invoice, "0.2")
    pay(late_client, "300", on=ago(2), how={f"invoice:{invoice.pk}": Decimal(300)})
    open_dispute(invoice, reason="price", text="too many hours", amount=Decimal(100), on=ago(1), by="client")
    a_day(late_client.company, ON)
    (message,) = sent_to(late_client)
    assert served(invoice)[-1] == ("reminder_2", ON), "the part payment keeps stage and history"
    assert f"{invoice}: €400.00 (of €1,000.00, paid €300.00, credited €200.00, disputed €100.00)" in message.text
    letter = in_pdf(message)
    for said in ("paid -€300.00", "credited -€200.00", "disputed -€100.00", "€400.00"):
        assert said in letter
    assert "-€400.00" not in letter, "what is disputed was never paid"


def test_unapplied_cash_is_netted_and_listed_beside_a_second_invoice(late_client):
    first, second = invoice_due(late_client, ago(1), "500"), invoice_due(late_client, ago(1), "300")
    pay(late_client, "450", on=ago(1), how="none")
    a_day(late_client.company, ON)
    (message,) = sent_to(late_client)
    assert f"{first}: €500.00" in message.text and f"{second}: €300.00" in message.text
    assert "Payment received, not yet assigned: -€450.00" in message.text and "Total: €350.00" in message.text
    assert "€350.00" in message.subject


@pytest.mark.parametrize(("paid", "asked"), [("999.99", True), ("1000", False), ("1000.01", False)])
def test_nothing_is_asked_where_the_net_is_zero_or_less(late_client, paid, asked):
    invoice_due(late_client, ago(1))
    pay(late_client, paid, on=ago(1), how="none")
    a_day(late_client.company, ON)
    assert bool(sent_to(late_client)) is asked


def test_money_that_comes_before_the_mail_leaves_takes_the_whole_mail_away(late_client):
    invoice_due(late_client, ago(1))
    a_day(late_client.company, ON, send=False)
    pay(late_client, "1000", on=ON, how="none")
    a_day(late_client.company, ON)
    assert sent_to(late_client) == [] and not Served.objects.exists()


def test_void_credited_and_draft_are_never_counted(late_client):
    void = invoice_due(late_client, ago(1), "111")
    void_invoice(void, reason="wrong client", on=ago(1), by=CLERK)
    credited = invoice_due(late_client, ago(1), "222")
    credit(credited, "1")
    make_draft(late_client, "333")
    owed = invoice_due(late_client, ago(1), "444")
    a_day(late_client.company, ON)
    (message,) = sent_to(late_client)
    assert "Total: €444.00" in message.text and str(owed) in message.text
    assert str(void) not in message.text and str(credited) not in message.text


def test_time_that_was_agreed_stands_at_the_item_once_it_has_run_out(late_client):
    invoice = invoice_due(late_client, ago(30))
    Extension.objects.create(
        invoice=invoice, until_on=ago(1), reason="new till", agreed_on=ago(25), agreed_by=CLERK, interest="runs"
    )
    a_day(late_client.company, ON)
    (message,) = sent_to(late_client)
    assert "pay by 17 November 2026, agreed on 24 October 2026" in message.text

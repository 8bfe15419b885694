"""A problem client: told, put on cash-only, a prepaid order passes, everything is cleared, and credit is back.

Harbour Lane Coffee lets an invoice stand. The policy takes its credit away on the sixtieth day, and a kind letter says
so. Nothing new is sold on credit; an order that is paid in advance goes through. The day the debt is paid the client
has its credit back and is told that too.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from clients.services.status import status_of
from core.errors import Refused
from invoices.services.issuing import issue_invoice
from invoices.services.pro_forma import make_pro_forma
from outbox.models import Message
from payments.services import record_payment
from tests.cast import CLERK, invoice_due, make_draft, pay
from tests.collecting import a_day, sent_to

pytestmark = pytest.mark.django_db

DUE = dt.date(2026, 9, 18)
DAY = dt.timedelta(days=1)


def letters(client):
    return list(Message.objects.filter(kind="credit_notice", state="sent", party=f"client:{client.pk}").order_by("pk"))


def test_from_a_bad_debt_to_credit_again(late_client):
    company = late_client.company
    debt, small = invoice_due(late_client, DUE, "4000"), invoice_due(late_client, DUE + 50 * DAY, "300")

    # Two weeks late the client is watched, and nobody writes about that; it still buys.
    a_day(company, DUE + 15 * DAY)
    assert status_of(late_client, DUE + 15 * DAY).status == "watch" and letters(late_client) == []
    issue_invoice(make_draft(late_client, "100"), on=DUE + 15 * DAY, by=CLERK)

    # On the sixtieth day credit ends. The letter is kind, names what is open, and says until when.
    sixtieth = DUE + 60 * DAY
    reminders = len(sent_to(late_client))
    a_day(company, sixtieth)
    standing = status_of(late_client, sixtieth)
    assert (standing.status, standing.because) == ("cash_only", "60 days overdue (from 60)")
    begins, = letters(late_client)
    words = " ".join(begins.text.split())
    assert begins.key == f"credit:{standing.pk}" and begins.subject == "For now, new orders against payment in advance"
    assert "Until all outstanding invoices are cleared" in words and "you can buy on credit again" in words
    assert str(debt) in words and str(small) in words and [a["name"][-4:] for a in begins.attachments] == [".pdf"]
    assert len(sent_to(late_client)) in (reminders, reminders + 1)

    # A new order on credit is refused; paid in advance it goes through.
    order = make_draft(late_client, "750")
    with pytest.raises(Refused) as refused:
        issue_invoice(order, on=sixtieth, by=CLERK)
    assert refused.value.code == "cash_only"
    pro_forma = make_pro_forma(order, sixtieth + 7 * DAY, on=sixtieth, by=CLERK)
    record_payment(
        late_client, Decimal(750), "EUR", received_on=sixtieth + DAY, key="prepaid", by=CLERK, pro_forma=pro_forma,
        on=sixtieth + DAY,
    )
    order.refresh_from_db()
    assert order.issued_on == sixtieth + DAY and order.balance == 0
    a_day(company, sixtieth + DAY)
    assert status_of(late_client, sixtieth + DAY).status == "cash_only"  # the money was for the order, not the debt

    # Part of the debt is not all of it; then everything overdue is cleared, and the same day credit is back.
    pay(late_client, "4000", on=sixtieth + 2 * DAY)
    a_day(company, sixtieth + 2 * DAY)
    assert status_of(late_client, sixtieth + 2 * DAY).status == "cash_only"
    pay(late_client, "400", on=sixtieth + 3 * DAY)
    a_day(company, sixtieth + 3 * DAY)
    standing = status_of(late_client, sixtieth + 3 * DAY)
    assert (standing.status, standing.because) == ("open", "Everything overdue is cleared")
    _begins, ends = letters(late_client)
    assert ends.subject == "You can buy on credit again" and ends.key == f"credit:{standing.pk}"
    assert issue_invoice(make_draft(late_client, "750"), on=sixtieth + 3 * DAY, by=CLERK).balance == 750

    # Nobody is told twice.
    for n in (4, 6, 7):
        a_day(company, sixtieth + n * DAY)
    assert len(letters(late_client)) == 2

"""Case 10: disputes by part (community.invoiceplane.com/t/topic/2309; YayPay: a dispute does *not* exclude by default).

The disputed part leaves the ladder and the rest goes on; interest runs on what is not disputed. What is upheld becomes
a credit note; what is rejected is chased again where the ladder had come to meanwhile: the time counts.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from ar_collections.services.explaining import explain
from audit.models import Event
from disputes.services import close_dispute, open_dispute
from invoices.services.charging import accrued, give_interest_notice
from payments.services import issue_credit_note
from tests.cast import CLERK, invoice_due
from tests.collecting import DAY, a_day, days_pass, sent_to, served

pytestmark = pytest.mark.django_db

DUE = dt.date(2026, 11, 9)  # a Monday
LATE = DUE + DAY


def verdicts(client, on: dt.date) -> set[str]:
    return {step["verdict"] for step in explain(client, on)["steps"]}


def test_the_disputed_part_leaves_the_ladder_and_the_rest_goes_on(late_client):
    invoice = invoice_due(late_client, DUE)
    open_dispute(invoice, reason="price", text="400 too much", amount=Decimal(400), on=DUE, by="client")
    days_pass(late_client.company, LATE, LATE + 7 * DAY)
    first, second = sent_to(late_client)
    assert [(step, on) for step, on in served(invoice)] == [("first_overdue", LATE), ("reminder_1", LATE + 7 * DAY)]
    for message in (first, second):
        assert "€600.00" in message.subject and "€1,000.00" not in message.subject
        assert "€400.00" in message.text, "what is disputed is named and not asked for"


def test_wholly_disputed_it_is_not_reminded_of_and_its_sibling_is(late_client):
    disputed, other = invoice_due(late_client, DUE), invoice_due(late_client, DUE, "250")
    open_dispute(disputed, reason="delivery", text="nothing came", on=DUE, by="client")
    days_pass(late_client.company, LATE, LATE + 7 * DAY)
    assert served(disputed) == [] and len(served(other)) == 2
    assert all(str(disputed) not in message.text for message in sent_to(late_client))
    assert "dispute" in verdicts(late_client, LATE + 7 * DAY)


def test_rejected_it_goes_on_where_the_time_has_brought_it(late_client):
    """Twenty days were lost to nobody: it is not the first friendly step that comes then."""
    invoice = invoice_due(late_client, DUE)
    dispute = open_dispute(invoice, reason="price", text="too much", on=DUE, by="client")
    on = LATE + 9 * DAY
    days_pass(late_client.company, LATE, on)
    assert served(invoice) == []
    close_dispute(dispute, outcome="rejected", on=on, by=CLERK)
    days_pass(late_client.company, on, on + DAY)
    assert [step for step, _on in served(invoice)] == ["reminder_1"], "the furthest step reached, and only that one"
    (message,) = sent_to(late_client)
    assert "€1,000.00" in message.subject


def test_a_dispute_raised_after_a_reminder_keeps_what_was_served(late_client):
    invoice = invoice_due(late_client, DUE)
    a_day(late_client.company, LATE)
    dispute = open_dispute(invoice, reason="price", text="too much", on=LATE, by="client")
    days_pass(late_client.company, LATE + DAY, LATE + 8 * DAY)
    close_dispute(dispute, outcome="rejected", on=LATE + 8 * DAY, by=CLERK)
    days_pass(late_client.company, LATE + 8 * DAY, LATE + 9 * DAY)
    assert [step for step, _on in served(invoice)] == ["first_overdue", "reminder_1"]


def test_a_dispute_is_opened_and_closed_once(late_client):
    invoice = invoice_due(late_client, DUE)
    first = open_dispute(invoice, reason="price", text="one", amount=Decimal(300), on=DUE, by="client")
    assert open_dispute(invoice, reason="price", text="again", amount=Decimal(200), on=DUE, by="client") == first
    a_day(late_client.company, LATE)
    assert "€700.00" in sent_to(late_client)[0].subject
    closed = close_dispute(first, outcome="rejected", on=LATE, by=CLERK)
    assert close_dispute(first, outcome="something else", on=LATE + DAY, by="another").closed_by == closed.closed_by
    assert Event.objects.filter(action="dispute_closed").count() == 1


def test_upheld_it_becomes_a_credit_note_and_only_the_rest_is_asked_for(late_client):
    invoice = invoice_due(late_client, DUE)
    dispute = open_dispute(invoice, reason="price", text="400 too much", amount=Decimal(400), on=DUE, by="client")
    a_day(late_client.company, LATE)
    note = issue_credit_note(invoice, {1: Decimal("0.4")}, reason="400 too much", key="c1", on=LATE + DAY, by=CLERK)
    close_dispute(dispute, outcome=f"upheld: credit note {note}", on=LATE + DAY, by=CLERK)
    invoice.refresh_from_db()
    assert invoice.balance == 600
    days_pass(late_client.company, LATE + DAY, LATE + 8 * DAY)
    last = sent_to(late_client)[-1]
    assert last.on == LATE + 7 * DAY and "€600.00" in last.subject
    assert [step for step, _on in served(invoice)] == ["first_overdue", "reminder_1"]
    assert "credited €400.00" in last.text


def interest(client, *, share: str, amount: int | None) -> Decimal:
    """By day 40 on 1,000 at 12 %, 400 of it (or none) disputed from day 5 to day 20 and credited or not."""
    invoice = invoice_due(client, DUE)
    give_interest_notice(invoice, interest_from=LATE, on=DUE, by=CLERK)
    if amount:
        dispute = open_dispute(invoice, reason="price", text="x", amount=Decimal(amount), on=DUE + 5 * DAY, by="client")
        if Decimal(share):
            issue_credit_note(
                invoice, {1: Decimal(share)}, reason="x", key=f"c{invoice.pk}", on=DUE + 20 * DAY, by=CLERK
            )
        close_dispute(dispute, outcome="settled", on=DUE + 20 * DAY, by=CLERK)
    return accrued(invoice, DUE + 40 * DAY).interest.total


def test_upheld_bears_interest_from_the_first_day_on_the_rest_only_and_rejected_on_everything(late_client):
    whole, upheld = interest(late_client, share="0", amount=None), interest(late_client, share="0.4", amount=400)
    assert whole == Decimal("13.15")  # 1,000 x 12 % x 40 / 365
    assert upheld == Decimal("7.89")  # 600 x 12 % x 40 / 365
    assert interest(late_client, share="0", amount=400) == whole, "the time of a rejected dispute counts"

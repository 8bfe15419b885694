"""The words of a reminder are true of the items they speak of: sum, number, day and count, whatever rides along."""

from __future__ import annotations

import datetime as dt

import pytest

from ar_collections.models import Served
from tests.cast import invoice_due, pay
from tests.collecting import a_day, sent_to

pytestmark = pytest.mark.django_db

ON = dt.date(2026, 11, 18)  # a Wednesday
ALL_IN = "With what else is listed below, {} is open."


def ago(days: int) -> dt.date:
    return ON - dt.timedelta(days=days)


def served_with(invoice, *steps: str) -> None:
    for place, step in enumerate(steps):
        Served.objects.create(invoice=invoice, step=step, channel="mail", on=ago(20 - 4 * place))


def mail_of(client):
    a_day(client.company, ON)
    (message,) = sent_to(client)
    return message


def test_an_invoice_sent_again_is_asked_for_alone_and_the_rest_is_named_beside_it(late_client):
    again, other = invoice_due(late_client, ago(30), "2152.50"), invoice_due(late_client, ago(10), "2000")
    served_with(again, "reminder_1", "reminder_2")
    served_with(other, "reminder_1")
    mail = mail_of(late_client)
    assert mail.subject == f"Invoice {again} sent again: please pay €2,152.50"
    assert "€2,152.50 is still unpaid; it was due on 19 October 2026." in mail.text
    assert ALL_IN.format("€4,152.50") in mail.text and str(other) in mail.text


def test_what_is_not_due_yet_is_not_said_to_be_overdue(late_client):
    """One invoice is friendly asked for, another falls due in a week."""
    late, soon = invoice_due(late_client, ago(1), "1450"), invoice_due(late_client, ago(-7), "2295")
    mail = mail_of(late_client)
    assert mail.subject == f"Invoice {late} was due on 17 November 2026: €1,450.00"
    assert ALL_IN.format("€3,745.00") in mail.text and str(soon) in mail.text


def test_two_that_are_overdue_are_two_although_one_of_them_was_reminded_of_before(late_client):
    """The older one has had its reminder; the sum is of both, and so are count and day."""
    older, new = invoice_due(late_client, ago(12), "2435"), invoice_due(late_client, ago(8), "5680")
    served_with(older, "first_overdue", "reminder_1")
    mail = mail_of(late_client)
    assert mail.subject == "Reminder: €8,115.00 overdue"
    assert "€8,115.00 is overdue, the oldest item since 6 November 2026." in mail.text
    assert "is open." not in mail.text and str(new) in mail.text


def test_a_look_ahead_speaks_of_what_is_still_to_fall_due(late_client):
    older, soon = invoice_due(late_client, ago(12), "435"), invoice_due(late_client, ago(-7), "2295")
    served_with(older, "first_overdue", "reminder_1")
    mail = mail_of(late_client)
    assert mail.subject == f"Invoice {soon} is due on 25 November 2026: €2,295.00"
    assert "€2,295.00 is due on 25 November 2026." in mail.text and ALL_IN.format("€2,730.00") in mail.text


def test_unapplied_cash_is_taken_off_the_oldest_first(late_client):
    """300 lie on the account: the overdue 200 would be covered, and so would 100 of the one sent again."""
    again, other = invoice_due(late_client, ago(30), "1000"), invoice_due(late_client, ago(40), "200")
    served_with(other, "first_overdue", "reminder_1", "reminder_2", "reissue")
    served_with(again, "reminder_1", "reminder_2")
    pay(late_client, "300", how="none", on=ago(1))
    mail = mail_of(late_client)
    assert mail.subject == f"Invoice {again} sent again: please pay €900.00"
    assert "€900.00 is still unpaid" in mail.text

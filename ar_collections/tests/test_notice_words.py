"""What a reminder says of interest, compensation, fees and credit: what holds by the policy, and nothing else."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal

import pypdf
import pytest

from ar_collections.models import Served
from clients.services.status import status_of
from core.services import read_file
from invoices.models import Charge
from policies.models import ReferenceRate, Step
from policies.services import new_version, policy_of
from tests.cast import CLERK, invoice_due
from tests.collecting import a_day, sent_to

pytestmark = pytest.mark.django_db

ON = dt.date(2026, 11, 18)  # a Wednesday
DAY = dt.timedelta(days=1)


def ago(days: int) -> dt.date:
    return ON - days * DAY


def by_policy(company, by_code: dict[str, dict] | None = None, **changes) -> None:
    policy = policy_of(company, ON)
    fields = [f.name for f in Step._meta.concrete_fields if f.name not in ("id", "policy")]
    steps = [{n: getattr(s, n) for n in fields} | (by_code or {}).get(s.code, {}) for s in policy.steps.all()]
    new_version(policy, effective_from=ago(60), changes=changes, steps=steps, on=ago(90), by=CLERK)


def by_german_law(company, posted: str = "claimed") -> None:
    ReferenceRate.objects.create(
        series="de_basiszins", from_on=dt.date(2026, 7, 1), valid_through=dt.date(2026, 12, 31),
        percent=Decimal("1.27"), source="test", entered_by=CLERK,
    )
    by_policy(company, interest="DE-B2B", already_overdue="due_date", interest_posted=posted)


def served_with(invoice, *steps: str) -> None:
    for place, step in enumerate(steps):
        Served.objects.create(invoice=invoice, step=step, channel="mail", on=ago(24 - 8 * place))


def test_by_law_a_letter_says_since_when_we_are_entitled_and_by_when_it_is_not_claimed(late_client):
    by_german_law(late_client.company)
    served_with(invoice_due(late_client, ago(21)), "reminder_1")
    a_day(late_client.company, ON)
    (message,) = sent_to(late_client)
    assert (
        "By law we are entitled to interest for late payment since 29 October 2026; we claim it unless you pay by "
        "25 November 2026." in message.text
    )
    assert "as the terms of the invoice say" not in message.text and not Charge.objects.exists()


def test_interest_that_is_charged_each_month_is_not_said_to_be_claimed_later(late_client):
    by_german_law(late_client.company, "month_end")
    served_with(invoice_due(late_client, ago(21)), "reminder_1")
    a_day(late_client.company, ON)
    (message,) = sent_to(late_client)
    assert "entitled to interest for late payment since 29 October 2026." in message.text
    assert "unless" not in message.text and Charge.objects.exists()


def test_what_a_final_notice_claims_by_law_is_what_is_charged_and_stands_in_mail_letter_and_annex(late_client):
    by_german_law(late_client.company)
    invoice = invoice_due(late_client, ago(45))
    served_with(invoice, "reminder_1", "reminder_2", "reissue")
    a_day(late_client.company, ON)
    (message,) = sent_to(late_client)
    charged = {"interest": Decimal(0), "compensation": Decimal(0)}
    for charge in Charge.objects.filter(invoice=invoice):
        charged[charge.kind] += charge.amount
    assert charged == {"interest": Decimal("12.66"), "compensation": Decimal(40)}, "45 days at 10.27 %"
    total = Decimal(1000) + sum(charged.values())
    assert f"Total: €{total:,.2f}" in message.text and f"€{total:,.2f}" in message.subject
    assert "interest of €12.66 and a fixed compensation of €40.00" in message.text
    assert "In spite of our reminders €1,000.00 has not been paid" in message.text, "the charges were not due that day"
    (letter,) = [file for file in message.attachments if file["name"].startswith("letter")]
    pages = pypdf.PdfReader(io.BytesIO(read_file(letter["sha256"]))).pages
    said = " ".join(" ".join(page.extract_text().split()) for page in pages)
    assert len(pages) == 1, pages[1].extract_text()
    assert f"Compensation on {invoice}" in said and "How the interest on" in said and "10.27%" in said


def test_where_a_rate_is_missing_no_interest_is_claimed_but_the_compensation_is(late_client):
    by_policy(late_client.company, interest="DE-B2B", already_overdue="due_date")
    invoice = invoice_due(late_client, ago(45))
    served_with(invoice, "reminder_1", "reminder_2", "reissue")
    a_day(late_client.company, ON)
    (message,) = sent_to(late_client)
    assert [charge.kind for charge in Charge.objects.all()] == ["compensation"]
    assert "Total: €1,040.00" in message.text and "claim a fixed compensation of €40.00" in message.text


def test_a_fee_is_said_where_it_is_charged_and_stands_at_the_item_ever_after(late_client):
    by_policy(late_client.company, {"reminder_1": {"fee": {"EUR": "5"}}})
    invoice = invoice_due(late_client, ago(8))
    a_day(late_client.company, ON)
    (message,) = sent_to(late_client)
    assert "For this reminder a fee of €5.00 is charged." in message.text and "Total: €1,005.00" in message.text
    assert "€1,000.00 is overdue since" in message.text
    assert Charge.objects.get(invoice=invoice).amount == 5
    a_day(late_client.company, ago(-13))
    message = sent_to(late_client)[-1]
    assert "is charged" not in message.text and "Late fee: €5.00" in message.text


def test_nothing_is_said_of_interest_where_the_policy_charges_none(late_client):
    silent = {"reissue": {"interest_notice_days": None}, "final_notice": {"claims_interest": False}}
    by_policy(late_client.company, silent, interest="NONE")
    invoice = invoice_due(late_client, ago(45))
    served_with(invoice, "reminder_1", "reminder_2", "reissue")
    a_day(late_client.company, ON)
    (message,) = sent_to(late_client)
    assert "nterest" not in message.text and "Final notice: €1,000.00" in message.subject


def test_consumers_are_told_that_we_decide_and_not_with_what(late_client):
    by_policy(late_client.company, for_consumers=True)
    served_with(invoice_due(late_client, ago(45)), "reminder_1", "reminder_2", "reissue")
    a_day(late_client.company, ON)
    (message,) = sent_to(late_client)
    assert "After that day we decide how to go on. Until then" in message.text
    assert "attorney" not in message.text and "agency" not in message.text


def test_a_second_reminder_is_called_one_only_where_there_was_a_first(late_client):
    invoice_due(late_client, ago(21))
    a_day(late_client.company, ON)
    (message,) = sent_to(late_client)
    assert message.subject == "Reminder: €1,000.00 overdue" and "second" not in message.text


def test_cash_only_is_warned_of_before_and_said_where_it_begins(late_client):
    by_policy(late_client.company, {"reissue": {"sets_cash_only": True}})
    invoice = invoice_due(late_client, ago(21))
    a_day(late_client.company, ON)
    assert "new orders may have to be paid in advance" in sent_to(late_client)[0].text
    a_day(late_client.company, ON + 9 * DAY)
    message = sent_to(late_client)[-1]
    assert "we take new orders against payment in advance" in message.text
    assert status_of(invoice.client, ON + 9 * DAY).status == "cash_only"

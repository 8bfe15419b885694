"""Drafting, issuing, voiding: the number has no gap, the claim is in the ledger, what is issued never changes."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core.errors import Refused
from invoices.models import RECEIVABLE, REVENUE, TAX, Entry, Invoice, Series
from invoices.services.drafting import Heading, LineDraft, delete_draft, draft_invoice, edit_draft
from invoices.services.issuing import issue_invoice, void_invoice
from policies.models import Terms
from tests.cast import CLERK, TODAY, make_draft, make_invoice, pay

pytestmark = pytest.mark.django_db


def test_a_draft_owes_nothing_and_has_no_number(late_client):
    draft = make_draft(late_client, "100", tax="19")
    assert (draft.number, draft.balance, draft.total) == (None, 0, 119)
    assert draft.state(TODAY) == "draft"
    assert not Entry.objects.exists()


def test_issuing_makes_the_claim_with_its_due_date_and_number(late_client):
    invoice = make_invoice(late_client, "100", tax="19", on=dt.date(2026, 11, 21))
    assert invoice.number == "LO-2026-0001"
    assert invoice.due_on == dt.date(2026, 12, 21)
    assert (invoice.net, invoice.tax, invoice.total, invoice.balance) == (100, 19, 119, 119)
    assert invoice.reference == "RF76LO20260001"
    entries = {(e.dr, e.cr): e.amount for e in invoice.entries.all()}
    assert entries == {(RECEIVABLE, REVENUE): 100, (RECEIVABLE, TAX): 19}
    assert invoice.frozen["buyer"]["name"] == "Harbour Lane Coffee"


def test_issuing_twice_changes_nothing(late_client):
    invoice = make_invoice(late_client)
    again = issue_invoice(invoice, on=TODAY + dt.timedelta(days=5), by=CLERK)
    assert (again.number, again.issued_on) == (invoice.number, TODAY)
    assert Series.objects.get().last == 1


def test_numbers_have_no_gap_when_an_issue_is_rolled_back(late_client):
    make_invoice(late_client)
    with pytest.raises(RuntimeError), transaction.atomic():
        make_invoice(late_client)
        raise RuntimeError
    assert make_invoice(late_client).number == "LO-2026-0002"


def test_each_year_has_its_own_series(late_client):
    assert make_invoice(late_client, on=dt.date(2025, 12, 31)).number == "LO-2025-0001"
    assert make_invoice(late_client, on=dt.date(2026, 1, 1)).number == "LO-2026-0001"


def test_a_discount_line_lowers_the_claim(late_client):
    draft = draft_invoice(
        late_client,
        [LineDraft("Work", Decimal(2), Decimal(100)), LineDraft("Discount", Decimal(1), Decimal(-50))],
        by=CLERK,
    )
    invoice = issue_invoice(draft, on=TODAY, by=CLERK)
    assert invoice.balance == 150


def test_without_a_purchase_order_it_is_refused_where_one_is_needed(late_client):
    late_client.po_required = True
    late_client.save()
    draft = make_draft(late_client)
    with pytest.raises(Refused, match="purchase order") as refused:
        issue_invoice(draft, on=TODAY, by=CLERK)
    assert refused.value.where == "po_number"
    assert not Entry.objects.exists()
    edit_draft(
        draft,
        [LineDraft("Work", Decimal(1), Decimal(5))],
        heading=Heading(po_number="PO-1"),
        version=draft.version,
        by=CLERK,
    )
    assert issue_invoice(draft, on=TODAY, by=CLERK).number


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (LineDraft(" ", Decimal(1), Decimal(5)), "Line 1 has no description"),
        (LineDraft("Work", Decimal(0), Decimal(5)), "quantity 0"),
        (LineDraft("Work", Decimal(1), Decimal(-5)), "less than nothing"),
        (LineDraft("Work", Decimal(1), Decimal(5), tax_percent=Decimal(101)), "between 0 and 100"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused(late_client, line, says):
    with pytest.raises(Refused, match=says):
        draft_invoice(late_client, [line], by=CLERK)
    assert not Invoice.objects.exists()


def test_terms_that_leave_the_day_open_are_refused(late_client):
    vague = Terms.objects.create(company=late_client.company, name="Due on receipt", net_days=1)
    with pytest.raises(Refused):
        issue_invoice(make_draft(late_client, terms=vague), on=TODAY, by=CLERK)


def test_a_draft_changed_meanwhile_is_not_overwritten(late_client):
    draft = make_draft(late_client)
    line = [LineDraft("Work", Decimal(1), Decimal(5))]
    edit_draft(draft, line, heading=Heading(), version=1, by=CLERK)
    with pytest.raises(Refused, match="Somebody else"):
        edit_draft(draft, line, heading=Heading(), version=1, by="Bob")


def test_only_drafts_are_edited_or_deleted(late_client):
    invoice = make_invoice(late_client)
    with pytest.raises(Refused, match="no longer changes"):
        edit_draft(invoice, [LineDraft("x", Decimal(1), Decimal(1))], heading=Heading(), by=CLERK)
    with pytest.raises(Refused, match="no longer changes"):
        delete_draft(invoice, by=CLERK)
    draft = make_draft(late_client)
    delete_draft(draft, by=CLERK)
    assert list(Invoice.objects.all()) == [invoice]


def test_voiding_reverses_the_claim_and_keeps_the_number(late_client):
    invoice = void_invoice(make_invoice(late_client, "100", tax="19"), reason="wrong client", on=TODAY, by=CLERK)
    assert (invoice.balance, invoice.number, invoice.state(TODAY)) == (0, "LO-2026-0001", "void")
    assert sum(e.amount if e.dr == RECEIVABLE else -e.amount for e in invoice.entries.all()) == 0
    assert void_invoice(invoice, reason="again", on=TODAY, by=CLERK).voided_because == "wrong client"
    assert make_invoice(late_client).number == "LO-2026-0002"


def test_a_paid_invoice_is_not_voided(late_client):
    invoice = make_invoice(late_client)
    pay(late_client, "10")
    with pytest.raises(Refused, match="paid or credited"):
        void_invoice(invoice, reason="x", on=TODAY, by=CLERK)


def test_what_stands_in_the_draft_is_read_once(good_client):
    """Its lines and the company's own facts are asked for by many on the way; the database is asked once."""
    draft = make_draft(good_client, tax="19")
    with CaptureQueriesContext(connection) as asked:
        issue_invoice(draft, on=TODAY, by=CLERK)
    said = [query["sql"] for query in asked]
    assert sum('FROM "invoices_invoiceline"' in sql for sql in said) == 1
    assert sum(sql.startswith('SELECT "core_company"') for sql in said) == 0
    assert all(line.is_issued for line in draft.lines.all())

"""The editor of an invoice: the tax it proposes, what the client wishes, ways to pay, and when each part is due."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from clients.models import Wishes
from clients.services.wishes import save_wishes
from invoices.models import Invoice
from invoices.services.issuing import issue_invoice
from invoices.tax_proposal import propose_tax
from tests.cast import CLERK, TODAY, make_client, make_draft, make_invoice, pay

from .test_invoices import text, url, written

pytestmark = pytest.mark.django_db
NOON = dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC)
NEW = "/invoices/new/"


@pytest.fixture
def desk(client: Any, clerk: Any, company: Any) -> Any:
    with time_machine.travel(NOON, tick=False):
        client.force_login(clerk)
        yield client


def look(desk: Any, client: Any, *lines: Any, **more: Any) -> str:
    return text(desk.post(url("invoice_totals"), written(client, *(lines or (("Design", "1", "1000"),)), **more)))


def test_instalments_and_the_discount_for_paying_early_are_shown_before_it_is_issued(desk, company, good_client):
    parts = [{"percent": "50", "days": 14}, {"percent": "50", "days": 30}]
    terms = company.terms.create(name="Two halves", net_days=30, parts=parts)
    page = look(desk, good_client, terms=terms.pk)
    assert "Due in 14 days — by 2 December 2026" in page and "Due in 30 days — by 18 December 2026" in page
    assert page.count("€595.00") == 2
    early = company.terms.create(name="Early", net_days=30, discount_percent=Decimal(2), discount_days=10)
    assert "discount, €23.80, if paid by 28 November 2026" in look(desk, good_client, terms=early.pk)


def test_reverse_charge_is_proposed_to_a_business_elsewhere_in_the_union_and_never_forced(desk, company):
    french = make_client(company, "C-5", country="FR", tax_number="FR40303265045")
    page = look(desk, french)
    assert "reverse charge" in page and "Line 1 bears tax" in page and 'data-tax-category="AE"' in page
    taken = desk.post(NEW, written(french, ("Design", "1", "1000"), do="tax"))
    lines = taken.context["lines"]
    assert (lines[0]["tax_category"].value(), lines[0]["tax_percent"].value()) == ("AE", "0")
    assert "Line 1 bears tax" not in text(taken)
    desk.post(NEW, written(french, ("Design", "1", "1000")))  # kept as it was written
    assert Invoice.objects.get().lines.get().tax_category == "S"


def test_the_proposal_depends_on_both_countries_and_on_a_valid_number():
    usual = Decimal(19)
    told = {
        (home, there, number): propose_tax(home, there, number, usual)
        for home, there, number in [
            ("DE", "DE", ""), ("DE", "FR", "FR40303265045"), ("DE", "FR", ""), ("DE", "GR", "EL094259216"),
            ("DE", "FR", "DE136695976"), ("DE", "CH", ""), ("US", "US", ""), ("DE", "", ""),
        ]
    }  # fmt: skip
    assert [(p.why, p.category, p.percent) for p in told.values()] == [
        ("home", "", usual), ("eu_business", "AE", 0), ("eu_no_number", "", usual), ("eu_business", "AE", 0),
        ("eu_no_number", "", usual), ("abroad", "O", 0), ("unknown", "", usual), ("unknown", "", usual),
    ]  # fmt: skip


def test_a_number_that_cannot_exist_proposes_nothing_without_tax(desk, company):
    french = make_client(company, "C-5", country="FR", tax_number="FR40303265046")
    page = look(desk, french)
    assert "no VAT number of a business there on file" in page and "Line 1 bears tax" not in page


def test_a_new_line_begins_with_the_tax_the_client_was_last_invoiced(desk, company, good_client):
    make_invoice(good_client, "100", tax="7")
    form = desk.get(NEW, {"client": good_client.pk}).context["lines"][0]
    assert (form["tax_percent"].value(), form["tax_category"].value()) == ("7", "")
    added = desk.post(NEW, written(good_client, ("Design", "1", "1000"), do="line")).context["lines"][1]
    assert [added[name].value() for name in ("quantity", "tax_percent", "tax_category")] == ["1", "19", "S"]


def test_a_reason_for_no_tax_is_kept_with_its_line(desk, good_client):
    data = written(good_client, ("Course", "1", "80")) | {
        "lines-0-tax_percent": "0", "lines-0-tax_category": "E", "lines-0-exemption_reason": "§ 4 Nr. 21 UStG",
    }  # fmt: skip
    desk.post(NEW, data)
    draft = Invoice.objects.get()
    assert draft.lines.get().exemption_reason == "§ 4 Nr. 21 UStG"
    again = desk.get(url("invoice_edit", draft.pk)).context["lines"][0]
    assert again["exemption_reason"].value() == "§ 4 Nr. 21 UStG"


def test_a_missing_order_number_is_said_while_it_is_written(desk, company):
    strict = make_client(company, "C-3", po_required=True, name="Strict & Co")
    assert "Strict &amp; Co pays only with a purchase order number" in look(desk, strict)
    assert "purchase order number" not in look(desk, strict, po_number="PO-1")


def wish(client: Any, *fields: tuple[str, str]) -> None:
    told = [{"label": label, "value": value} for label, value in fields]
    Wishes.objects.create(client=client, extra_fields=told, told_by="Mara", told_at=timezone.now())


def test_what_the_client_wishes_to_read_stands_on_every_invoice(desk, good_client):
    wish(good_client, ("Cost centre", "4711"), ("Buyer", ""))
    page = desk.get(NEW, {"client": good_client.pk})
    assert [row["label"].value() for row in page.context["extras"]] == ["Cost centre", "Buyer"]
    assert "wants to read: Cost centre, Buyer" in look(desk, good_client)
    added = desk.post(NEW, written(good_client, ("Design", "1", "5"), do="client")).context["extras"]
    assert [(row["label"].value(), row["value"].value()) for row in added] == [("Cost centre", "4711"), ("Buyer", "")]
    desk.post(NEW, written(good_client, ("Design", "1", "5")))  # nobody was asked: what is known is on it
    assert Invoice.objects.get().extra_fields == [{"label": "Cost centre", "value": "4711"}]


def extra(*fields: tuple[str, str]) -> dict[str, str]:
    data = {"extra-TOTAL_FORMS": str(len(fields)), "extra-INITIAL_FORMS": "0"}
    for n, (label, value) in enumerate(fields):
        data |= {f"extra-{n}-label": label, f"extra-{n}-value": value}
    return data


def test_what_else_helps_the_client_is_read_while_the_invoice_is_written(desk, good_client):
    assert "what else helps" not in look(desk, good_client)
    save_wishes(good_client, {"note": "Invoices by the 25th, please"}, on=TODAY, by=CLERK)
    assert "told us what else helps: Invoices by the 25th, please" in look(desk, good_client)


def test_a_field_is_filled_in_or_left_out_on_one_invoice(desk, good_client):
    wish(good_client, ("Cost centre", "4711"), ("Buyer", ""))
    data = written(good_client, ("Design", "1", "5")) | extra(("Cost centre", ""), ("Buyer", "J. Beck"))
    desk.post(NEW, data)
    draft = Invoice.objects.get()
    assert draft.extra_fields == [{"label": "Buyer", "value": "J. Beck"}]
    assert make_draft(good_client).extra_fields == [{"label": "Cost centre", "value": "4711"}]
    nameless = desk.post(NEW, written(good_client, ("Design", "1", "5")) | extra(("", "J. Beck")))
    assert nameless.status_code == 422 and "the field has no name" in text(nameless)
    shown = desk.post(NEW, written(good_client, ("Design", "1", "5"), do="extra") | extra(("Buyer", "J. Beck")))
    assert len(shown.context["extras"]) == 2


def test_ways_to_pay_are_chosen_among_those_offered(desk, company, good_client):
    desk.post(NEW, written(good_client, ("Design", "1", "5"), ways=["cheque", "transfer"]))
    assert Invoice.objects.get().ways == ["transfer", "cheque"]
    refused = desk.post(NEW, written(good_client, ("Design", "1", "5"), ways=["barter"]))
    assert refused.status_code == 422 and Invoice.objects.count() == 1
    copied = desk.post(url("invoice_duplicate", Invoice.objects.get().pk), follow=True)
    company.payment_methods.filter(kind="cheque").update(is_active=False)
    again = desk.post(url("invoice_duplicate", Invoice.objects.earliest("pk").pk), follow=True)
    assert "no longer offered" not in text(copied) and "left out: cheque" in text(again)
    assert Invoice.objects.latest("pk").ways == ["transfer"]


def test_the_page_of_an_invoice_in_parts_says_when_each_is_due_and_how_much_is_open(desk, clerk, company, good_client):
    parts = [{"percent": "50", "days": 14}, {"percent": "50", "days": 30}]
    terms = company.terms.create(name="Two halves", net_days=30, parts=parts)
    draft = make_draft(good_client, "1000", terms=terms, ways=["cheque"])
    page = text(desk.get(url("invoice", draft.pk)))
    assert "if issued today" in page and page.count("€500.00") == 2 and "2 Dec 2026" in page
    assert "To be paid by" in page and "Cheque" in page
    invoice = issue_invoice(draft, on=TODAY, by="Ada")
    pay(good_client, "500", how={f"invoice:{invoice.pk}": Decimal(500)})
    page = text(desk.get(url("invoice", invoice.pk)))
    assert "18 Dec 2026" in page and "Instalment 2 of 2" in page
    with time_machine.travel(NOON + dt.timedelta(days=31), tick=False):
        desk.force_login(clerk)
        assert "overdue" in text(desk.get(url("invoice", invoice.pk)))


def test_what_keeps_a_draft_from_being_issued_is_said_on_its_page_with_the_way_to_mend_it(desk, company):
    draft = make_draft(make_client(company, "C-8", po_required=True))
    page = text(desk.get(url("invoice", draft.pk)))
    assert "It cannot be issued as it stands" in page and "purchase order number" in page
    assert url("invoice_edit", draft.pk) in page
    draft.po_number = "PO-1"
    draft.save()
    assert "It cannot be issued" not in text(desk.get(url("invoice", draft.pk)))
    company.tax_number = ""
    company.save()
    settings = f"/admin/core/company/{company.pk}/change/"
    page = text(desk.get(url("invoice", draft.pk)))
    assert "BT-31" in page and settings in page
    assert settings in text(desk.post(url("bulk"), {"pk": draft.pk, "do": "issue"}))


def test_what_paying_early_saves_stands_on_the_page_until_the_day_is_over(desk, clerk, company, good_client):
    terms = company.terms.create(name="Early", net_days=30, discount_percent=Decimal(2), discount_days=10)
    draft = make_draft(good_client, "1000", terms=terms)
    assert "discount, €20.00, if paid by 28 November 2026" in text(desk.get(url("invoice", draft.pk)))
    issue_invoice(draft, on=TODAY, by="Ada")
    assert "discount, €20.00, if paid by 28 November 2026" in text(desk.get(url("invoice", draft.pk)))
    parts = [{"percent": "50", "days": 14}, {"percent": "40", "days": 30}]
    broken = make_draft(good_client, "10", terms=company.terms.create(name="Ninety", net_days=30, parts=parts))
    assert "The instalments come to 90" in text(desk.get(url("invoice", broken.pk)))
    with time_machine.travel(NOON + dt.timedelta(days=11), tick=False):
        desk.force_login(clerk)
        page = text(desk.get(url("invoice", draft.pk)))
        assert "€1,000.00" in page and "discount, €20.00" not in page

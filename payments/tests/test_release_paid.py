"""Money for a pro forma: kept for it, and the invoice issued and paid in the same act once it is all here."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from audit.models import Event
from clients.services.status import set_status
from core.errors import Refused
from invoices.models import Invoice
from invoices.services.issuing import issue_invoice
from invoices.services.pro_forma import cancel_pro_forma, make_pro_forma
from payments.services import allocate, paid_for, release_paid, unallocated, unapplied_cash, why_not_released
from tests.cast import CLERK, TODAY, make_client, make_draft, make_invoice, pay

pytestmark = pytest.mark.django_db

LATER = TODAY + dt.timedelta(days=3)


@pytest.fixture
def pro_forma(late_client):
    return make_pro_forma(make_draft(late_client), TODAY + dt.timedelta(days=14), on=TODAY, by=CLERK)


def the_invoice(pro_forma):
    return Invoice.objects.get(pk=pro_forma.invoice_id)


def test_paying_all_of_it_issues_the_invoice_and_settles_it(late_client, pro_forma):
    payment = pay(late_client, "1000", on=LATER, pro_forma=pro_forma)
    invoice = the_invoice(pro_forma)
    assert (invoice.number, invoice.issued_on, invoice.total, invoice.balance) == ("LO-2026-0001", LATER, 1000, 0)
    assert unallocated(payment) == 0 and unapplied_cash(late_client) == {}


def test_the_money_is_kept_for_it_and_not_put_to_the_oldest(late_client, pro_forma):
    old = make_invoice(late_client, "400")
    payment = pay(late_client, "300", pro_forma=pro_forma)
    old.refresh_from_db()
    assert old.balance == 400 and paid_for(pro_forma) == 300
    assert the_invoice(pro_forma).issued_at is None
    with pytest.raises(Refused, match="kept for the pro forma LO-PF-2026-0001") as refused:
        allocate(payment, "oldest", on=TODAY, by=CLERK)
    assert refused.value.code == "kept"
    pay(late_client, "700", on=LATER, pro_forma=pro_forma)
    old.refresh_from_db()
    assert old.balance == 400 and the_invoice(pro_forma).balance == 0, "two payments cover it together"


def test_what_was_paid_too_much_stays_unapplied_and_can_then_be_put_anywhere(late_client, pro_forma):
    payment = pay(late_client, "1250", pro_forma=pro_forma)
    assert unapplied_cash(late_client) == {"EUR": Decimal(250)}
    other = make_invoice(late_client, "250")
    allocate(payment, "exact", on=TODAY, by=CLERK)
    other.refresh_from_db()
    assert other.balance == 0


def test_less_than_the_total_is_not_released(late_client, pro_forma):
    pay(late_client, "999.99", pro_forma=pro_forma)
    with pytest.raises(Refused, match=r"999\.99 of 1000\.00 EUR has come in") as refused:
        release_paid(pro_forma, on=TODAY, by=CLERK)
    assert refused.value.code == "not_covered"


def test_releasing_twice_issues_once(late_client, pro_forma):
    pay(late_client, "1000", pro_forma=pro_forma)
    again = release_paid(pro_forma, on=LATER, by=CLERK)
    assert again.number == "LO-2026-0001" and Invoice.objects.count() == 1


def test_the_same_form_sent_twice_is_one_payment(late_client, pro_forma):
    assert pay(late_client, "1000", pro_forma=pro_forma, key="k") == pay(
        late_client, "1000", pro_forma=pro_forma, key="k"
    )
    assert the_invoice(pro_forma).balance == 0


def test_cancelled_its_money_is_ordinary_unapplied_cash(late_client, pro_forma):
    payment = pay(late_client, "400", pro_forma=pro_forma)
    cancel_pro_forma(pro_forma, "Changed their mind", on=TODAY, by=CLERK)
    old = make_invoice(late_client, "400")
    allocate(payment, "oldest", on=TODAY, by=CLERK)
    old.refresh_from_db()
    assert old.balance == 0
    for act in (
        lambda: release_paid(pro_forma, on=TODAY, by=CLERK), lambda: pay(late_client, "1", pro_forma=pro_forma),
    ):
        with pytest.raises(Refused, match="is cancelled"):
            act()


def test_money_is_not_taken_for_somebody_elses_or_in_another_currency(company, late_client, pro_forma):
    with pytest.raises(Refused, match="is not a pro forma of Client C-5"):
        pay(make_client(company, "C-5"), "1000", pro_forma=pro_forma)
    with pytest.raises(Refused, match="is in EUR, the payment in USD"):
        pay(late_client, "1000", currency="USD", pro_forma=pro_forma)
    assert unapplied_cash(late_client) == {}


def test_issued_on_credit_meanwhile_its_money_goes_to_the_invoice(late_client, pro_forma):
    issue_invoice(pro_forma.invoice, on=TODAY, by=CLERK)
    pay(late_client, "1000", on=LATER, pro_forma=pro_forma)
    assert the_invoice(pro_forma).balance == 0


def test_a_part_that_comes_once_it_is_issued_goes_there_too_whatever_the_form_had_read(late_client, pro_forma):
    assert pro_forma.invoice.issued_at is None, "as a form read it that was open meanwhile"
    issue_invoice(pro_forma.invoice, on=TODAY, by=CLERK)
    pay(late_client, "600", on=LATER, pro_forma=pro_forma)
    assert the_invoice(pro_forma).balance == 400 and unapplied_cash(late_client) == {}


def test_what_issuing_refuses_keeps_the_money_and_the_sentence(late_client, pro_forma):
    """Between the pro forma and its money the client was closed: the money is theirs, the invoice waits for a person.
    """
    set_status(late_client, "closed", because="adverse press", source="policy", on=TODAY, by="system")
    payment = pay(late_client, "1000", on=LATER, pro_forma=pro_forma)
    assert payment.pk and unapplied_cash(late_client) == {"EUR": Decimal(1000)}
    assert the_invoice(pro_forma).issued_at is None
    assert "closed" in why_not_released(pro_forma) or "no longer" in why_not_released(pro_forma)
    assert Event.objects.filter(action="pro_forma_not_released").count() == 1
    set_status(late_client, "open", because="a mistake", source="policy", on=LATER, by="system")
    assert release_paid(pro_forma, on=LATER, by=CLERK).balance == 0


def test_a_client_on_cash_only_pays_and_is_served(late_client):
    """Case 23: prepaid work passes on hold."""
    set_status(late_client, "cash_only", because="90 days overdue", source="policy", on=TODAY, by="system")
    with pytest.raises(Refused) as refused:
        issue_invoice(make_draft(late_client, "500"), on=TODAY, by=CLERK)
    assert refused.value.code == "cash_only"
    pro_forma = make_pro_forma(make_draft(late_client), TODAY + dt.timedelta(days=7), on=TODAY, by=CLERK)
    pay(late_client, "1000", on=LATER, pro_forma=pro_forma)
    assert the_invoice(pro_forma).balance == 0

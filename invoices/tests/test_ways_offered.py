"""Which ways to pay are offered: by company, client, invoice, currency and sum; nothing that would not work."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from clients.models import ClientWay
from core.errors import Refused
from core.models import BankAccount, PaymentMethod
from invoices.paying import card_for, offered, ways_for
from tests.cast import make_client, make_company, make_invoice

pytestmark = pytest.mark.django_db


@pytest.fixture
def card(company: Any) -> PaymentMethod:
    return PaymentMethod.objects.create(company=company, kind="card", provider="sandbox")


def kinds(invoice: Any, amount: str = "") -> list[str]:
    return [way.kind for way in ways_for(invoice, Decimal(amount) if amount else invoice.total)]


def test_the_quickest_comes_first_then_what_was_printed(good_client: Any, card: PaymentMethod) -> None:
    invoice = make_invoice(good_client)
    ways = ways_for(invoice, invoice.total)
    assert [way.kind for way in ways] == ["card", "transfer", "cheque", "cash"]
    assert ways[0].provider == "sandbox" and ways[0].text


def test_a_card_set_up_after_the_issue_is_offered_too(company: Any, good_client: Any) -> None:
    invoice = make_invoice(good_client)
    assert "card" not in kinds(invoice)
    PaymentMethod.objects.create(company=company, kind="card", provider="sandbox")
    assert kinds(invoice)[0] == "card"


def test_a_card_is_offered_only_while_its_provider_is_set_up(
    good_client: Any, card: PaymentMethod, settings: Any
) -> None:
    settings.PAYMENT_PROVIDERS = []
    assert "card" not in kinds(make_invoice(good_client))


def test_an_invoice_offers_what_was_chosen_for_it(good_client: Any, card: PaymentMethod) -> None:
    assert kinds(make_invoice(good_client, ways=["cheque"])) == ["cheque"]
    assert kinds(make_invoice(good_client, ways=["card", "transfer"])) == ["card", "transfer"]
    only = make_invoice(good_client, ways=["transfer"])
    assert card_for(good_client, "EUR", Decimal(5), [only, make_invoice(good_client)]) is None


def test_a_client_is_offered_less_or_more_than_others(company: Any, good_client: Any, card: PaymentMethod) -> None:
    cheque, cash = (company.payment_methods.get(kind=kind) for kind in ("cheque", "cash"))
    cash.is_active = False
    cash.save()
    ClientWay.objects.create(client=good_client, method=cheque, is_offered=False)
    ClientWay.objects.create(client=good_client, method=cash, is_offered=True)
    assert kinds(make_invoice(good_client)) == ["card", "transfer", "cash"]
    assert kinds(make_invoice(make_client(company, "C-0002"))) == ["card", "transfer", "cheque"]


def test_sums_below_and_above_are_left_out_and_something_always_stays(company: Any, good_client: Any) -> None:
    company.payment_methods.filter(kind="cash").update(largest=Decimal(500), currency="EUR")
    company.payment_methods.filter(kind="cheque").update(smallest=Decimal(50), currency="EUR")
    invoice = make_invoice(good_client, "1000")
    assert kinds(invoice, "500") == ["transfer", "cheque", "cash"]
    assert kinds(invoice, "500.01") == ["transfer", "cheque"]
    assert kinds(invoice, "49.99") == ["transfer", "cash"]
    company.payment_methods.filter(kind="transfer").update(smallest=Decimal(900), currency="EUR")
    company.payment_methods.exclude(kind="transfer").delete()
    assert kinds(make_invoice(good_client, "10")) == ["transfer"]


def test_an_invoice_that_nobody_could_pay_is_refused_before_it_is_issued(company: Any, good_client: Any) -> None:
    company.payment_methods.filter(kind="cash").update(largest=Decimal(500), currency="EUR")
    with pytest.raises(Refused, match=r"takes 1000\.00 EUR") as refused:
        make_invoice(good_client, "1000", ways=["cash"])
    assert (refused.value.code, refused.value.where) == ("no_way", "ways")
    assert kinds(make_invoice(good_client, "500", ways=["cash"])) == ["cash"]
    assert kinds(make_invoice(good_client, "1000", ways=["cash", "transfer"])) == ["transfer"]
    halves = company.terms.create(
        name="Two halves", net_days=30, parts=[{"percent": "50", "days": 14}, {"percent": "50", "days": 30}]
    )
    assert make_invoice(good_client, "1000", ways=["cash"], terms=halves).issued_at


def test_a_way_for_another_currency_is_not_offered(company: Any, good_client: Any) -> None:
    company.payment_methods.filter(kind="cheque").update(currency="USD")
    assert [method.kind for method in offered(company, good_client, "EUR")] == ["transfer", "cash"]
    assert [method.kind for method in offered(company, good_client, "USD")] == ["cheque", "cash"]


def test_every_account_in_the_currency_is_named_in_its_order(company: Any, good_client: Any) -> None:
    company.bank_accounts.update(position=2, bank_name="Commerzbank")
    for bank, place, active, currency in (
        ("Postbank", 1, True, "EUR"), ("Old bank", 3, False, "EUR"), ("First Bank", 1, True, "USD")
    ):
        BankAccount.objects.create(
            company=company, currency=currency, holder="L", bank_name=bank, position=place, is_active=active,
            iban="DE33100205000001194700",
        )
    invoice = make_invoice(good_client)
    transfers = [way for way in ways_for(invoice, invoice.total) if way.rows]
    assert [way.title for way in transfers] == ["Bank transfer", "Or to our account at Commerzbank"]
    assert [row.value for way in transfers for row in way.rows if row.label == "Bank"] == ["Postbank", "Commerzbank"]
    assert transfers[0].qr and not transfers[1].qr
    assert all(any(row.label == "Reference" for row in way.rows) for way in transfers)


def test_an_account_changed_later_changes_no_invoice(company: Any, good_client: Any) -> None:
    invoice = make_invoice(good_client)
    company.bank_accounts.update(iban="DE33100205000001194700")
    rows = [row.copy for way in ways_for(invoice, invoice.total) for row in way.rows]
    assert "DE89370400440532013000" in rows and "DE33100205000001194700" not in rows


def test_dollars_are_paid_by_ach() -> None:
    company = make_company("us", currency="USD", country="US")
    invoice = make_invoice(make_client(company, country="US"), "1000")
    transfer = next(way for way in ways_for(invoice, invoice.total) if way.kind == "transfer")
    shown = {row.label: row.copy for row in transfer.rows}
    assert shown["Routing number (ACH)"] == "021000021" and shown["Account number"] == "000123456789"
    assert transfer.qr == ""


def test_paper_says_where_the_card_is_taken(good_client: Any, card: PaymentMethod) -> None:
    from invoices.documents import invoice_document

    ways = invoice_document(make_invoice(good_client)).ways
    (way,) = [way for way in ways if way.kind == "card"]
    assert "the link is in our e-mail" in way.text and not way.rows

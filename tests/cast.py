"""The cast of the tests: a company, a clerk, a good client, a late client, and short ways to give them invoices."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User

from clients.models import Client, Contact
from core.models import BankAccount, Company, PaymentMethod
from core.roles import MANAGER, give_role
from invoices.models import Invoice
from invoices.services.drafting import Heading, LineDraft, draft_invoice
from invoices.services.issuing import issue_invoice
from payments.models import Payment
from payments.services import record_payment
from policies.credit import default_credit_policy
from policies.models import Terms
from policies.services import default_policy, use_policy

TODAY = dt.date(2026, 11, 18)  # a Wednesday
CLERK = "Ada Kowalska"
_keys = itertools.count(1)


def make_company(code: str = "lo", *, currency: str = "EUR", late_percent: str = "12", **facts: Any) -> Company:
    """A company with a bank account, three ways to pay, 30-day terms and the standard policies."""
    company = Company.objects.create(
        **{
            "code": code,
            "name": "Lumen & Oak Studio",
            "legal_name": "Lumen & Oak Studio GmbH",
            "street": "Oranienstr. 58",
            "postal_code": "10969",
            "city": "Berlin",
            "country": "DE",
            "time_zone": "Europe/Berlin",
            "currency": currency,
            "email": "billing@lumenoak.example",
            "phone": "+49 30 5550 147",
            "tax_number": "DE136695976",
        }
        | facts
    )
    account: dict[str, Any] = {"account_number": "000123456789", "routing_number": "021000021"}
    if currency == "EUR":
        account = {"iban": "DE89370400440532013000", "bic": "COBADEFFXXX"}
    BankAccount.objects.create(company=company, currency=currency, holder=company.legal_name, **account)
    for kind in ("transfer", "cheque", "cash"):
        PaymentMethod.objects.create(company=company, kind=kind)
    Terms.objects.create(
        company=company, name="Net 30 days", net_days=30, late_percent=Decimal(late_percent), is_default=True
    )
    default_policy("test")
    use_policy(company, "standard", "test")
    default_credit_policy(company, "test")
    return company


def make_manager(name: str = "vera") -> Any:
    """A colleague in the role «AR manager»: somebody with every permission of credit."""
    user = User.objects.create_user(name, password="correct horse battery", first_name=name.title(), is_staff=True)
    give_role(user, MANAGER)
    return user


def make_client(
    company: Company, number: str = "C-0001", *, email: str | None = "ap@client.example", **facts: Any
) -> Client:
    """A client on the company's default terms, with one accounts-payable contact (none where ``email`` is None)."""
    client = Client.objects.create(
        **{
            "company": company,
            "number": number,
            "name": f"Client {number}",
            "country": "DE",
            "language": "en",
            "time_zone": "Europe/Berlin",
            "currency": company.currency,
            "terms": company.terms.get(is_default=True),
            "street": "Speicherstadt 14",
            "postal_code": "20457",
            "city": "Hamburg",
        }
        | facts
    )
    if email is not None:
        Contact.objects.create(client=client, name="Mara Winter", email=email, phone="+49 40 5550 9921")
    return client


def make_draft(client: Client, amount: str = "1000", *, tax: str = "0", **heading: Any) -> Invoice:
    """A draft with one line of that net amount."""
    line = LineDraft("Interface design", Decimal(1), Decimal(amount), tax_percent=Decimal(tax))
    return draft_invoice(client, [line], heading=Heading(**heading), by=CLERK)


def make_invoice(
    client: Client, amount: str = "1000", *, on: dt.date = TODAY, tax: str = "0", **heading: Any
) -> Invoice:
    """An issued invoice with one line of that net amount, due by the client's terms."""
    return issue_invoice(make_draft(client, amount, tax=tax, **heading), on=on, by=CLERK)


def invoice_due(client: Client, due_on: dt.date, amount: str = "1000") -> Invoice:
    """An issued invoice that falls due on a day."""
    assert client.terms is not None
    return make_invoice(client, amount, on=due_on - dt.timedelta(days=client.terms.net_days))


def pay(client: Client, amount: str, *, on: dt.date = TODAY, how: Any = "oldest", **facts: Any) -> Payment:
    """A payment received on a day, oldest first unless told otherwise."""
    return record_payment(
        client,
        Decimal(amount),
        facts.pop("currency", client.currency),
        received_on=on,
        key=facts.pop("key", f"test-{next(_keys)}"),
        how=how,
        by=CLERK,
        **facts,
    )

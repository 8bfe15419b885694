"""Case 22: aging does not tie (erpnext#51596, #37444, #49262, PR#47580).

For any date, Σ buckets (incl. Current, unapplied as negative) = open items = ledger. The independent side of these
tests walks through the entries once, day by day, and never asks the report's queries.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Refused
from imports.cells import Reading
from imports.services.open_items import Taking, import_open_items
from invoices.aging import BUCKETS
from invoices.models import CUSTOMER_CREDIT, RECEIVABLE, RECEIVABLE_CHARGES, Entry, Invoice
from invoices.services.issuing import void_invoice
from payments.services import allocate, deallocate
from reports.aging import aging, aging_by_client
from tests.cast import CLERK, make_client, make_company, make_draft, make_invoice, pay
from tests.real_data import IBM, IBM_DATES, IBM_MAP, needs_ibm

pytestmark = pytest.mark.django_db

YEARS = dt.date(2012, 1, 1), dt.date(2013, 12, 31)
COLUMNS = {
    "number": "no",
    "client": "client",
    "issued_on": "issued",
    "due_on": "due",
    "total": "total",
    "settled_on": "paid",
    "balance": "open",
    "currency": "cur",
}


def every_day(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    for n in range((last - first).days + 1):
        yield first + dt.timedelta(days=n)


def account_book(first: dt.date, last: dt.date) -> Iterator[tuple[dt.date, dict, dict]]:
    """Day by day: the balance of every invoice, and per currency what the ledger's accounts stand at."""
    by_day = defaultdict(list)
    for entry in Entry.objects.order_by("effective_on", "id").values(
        "effective_on", "dr", "cr", "amount", "currency", "invoice"
    ):
        by_day[max(entry["effective_on"], first)].append(entry)
    open_items: dict[int, Decimal] = defaultdict(Decimal)
    accounts: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for day in every_day(first, last):
        for entry in by_day[day]:
            for account, sign in ((entry["dr"], 1), (entry["cr"], -1)):
                accounts[entry["currency"], account] += sign * entry["amount"]
                if account == RECEIVABLE:
                    open_items[entry["invoice"]] += sign * entry["amount"]
        yield day, open_items, accounts


def assert_ties(first: dt.date, last: dt.date, company=None) -> int:
    """Compare the report with the account book on every day; answers on how many days."""
    facts = {pk: (currency, due_on) for pk, currency, due_on in Invoice.objects.values_list("pk", "currency", "due_on")}
    days = 0
    for day, open_items, accounts in account_book(first, last):
        report = aging(day, company)
        assert set(report) == {currency for currency, _ in accounts}
        for currency, aged in report.items():
            receivable, credit = accounts[currency, RECEIVABLE], -accounts[currency, CUSTOMER_CREDIT]
            assert sum(aged.buckets.values()) + aged.unapplied == aged.total == receivable - credit
            assert aged.unapplied == -credit <= 0
            assert aged.charges == accounts[currency, RECEIVABLE_CHARGES]
            mine = {pk: owed for pk, owed in open_items.items() if owed and facts[pk][0] == currency}
            late = {pk: (day - facts[pk][1]).days for pk in mine}
            assert sum(mine.values()) == aged.open and len(mine) == aged.open_count
            assert sum(late[pk] > 0 for pk in mine) == aged.overdue_count
            assert sum(owed for pk, owed in mine.items() if late[pk] > 0) == aged.overdue
            assert sum(owed for pk, owed in mine.items() if late[pk] <= 0) == aged.buckets["current"]
            assert sum(owed for pk, owed in mine.items() if 1 <= late[pk] <= 30) == aged.buckets["1-30"]
            assert sum(owed for pk, owed in mine.items() if late[pk] > 90) == aged.buckets["90+"]
        days += 1
    return days


def take(content: bytes, mapping: dict[str, str], fmt: str, currency: str = "USD") -> None:
    import_open_items(content, Taking(Reading(mapping, fmt, currency)), on=dt.date(2026, 11, 18), by="test")


@needs_ibm
@pytest.mark.once
def test_the_real_book_ties_on_every_day_of_2012_and_2013():
    make_company("ibm", currency="USD")
    take(IBM.read_bytes(), IBM_MAP, IBM_DATES)
    assert assert_ties(*YEARS) == 731


def test_a_likeness_of_that_book_ties_on_every_day():
    """Made up: mostly 30-day terms; paid early, late, in part or never; three currencies; some due before issue."""
    made_up = random.Random(22)
    lines = [",".join(COLUMNS.values())]
    for n in range(250):
        issued = YEARS[0] + dt.timedelta(days=made_up.randrange(-40, 731))
        due = issued + dt.timedelta(days=made_up.choice([30, 30, 30, 14, 0, -3]))
        paid = issued + dt.timedelta(days=made_up.randrange(-5, 150))
        total = made_up.randrange(1, 20_000)
        settled, rest = made_up.choice(
            [(str(paid), ""), (str(paid), ""), ("", str(total // 2)), ("", ""), ("", str(total))]
        )
        currency = made_up.choice(["USD", "USD", "EUR", "JPY"])
        lines.append(f"{n:06},C{n % 20:03},{issued},{due},{total},{settled},{rest},{currency}")
    make_company("like", currency="USD")
    take("\n".join(lines).encode(), COLUMNS, "%Y-%m-%d")
    assert assert_ties(YEARS[0] - dt.timedelta(days=50), YEARS[1] + dt.timedelta(days=160)) > 900


# ── Any history ─────────────────────────────────────────────────────────

START = dt.date(2026, 1, 1)
ACTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["issue", "issue", "issue", "pay", "pay", "pay exactly", "free", "allocate", "void", "draft", "import"]
        ),
        st.integers(0, 120),
        st.integers(1, 900),
        st.integers(0, 5),
    ),
    max_size=14,
)


def live(company, acts) -> None:
    """Do the acts one after the other; what the rules refuse does not happen."""
    clients = [make_client(company, f"C{n}", currency=currency) for n, currency in enumerate(["EUR", "USD"])]
    for n, (act, day, amount, which) in enumerate(acts):
        on, client = START + dt.timedelta(days=day), clients[which % 2]
        invoices = list(Invoice.objects.issued().of(client).order_by("pk"))
        payments = list(client.payments.order_by("pk"))
        try:
            match act:
                case "issue":
                    make_invoice(client, str(amount), on=on, tax="19")
                case "draft":
                    make_draft(client, str(amount))
                case "pay":
                    pay(client, str(amount), on=on)
                case "pay exactly":
                    pay(client, f"{invoices[which % len(invoices)].balance:f}" if invoices else "5", on=on, how="exact")
                case "free" if payments:
                    for allocation in payments[which % len(payments)].allocations.standing():
                        deallocate(allocation, on=on, by=CLERK)
                case "allocate" if payments:
                    allocate(payments[which % len(payments)], "oldest", on=on, by=CLERK)
                case "void" if invoices:
                    void_invoice(invoices[which % len(invoices)], reason="wrong", on=on, by=CLERK)
                case "import":
                    due_on = on + dt.timedelta(days=which * 20)
                    row = f"{n},{client.number},{on},{due_on},{amount},,{amount // 3},{client.currency}"
                    take(f"{','.join(COLUMNS.values())}\n{row}\n".encode(), COLUMNS, "%Y-%m-%d")
        except Refused:
            pass


@given(ACTS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_history_ties_on_every_day(acts):
    from django.db import transaction

    with transaction.atomic():
        company = make_company("any")
        live(company, acts)
        days = {START, START + dt.timedelta(days=400)} | set(Entry.objects.values_list("effective_on", flat=True))
        for day in sorted(days | {day + dt.timedelta(days=31) for day in days}):
            assert_ties(day, day)
        assert_states_agree(sorted(days))
        transaction.set_rollback(True)


def assert_states_agree(days) -> None:
    """`Invoice.state` says of each invoice what the QuerySets say of all."""
    for day in days:
        states = {invoice.pk: invoice.state(day) for invoice in Invoice.objects.all()}

        def those(*wanted, states=states):
            return {pk for pk, state in states.items() if state in wanted}

        assert set(Invoice.objects.drafts().values_list("pk", flat=True)) == those("draft")
        assert set(Invoice.objects.issued().values_list("pk", flat=True)) == those(
            "settled", "overdue", "part_paid", "open"
        )
        assert set(Invoice.objects.open().values_list("pk", flat=True)) == those("overdue", "part_paid", "open")
        assert set(Invoice.objects.overdue(on=day).values_list("pk", flat=True)) == those("overdue")


# ── What people reported ────────────────────────────────────────────────


def test_what_is_not_yet_due_stands_in_a_bucket_of_its_own():
    company = make_company()
    make_invoice(make_client(company), "100", on=dt.date(2026, 11, 1))
    aged = aging(dt.date(2026, 12, 1))["EUR"]
    assert (aged.buckets["current"], aged.overdue, aged.open_count, aged.overdue_count) == (100, 0, 1, 0)


def test_a_report_of_a_past_day_knows_nothing_of_what_came_later():
    company = make_company()
    client = make_client(company)
    make_invoice(client, "100", on=dt.date(2026, 1, 1))
    pay(client, "100", on=dt.date(2026, 4, 15))
    assert aging(dt.date(2026, 4, 14))["EUR"].buckets["61-90"] == 100
    assert aging(dt.date(2026, 4, 15))["EUR"].open == 0
    assert aging(dt.date(2025, 12, 31)) == {}


def test_an_invoice_voided_since_was_open_until_then():
    company = make_company()
    invoice = make_invoice(make_client(company), "100", on=dt.date(2026, 1, 1))
    void_invoice(invoice, reason="wrong client", on=dt.date(2026, 2, 15), by=CLERK)
    assert aging(dt.date(2026, 2, 14))["EUR"].buckets["1-30"] == 100
    assert aging(dt.date(2026, 2, 15))["EUR"].open == 0


def test_unapplied_cash_is_a_negative_column_and_no_bucket():
    company = make_company()
    client = make_client(company)
    make_invoice(client, "100", on=dt.date(2026, 1, 1))
    pay(client, "250", on=dt.date(2026, 1, 10))
    aged = aging(dt.date(2026, 1, 31))["EUR"]
    assert (aged.open, aged.unapplied, aged.total) == (0, -150, -150)


def test_the_rows_of_the_clients_add_up_to_the_whole():
    company, other = make_company(), make_company("us", currency="USD")
    for n in range(4):
        client = make_client(company, f"C{n}")
        make_invoice(client, str(100 * (n + 1)), on=dt.date(2026, 1, 1) + dt.timedelta(days=20 * n))
        pay(client, "130", on=dt.date(2026, 3, 1))
    make_invoice(make_client(other), "77", on=dt.date(2026, 1, 1))
    for day in (dt.date(2026, 2, 20), dt.date(2026, 3, 1), dt.date(2026, 12, 1)):
        whole, rows = aging(day), aging_by_client(day)
        for currency, aged in whole.items():
            assert sum(row.total for row in rows[currency]) == aged.total
            assert sum(row.open_count for row in rows[currency]) == aged.open_count
            for name in BUCKETS:
                assert sum(row.buckets[name] for row in rows[currency]) == aged.buckets[name]
        assert set(aging(day, company)) == {"EUR"} and set(aging(day, other)) == {"USD"}
    assert [row.number for row in aging_by_client(dt.date(2026, 12, 1))["EUR"]] == ["C3", "C2", "C1", "C0"]


def test_the_command_answers_in_json_with_the_currency_s_own_places():
    make_company()
    take(
        f"{','.join(COLUMNS.values())}\n1,C1,2026-01-01,2026-01-31,1200,,,JPY\n2,C1,2026-01-01,2026-01-31,10,,4.5,EUR\n".encode(),
        COLUMNS,
        "%Y-%m-%d",
    )

    def ask(*arguments):
        out = io.StringIO()
        call_command("aging", *arguments, "--json", stdout=out)
        return json.loads(out.getvalue())

    nothing = {
        "current": "0.00",
        "1-30": "0.00",
        "31-60": "0.00",
        "61-90": "0.00",
        "90+": "0.00",
        "unapplied": "0.00",
        "total": "0.00",
        "charges": "0.00",
    }
    answer = ask("--on", "2026-03-15")
    assert list(answer) == ["EUR", "JPY"]
    assert answer["EUR"] == nothing | {
        "31-60": "4.50",
        "total": "4.50",
        "open_count": 1,
        "overdue_count": 1,
        "overdue_total": "4.50",
    }
    assert (answer["JPY"]["31-60"], answer["JPY"]["overdue_total"]) == ("1200", "1200")
    assert ask("--on", "2026-03-15", "--by", "client")["EUR"]["clients"][0]["client"] == "C1"
    assert ask("--on", "2025-03-15") == {}


def test_the_command_refuses_an_unknown_company_with_exit_1(capsys):
    with pytest.raises(SystemExit) as stopped:
        call_command("aging", "--on", "2026-03-15", "--company", "zz", "--json")
    assert stopped.value.code == 1 and json.loads(capsys.readouterr().out)["error"]["where"] == "company"

"""The first page's figures, worked out by hand beside them."""

import datetime as dt
from decimal import Decimal

import pytest

from ar_collections.models import Promise
from reports.aging import aging_by_client
from reports.cash import delays, expected
from reports.exports import aging_csv, today_csv
from reports.figures import today_figures
from tests.cast import invoice_due, make_client, make_company, make_invoice, pay

pytestmark = pytest.mark.django_db

ON = dt.date(2026, 11, 18)  # a Wednesday
DAY = dt.timedelta(days=1)


@pytest.fixture
def company():
    return make_company()


def standing(company, on=ON, currency="EUR"):
    return next(s for s in today_figures(company, on).standings if s.currency == currency)


def promise(invoice, amount, day, *, made_on=ON - 2 * DAY, grace=1):
    return Promise.objects.create(
        client=invoice.client,
        invoice=invoice,
        amount=Decimal(amount),
        currency=invoice.currency,
        promised_for=day,
        pauses_until=day + grace * DAY,
        made_on=made_on,
        made_by="Ada",
    )


def test_an_empty_book_has_no_figures(company):
    figures = today_figures(company, ON)
    assert (figures.standings, figures.overdue_invoices, figures.promises) == ([], 0, 0)


def test_overdue_is_counted_and_compared_with_a_week_ago(company):
    good, late = make_client(company, "C1"), make_client(company, "C2")
    invoice_due(late, ON - 20 * DAY, "300")
    invoice_due(late, ON - 3 * DAY, "50")
    invoice_due(good, ON - 30 * DAY, "900")
    invoice_due(good, ON, "70")  # due today is not overdue
    pay(good, "900", on=ON - DAY)
    figures = today_figures(company, ON)
    one = figures.standings[0]
    assert (figures.overdue_invoices, figures.overdue_clients) == (2, 1)
    assert (one.aging.overdue, one.overdue_week_ago, one.overdue_change) == (350, 1200, -850)
    assert (one.aging.buckets["current"], one.aging.counts["current"]) == (70, 1)


def test_days_sales_outstanding_of_ninety_days_and_of_last_month(company):
    client = make_client(company)
    make_invoice(client, "9000", on=dt.date(2026, 9, 15))
    pay(client, "6000", on=dt.date(2026, 11, 5))
    one = standing(company)
    assert one.dso_last_month == Decimal("90.0")  # 9,000 open of 9,000 sold
    assert one.dso == Decimal("30.0")  # 3,000 of 9,000
    assert one.dso_change == Decimal("-60.0")
    assert one.dso_points == [Decimal("90.0"), Decimal("90.0"), Decimal("30.0")]  # months without sales have none


def test_a_void_invoice_was_no_sale_and_unapplied_cash_is_taken_off(company):
    from invoices.services.issuing import void_invoice

    client = make_client(company)
    make_invoice(client, "1000", on=ON - 10 * DAY)
    void_invoice(make_invoice(client, "500", on=ON - 9 * DAY), reason="wrong", on=ON - 8 * DAY, by="Ada")
    pay(client, "400", on=ON, how="none")
    assert standing(company).dso == Decimal("54.0")  # 600 / 1,000 x 90


def test_promises_open_due_today_kept_and_broken(company):
    client = make_client(company)
    first, second, third, fourth = (invoice_due(client, ON - n * DAY, "100") for n in (10, 20, 30, 40))
    promise(first, "100", ON)
    promise(second, "60", ON + 5 * DAY)
    promise(third, "100", ON - 4 * DAY, made_on=ON - 9 * DAY)  # broken three days ago
    promise(fourth, "100", ON - 20 * DAY, made_on=ON - 30 * DAY)  # broken long ago
    pay(client, "25", on=ON, how={f"invoice:{second.pk}": Decimal(25)})
    figures = today_figures(company, ON)
    one = figures.standings[0]
    assert (figures.promises, figures.promises_due_today, one.promised) == (2, 1, Decimal(135))
    assert (figures.promises_broken, one.broken) == (1, Decimal(100))


def test_a_client_s_habit_is_the_mean_of_days_late_of_a_year(company):
    slow, quick, silent = (make_client(company, f"C{n}") for n in range(3))
    for late in (10, 20):
        due = ON - 100 * DAY
        invoice_due(slow, due, "100")
        pay(slow, "100", on=due + late * DAY)
    invoice_due(quick, ON - 50 * DAY, "100")
    pay(quick, "100", on=ON - 57 * DAY)
    invoice_due(silent, ON - 500 * DAY, "100")
    pay(silent, "100", on=ON - 400 * DAY)
    assert delays(company, ON) == {slow.pk: 15, quick.pk: -7}


def test_money_is_expected_as_promised_else_by_due_date_and_habit(company):
    slow, quick = make_client(company, "C1"), make_client(company, "C2")
    invoice_due(slow, ON - 100 * DAY, "100")
    pay(slow, "100", on=ON - 93 * DAY)
    invoice_due(quick, ON - 100 * DAY, "100")
    pay(quick, "100", on=ON - 110 * DAY)
    promised = invoice_due(slow, ON - 40 * DAY, "500")
    promise(promised, "300", ON + 3 * DAY)
    invoice_due(slow, ON + 2 * DAY, "80")
    invoice_due(quick, ON + 2 * DAY, "9")
    coming = {(e.on, e.amount, e.promised) for e in expected(company, ON)}
    assert coming == {
        (ON + 3 * DAY, Decimal(300), True),
        (ON - 33 * DAY, Decimal(200), False),  # later than expected
        (ON + 9 * DAY, Decimal(80), False),
        (ON + 2 * DAY, Decimal(9), False),
    }
    one = standing(company)
    assert one.still_expected == 389 and one.later_than_expected == 200


def test_cash_by_week_was_and_will_be(company):
    client = make_client(company)
    invoice_due(client, ON - 60 * DAY, "1000")
    pay(client, "100", on=ON - 7 * 7 * DAY)
    pay(client, "200", on=ON - 2 * DAY)
    pay(client, "300", on=ON)
    invoice_due(client, ON + 40 * DAY, "9")  # after the weeks shown
    weeks = standing(company).weeks
    assert [week.begins_on.weekday() for week in weeks] == [0] * 12
    assert weeks[0].begins_on == dt.date(2026, 9, 28) and weeks[-1].begins_on == dt.date(2026, 12, 14)
    assert [week.collected for week in weeks] == [100, 0, 0, 0, 0, 0, 0, 500, None, None, None, None]
    assert all(week.expected is None for week in weeks[:7]) and all(week.expected is not None for week in weeks[7:])


def test_what_was_collected_this_month_stands_beside_what_is_expected_of_it(company):
    client = make_client(company)
    pay(client, "400", on=dt.date(2026, 10, 31))
    pay(client, "100", on=dt.date(2026, 11, 1))
    pay(client, "50", on=ON)
    other = make_client(company, "C2")
    invoice_due(other, dt.date(2026, 11, 30), "70")
    invoice_due(other, dt.date(2026, 12, 1), "900")
    one = standing(company)
    assert (one.collected, one.still_expected, one.expected) == (150, 70, 220)


def test_currencies_and_companies_are_never_mixed(company):
    other = make_company("us", currency="USD")
    make_invoice(make_client(other), "77", on=ON)
    make_invoice(make_client(company, "C1", currency="USD"), "9", on=ON)
    make_invoice(make_client(company, "C2"), "5", on=ON)
    assert [(s.currency, s.aging.open) for s in today_figures(company, ON).standings] == [("EUR", 5), ("USD", 9)]
    assert [(s.currency, s.aging.open) for s in today_figures(other, ON).standings] == [("USD", 77)]


@pytest.mark.parametrize("invoices", [1, 30])
def test_the_figures_take_as_many_queries_however_large_the_book_is(company, invoices, django_assert_max_num_queries):
    for n in range(invoices):
        invoice = invoice_due(make_client(company, f"C{n}"), ON - n * DAY, "100")
        promise(invoice, "10", ON + DAY)
        pay(invoice.client, "50", on=ON)
    with django_assert_max_num_queries(12):
        today_figures(company, ON)


def test_figures_go_out_as_csv_with_no_formula_in_them(company):
    make_invoice(make_client(company, "=C1", name="@Home"), "1234.5", on=ON)
    header, row = aging_csv(aging_by_client(ON, company))
    assert header.startswith("currency,client,name,current,")
    assert row == "EUR,'=C1,'@Home,1234.50,0.00,0.00,0.00,0.00,0.00,1234.50,0.00,1,0\r\n"
    header, row = today_csv(today_figures(company, ON))
    assert row.startswith("2026-11-18,EUR,0.00,0.00,90.0,,0.00,0.00,0.00,0.00,1234.50")

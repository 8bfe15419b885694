"""import_open_items: all of it or nothing, and a second time changes nothing."""

import datetime as dt
import threading
from dataclasses import replace
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import connection

from ar_collections.models import Hold
from audit.models import Event
from clients.models import Client, Contact
from clients.services.overrides import grant_override
from clients.services.status import set_status
from core.errors import Refused
from core.models import Company
from disputes.models import Dispute
from imports.cells import Reading
from imports.services.answers import FileRefused
from imports.services.open_items import Taking, as_json, import_open_items
from invoices.models import CUSTOMER_CREDIT, RECEIVABLE, Entry, Intake, Invoice
from payments.models import Allocation, Payment
from tests.cast import TODAY, make_client, make_company, pay

pytestmark = pytest.mark.django_db

COLUMNS = {
    "number": "no",
    "client": "client",
    "client_name": "name",
    "issued_on": "issued",
    "due_on": "due",
    "total": "total",
    "balance": "open",
    "settled_on": "paid",
    "currency": "cur",
    "email": "mail",
    "contact_name": "who",
    "disputed": "disputed",
    "company": "co",
    "po": "po",
}
HEAD = ",".join(COLUMNS.values())


def row(no, client="C1", issued="2026-09-01", due="2026-10-01", total="100", **more):
    cells = {"no": no, "client": client, "issued": issued, "due": due, "total": total} | more
    return ",".join(cells.get(column, "") for column in COLUMNS.values())


def take(*rows, currency="EUR", **how):
    content = "\n".join([HEAD, *rows]).encode()
    taking = Taking(reading=Reading(COLUMNS, "%Y-%m-%d", currency), source="open.csv", **how)
    return import_open_items(content, taking, on=TODAY, by="Ada")


def book():
    """Everything an import could change."""
    models = (Client, Contact, Invoice, Entry, Payment, Allocation, Dispute, Intake, Hold, Event)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


@pytest.fixture
def company():
    return make_company()


def test_an_item_keeps_its_number_its_dates_and_owes_its_total(company):
    answer = take(row("0000611365", client="0140105686", name="Acme", total="55.94", po="PO-7"))

    item = Invoice.objects.get()
    assert (item.number, item.client.number, item.client.name) == ("0000611365", "0140105686", "Acme")
    assert (item.issued_on, item.due_on, item.terms_days) == (dt.date(2026, 9, 1), dt.date(2026, 10, 1), 30)
    assert (item.total, item.balance, item.state(TODAY), item.po_number) == (Decimal("55.94"),) * 2 + (
        "overdue",
        "PO-7",
    )
    assert item.is_taken_over and item.series is None and item.late_percent == 12
    assert [(line.net, line.is_issued) for line in item.lines.all()] == [(Decimal("55.94"), True)]
    (entry,) = item.entries.all()
    assert (entry.dr, entry.effective_on, entry.amount) == (RECEIVABLE, dt.date(2026, 9, 1), Decimal("55.94"))
    assert as_json(answer)["per_currency"] == {"EUR": {"count": 1, "total": "55.94"}}
    assert answer.more["clients_without_contact"] == 1


def test_a_day_of_settlement_brings_a_payment_of_the_whole_total_on_that_day(company):
    take(row("1", paid="2026-09-20", open="40"))
    payment = Payment.objects.get()
    assert (payment.amount, payment.received_on, payment.method) == (100, dt.date(2026, 9, 20), "opening")
    assert Invoice.objects.get().state(TODAY) == "settled"


def test_a_balance_brings_an_opening_payment_of_the_difference_on_the_day_of_issue(company):
    take(row("1", open="40"), row("2", open="100"), row("3", open="0"))
    assert list(Invoice.objects.order_by("number").values_list("balance", flat=True)) == [40, 100, 0]
    assert [(p.amount, p.received_on) for p in Payment.objects.order_by("amount")] == [
        (60, dt.date(2026, 9, 1)),
        (100, dt.date(2026, 9, 1)),
    ]


def test_what_was_paid_before_the_item_was_issued_is_unapplied_until_then(company):
    take(row("1", paid="2026-08-20"))
    dates = dict(Entry.objects.exclude(kind="issue").values_list("kind", "effective_on"))
    assert dates == {"payment": dt.date(2026, 8, 20), "allocation": dt.date(2026, 9, 1)}


def test_a_client_is_known_by_company_and_number_and_named_by_the_most_frequent_spelling(company):
    make_company("us", currency="USD")
    take(
        row("1", name="WAL-MAR corp"),
        row("2", name="WAL-MAR"),
        row("3", name="WAL-MAR"),
        row("1", name="Other", co="us", cur="USD"),
        company="lo",
    )
    assert list(
        Client.objects.order_by("company__code").values_list("company__code", "number", "name", "currency")
    ) == [
        ("lo", "C1", "WAL-MAR", "EUR"),
        ("us", "C1", "Other", "USD"),
    ]
    assert Invoice.objects.filter(number="1").count() == 2
    assert Intake.objects.count() == Hold.objects.count() == 2


def test_a_client_that_is_here_keeps_its_name_and_its_own_rate(company):
    client = make_client(company, "C1", name="Harbour Lane")
    take(row("1", name="HARBOUR LANE LTD"))
    client.refresh_from_db()
    assert client.name == "Harbour Lane" and Client.objects.count() == 1
    assert Invoice.objects.get().client == client


def test_people_are_added_once_each(company):
    client = make_client(company, "C1", email="ap@client.example")
    answer = take(
        row("1", mail="AP@client.example", who="Mara"),
        row("2", mail="jon@client.example", who="Jon"),
        row("3", mail="jon@client.example"),
        row("4", client="C2", mail="x@two.example"),
    )
    assert sorted(client.contacts.values_list("email", flat=True)) == ["ap@client.example", "jon@client.example"]
    assert answer.counts["contacts_created"] == 2 and answer.more["clients_without_contact"] == 0


def test_several_currencies_stand_in_one_file_and_are_never_added_up(company):
    answer = take(row("1", cur="USD"), row("2", total="1200", cur="JPY"), row("3"))
    assert as_json(answer)["per_currency"] == {
        "EUR": {"count": 1, "total": "100.00"},
        "JPY": {"count": 1, "total": "1200"},
        "USD": {"count": 1, "total": "100.00"},
    }


def test_a_disputed_item_is_disputed_and_one_settled_since_was(company):
    take(row("1", disputed="yes"), row("2", disputed="Yes", paid="2026-09-20"), row("3", disputed="No"))
    disputes = {d.invoice.number: d for d in Dispute.objects.all()}
    assert set(disputes) == {"1", "2"}
    assert disputes["1"].closed_on is None and disputes["1"].revisit_on > TODAY
    assert disputes["2"].closed_on == dt.date(2026, 9, 20)


def test_a_second_import_changes_nothing(company):
    rows = [
        row("1", mail="a@x.example"),
        row("2", paid="2026-09-20"),
        row("3", open="40", disputed="yes"),
        row("3", open="40", disputed="yes"),
    ]
    first = take(*rows)
    assert (first.counts["created"], first.counts["unchanged"]) == (3, 1)
    before = book()
    again = take(*rows)
    assert (again.counts["created"], again.counts["unchanged"], again.counts["clients_created"]) == (0, 4, 0)
    assert book() == before


def test_the_same_file_after_the_item_was_paid_here_changes_nothing_either(company):
    take(row("1"))
    pay(Client.objects.get(), "100")
    before = book()
    assert take(row("1")).counts["unchanged"] == 1
    assert book() == before


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"total": "101"}, "total 100"),
        ({"due": "2026-10-02"}, "due date 2026-10-01"),
        ({"issued": "2026-09-02"}, "issue date"),
        ({"cur": "USD"}, "currency EUR"),
        ({"paid": "2026-11-01"}, "record what was paid since as a payment"),
        ({"open": "40"}, "payment 0"),
    ],
)
def test_a_file_that_contradicts_an_item_is_refused_and_changes_nothing(company, other, says):
    take(row("1"))
    before = book()
    with pytest.raises(FileRefused) as refused:
        take(row("1", **other), row("2"))
    (error,) = refused.value.answer.errors
    assert says in error.message and error.line == 2
    assert book() == before


def test_one_bad_row_refuses_the_whole_file_and_every_bad_row_is_listed(company):
    before = book()
    with pytest.raises(FileRefused) as refused:
        take(row("1"), row("2", total="x"), row("3", due="soon", mail="nobody"), row("4", co="??"))
    errors = refused.value.answer.errors
    assert [(e.line, e.column) for e in sorted(errors, key=lambda e: (e.line, e.column))] == [
        (3, "total"),
        (4, "due"),
        (4, "mail"),
        (5, "co"),
    ]
    assert "3 rows of 4 cannot be taken, so nothing was saved." in str(refused.value)
    assert book() == before


def test_bad_rows_may_be_skipped_and_the_good_ones_taken(company):
    answer = take(row("1"), row("2", total="x"), skip_bad=True)
    assert (answer.counts["created"], len(answer.refused_lines)) == (1, 1)


def test_a_column_in_which_day_and_month_change_places_is_refused_even_then(company):
    content = "\n".join(
        [HEAD, row("1", issued="01/02/2026", due="03/04/2026"), row("2", issued="01/02/2026", due="26/04/2026")]
    )
    taking = Taking(reading=Reading(COLUMNS, "%m/%d/%Y", "EUR"), skip_bad=True)
    with pytest.raises(FileRefused, match="none of its dates can be trusted"):
        import_open_items(content.encode(), taking, on=TODAY, by="Ada")
    assert not Invoice.objects.exists()


def test_a_dry_run_answers_the_same_and_saves_nothing(company):
    before = book()
    dry = take(row("1"), row("2", mail="a@x.example"), dry_run=True)
    assert book() == before
    assert as_json(dry) == as_json(take(row("1"), row("2", mail="a@x.example")))


def test_the_first_messages_after_an_import_wait_for_a_person(company):
    take(row("1"))
    hold = Hold.objects.get()
    assert (hold.company, hold.reason, hold.ended_at) == (company, "import", None)
    assert "open.csv" in hold.detail


def test_an_import_that_brings_nothing_new_holds_nothing(company):
    take(row("1"))
    Hold.objects.update(ended_at="2026-11-18T10:00Z")
    take(row("1"))
    assert not Hold.objects.filter(ended_at=None).exists()


def test_each_item_and_each_payment_has_its_line_in_the_audit_trail(company):
    take(row("1", paid="2026-09-20"), row("2"))
    docs = set(Entry.objects.values_list("doc", flat=True))
    assert docs == set(Event.objects.exclude(doc="").values_list("doc", flat=True)) and len(docs) == 3


def test_the_ledger_ties_to_the_balances(company):
    take(row("1", paid="2026-09-20"), row("2", open="40"), row("3"))
    for invoice in Invoice.objects.all():
        sums = [e.amount if e.dr == RECEIVABLE else -e.amount for e in invoice.entries.all()]
        assert sum(sums) == invoice.balance
    credit = [e.amount if e.cr == CUSTOMER_CREDIT else -e.amount for e in Entry.objects.exclude(kind="issue")]
    assert sum(credit) == 0


def test_the_company_is_named_where_there_are_several_and_known(company):
    make_company("us", currency="USD")
    with pytest.raises(Refused, match="several companies: lo, us"):
        take(row("1"))
    with pytest.raises(Refused, match="no company «de»"):
        take(row("1"), company="de")
    take(row("1"), company="US")
    assert Invoice.objects.get().company.code == "us"


def test_the_first_company_begins_with_the_first_file():
    answer = take(row("1"), company="ibm")
    company = Company.objects.get()
    assert (company.code, company.currency) == ("ibm", "EUR")
    assert company.policy_choice.name == "standard" and company.terms.get().is_default
    assert any("enter its name" in w.message.lower() for w in answer.warnings)


def test_a_dry_run_begins_no_company():
    take(row("1"), dry_run=True)
    assert not Company.objects.exists()


def test_text_is_data_and_lengths_are_capped(company):
    answer = take(row("1", name="<script>alert(1)</script>\x00" + "x" * 300))
    client = Client.objects.get()
    assert client.name.startswith("<script>") and len(client.name) == 200 and "\x00" not in client.name
    assert any("Cut to 200" in w.message for w in answer.warnings)


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_file_at_once_take_it_once():
    make_company()
    rows = [row(str(n)) for n in range(30)]
    answers, barrier = [], threading.Barrier(2)

    def run():
        barrier.wait()
        try:
            answers.append(take(*rows).counts["created"])
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [0, 30] and Invoice.objects.count() == 30


def test_items_sold_on_credit_since_the_client_is_cash_only_are_refused_by_line(company):
    client = make_client(company, "C1")
    set_status(client, "cash_only", because="60 days late", source="policy", on=dt.date(2026, 9, 10), by="system")
    set_status(client, "closed", because="and no word", source="policy", on=dt.date(2026, 10, 10), by="system")
    rows = [
        row("before", issued="2026-09-09"), row("after", issued="2026-09-10"),
        row("paid", issued="2026-10-01", paid="2026-10-02"), row("other", client="C2", issued="2026-10-20"),
    ]  # fmt: skip
    before = book()
    with pytest.raises(FileRefused, match="buys nothing on credit since 2026-09-10") as refused:
        take(*rows)
    assert refused.value.answer.refused_lines == {3} and book() == before
    assert as_json(take(*rows, skip_bad=True))["refused"] == 1
    assert set(Invoice.objects.values_list("number", flat=True)) == {"before", "paid", "other"}
    assert as_json(take(rows[0], rows[2]))["unchanged"] == 2  # what is here already is not judged again


def test_who_may_grant_exceptions_takes_them_all_the_same_and_says_why(company):
    client = make_client(company, "C1")
    set_status(client, "cash_only", because="60 days late", source="policy", on=dt.date(2026, 9, 10), by="system")
    content = "\n".join([HEAD, row("after", issued="2026-09-10")]).encode()
    taking = Taking(Reading(COLUMNS, "%Y-%m-%d", "EUR"), in_spite="sold before the change of systems")
    manager = User.objects.create_superuser("grace")
    clerk = User.objects.create_user("ada")
    for by, how in ((clerk, taking), ("import", taking), (manager, replace(taking, in_spite=" "))):
        with pytest.raises(FileRefused, match="Leave it out, or let somebody who may grant exceptions"):
            import_open_items(content, how, on=TODAY, by=by)
    import_open_items(content, replace(taking, dry_run=True), on=TODAY, by=manager)
    assert not Invoice.objects.exists()
    import_open_items(content, taking, on=TODAY, by=manager)
    told = Event.objects.get(action="credit_rule_passed")
    assert (told.summary, told.client_id) == ("sold before the change of systems", client.pk)


def test_an_exception_of_the_client_covers_its_items(company):
    client = make_client(company, "C1")
    set_status(client, "cash_only", because="60 days late", source="policy", on=dt.date(2026, 9, 10), by="system")
    grant_override(
        client, "on_credit", "paid by their parent", expires_on=TODAY, on=TODAY,
        by=User.objects.create_superuser("grace"),
    )
    take(row("after", issued="2026-09-10"))
    assert "paid by their parent" in Event.objects.get(action="credit_rule_passed").summary

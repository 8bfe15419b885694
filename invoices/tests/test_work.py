"""Completed work: kept when it is done, invoiced however small, and what is refused stays with the sentence."""

from __future__ import annotations

import datetime as dt
import threading
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from clients.services.status import set_status
from core.errors import Refused
from invoices.models import CompletedWork, Invoice
from invoices.services.drafting import delete_draft
from invoices.services.issuing import void_invoice
from invoices.services.work import (
    Done,
    change_work,
    days_to_invoice,
    late_work,
    record_work,
    release_work,
    remove_work,
    restore_work,
    sums_of,
)
from invoices.services.work_invoicing import due_tonight, invoice_work
from outbox.models import Message
from policies.models import Terms
from tests.cast import CLERK, TODAY, make_client, make_company, make_draft

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


def done(client, what="Workshop", price="100", *, on=TODAY, today=TODAY, **facts):
    if "quantity" in facts:
        facts["quantity"] = Decimal(facts["quantity"])
    return record_work(client, Done(what, on, Decimal(price), **facts), on=today, by=CLERK)


def invoiced(company, *, on=TODAY, by=CLERK, **how):
    return invoice_work(company, on=on, by=by, **how)


@pytest.fixture
def boss(db):
    return User.objects.create_superuser("boss", password="correct horse battery")


# --- on the list ------------------------------------------------------------------------------------------------------


def test_work_is_kept_with_its_price_and_waits(good_client):
    work = done(good_client, quantity="2.5", price="99.99", tax_percent=Decimal(19), po_number="PO-1", unit="h")
    assert (work.net, work.gross, work.currency) == (Decimal("249.98"), Decimal("297.48"), "EUR")
    assert list(CompletedWork.objects.waiting()) == [work]


def test_the_same_key_is_the_same_work(good_client, late_client):
    work = done(good_client, key="T-7")
    assert done(good_client, key="T-7") == work
    for other in (lambda: done(good_client, price="101", key="T-7"), lambda: done(late_client, key="T-7")):
        with pytest.raises(Refused, match="“T-7” stands for other work already: Workshop for Osprey Logistics"):
            other()
    assert CompletedWork.objects.count() == 1


@pytest.mark.parametrize(
    ("facts", "where"),
    [
        ({"what": " "}, "description"), ({"on": TODAY + DAY}, "done_on"), ({"price": "0"}, "unit_price"),
        ({"price": "-5"}, "unit_price"), ({"currency": "XYZ"}, "currency"), ({"price": "1.2345678"}, "unit_price"),
        ({"tax_percent": Decimal(101)}, "tax_percent"), ({"tax_category": "X"}, "tax_category"),
        ({"tax_category": "AE", "tax_percent": Decimal(19)}, "tax_percent"), ({"price": "1" + "0" * 20}, "unit_price"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_by_field_and_nothing_is_kept(good_client, facts, where):
    with pytest.raises(Refused) as refused:
        done(good_client, **facts)
    assert refused.value.where == where and not CompletedWork.objects.exists()


def test_taken_off_the_list_it_comes_back(good_client):
    work = done(good_client, key="T-7")
    remove_work(work, at=timezone.now(), by=CLERK)
    remove_work(work, at=timezone.now(), by=CLERK)
    assert not CompletedWork.objects.waiting().exists() and invoiced(good_client.company).invoices == []
    restore_work(work, by=CLERK)
    assert CompletedWork.objects.waiting().exists()
    remove_work(work, at=timezone.now(), by=CLERK)
    assert done(good_client, price="120", key="T-7").gross == 120, "told anew, as told now"


def test_what_is_said_of_work_that_waits_is_put_right(company):
    work = done(make_client(company, "C-5", po_required=True), key="T-7")
    invoiced(company)
    told = Done("Workshop, second day", TODAY, Decimal(120), po_number="PO-9")
    changed = change_work(work, told, on=TODAY, by=CLERK)
    assert (changed.gross, changed.po_number, changed.refused_because, changed.key) == (120, "PO-9", "", "T-7")
    with pytest.raises(Refused, match="still to be done"):
        change_work(work, Done("Workshop", TODAY + DAY, Decimal(120)), on=TODAY, by=CLERK)
    (invoice,) = invoiced(company).invoices
    assert invoice.po_number == "PO-9"
    with pytest.raises(Refused, match="no longer changes"):
        change_work(work, told, on=TODAY, by=CLERK)


def test_work_on_an_invoice_is_not_taken_off_the_list(good_client):
    work = done(good_client)
    invoiced(good_client.company)
    with pytest.raises(Refused, match="stands on LO-2026-0001"):
        remove_work(work, at=timezone.now(), by=CLERK)


# --- invoicing --------------------------------------------------------------------------------------------------------


def test_one_invoice_per_client_and_currency_issued_and_due_by_the_clients_terms(company, good_client, late_client):
    done(good_client, "Workshop", "100", on=TODAY - 2 * DAY, po_number="PO-1")
    done(good_client, "Follow-up", "0.05", po_number="PO-2")
    done(good_client, "Abroad", "70", currency="USD")
    done(late_client, "Repair", "30")
    made = invoiced(company)
    assert sorted((i.client.name, i.currency, i.total) for i in made.invoices) == [
        ("Harbour Lane Coffee", "EUR", 30), ("Osprey Logistics", "EUR", Decimal("100.05")),
        ("Osprey Logistics", "USD", 70),
    ]
    assert made.left == [] and not CompletedWork.objects.waiting().exists()
    invoice = Invoice.objects.get(total=Decimal("100.05"))
    assert invoice.state(TODAY) == "open" and invoice.due_on == TODAY + 30 * DAY
    assert (invoice.po_number, invoice.service_from, invoice.service_to) == ("PO-1, PO-2", TODAY - 2 * DAY, TODAY)
    assert [(line.description, line.detail) for line in invoice.lines.all()] == [
        ("Workshop", "16 November 2026 · PO-1"), ("Follow-up", "18 November 2026 · PO-2"),
    ]


def test_one_invoice_per_order_where_the_client_wants_that(company):
    client = make_client(company, "C-5", invoice_per="order")
    for what, order in (("A", "PO-1"), ("B", "PO-1"), ("C", "PO-2"), ("D", "")):
        done(client, what, po_number=order)
    made = invoiced(company).invoices
    assert sorted((i.po_number, i.lines.count()) for i in made) == [("", 1), ("PO-1", 2), ("PO-2", 1)]


def test_running_it_again_invoices_nothing_twice(company, good_client):
    done(good_client)
    assert len(invoiced(company).invoices) == 1
    assert invoiced(company).invoices == [] and Invoice.objects.count() == 1


def test_only_what_was_chosen_is_invoiced(company, good_client):
    chosen, other = done(good_client, "A"), done(good_client, "B")
    (invoice,) = invoiced(company, works=[chosen]).invoices
    assert [line.description for line in invoice.lines.all()] == ["A"]
    assert list(CompletedWork.objects.waiting()) == [other]


def test_without_the_order_number_a_client_needs_it_stays_with_the_sentence(company):
    client = make_client(company, "C-5", po_required=True)
    without = done(client, "A")
    done(client, "B", po_number="PO-9")
    made = invoiced(company)
    assert [i.po_number for i in made.invoices] == ["PO-9"]
    (left,) = made.left
    assert (left.works, left.code) == ([without], "po_required")
    without.refresh_from_db()
    assert "purchase order number" in without.refused_because and without.refused_on == TODAY
    assert not Invoice.objects.drafts().exists(), "nothing half-saved"


def test_delivered_work_of_a_client_on_cash_only_needs_the_permission(company, late_client, boss):
    """Case 23: delivered work stays invoiceable, by somebody who may."""
    work = done(late_client)
    set_status(late_client, "cash_only", because="90 days overdue", source="policy", on=TODAY, by="system")
    for by in (CLERK, "system"):
        (left,) = invoiced(company, by=by).left
        assert left.code == "cash_only" and "permission to invoice delivered work" in left.sentence
    work.refresh_from_db()
    assert work.invoice is None and work.refused_because
    (invoice,) = invoiced(company, by=boss).invoices
    work.refresh_from_db()
    assert work.invoice == invoice and work.refused_because == ""


def test_on_stricter_terms_it_is_due_by_terms_that_are_short_enough(company, late_client):
    Terms.objects.create(company=company, name="Net 14 days", net_days=14)
    Terms.objects.create(company=company, name="Net 7 days", net_days=7)
    set_status(
        late_client, "stricter", because="policy", source="policy", on=TODAY, by="system", terms_days=14,
    )
    done(late_client)
    (invoice,) = invoiced(company).invoices
    assert invoice.terms_days == 14


def test_work_on_an_invoice_that_is_voided_waits_until_somebody_says_that_it_is_invoiced_again(company, good_client):
    work = done(good_client)
    (invoice,) = invoiced(company).invoices
    void_invoice(invoice, reason="Wrong price", on=TODAY, by=CLERK)
    work.refresh_from_db()
    assert work.invoice is None and work.refused_because == "LO-2026-0001 was voided: Wrong price"
    assert list(CompletedWork.objects.stuck()) == list(CompletedWork.objects.held()) == [work]
    later = timezone.now() + 5 * DAY
    assert not due_tonight(company, later, TODAY + 5 * DAY).exists(), "no night takes it"
    assert invoiced(company).invoices == invoiced(company, works=[work]).invoices == [], "nor does any other click"
    put_right = change_work(work, Done("Workshop", TODAY, Decimal(90)), on=TODAY, by=CLERK)
    assert put_right.refused_because, "who puts the price right has not said that it is invoiced again"
    for _ in range(2):
        release_work(work, by=CLERK)
    assert not CompletedWork.objects.stuck().exists() and due_tonight(company, later, TODAY + 5 * DAY).exists()
    (again,) = invoiced(company).invoices
    assert again.total == 90
    with pytest.raises(Refused, match="stands on LO-2026-0002"):
        release_work(work, by=CLERK)


def test_a_draft_that_takes_the_place_of_a_voided_invoice_gives_its_work_back_when_thrown_away(company, good_client):
    work = done(good_client)
    (invoice,) = invoiced(company).invoices
    void_invoice(invoice, reason="Wrong price", on=TODAY, by=CLERK)
    draft = make_draft(good_client, "90")
    invoice.works_given_back.update(invoice=draft)
    delete_draft(draft, by=CLERK)
    work.refresh_from_db()
    assert list(CompletedWork.objects.held()) == [work] and work.refused_because


def test_the_tax_category_and_the_reason_for_no_tax_stand_on_the_invoice(company, good_client):
    reason = "Exempt as training"
    done(good_client, tax_category="E", exemption_reason=reason)
    line = invoiced(company).invoices[0].lines.get()
    assert (line.tax_category, line.exemption_reason, line.tax_percent) == ("E", reason, 0)


def test_invoices_are_mailed_from_the_hour_given_and_those_nobody_gets_are_named(company, good_client):
    done(good_client)
    done(make_client(company, "C-9", email=None))
    nine = timezone.now() + dt.timedelta(hours=9)
    made = invoiced(company, send_from=nine)
    assert [(str(i.client), "add a contact" in why) for i, why in made.not_sent] == [("Client C-9", True)]
    assert Message.objects.get().not_before == nine


@pytest.mark.django_db(transaction=True)
def test_the_night_and_a_click_at_once_invoice_it_once():
    company = make_company()
    client = make_client(company)
    for n in range(5):
        done(client, f"Hour {n}")
    barrier, made = threading.Barrier(2), []

    def run():
        barrier.wait()
        try:
            made.append(len(invoiced(company).invoices))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [0, 1] and Invoice.objects.get().lines.count() == 5


# --- how soon ---------------------------------------------------------------------------------------------------------


def test_days_to_invoice_are_measured_by_the_month_of_the_invoice(company, good_client, late_client):
    for days in (1, 2, 9):
        done(good_client, on=TODAY - days * DAY)
    invoiced(company)
    void_invoice(Invoice.objects.get(), reason="x", on=TODAY, by=CLERK)
    assert days_to_invoice(company, TODAY) == [], "a voided invoice is none"
    for work in CompletedWork.objects.held():
        release_work(work, by=CLERK)
    invoiced(company)
    done(late_client, on=dt.date(2026, 12, 1), today=dt.date(2026, 12, 1))
    invoiced(company, on=dt.date(2026, 12, 3))
    december, november = days_to_invoice(company, dt.date(2026, 12, 31))
    assert (december.count, december.median) == (1, 2)
    assert (november.month, november.count, november.median, november.mean, november.longest) == (
        dt.date(2026, 11, 1), 3, 2, 4, 9
    )


def test_work_older_than_the_policy_allows_is_a_list_with_its_sum(company, good_client):
    late = done(good_client, "Old", "250", on=TODAY - 4 * DAY)
    done(good_client, "On the last day", on=TODAY - 3 * DAY)
    found = late_work(company, TODAY, 3)
    assert list(found) == [late] and sums_of(found) == {"EUR": 250}


# --- by itself --------------------------------------------------------------------------------------------------------


def at_midnight(company):
    return dt.datetime.combine(TODAY, dt.time(), tzinfo=company.zone)


def test_a_night_takes_what_was_told_before_its_midnight_and_asks_once(company, good_client):
    told = done(good_client)
    midnight = at_midnight(company)
    CompletedWork.objects.update(recorded_at=midnight - dt.timedelta(minutes=1))
    assert list(due_tonight(company, midnight, TODAY)) == [told]
    CompletedWork.objects.update(recorded_at=midnight)
    assert not due_tonight(company, midnight, TODAY).exists(), "told today, it waits for the next night"
    CompletedWork.objects.update(recorded_at=midnight - DAY, refused_on=TODAY)
    assert not due_tonight(company, midnight, TODAY).exists(), "refused tonight, it is asked again tomorrow"
    assert due_tonight(company, midnight + DAY, TODAY + DAY).exists()


def test_the_tick_invoices_and_mails_at_the_opening_of_the_window(company, good_client, settings):
    from core.models import Tick
    from invoices.tasks import WORK_TICK, invoice_completed_work

    yesterday = timezone.now() - 2 * DAY
    work = done(good_client, on=yesterday.date(), today=yesterday.date())
    invoice_completed_work()
    assert Tick.objects.get(name=WORK_TICK).result == {}, "told just now"
    CompletedWork.objects.update(recorded_at=yesterday)
    invoice_completed_work()
    work.refresh_from_db()
    assert work.invoice.issued_at and Tick.objects.get(name=WORK_TICK).result == {"lo": {"invoices": 1, "left": 0}}
    assert Message.objects.get().not_before.astimezone(company.zone).time() >= dt.time(9)
    invoice_completed_work()
    assert Invoice.objects.count() == 1


def test_a_night_in_which_nothing_waits_asks_one_question(company, django_assert_max_num_queries):
    from invoices.tasks import invoice_completed_work

    with django_assert_max_num_queries(8):  # the tick's own row and its savepoints, and whether anything waits
        invoice_completed_work()


def test_the_command_says_what_it_issued_and_what_it_left(company, good_client, capsys):
    import json

    done(good_client, "A", "10", on=dt.date(2026, 1, 1))
    done(make_client(company, "C-5", po_required=True), "B", "20", on=dt.date(2026, 1, 1))
    with pytest.raises(SystemExit) as ended:
        call_command("invoice_work", "--json")
    told = json.loads(capsys.readouterr().out)
    assert ended.value.code == 1, "something was refused"
    assert told["per_currency"] == {"EUR": {"count": 1, "total": "10.00"}}
    assert [(i["client"], i["total"], i["works"]) for i in told["invoices"]] == [("C-0001", "10.00", 1)]
    assert [(r["client"], r["total"], r["code"]) for r in told["refused"]] == [("C-5", "20.00", "po_required")]


def test_the_command_in_an_empty_book_and_with_a_company_nobody_knows(db, capsys):
    import json

    call_command("invoice_work", "--json")
    assert json.loads(capsys.readouterr().out) == {"invoices": [], "per_currency": {}, "refused": []}
    with pytest.raises(SystemExit):
        call_command("invoice_work", "--json", "--company", "nobody")
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "company"


def test_less_than_nothing_twice_is_no_work(late_client):
    with pytest.raises(Refused, match="worth more than nothing"):
        record_work(late_client, Done("Workshop", TODAY, Decimal(-80), quantity=Decimal(-1)), on=TODAY, by=CLERK)

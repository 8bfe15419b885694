"""What comes again and again: issued on each of its days exactly once, or refused with a sentence."""

from __future__ import annotations

import datetime as dt
import json
import threading
from decimal import Decimal

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection

from clients.services.status import set_status
from core.errors import Refused
from core.models import Tick
from invoices.models import Invoice, RecurringInvoice, RecurringRun, Series
from invoices.services.drafting import LineDraft
from invoices.services.issuing import void_invoice
from invoices.services.recurring import (
    Schedule,
    coming,
    edit_recurring,
    end_recurring,
    lines_of,
    make_recurring,
    pause_recurring,
    resume_recurring,
    skip_day,
    unskip_day,
)
from invoices.services.recurring_runs import due_days, leave_out, run_recurring, try_again
from invoices.services.sending import send_invoice
from outbox.models import Message
from policies.models import Terms
from tests.cast import CLERK, TODAY, make_client, make_company

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
FIRST = TODAY + DAY
NOON = dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC)
HOSTING = LineDraft("Hosting {month}", Decimal(1), Decimal(80), tax_percent=Decimal(19))


def make(client, *, starts_on=FIRST, on=TODAY, lines=(HOSTING,), **facts):
    schedule = Schedule(facts.pop("name", "Hosting"), starts_on, **facts)
    return make_recurring(client, schedule, lines, on=on, by=CLERK)


def run(company, on=FIRST, by="system", **how):
    return run_recurring(company, send_from=NOON, on=on, by=by, **how)


def next_days(recurring, on=TODAY, n=12):
    runs = {run.on: run for run in recurring.runs.all()}
    return coming(recurring, runs, on, n)


# --- writing it -------------------------------------------------------------------------------------------------------


def test_the_next_twelve_days_are_known_before_anything_is_issued(good_client):
    recurring = make(good_client, starts_on=dt.date(2027, 1, 31))
    days = next_days(recurring)
    assert [day.on.isoformat() for day in days[:4]] == ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"]
    assert len(days) == 12 and not any(day.due or day.skipped for day in days)


def test_the_same_told_twice_is_one_and_another_of_its_name_is_refused(good_client, late_client):
    assert make(good_client) == make(good_client) and make(late_client).client == late_client
    with pytest.raises(Refused, match="has a recurring invoice called “Hosting” already") as refused:
        make(good_client, every=2)
    assert refused.value.where == "name" and RecurringInvoice.objects.count() == 2


@pytest.mark.parametrize(
    ("facts", "where"),
    [
        ({"name": " "}, "name"), ({"every": 0}, "every"), ({"unit": "day"}, "unit"), ({"covers": "x"}, "covers"),
        ({"ends_on": TODAY}, "ends_on"), ({"currency": "XYZ"}, "currency"), ({"lines": ()}, "lines"),
        ({"lines": (LineDraft("Free", Decimal(1), Decimal(0)),)}, "lines"),
        ({"lines": (LineDraft("{mnth}", Decimal(1), Decimal(5)),)}, "line 1"), ({"covers": ""}, "covers"),
        ({"lines": (HOSTING, LineDraft("x", Decimal(1), Decimal(5), tax_category="Q"),)}, "line 2"),
        ({"note": "{moth}"}, "note"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_by_field_and_nothing_is_kept(good_client, facts, where):
    with pytest.raises(Refused) as refused:
        make(good_client, **facts)
    assert refused.value.where == where and not RecurringInvoice.objects.exists()


def test_somebody_elses_contact_or_terms_and_a_missing_order_number_are_refused(company, good_client, late_client):
    other = make_company("po")
    strict = make_client(company, "C-5", po_required=True)
    for client, facts, where in (
        (good_client, {"contact": late_client.contacts.get()}, "contact"),
        (good_client, {"terms": other.terms.get()}, "terms"), (strict, {}, "po_number"),
    ):
        with pytest.raises(Refused) as refused:
            make(client, **facts)
        assert refused.value.where == where
    assert make(strict, po_number="PO-1").po_number == "PO-1"


def test_written_anew_it_counts_from_that_day_and_whoever_was_slower_is_told(company, good_client):
    recurring = make(good_client, starts_on=dt.date(2026, 1, 1))
    assert run(company).invoices == [], "days before it was written are not made up for"
    monthly = Schedule("Hosting", dt.date(2026, 1, 15))
    edit_recurring(recurring, monthly, [HOSTING], version=1, on=TODAY, by=CLERK)
    assert run(company).invoices == [] and next_days(recurring)[0].on == dt.date(2026, 12, 1)
    recurring.refresh_from_db()
    assert next_days(recurring)[0].on == dt.date(2026, 12, 15)
    with pytest.raises(Refused, match="Somebody else changed this"):
        edit_recurring(recurring, monthly, [HOSTING], version=1, on=TODAY, by=CLERK)
    make(good_client, name="Care")
    with pytest.raises(Refused, match="has another one called “Care”"):
        edit_recurring(recurring, Schedule("Care", FIRST), [HOSTING], on=TODAY, by=CLERK)


def test_new_lines_hold_from_the_next_invoice_on(company, good_client):
    recurring = make(good_client, unit="week")
    run(company)
    dearer = LineDraft("Hosting, larger", Decimal(1), Decimal(120))
    recurring.refresh_from_db()
    edit_recurring(recurring, Schedule("Hosting", FIRST, unit="week"), [dearer], on=FIRST, by=CLERK)
    run(company, FIRST + 7 * DAY)
    assert [i.net for i in Invoice.objects.order_by("pk")] == [80, 120]
    assert [line.description for line in lines_of(recurring)] == ["Hosting, larger"]


# --- by itself --------------------------------------------------------------------------------------------------------


def test_on_its_day_it_becomes_an_invoice_and_a_mail_once(company, good_client):
    recurring = make(good_client, starts_on=dt.date(2026, 12, 1), po_number="PO-1", note="For {period}")
    assert run(company).invoices == [], "its day has not come"
    for _ in range(3):
        run(company, dt.date(2026, 12, 1))
    invoice = Invoice.objects.get()
    assert (invoice.issued_on, invoice.due_on) == (dt.date(2026, 12, 1), dt.date(2026, 12, 31))
    assert (invoice.service_from, invoice.service_to) == (dt.date(2026, 12, 1), dt.date(2026, 12, 31))
    assert (invoice.po_number, invoice.total) == ("PO-1", Decimal("95.20"))
    assert invoice.lines.get().description == "Hosting December 2026"
    assert invoice.note == "For 1 December – 31 December 2026"
    message = Message.objects.get()
    assert (message.kind, message.not_before) == ("invoice", NOON)
    assert recurring.runs.get().invoice == invoice
    recurring.refresh_from_db()
    assert next_days(recurring, dt.date(2026, 12, 1))[0].on == dt.date(2027, 1, 1)
    assert recurring.counts_from == dt.date(2026, 12, 2), "the days gone by are not looked at again every minute"


def test_the_time_behind_is_said_in_the_clients_language(company):
    client = make_client(company, "C-5", language="de")
    rent = LineDraft("Miete {month}", Decimal(1), Decimal(9))
    make(client, covers="behind", starts_on=dt.date(2026, 12, 1), lines=[rent])
    (invoice,) = run(company, dt.date(2026, 12, 1)).invoices
    assert invoice.lines.get().description == "Miete November 2026"
    assert (invoice.service_from, invoice.service_to) == (dt.date(2026, 11, 1), dt.date(2026, 11, 30))


def test_without_a_time_nothing_is_filled_in_and_without_mail_nothing_leaves(company, good_client):
    make(good_client, covers="", sends=False, lines=[LineDraft("Care", Decimal(1), Decimal(9))])
    (invoice,) = run(company).invoices
    assert invoice.service_from is None and not Message.objects.exists()


def test_after_an_outage_every_missed_day_is_made_up_for_once(company, good_client):
    make(good_client, unit="week", covers="ahead")
    back = FIRST + 16 * DAY
    assert len(run(company, back).invoices) == 3 and run(company, back).invoices == []
    invoices = Invoice.objects.order_by("pk")
    assert {i.issued_on for i in invoices} == {back}, "the claim begins when it is sent"
    assert [i.service_from for i in invoices] == [FIRST, FIRST + 7 * DAY, FIRST + 14 * DAY]
    assert [r.on for r in RecurringRun.objects.order_by("on")] == [FIRST, FIRST + 7 * DAY, FIRST + 14 * DAY]


def test_days_missed_while_paused_are_not_made_up_for(company, good_client):
    recurring = make(good_client, unit="week")
    for _ in range(2):
        pause_recurring(recurring, at=NOON, by=CLERK)
    assert run(company, FIRST + 15 * DAY).invoices == []
    recurring.refresh_from_db()
    assert next_days(recurring, FIRST + 15 * DAY)[0].on == FIRST + 21 * DAY
    for _ in range(2):
        recurring = resume_recurring(recurring, on=FIRST + 15 * DAY, by=CLERK)
    assert run(company, FIRST + 20 * DAY).invoices == []
    assert [i.service_from for i in run(company, FIRST + 21 * DAY).invoices] == [FIRST + 21 * DAY]


def test_paused_and_resumed_within_its_day_it_is_issued_all_the_same(company, good_client):
    recurring = make(good_client)
    pause_recurring(recurring, at=NOON, by=CLERK)
    resume_recurring(recurring, on=FIRST, by=CLERK)
    assert len(run(company).invoices) == 1
    pause_recurring(recurring, at=NOON, by=CLERK)
    resume_recurring(recurring, on=FIRST, by=CLERK)
    assert run(company).invoices == [], "and not twice"


def test_after_the_last_day_nothing_comes_and_a_new_end_makes_nothing_up(company, good_client):
    recurring = make(good_client, unit="week")
    end_recurring(recurring, FIRST, by=CLERK)
    assert len(run(company, FIRST + 20 * DAY).invoices) == 1
    recurring.refresh_from_db()
    assert next_days(recurring, FIRST + 20 * DAY) == []
    edit_recurring(recurring, Schedule("Hosting", FIRST, unit="week"), [HOSTING], on=FIRST + 20 * DAY, by=CLERK)
    assert run(company, FIRST + 20 * DAY).invoices == []
    assert len(run(company, FIRST + 21 * DAY).invoices) == 1


def test_one_day_is_left_out_and_taken_back(company, good_client):
    recurring = make(good_client, unit="week")
    for _ in range(2):
        skip_day(recurring, FIRST, on=TODAY, by=CLERK)
    assert next_days(recurring)[0].skipped and not next_days(recurring)[1].skipped
    unskip_day(recurring, FIRST, on=TODAY, by=CLERK)
    assert not recurring.runs.exists()
    skip_day(recurring, FIRST, on=TODAY, by=CLERK)
    assert run(company).invoices == []
    with pytest.raises(Refused, match="That day is over"):
        unskip_day(recurring, FIRST, on=FIRST + DAY, by=CLERK)
    with pytest.raises(Refused, match="No invoice is coming on that day"):
        skip_day(recurring, FIRST + DAY, on=TODAY, by=CLERK)
    assert len(run(company, FIRST + 7 * DAY).invoices) == 1
    with pytest.raises(Refused, match="has become an invoice"):
        skip_day(recurring, FIRST + 7 * DAY, on=TODAY, by=CLERK)


# --- refused ----------------------------------------------------------------------------------------------------------


def test_what_a_rule_refuses_is_kept_with_the_sentence_and_asked_again_every_day(company, good_client):
    recurring = make(good_client)
    set_status(good_client, "cash_only", because="t", source="policy", on=TODAY, by="system")
    (refused,) = run(company).refused
    assert "buys for cash only" in refused.refused_because and not Invoice.objects.exists()
    assert not Series.objects.filter(last__gt=0).exists() and not Message.objects.exists(), "nothing half-saved"
    assert run(company).refused == [], "asked once a day"
    assert len(run(company, FIRST + DAY).refused) == 1 and RecurringRun.objects.stuck().count() == 1
    set_status(good_client, "open", because="t", source="policy", on=FIRST + DAY, by="system")
    (invoice,) = run(company, FIRST + 2 * DAY).invoices
    run_ = recurring.runs.get()
    assert (run_.invoice, run_.refused_because, run_.on) == (invoice, "", FIRST) and Message.objects.count() == 1
    assert invoice.service_from == FIRST, "for the time it was due for"


def test_a_person_tries_again_at_once_or_leaves_it_out(company, good_client):
    make(good_client)
    good_client.po_required = True
    good_client.save()
    (refused,) = run(company).refused
    assert "ask for it and enter it" in refused.refused_because
    assert "ask for it" in try_again(refused, send_from=NOON, on=FIRST, by=CLERK).refused_because
    good_client.po_required = False
    good_client.save()
    done = try_again(refused, send_from=NOON, on=FIRST, by=CLERK)
    assert done.invoice is not None and not RecurringRun.objects.stuck().exists()
    assert try_again(done, send_from=NOON, on=FIRST, by=CLERK).invoice == done.invoice and Invoice.objects.count() == 1


def test_what_is_left_out_by_a_person_is_not_asked_again(company, late_client):
    make(late_client)
    set_status(late_client, "closed", because="t", source="policy", on=TODAY, by="system")
    (refused,) = run(company).refused
    for _ in range(2):
        leave_out(refused, by=CLERK)
    assert not RecurringRun.objects.stuck().exists() and run(company, FIRST + DAY).refused == []
    set_status(late_client, "open", because="t", source="policy", on=FIRST, by="system")
    assert try_again(refused, send_from=NOON, on=FIRST, by=CLERK).invoice is None, "nor by a page that was open still"
    refused.refresh_from_db()
    assert refused.skipped_by == CLERK and refused.refused_because, "why stays to be read"


def test_where_nobody_can_be_written_to_it_is_issued_and_waits_for_a_person(company):
    client = make_client(company, "C-5", email=None)
    make(client)
    (not_sent,) = run(company).not_sent
    assert not_sent.invoice.issued_at and "add a contact" in not_sent.refused_because
    assert run(company).not_sent == [] and len(run(company, FIRST + DAY).not_sent) == 1
    client.contacts.create(name="Mara Winter", email="mara@client.example")
    assert run(company, FIRST + 2 * DAY).not_sent == [] and Message.objects.count() == 1
    assert not RecurringRun.objects.stuck().exists() and Invoice.objects.count() == 1


def test_what_a_person_mailed_meanwhile_is_not_mailed_again(company):
    client = make_client(company, "C-5", email=None)
    make(client)
    run(company)
    client.contacts.create(name="Mara Winter", email="mara@client.example")
    send_invoice(Invoice.objects.get(), on=FIRST, by=CLERK)
    Message.objects.update(state="sent")
    run(company, FIRST + DAY)
    assert Message.objects.count() == 1 and not RecurringRun.objects.stuck().exists()


def test_one_that_is_refused_stops_no_other(company, good_client, late_client):
    make(late_client)
    make(good_client)
    set_status(late_client, "cash_only", because="t", source="policy", on=TODAY, by="system")
    ran = run(company)
    assert [i.client for i in ran.invoices] == [good_client] and len(ran.refused) == 1


def test_a_paused_one_is_not_asked_again_and_a_voided_invoice_is_not_repeated(company, good_client, late_client):
    refused = make(late_client)
    make(good_client)
    set_status(late_client, "cash_only", because="t", source="policy", on=TODAY, by="system")
    run(company)
    pause_recurring(refused, at=NOON, by=CLERK)
    Message.objects.all().delete()
    void_invoice(Invoice.objects.get(), reason="wrong", on=FIRST, by=CLERK)
    assert due_days(company, FIRST + 5 * DAY) == []


def test_on_stricter_terms_the_clients_own_give_way_to_short_enough_ones(company, late_client):
    Terms.objects.create(company=company, name="Net 14 days", net_days=14)
    set_status(late_client, "stricter", because="t", source="policy", on=TODAY, by="system", terms_days=14)
    make(late_client)
    make(late_client, name="Care", terms=company.terms.get(net_days=30))
    ran = run(company)
    assert [i.terms.net_days for i in ran.invoices] == [14] and "at most 14 days" in ran.refused[0].refused_because


@pytest.mark.django_db(transaction=True)
def test_two_ticks_and_a_click_at_once_make_one_invoice_and_one_mail():
    company = make_company()
    make(make_client(company), unit="week")
    barrier, made, failed = threading.Barrier(3), [], []

    def act():
        barrier.wait()
        try:
            made.append(len(run(company, FIRST + 8 * DAY).invoices))
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=act) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == [] and sum(made) == 2
    assert Invoice.objects.count() == 2 and Message.objects.count() == 2 and RecurringRun.objects.count() == 2


# --- the tick and the command -----------------------------------------------------------------------------------------


def test_the_tick_issues_when_the_day_has_begun_and_mails_at_the_opening_of_the_window(company, good_client):
    from invoices.tasks import RECURRING_TICK, invoice_recurring

    make(good_client)
    berlin = company.zone
    with time_machine.travel(dt.datetime.combine(TODAY, dt.time(23, 58), tzinfo=berlin), tick=False):
        invoice_recurring()
        assert Tick.objects.get(name=RECURRING_TICK).result == {}
    with time_machine.travel(dt.datetime.combine(FIRST, dt.time(0, 1), tzinfo=berlin), tick=False):
        invoice_recurring()
        assert Tick.objects.get(name=RECURRING_TICK).result == {"lo": {"invoices": 1, "refused": 0}}
        invoice_recurring()
    assert Message.objects.get().not_before.astimezone(berlin) == dt.datetime.combine(FIRST, dt.time(9), tzinfo=berlin)
    assert Invoice.objects.count() == 1


def test_a_minute_in_which_nothing_is_due_asks_little(company, good_client, django_assert_max_num_queries):
    from invoices.tasks import invoice_recurring

    for n in range(5):
        make(good_client, name=f"Hosting {n}", starts_on=dt.date(2027, 1, 1))
    with django_assert_max_num_queries(10):  # the tick's row and its savepoints, whose, which, which refused
        invoice_recurring()


def test_the_command_says_what_it_would_issue_and_then_issues_it(company, good_client, capsys):
    make(good_client, on=dt.date(2026, 1, 1), starts_on=dt.date(2026, 1, 31))
    with time_machine.travel(dt.datetime(2026, 2, 28, 12, tzinfo=dt.UTC), tick=False):
        call_command("invoice_recurring", "--json", "--dry-run")
        told = json.loads(capsys.readouterr().out)
        assert [i["due_on"] for i in told["invoices"]] == ["2026-01-31", "2026-02-28"] and told["dry_run"]
        assert not Invoice.objects.exists() and not RecurringRun.objects.exists() and not Message.objects.exists()
        call_command("invoice_recurring", "--json", "--dry-run", "--on", "2026-03-31", "--company", "LO")
        assert len(json.loads(capsys.readouterr().out)["invoices"]) == 3
        call_command("invoice_recurring", "--json")
        told = json.loads(capsys.readouterr().out)
        assert told["per_currency"] == {"EUR": {"count": 2, "total": "190.40"}} and told["refused"] == []
        call_command("invoice_recurring")
        assert capsys.readouterr().out.strip() == "No recurring invoice is due."
    for wrong in (["--on", "2026-03-31"], ["--company", "nobody"]):
        with pytest.raises(SystemExit) as ended:
            call_command("invoice_recurring", "--json", *wrong)
        assert ended.value.code == 1 and "error" in json.loads(capsys.readouterr().out)
